"""From set aside to received: who may do what, what is counted, and what comes back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from marketplace.persistence.tables import events, results
from tests.fixtures.asked import Asked, asked, give_keys
from tests.fixtures.delivering import (
    a_lot,
    accept,
    check_in,
    code_told,
    counters,
    dispatch,
    moving,
    reachable,
    row_of,
)
from tests.fixtures.invariants import all_is_well
from tests.fixtures.market import Market

CONFIRM = moving("allocationConfirm")


@pytest.fixture
async def asking(market: Market, database_url: str, tmp_path: Path) -> AsyncIterator[Asked]:
    await give_keys(market)
    with asked(market, database_url, tmp_path) as asking:
        yield asking


async def kinds(market: Market, entity: str, key: int) -> list[str]:
    async with market.database.read() as db:
        rows = await db.rows(
            sa.select(events.c.kind)
            .where(events.c.entity == entity, events.c.entity_id == key)
            .order_by(events.c.id)
        )
    return [row["kind"] for row in rows]


async def test_rice_goes_from_the_shelf_to_the_door_and_the_need_is_fulfilled(
    asking: Asked,
) -> None:
    market = asking.market
    lot = await a_lot(market)
    await reachable(market, asking.sealer, lot.household_id)

    accepted = accept(asking, lot)["allocations"]
    assert [(a["status"], a["allowedMoves"]) for a in accepted] == [
        ("ACCEPTED", ["allocationDispatch"])
    ]
    sent = dispatch(asking, lot, label="van 1")["allocations"]
    assert [(a["status"], a["allowedMoves"]) for a in sent] == [("DISPATCHED", [])]
    assert await counters(market, lot) == {
        "need": "PUBLISHED",
        "covered": 40,
        "reserved": 40,
        "delivered": 0,
    }
    brought = check_in(asking, lot, 40, evidenceReference="PHOTO-1")["checkIn"]
    assert brought["handedOver"] == {"value": "40", "unit": "kg"}
    assert (brought["isFar"], brought["distanceM"]) == (False, 56)
    assert brought["allocation"]["status"] == "DELIVERED"

    assert asking.refused("grid", CONFIRM, {"id": lot.id}) == "FOUR_EYES"
    confirmed = asking.do("township", CONFIRM, {"id": lot.id})["allocation"]

    assert (confirmed["status"], confirmed["allowedMoves"]) == ("CONFIRMED", [])
    assert await counters(market, lot) == {
        "need": "FULFILLED",
        "covered": 40,
        "reserved": 0,
        "delivered": 40,
    }
    assert await kinds(market, "Allocation", lot.allocation_id) == [
        "allocation.accepted",
        "allocation.dispatched",
        "allocation.delivered",
        "allocation.confirmed",
    ]
    assert await kinds(market, "Need", lot.need_id) == ["need.fulfilled"]
    assert await market.count(results, results.c.allocation_id == lot.allocation_id) == 1
    await all_is_well(market.database)


async def test_with_the_household_s_code_whoever_brought_it_may_confirm(asking: Asked) -> None:
    market = asking.market
    lot = await a_lot(market)
    await reachable(market, asking.sealer, lot.household_id)
    accept(asking, lot)
    dispatch(asking, lot)
    code = await code_told(asking, lot)
    check_in(asking, lot, 40)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"

    assert asking.refused("grid", CONFIRM, {"id": lot.id, "code": wrong}) == "CODE_INVALID"
    given: dict[str, Any] = {"id": lot.id, "code": code, "idempotencyKey": "once"}
    first = asking.do("grid", CONFIRM, given)
    again = asking.do("grid", CONFIRM, given)

    assert first == again
    assert first["allocation"]["status"] == "CONFIRMED"
    row = await row_of(market, lot)
    assert (row["confirmed_how"], row["confirmed_by"]) == ("CODE", row["delivered_by"])
    await all_is_well(market.database)
