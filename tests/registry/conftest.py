"""A county behind a server, for those who ask over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from marketplace.persistence.database import Database
from tests.fixtures.county import a_county
from tests.fixtures.county_served import Asked, keyed, sealer_beside
from tests.fixtures.served import served, settings_for


@pytest.fixture
async def asked(database: Database, database_url: str, tmp_path: Path) -> AsyncIterator[Asked]:
    county = await a_county(database)
    await keyed(county)
    with served(settings_for(database_url, tmp_path)) as server:
        yield Asked(county, server, sealer_beside(county, tmp_path))
