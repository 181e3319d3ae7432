"""The market that every test of fieldwork starts from, and the same one served."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from marketplace.persistence.database import Database
from tests.fixtures.asked import Asked, asked, give_keys
from tests.fixtures.market import Market, a_market


@pytest.fixture
async def market(database: Database) -> Market:
    return await a_market(database)


@pytest.fixture
async def asking(market: Market, database_url: str, tmp_path: Path) -> AsyncIterator[Asked]:
    await give_keys(market)
    with asked(market, database_url, tmp_path) as served:
        yield served
