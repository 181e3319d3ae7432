"""A served market in which one of each role asks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from marketplace.persistence.database import Database
from tests.fixtures.asked import asked, give_keys
from tests.fixtures.market import a_market
from tests.lifecycles.asking import Trying
from tests.lifecycles.entities import ground


@pytest.fixture
async def trying(database: Database, database_url: str, tmp_path: Path) -> AsyncIterator[Trying]:
    market = await a_market(database)
    await give_keys(market)
    with asked(market, database_url, tmp_path) as served:
        yield Trying(served, await ground(market, served.sealer))
