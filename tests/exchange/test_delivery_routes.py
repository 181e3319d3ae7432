"""Where a delivery goes: told to whoever brings it, for as long as that is open, and recorded."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from marketplace.domain.days import county_day
from marketplace.domain.ids import opaque_id
from marketplace.persistence.tables import (
    accounts,
    consents,
    deliveries,
    events,
    households,
    organizations,
)
from tests.fixtures.asked import Asked, asked, give_keys
from tests.fixtures.delivering import (
    a_lot,
    accept,
    check_in,
    dispatch,
    moving,
    reachable,
)
from tests.fixtures.market import Market, a_consent, a_household, an_offer
from tests.fixtures.results import a_member

pytestmark = pytest.mark.one_database

CONTACT = """
query ($id: ID!, $purpose: String!) {
  recipientContact(allocationId: $id, purpose: $purpose) { name phone address }
}
"""
ROUTES = """
query ($day: Date!, $region: ID) {
  deliveryRoutes(day: $day, regionId: $region) {
    reference carrier plannedOn label organizationName townshipLabel
    stops { allocationId reference quantity { value unit } regionLabel legM }
  }
}
"""
BATCHES = """
{ deliveries(first: 9) { nodes { label carrier region { code } allocations(first: 9) { nodes {
  id } } } } }
