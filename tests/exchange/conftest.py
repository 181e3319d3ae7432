"""The market that every test of the exchange starts from."""

from __future__ import annotations

import pytest

from marketplace.persistence.database import Database
from tests.fixtures.market import Market, a_market


@pytest.fixture
async def market(database: Database) -> Market:
    return await a_market(database)
