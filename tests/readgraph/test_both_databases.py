"""SQLite and PostgreSQL give the same answer to the same question, letter by letter."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
import sqlalchemy as sa

from marketplace.domain.permissions import Viewer
from marketplace.persistence.database import Database
from tests.fixtures.databases import postgres_database
from tests.readgraph.asking import ask
from tests.readgraph.test_pages import ROOTS
from tests.readgraph.test_statements import DEEP
from tests.readgraph.world import a_world

NOW = datetime(2026, 11, 24, 4, 0, 0, 120_000, tzinfo=UTC)

DOCUMENTS = [
    DEEP,
    """{ offers(last: 7, orderBy: [{field: EXPIRES_AT, direction: DESC}]) {
        edges { cursor node {
          id kind title remaining { value unit } latitude targetGroups startsAt expiresAt createdAt
          category { label(language: ZH_CN) parent { code kind } }
          regions(first: 9) { totalCount nodes { code level locationSource treePosition } }
        } }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }""",
    """{ plans(first: 3) { nodes {
        reference kind status policy { order floorSharePercent } leftAside { count } error progress
        pairCount createdAt startedAt
        lines(first: 3) { totalCount nodes {
            distanceKm status allocation { status } need { status } } }
      } } }""",
    """{ publishedNeeds(first: 50) { nodes {
        reference isOpen quantity { value unit } severityBand targetGroups deadline publishedAt
        region { name latitude } allocations(first: 3) { nodes { status endedAt cancelReason } }
      } } }""",
    """{ organizations(first: 10, orderBy: [{field: NAME}]) { edges { cursor node {
        reference name kind status createdAt } } } }""",
]


@pytest.fixture
def both(tmp_path: Path, sqlite_copy_of: Path, postgres: sa.URL, postgres_copy_of: str):  # type: ignore[no-untyped-def]
    path = tmp_path / "both.db"
    shutil.copy(sqlite_copy_of, path)
    with postgres_database(postgres, postgres_copy_of) as url:
        yield f"sqlite+aiosqlite:///{path}", url


async def test_the_same_question_has_the_same_answer(both: tuple[str, str]) -> None:
    answers: list[list[bytes]] = []
    for url in both:
        database = Database(url, clock=lambda: NOW)
        world = await a_world(database, seed=5)
        viewers: list[Viewer] = [world.market.viewer[n] for n in ("auditor", "reviewer", "grid")]
        roots = [f"{{ {root}(first: 9) {{ nodes {{ id }} }} }}" for root in ROOTS]
        answers.append(
            [
                orjson.dumps(await ask(database, viewer, document))
                for viewer in viewers
                for document in (*DOCUMENTS, *roots)
            ]
        )
        await database.close()

    for lite, postgres in zip(*answers, strict=True):
        assert orjson.loads(lite) == orjson.loads(postgres)
        assert lite == postgres
