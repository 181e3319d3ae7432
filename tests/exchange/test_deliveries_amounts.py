"""What was sent, received, returned and lost: the counters follow, to the unit."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from marketplace.persistence.tables import allocations, offers, published_needs
from tests.fixtures.asked import Asked, asked, give_keys
from tests.fixtures.delivering import (
    Lot,
    a_lot,
    accept,
    bring,
    check_in,
    check_ins_of,
    counters,
    dispatch,
    moving,
    row_of,
)
from tests.fixtures.invariants import all_is_well
from tests.fixtures.market import Market, a_need, an_offer

pytestmark = pytest.mark.one_database

CONFIRM = moving("allocationConfirm")
DISPUTE = moving("allocationDispute")
SETTLE = moving("allocationSettle")
ALLOCATION = """
query ($id: ID!) { node(id: $id) { ... on Allocation {
  served { value } reserved { value } sent { value } received { value } returned { value }
  lostDrawn { value unit } receivedDrawn { value unit } settleNote disputeNote
  claimed { value } checkIns(first: 5) { nodes { handedOver { value } distanceM } }
} } }
"""


@pytest.fixture
async def asking(market: Market, database_url: str, tmp_path: Path) -> AsyncIterator[Asked]:
    await give_keys(market)
    with asked(market, database_url, tmp_path) as asking:
        yield asking
    await all_is_well(market.database)


async def is_shown(market: Market, lot: Lot) -> bool:
    copy = sa.select(published_needs.c.is_open).where(published_needs.c.need_id == lot.need_id)
    return bool(await market.value(copy))


def settle(asking: Asked, lot: Lot, settlement: str, **units: int) -> list[str]:
    """Codes of what is refused."""
    given = {"id": lot.id, "settlement": settlement, "note": "Counted at the station."}
    given |= {name: str(value) for name, value in units.items()}
    return [e["code"] for e in asking.do("reviewer", SETTLE, given)["userErrors"]]


@pytest.mark.both_databases
async def test_a_shortfall_opens_the_need_and_only_what_came_back_goes_back(
    asking: Asked,
) -> None:
    market = asking.market
    lot = await a_lot(market)
    accept(asking, lot)
    dispatch(asking, lot, 30)
    assert await counters(market, lot) == {
        "need": "PUBLISHED",
        "covered": 30,
        "reserved": 30,
        "delivered": 0,
    }

    check_in(asking, lot, 20, unitsReturned="4")

    assert await counters(market, lot) == {
        "need": "PUBLISHED",
        "covered": 20,
        "reserved": 0,
        "delivered": 26,
    }
    assert await is_shown(market, lot)
    rest = await a_lot(
        market, 20, household_id=lot.household_id, need_id=lot.need_id, offer_id=lot.offer_id
    )
    assert not await is_shown(market, lot)
    asking.do("township", CONFIRM, {"id": lot.id})
    shown = asking.see("provider", ALLOCATION, {"id": lot.id})["node"]
    assert {name: shown[name]["value"] for name in ("served", "reserved", "sent", "received")} == {
        "served": "20",
        "reserved": "40",
        "sent": "30",
        "received": "20",
    }
    assert (shown["returned"]["value"], shown["lostDrawn"]) == ("4", {"value": "6", "unit": "kg"})
    assert (await counters(market, lot))["need"] == "PUBLISHED"

    bring(asking, rest, 20)
    asking.do("township", CONFIRM, {"id": rest.id})
    assert await counters(market, lot) == {
        "need": "FULFILLED",
        "covered": 40,
        "reserved": 0,
        "delivered": 46,
    }


async def test_what_nobody_could_take_is_tried_again_and_in_the_end_settled(
    asking: Asked,
) -> None:
    market = asking.market
    lot = await a_lot(market)
    accept(asking, lot)
    dispatch(asking, lot)

    tried = check_in(asking, lot, 0)["checkIn"]
    assert tried["allocation"]["status"] == "DISPATCHED"
    given_up = check_in(asking, lot, 0, unitsReturned="30")["checkIn"]
    assert given_up["allocation"]["status"] == "DELIVERED"
    assert await check_ins_of(market, lot) == 2
    assert asking.refused("township", CONFIRM, {"id": lot.id}) == "NOTHING_RECEIVED"
    asking.do("township", DISPUTE, {"id": lot.id, "reason": "NOT_RECEIVED"})

    assert settle(asking, lot, "CANCELLED", unitsReceived=1) == ["INVALID"]
    assert settle(asking, lot, "CANCELLED", unitsReturned=41) == ["TOO_LARGE"]
    assert settle(asking, lot, "CANCELLED", unitsReturned=30) == []

    assert (await row_of(market, lot))["status"] == "CANCELLED"
    assert await counters(market, lot) == {
        "need": "PUBLISHED",
        "covered": 0,
        "reserved": 0,
        "delivered": 10,
    }
    assert await is_shown(market, lot)


async def test_the_charity_desk_settles_with_what_was_really_received(asking: Asked) -> None:
    market = asking.market
    lot = await a_lot(market)
    bring(asking, lot, 40)
    said = {"id": lot.id, "reason": "LESS_RECEIVED", "unitsReceived": "10", "note": "One bag."}
    disputed = asking.do("township", DISPUTE, said)["allocation"]
    assert disputed["status"] == "DISPUTED"

    for units, codes in (
        ({}, ["REQUIRED"]),
        ({"unitsReceived": 0}, ["INVALID"]),
        ({"unitsReceived": 10, "unitsReturned": 31}, ["TOO_LARGE"]),
        ({"unitsReceived": 10, "unitsReturned": 25}, []),
    ):
        assert settle(asking, lot, "CONFIRMED", **units) == codes

    assert await counters(market, lot) == {
        "need": "PUBLISHED",
        "covered": 10,
        "reserved": 0,
        "delivered": 15,
    }
    shown = asking.see("provider", ALLOCATION, {"id": lot.id})["node"]
    assert shown["settleNote"] == "Counted at the station."
    assert shown["claimed"] == {"value": "10"}
    assert shown["received"] == {"value": "10"}
    hidden = asking.ask("provider", ALLOCATION.replace("settleNote", ""), {"id": lot.id})
    assert hidden["data"]["node"]["disputeNote"] is None
    assert hidden["data"]["node"]["checkIns"]["nodes"][0]["distanceM"] is None
    assert (await row_of(market, lot))["confirmed_how"] == "SETTLED"


@pytest.mark.both_databases
async def test_more_than_was_said_may_be_received_while_the_need_has_room(asking: Asked) -> None:
    market = asking.market
    lot, full = await a_lot(market), await a_lot(market)
    for each in (lot, full):
        bring(asking, each, 20)
        asking.do("township", DISPUTE, {"id": each.id, "reason": "OTHER", "unitsReceived": "40"})
    await a_lot(market, 20, household_id=full.household_id, need_id=full.need_id)

    assert settle(asking, lot, "CONFIRMED", unitsReceived=40) == []
    assert settle(asking, full, "CONFIRMED", unitsReceived=40) == ["QUANTITY_EXCEEDED"]

    assert await counters(market, lot) == {
        "need": "FULFILLED",
        "covered": 40,
        "reserved": 0,
        "delivered": 40,
    }
    assert (await row_of(market, full))["status"] == "DISPUTED"


async def in_other_units(market: Market, drawn_per_unit: int, **changes: Any) -> Lot:
    """Three units of a need that draw so much each of an offer in its own unit."""
    category = market.category[str(changes.pop("category"))]
    need = {"category_id": category, "quantity": 3, "quantity_asked": 3} | changes.pop("need", {})
    base = await a_lot(market, 1)
    need_id = await a_need(market, base.household_id, **need)
    offer_id = await an_offer(market, category_id=category, **changes)
    lot = await a_lot(market, 3, household_id=base.household_id, need_id=need_id, offer_id=offer_id)
    drawn = 3 * drawn_per_unit
    async with market.database.write() as db:
        await db.execute(
            sa.update(allocations)
            .where(allocations.c.id == lot.allocation_id)
            .values(units_drawn=drawn)
        )
        await db.execute(sa.update(offers).where(offers.c.id == offer_id).values(reserved=drawn))
    return lot


async def test_visits_are_counted_in_minutes_and_purchases_in_fen(asking: Asked) -> None:
    market = asking.market
    ends = market.database.now() + timedelta(days=300)
    visits = await in_other_units(
        market,
        60,
        category="haircut",
        kind="SERVICE",
        expires_at=ends,
        need={"visit_minutes": 60},
    )
    money = await in_other_units(market, 15_000, category="quilt", kind="CASH", quantity=50_000)
    for lot in (visits, money):
        bring(asking, lot, 2, unitsReturned="1")
        asking.do("township", CONFIRM, {"id": lot.id})

    shown = [asking.see("reviewer", ALLOCATION, {"id": lot.id})["node"] for lot in (visits, money)]
    assert [each["receivedDrawn"] for each in shown] == [
        {"value": "120", "unit": "minute"},
        {"value": "30000", "unit": "fen"},
    ]
    assert (await counters(market, visits))["delivered"] == 120
    assert (await counters(market, money))["delivered"] == 30_000


async def test_visits_of_many_days_are_checked_in_one_by_one(asking: Asked) -> None:
    market = asking.market
    ends = market.database.now() + timedelta(days=300)
    visits = {"category": "haircut", "kind": "SERVICE", "expires_at": ends}
    lot = await in_other_units(market, 60, need={"visit_minutes": 60}, **visits)
    accept(asking, lot)
    dispatch(asking, lot)

    first = check_in(asking, lot, 1, continues=True)["checkIn"]["allocation"]
    wrong = [
        check_in(asking, lot, units, **more)["userErrors"][0]["code"]
        for units, more in ((3, {}), (1, {"continues": True, "unitsReturned": "1"}))
    ]
    nobody = check_in(asking, lot, 0)["checkIn"]["allocation"]
    last = check_in(asking, lot, 1, unitsReturned="1")["checkIn"]["allocation"]

    assert [each["status"] for each in (first, nobody, last)] == [
        "DISPATCHED",
        "DISPATCHED",
        "DELIVERED",
    ]
    assert (first["version"], nobody["version"]) == (3, 4)
    assert wrong == ["TOO_LARGE", "INVALID"]
    row = await row_of(market, lot)
    assert (row["received_served"], row["received_drawn"], row["returned_drawn"]) == (2, 120, 60)
    assert (await counters(market, lot))["covered"] == 2
    # Had a colleague come last, the first visit would still not be one's own to confirm.
    colleague = {"delivered_by": market.viewer["social"].account_id}
    async with market.database.write() as db:
        it = sa.update(allocations).where(allocations.c.id == lot.allocation_id)
        await db.execute(it.values(**colleague))
    assert asking.refused("grid", CONFIRM, {"id": lot.id}) == "FOUR_EYES"


async def test_packs_are_neither_sent_nor_taken_back_in_part(asking: Asked) -> None:
    market = asking.market
    offer_id = await an_offer(market, pack_size=5)
    lot = await a_lot(market, offer_id=offer_id)
    accept(asking, lot)

    sent = [dispatch(asking, lot, units)["userErrors"] for units in (12, 41, 0, 30)]
    back = [check_in(asking, lot, 20, unitsReturned=n)["userErrors"] for n in ("7", "11", "10")]

    assert [[e["code"] for e in errors] for errors in sent] == [
        ["NOT_WHOLE_PACKS"],
        ["TOO_LARGE"],
        ["TOO_SMALL"],
        [],
    ]
    assert sent[0][0]["field"] == ["input", "lines", "0", "unitsSent"]
    assert [[e["code"] for e in errors] for errors in back] == [
        ["NOT_WHOLE_PACKS"],
        ["TOO_LARGE"],
        [],
    ]
    assert (await counters(market, lot))["delivered"] == 20
