"""Who is behind a key: role and scope, and keys that are good no longer, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from marketplace.domain.permissions import MUTATIONS, Role
from marketplace.persistence.database import Database
from marketplace.persistence.tables import api_keys, regions
from schema.context import viewer_of
from tests.fixtures.served import Served, add_account, served, settings_for

WHO = """{ viewer {
  role accountName regionId organizationId allowedMutations region { id name } organization { name }
} }"""


@pytest.fixture
def running(database_url: str, tmp_path: Path) -> Iterator[Served]:
    with served(settings_for(database_url, tmp_path)) as server:
        yield server


async def ask(server: Served, key: str | None) -> dict[str, object]:
    # The server runs in a thread of its own; the test's loop must not stand still meanwhile.
    response = await asyncio.to_thread(server.ask, WHO, key=key)
    answer: dict[str, object] = response.json()
    return answer | {"status": response.status_code}


async def test_a_key_tells_role_and_scope_and_the_mutations_of_the_role(
    running: Served, database: Database
) -> None:
    region_id = await _add_region(database)
    key = await add_account(database, Role.TOWNSHIP_OFFICER, name="秀谷镇", region_id=region_id)

    viewer = (await ask(running, key))["data"]["viewer"]  # type: ignore[index]

    assert viewer["role"] == "TOWNSHIP_OFFICER"
    assert viewer["accountName"] == "秀谷镇"
    assert viewer["region"] == {"id": viewer["regionId"], "name": "秀谷镇"}
    assert viewer["organization"] is None
    assert viewer["organizationId"] is None
    assert viewer["allowedMutations"] == sorted(
        m for m, roles in MUTATIONS.items() if Role.TOWNSHIP_OFFICER in roles
    )


async def test_without_a_key_one_is_the_public(running: Served, database: Database) -> None:
    viewer = (await ask(running, None))["data"]["viewer"]  # type: ignore[index]

    assert viewer["role"] == "PUBLIC"
    assert viewer["allowedMutations"] == sorted(
        m for m, roles in MUTATIONS.items() if Role.PUBLIC in roles
    )


async def test_keys_that_do_not_stand_all_look_the_same(
    running: Served, database: Database
) -> None:
    now = database.now()
    keys = [
        "unknown",
        "two words",
        "x" * 5_000,
        await add_account(database, Role.ADMIN, expires_at=now),
        await add_account(database, Role.ADMIN, revoked_at=now),
        await add_account(database, Role.ADMIN, disabled_at=now),
    ]

    answers = [await ask(running, key) for key in keys]

    assert all(answer == answers[0] for answer in answers)
    assert answers[0]["status"] == 401
    assert answers[0]["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"  # type: ignore[index]


async def test_a_key_that_expires_later_still_stands(running: Served, database: Database) -> None:
    later = database.now() + timedelta(hours=1)
    key = await add_account(database, Role.AUDITOR, expires_at=later)

    assert (await ask(running, key))["status"] == 200


async def test_the_viewer_is_read_by_one_statement_with_the_subtree_of_the_region(
    database: Database,
) -> None:
    region_id = await _add_region(database)
    await add_account(database, Role.GRID_WORKER, region_id=region_id)
    async with database.read() as db:
        digest = str(await db.scalar(sa.select(api_keys.c.digest)))
    statements: list[str] = []

    def note(_c: object, _cur: object, statement: str, *_: object) -> None:
        if statement.lstrip().upper().startswith("SELECT"):
            statements.append(statement)

    sa.event.listen(database.engines[1].sync_engine, "before_cursor_execute", note)
    viewer = await viewer_of(database, digest, "en")

    assert (viewer.region_low, viewer.region_high) == (10, 20)
    assert len(statements) == 1


async def _add_region(database: Database) -> int:
    async with database.write() as db:
        return await db.insert(
            regions,
            {
                "level": "TOWNSHIP",
                "scheme": "NBS-12",
                "code": "361027100000",
                "name_zh": "秀谷镇",
                "tree_low": 10,
                "tree_high": 20,
            },
        )