"""


@pytest.fixture
async def asking(market: Market, database_url: str, tmp_path: Path) -> AsyncIterator[Asked]:
    await give_keys(market)
    with asked(market, database_url, tmp_path) as asking:
        yield asking


def contact(asking: Asked, who: str | None, key: str, purpose: str = "Bring rice") -> Any:
    """What is told, or the code of the refusal."""
    answer = asking.ask(who, CONTACT, {"id": key, "purpose": purpose})
    if "errors" in answer:
        return answer["errors"][0]["extensions"]["code"]
    return answer["data"]["recipientContact"]


async def test_a_provider_learns_of_a_door_only_to_bring_it_itself_and_only_while_it_is_open(
    asking: Asked,
) -> None:
    market = asking.market
    own, by_grid = await a_lot(market), await a_lot(market)
    for lot in (own, by_grid):
        await reachable(market, asking.sealer, lot.household_id)
        await a_member(asking, lot.household_id, "Wu Ailan")
    told = {"name": "Wu Ailan", "phone": "13800138000", "address": "Ox Lane 7"}

    assert contact(asking, "provider", own.id) == "FORBIDDEN"  # set aside, not accepted
    accept(asking, own, "PROVIDER")
    accept(asking, by_grid)
    assert contact(asking, "provider", own.id) == told
    assert contact(asking, "provider", by_grid.id) == "FORBIDDEN"
    assert contact(asking, "other_provider", own.id) == "NOT_FOUND"
    assert contact(asking, "grid", own.id) == "FORBIDDEN"
    assert contact(asking, None, own.id) == "UNAUTHENTICATED"
    assert contact(asking, "provider", own.id, "x") == "REQUIRED"
    dispatch(asking, own)
    assert contact(asking, "federation", own.id) == told
    check_in(asking, own, 40, who="provider")
    asking.do("grid", moving("allocationConfirm"), {"id": own.id})
    assert contact(asking, "provider", own.id) == "FORBIDDEN"

    async with market.database.read() as db:
        seen = await db.rows(
            sa.select(events.c.entity_id, events.c.data, events.c.account_id)
            .where(events.c.kind == "household.viewed")
            .order_by(events.c.id)
        )
    assert [row["entity_id"] for row in seen] == [own.household_id] * 2
    assert seen[0]["account_id"] == market.viewer["provider"].account_id
    assert seen[0]["data"]["purpose"] == "Bring rice"
    assert seen[0]["data"]["allocationId"] == own.allocation_id


async def test_no_door_is_told_without_consent_or_to_who_is_suspended(asking: Asked) -> None:
    market = asking.market
    lot = await a_lot(market)
    accept(asking, lot, "PROVIDER")
    dispatch(asking, lot)
    assert contact(asking, "provider", lot.id)["phone"] is None
    for table, column, key, before, after in (
        (consents, consents.c.household_id, lot.household_id, "GIVEN", "WITHDRAWN"),
        (
            organizations,
            organizations.c.id,
            market.organization["charity"],
            "VERIFIED",
            "SUSPENDED",
        ),
    ):
        for status, seen in ((after, "FORBIDDEN"), (before, None)):
            async with market.database.write() as db:
                await db.execute(sa.update(table).where(column == key).values(status=status))
            found = contact(asking, "provider", lot.id)
            assert (found if seen else found["phone"]) == seen, (table.name, status)


async def test_a_day_s_stops_are_told_by_township_the_nearest_next_and_without_persons(
    asking: Asked,
) -> None:
    market = asking.market
    offer_id = await an_offer(market)
    lots = [await a_lot(market, offer_id=offer_id) for _ in range(4)]
    mine = await a_lot(market, offer_id=offer_id)
    # From the township's centre at 27.91, 116.77: the third, the first, the second; one unknown.
    for lot, north in zip(lots, (27.93, 27.96, 27.915, None), strict=True):
        await _move(market, lot.household_id, north)
    for lot in lots:
        accept(asking, lot)
    accept(asking, mine, "PROVIDER")
    tomorrow = county_day(market.database.now()) + timedelta(days=1)
    for lot in lots:
        assert dispatch(asking, lot, label="van 1")["userErrors"] == []
    dispatch(asking, mine, plannedOn=tomorrow.isoformat())
    today = (tomorrow - timedelta(days=1)).isoformat()

    (route,) = asking.see("grid", ROUTES, {"day": today})["deliveryRoutes"]

    assert (route["carrier"], route["label"], route["townshipLabel"]) == ("GRID", "van 1", "xiugu")
    assert [stop["allocationId"] for stop in route["stops"]] == [
        lots[index].id for index in (2, 0, 1, 3)
    ]
    assert [stop["legM"] for stop in route["stops"]] == [600, 1700, 3300, None]
    assert route["stops"][0]["quantity"] == {"value": "40", "unit": "kg"}
    late = asking.see("reviewer", ROUTES, {"day": tomorrow.isoformat()})["deliveryRoutes"]
    assert [each["carrier"] for each in late] == ["GRID", "PROVIDER"]
    only_own = asking.see("provider", ROUTES, {"day": tomorrow.isoformat()})["deliveryRoutes"]
    assert [each["carrier"] for each in only_own] == ["PROVIDER"]
    for who in ("other_provider", "other_township"):
        assert asking.see(who, ROUTES, {"day": tomorrow.isoformat()})["deliveryRoutes"] == []
    for region, count in (("grid", 1), ("huangtong", 0)):
        where = {"day": today, "region": opaque_id("Region", market.region[region])}
        assert len(asking.see("reviewer", ROUTES, where)["deliveryRoutes"]) == count
    check_in(asking, lots[3], 40)
    assert len(asking.see("grid", ROUTES, {"day": today})["deliveryRoutes"][0]["stops"]) == 3
    refused = asking.ask("applicant", ROUTES, {"day": today})
    assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"


CHECK_INS = """
query ($id: ID!) { node(id: $id) { ... on CheckIn {
  handedOver { value } isFar distanceM latitude evidenceReference allocation { id }
} } }
"""


async def test_a_check_in_is_seen_by_who_has_a_part_in_it_and_its_place_by_offices_alone(
    asking: Asked,
) -> None:
    market = asking.market
    lot = await a_lot(market)
    accept(asking, lot)
    dispatch(asking, lot)
    key = check_in(asking, lot, 40, evidenceReference="PHOTO-7")["checkIn"]["id"]
    async with market.database.write() as db:
        applicant = accounts.c.id == market.viewer["applicant"].account_id
        values = {"household_id": lot.household_id}
        await db.execute(sa.update(accounts).where(applicant).values(**values))

    seen = {
        who: asking.see(None if who == "public" else who, CHECK_INS, {"id": key})["node"]
        for who in market.viewer
    }

    offices = {"grid", "social", "township", "assistance", "assistance_2", "reviewer", "reviewer_2"}
    parties = {"provider", "federation", "applicant"}
    assert {who for who, found in seen.items() if found} == offices | parties | {"auditor"}
    for who in offices | {"auditor"}:
        assert (seen[who]["distanceM"], seen[who]["evidenceReference"]) == (56, "PHOTO-7")
    for who in parties:
        hidden = ("distanceM", "latitude", "evidenceReference")
        assert {seen[who][name] for name in hidden} == {None}
        assert (seen[who]["handedOver"]["value"], seen[who]["allocation"]["id"]) == ("40", lot.id)


async def test_a_batch_is_one_township_s_and_seen_by_who_sends_or_brings_it(asking: Asked) -> None:
    market = asking.market
    far = await a_household(market, region="far_village")
    await a_consent(market, far)
    here = [await a_lot(market) for _ in range(2)]
    there = await a_lot(market, household_id=far, need={"region_id": market.region["far_village"]})
    lines = [{"id": lot.id} for lot in (*here, there)]
    asking.do("provider", moving("allocationAccept"), {"lines": lines})
    asking.do("provider", moving("allocationDispatch"), {"lines": lines})

    seen = {
        who: {
            (batch["region"]["code"], len(batch["allocations"]["nodes"]))
            for batch in asking.see(who, BATCHES)["deliveries"]["nodes"]
        }
        for who in ("provider", "reviewer", "grid", "other_township", "other_provider", "applicant")
    }

    both = {("xiugu", 2), ("huangtong", 1)}
    assert seen == {
        "provider": both,
        "reviewer": both,
        "grid": {("xiugu", 2)},
        "other_township": {("huangtong", 1)},
        "other_provider": set(),
        "applicant": set(),
    }
    assert await market.count(deliveries) == 2


async def _move(market: Market, household_id: int, north: float | None) -> None:
    east = None if north is None else 116.77
    async with market.database.write() as db:
        await db.execute(
            sa.update(households)
            .where(households.c.id == household_id)
            .values(latitude=north, longitude=east)
        )
