"""A world for every test of the read graph."""

from __future__ import annotations

import pytest

from marketplace.persistence.database import Database
from tests.readgraph.world import World, a_world


@pytest.fixture
async def world(database: Database) -> World:
    return await a_world(database)
