"""A county behind a server, for those who ask over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from marketplace.persistence.database import Database
from tests.fixtures import county_served
from tests.fixtures.asked import give_keys
from tests.fixtures.county import a_county
from tests.fixtures.county_served import Asked


@pytest.fixture
async def asked(database: Database, database_url: str, tmp_path: Path) -> AsyncIterator[Asked]:
    county = await a_county(database)
    await give_keys(county)
    with county_served.asked(county, database_url, tmp_path) as served:
        yield served
