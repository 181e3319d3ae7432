"""Personal data over the graph: one door, and no other way to what stands behind it."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from marketplace.domain.ids import opaque_id
from marketplace.domain.permissions import Role
from marketplace.persistence.crypto import new_seal_id
from marketplace.persistence.database import Database
from marketplace.persistence.tables import events, households, members, regions
from marketplace.services.registry.sealing import sealer_of
from tests.fixtures.served import add_account, served, settings_for

ASK = """query ($id: ID!, $purpose: String!) { personalData(householdId: $id, purpose: $purpose) {
  householdId address phone members { name relation identityNumber } } }"""
NAME, ADDRESS = "金丝雀某", "秘密巷一号"


@pytest.fixture
async def household_id(database: Database, tmp_path: Path, database_url: str) -> int:
    sealer = sealer_of(settings_for(database_url, tmp_path))
    house, person = new_seal_id(), new_seal_id()
    now = database.now()
    async with database.write() as db:
        region = await db.insert(
            regions,
            {
                "level": "COUNTY",
                "scheme": "GB/T 2260",
                "code": "361027",
                "name_zh": "金溪县",
                "tree_low": 1,
                "tree_high": 9,
            },
        )
        household = await db.insert(
            households,
            {
                "region_id": region,
                "member_count": 1,
                "seal_id": house,
                "address_sealed": sealer.seal(ADDRESS, place="households.address", seal_id=house),
                "created_at": now,
            },
        )
        await db.insert(
            members,
            {
                "household_id": household,
                "is_head": True,
                "relation": "SELF",
                "seal_id": person,
                "name_sealed": sealer.seal(NAME, place="members.name", seal_id=person),
                "created_at": now,
            },
        )
    return household


async def _key(database: Database, role: Role) -> str:
    async with database.read() as db:
        region = await db.scalar(sa.select(regions.c.id))
    assert isinstance(region, int)
    return await add_account(database, role, region_id=region)


async def test_an_officer_reads_it_for_a_purpose_and_the_reading_is_recorded(
    database: Database, database_url: str, household_id: int, tmp_path: Path
) -> None:
    key = await _key(database, Role.ASSISTANCE_OFFICER)
    given = {"id": opaque_id("Household", household_id), "purpose": "核对大病救助材料"}

    with served(settings_for(database_url, tmp_path)) as server:
        found = server.ask(ASK, given, key=key).json()["data"]["personalData"]

    assert found["address"] == ADDRESS
    assert found["members"] == [{"name": NAME, "relation": "SELF", "identityNumber": None}]
    async with database.read() as db:
        kinds = [row["kind"] for row in await db.rows(sa.select(events.c.kind))]
    assert kinds == ["household.viewed"]


@pytest.mark.parametrize(
    ("role", "purpose", "code"),
    [
        (None, "核对大病救助材料", "UNAUTHENTICATED"),
        (Role.PROVIDER, "核对大病救助材料", "FORBIDDEN"),
        (Role.CHARITY_OFFICER, "核对大病救助材料", "FORBIDDEN"),
        (Role.ADMIN, "核对大病救助材料", "FORBIDDEN"),
        (Role.ASSISTANCE_OFFICER, "...", "REQUIRED"),
    ],
)
async def test_nobody_else_and_nobody_without_a_purpose_learns_anything(
    database: Database,
    database_url: str,
    household_id: int,
    tmp_path: Path,
    role: Role | None,
    purpose: str,
    code: str,
) -> None:
    key = None if role is None else await _key(database, role)
    given = {"id": opaque_id("Household", household_id), "purpose": purpose}

    with served(settings_for(database_url, tmp_path)) as server:
        answer = server.ask(ASK, given, key=key)

    assert answer.json()["errors"][0]["extensions"]["code"] == code
    assert NAME not in answer.text
    assert ADDRESS not in answer.text
    async with database.read() as db:
        assert await db.scalar(sa.select(sa.func.count()).select_from(events)) == 0
