"""Households with needs and consents in a county behind a server, and what is asked of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from marketplace.domain.ids import parse_id
from marketplace.persistence.database import Database
from marketplace.persistence.tables import (
    allocations,
    consents,
    needs,
    offer_regions,
    offers,
    organizations,
    published_needs,
)
from tests.fixtures import county_served
from tests.fixtures.asked import give_keys
from tests.fixtures.county import VILLAGE, XIUGU, a_county
from tests.fixtures.county_served import Asked

TODAY = datetime.now(UTC).date().isoformat()
SHOWN = """household {
  id status memberCount targetGroups region { code }
  memberEvents(first: 9) { nodes { kind happenedOn reason } }
  mergedInto { id }
  possibleDuplicates(first: 9) { nodes { id ground status other { id } } }
}"""


def document(name: str, more: str = "") -> str:
    kind = name[0].upper() + name[1:]
    return f"""mutation ($input: {kind}Input!) {{
      {name}(input: $input) {{ {SHOWN} {more} userErrors {{ field code }} }}
    }}"""


ADD, BORN = document("memberAdd"), document("memberBorn")
DIED, LEFT = document("memberDeceased"), document("memberRemove")
MOVE = document("householdMove", "unfitting { reference why }")
MERGE = document("householdMerge", "doubledNeeds { id }")
SPLIT = document("householdSplit")
PEOPLE = """query ($id: ID!) {
  personalData(householdId: $id, purpose: "核对家庭成员变动") {
    address phone members { id name relation }
  }
}"""


@pytest.fixture
async def asked(database: Database, database_url: str, tmp_path: Path) -> AsyncIterator[Asked]:
    county = await a_county(database)
    await give_keys(county)
    with county_served.asked(county, database_url, tmp_path) as served:
        yield served


def people(asked: Asked, household: str) -> dict[str, tuple[str, str]]:
    """Name -> id and relation of who is a member now."""
    found = asked.read("assistance", PEOPLE, {"id": household})["members"]
    return {each["name"]: (each["id"], each["relation"]) for each in found}


def codes(payload: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each["field"][-1], each["code"]) for each in payload["userErrors"]]


async def a_consent(asked: Asked, household: str, **changes: Any) -> int:
    values = {
        "household_id": parse_id(household)[1],
        "purpose": "CHARITABLE_ASSISTANCE",
        "recipient_class": "VERIFIED_PROVIDERS",
        "text_version": "2026-01",
        "how_given": "SIGNED",
        "given_at": asked.county.database.now() - timedelta(days=1),
    }
    async with asked.county.database.write() as db:
        return await db.insert(consents, values | changes)


async def a_need(asked: Asked, household: str, *, category: str, **changes: Any) -> int:
    county, now = asked.county, asked.county.database.now()
    values = {
        "household_id": parse_id(household)[1],
        "category_id": county.category[category],
        "region_id": county.region[VILLAGE],
        "status": "PUBLISHED",
        "quantity_asked": 100,
        "quantity": 100,
        "severity": 70,
        "seal_id": uuid4().hex,
        "created_at": now,
    } | changes
    async with county.database.write() as db:
        need_id = await db.insert(needs, values)
        if values["status"] == "PUBLISHED":
            copy = {
                "need_id": need_id,
                "category_id": values["category_id"],
                "region_id": county.region[XIUGU],
                "quantity": 100,
                "severity_band": "HIGH",
                "published_at": now,
            }
            await db.insert(published_needs, copy)
        return need_id


async def reserved(asked: Asked, need_id: int, category: str, **terms: Any) -> int:
    """Ten units of a new offer, set aside for a need; the offer."""
    county, now = asked.county, asked.county.database.now()
    region_ids = terms.pop("region_ids", ())
    async with county.database.write() as db:
        organization = {
            "kind": "CHARITY",
            "status": "VERIFIED",
            "name": "慈善",
            "region_id": county.region[XIUGU],
            "created_at": now,
        }
        values = {
            "organization_id": await db.insert(organizations, organization),
            "category_id": county.category[category],
            "kind": "GOODS",
            "status": "OPEN",
            "quantity": 1_000,
            "reserved": 10,
            "starts_at": now,
            "created_at": now,
        } | terms
        offer_id = await db.insert(offers, values)
        for region_id in region_ids:
            pair = {"offer_id": offer_id, "region_id": region_id}
            await db.execute(sa.insert(offer_regions).values(**pair))
        await db.execute(sa.update(needs).where(needs.c.id == need_id).values(covered=10))
        row = {
            "need_id": need_id,
            "offer_id": offer_id,
            "origin": "PLAN",
            "units_served": 10,
            "units_drawn": 10,
            "created_at": now,
        }
        await db.insert(allocations, row)
        return offer_id
