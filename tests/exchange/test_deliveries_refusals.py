"""Who may not, when not and where not: each move is refused with what to do about it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from marketplace.domain.exchange.allocations import MOVES, AllocationStatus
from marketplace.domain.ids import opaque_id
from marketplace.domain.permissions import MUTATIONS
from marketplace.persistence.tables import accounts, allocations, consents, needs, organizations
from marketplace.services.exchange.expiry import expire
from tests.fixtures.asked import Asked, asked, give_keys
from tests.fixtures.delivering import (
    AT_THE_DOOR,
    DOOR,
    Lot,
    a_lot,
    accept,
    bring,
    check_in,
    check_ins_of,
    code_told,
    counters,
    dispatch,
    moving,
    reachable,
    row_of,
)
from tests.fixtures.invariants import all_is_well
from tests.fixtures.market import Market, a_consent, a_household, an_offer

pytestmark = pytest.mark.one_database

LINES = ("allocationAccept", "allocationDecline", "allocationDispatch")


@pytest.fixture
async def asking(market: Market, database_url: str, tmp_path: Path) -> AsyncIterator[Asked]:
    await give_keys(market)
    with asked(market, database_url, tmp_path) as asking:
        yield asking
    await all_is_well(market.database)


def given(move: str, lot: Lot) -> dict[str, Any]:
    """A good input of a move."""
    if move in LINES:
        more = {"reason": "OTHER"} if move == "allocationDecline" else {}
        return {"lines": [{"id": lot.id}]} | more
    extra: dict[str, dict[str, Any]] = {
        "deliveryCheckIn": {"unitsHandedOver": "40"} | AT_THE_DOOR,
        "allocationDispute": {"reason": "OTHER"},
        "allocationSettle": {"settlement": "CANCELLED", "note": "Never came."},
    }
    return {"id": lot.id} | extra.get(move, {})


async def change(market: Market, table: sa.Table, key: int, **values: Any) -> None:
    async with market.database.write() as db:
        await db.execute(sa.update(table).where(table.c.id == key).values(**values))


async def test_only_the_roles_of_the_lifecycle_may_make_a_move_and_only_from_its_states(
    asking: Asked,
) -> None:
    market = asking.market
    lots = {status: await a_lot(market, status=status) for status in ("RESERVED", "CONFIRMED")}
    who_may = {
        "allocationAccept": "federation",
        "allocationDecline": "provider",
        "allocationCancel": "reviewer",
        "allocationDispatch": "provider",
        "deliveryCheckIn": "grid",
        "allocationConfirm": "township",
        "allocationDispute": "grid",
        "allocationSettle": "reviewer",
    }
    assert who_may.keys() == MOVES.keys()
    for move, who in who_may.items():
        confirmed = given(move, lots["CONFIRMED"])
        assert asking.refused(who, moving(move), confirmed) == "CONFLICT", move
        if AllocationStatus.RESERVED not in MOVES[move].before:
            reserved = given(move, lots["RESERVED"])
            assert asking.refused(who, moving(move), reserved) == "CONFLICT", move
        for other in ("provider", "grid", "social", "township", "assistance", "reviewer", "admin"):
            if market.viewer[other].role not in MUTATIONS[move]:
                assert asking.refused(other, moving(move), confirmed) == "FORBIDDEN", (move, other)
        assert asking.refused(None, moving(move), confirmed) == "UNAUTHENTICATED"
    assert (await row_of(market, lots["RESERVED"]))["version"] == 0


async def test_nobody_acts_on_what_is_of_others_or_on_the_own_household(asking: Asked) -> None:
    market = asking.market
    lot = await a_lot(market)
    bringing = await a_lot(market)
    bring(asking, bringing, 40)
    for who, move, of, code in (
        ("other_provider", "allocationAccept", lot, "NOT_FOUND"),
        ("other_provider", "allocationDecline", lot, "NOT_FOUND"),
        ("other_township", "allocationConfirm", bringing, "NOT_FOUND"),
        ("applicant", "allocationConfirm", bringing, "NOT_FOUND"),
    ):
        assert asking.refused(who, moving(move), given(move, of)) == code, (who, move)
    for who, move, of in (
        ("provider", "allocationAccept", lot),
        ("reviewer", "allocationCancel", lot),
        ("township", "allocationConfirm", bringing),
    ):
        account_id = market.viewer[who].account_id
        assert account_id is not None
        await change(market, accounts, account_id, household_id=of.household_id)
        assert asking.refused(who, moving(move), given(move, of)) == "FOUR_EYES", (who, move)

    account_id = market.viewer["applicant"].account_id
    assert account_id is not None
    await change(market, accounts, account_id, household_id=bringing.household_id)
    confirm = moving("allocationConfirm")
    own = asking.do("applicant", confirm, {"id": bringing.id})["allocation"]
    assert own["status"] == "CONFIRMED"


async def test_lines_that_are_not_ready_are_told_by_place_and_the_others_are_moved(
    asking: Asked,
) -> None:
    market = asking.market
    now = market.database.now()
    late = await a_lot(market, reserved_until=now - timedelta(seconds=1))
    unwanted, suspended, stale, good = [await a_lot(market) for _ in range(4)]
    async with market.database.write() as db:
        of_it = consents.c.household_id == unwanted.household_id
        await db.execute(sa.update(consents).where(of_it).values(expires_at=now))
    await change(market, needs, suspended.need_id, status="SUSPENDED")
    lines = [{"id": each.id} for each in (late, unwanted, suspended, good)]
    lines += [{"id": stale.id, "expectedVersion": 3}, {"id": opaque_id("Allocation", 999_999)}]
    document = moving("allocationAccept")

    keyed = {"lines": lines, "idempotencyKey": "once"}
    english = asking.do("provider", document, keyed)
    assert asking.do("provider", document, keyed) == english

    assert [each["id"] for each in english["allocations"]] == [good.id]
    assert [(e["field"][2:], e["code"]) for e in english["userErrors"]] == [
        (["0"], "RESERVATION_LAPSED"),
        (["1"], "NEED_NOT_OPEN"),
        (["2"], "NEED_NOT_OPEN"),
        (["4", "expectedVersion"], "CONFLICT"),
        (["5"], "NOT_FOUND"),
    ]
    chinese = asking.do("provider", document, {"lines": lines[:1]}, Accept_Language="zh-CN")
    assert chinese["userErrors"][0]["message"].startswith("接受期限已过")
    for wrong, code in (([], "REQUIRED"), (lines[:1] * 2, "DUPLICATE"), (lines * 17, "TOO_MANY")):
        assert asking.refused("provider", document, {"lines": wrong}) == code
    await change(market, organizations, market.organization["charity"], status="SUSPENDED")
    refused = asking.refused("provider", document, {"lines": [{"id": stale.id}]})
    assert refused == "ORGANIZATION_NOT_VERIFIED"

    await change(market, needs, suspended.need_id, status="PUBLISHED")
    assert (await expire(market.database)).allocations == 1
    assert ((await row_of(market, late))["cancel_reason"]) == "LAPSED"


async def test_what_is_declined_or_cancelled_goes_back_to_both(asking: Asked) -> None:
    market = asking.market
    offer_id = await an_offer(market)
    declined, accepted, reserved = [await a_lot(market, offer_id=offer_id) for _ in range(3)]
    accept(asking, accepted)

    note = {"reason": "OUT_OF_STOCK", "note": "Flooded."}
    done = asking.do(
        "provider", moving("allocationDecline"), {"lines": [{"id": declined.id}]} | note
    )
    assert [each["status"] for each in done["allocations"]] == ["DECLINED"]
    cancel = moving("allocationCancel")
    assert asking.refused("reviewer", cancel, {"id": accepted.id, "reason": "LAPSED"}) == "INVALID"
    for lot in (accepted, reserved):
        ended = asking.do("reviewer", cancel, {"id": lot.id, "note": "Served by the state."})
        assert ended["allocation"]["status"] == "CANCELLED"

    for lot in (declined, accepted, reserved):
        assert await counters(market, lot) == {
            "need": "PUBLISHED",
            "covered": 0,
            "reserved": 0,
            "delivered": 0,
        }
        assert (await row_of(market, lot))["ended_at"] is not None
    read = "query ($id: ID!) { node(id: $id) { ... on Allocation { declineReason declineNote } } }"
    told = asking.see("reviewer", read, {"id": declined.id})["node"]
    assert told == {"declineReason": "OUT_OF_STOCK", "declineNote": "Flooded."}


async def test_a_check_in_is_near_the_door_in_time_and_by_who_was_to_bring_it(
    asking: Asked,
) -> None:
    market = asking.market
    lot, own = await a_lot(market), await a_lot(market)
    accept(asking, lot)
    accept(asking, own, "PROVIDER")
    dispatch(asking, lot)
    dispatch(asking, own)
    now = market.database.now()
    for more, code in (
        ({"latitude": DOOR[0] + 0.1}, "TOO_FAR"),
        ({"latitude": 91.0}, "INVALID"),
        ({"checkedInAt": (now + timedelta(hours=1)).isoformat()}, "INVALID"),
        ({"checkedInAt": (now - timedelta(hours=1)).isoformat()}, "INVALID"),  # before it was sent
        ({"unitsHandedOver": "41"}, "TOO_LARGE"),
        ({"unitsHandedOver": "-1"}, "TOO_SMALL"),
        ({"evidenceReference": ""}, "REQUIRED"),
        ({"expectedVersion": 7}, "CONFLICT"),
    ):
        errors = check_in(asking, lot, 40, **more)["userErrors"]
        assert [e["code"] for e in errors] == [code], more
    assert check_in(asking, lot, 40, who="provider")["userErrors"][0]["code"] == "NOT_THE_DELIVERER"
    assert check_in(asking, own, 40)["userErrors"][0]["code"] == "NOT_THE_DELIVERER"
    assert await check_ins_of(market, lot) == 0

    far = check_in(asking, lot, 40, latitude=DOOR[0] + 0.02)["checkIn"]
    assert (far["isFar"], far["distanceM"]) == (True, 2224)
    near = check_in(asking, own, 40, who="federation")["checkIn"]
    assert (near["isFar"], near["distanceM"]) == (False, None)
    assert near["allocation"]["status"] == "DELIVERED"


async def test_after_five_wrong_codes_not_even_the_right_one_confirms(asking: Asked) -> None:
    market = asking.market
    lot = await a_lot(market)
    await reachable(market, asking.sealer, lot.household_id)
    bring(asking, lot, 40)
    code = await code_told(asking, lot)
    confirm = moving("allocationConfirm")
    for tried in range(5):
        wrong = f"{(int(code) + 1 + tried) % 1_000_000:06d}"
        assert asking.refused("grid", confirm, {"id": lot.id, "code": wrong}) == "CODE_INVALID"
        assert asking.refused("applicant", confirm, {"id": lot.id, "code": code}) == "NOT_FOUND"

    assert asking.refused("grid", confirm, {"id": lot.id, "code": code}) == "CODE_INVALID"
    done = asking.do("township", confirm, {"id": lot.id})["allocation"]
    assert done["status"] == "CONFIRMED"


async def test_a_day_and_a_label_that_no_batch_can_have_are_refused(asking: Asked) -> None:
    market = asking.market
    household_id = await a_household(market, region="far_village")
    await a_consent(market, household_id)
    lot = await a_lot(market, household_id=household_id)
    accept(asking, lot)

    errors = dispatch(asking, lot, plannedOn="2020-01-01", label="x" * 41)["userErrors"]

    assert {(e["field"][1], e["code"]) for e in errors} == {
        ("label", "TOO_LARGE"),
        ("plannedOn", "INVALID"),
    }
    assert dispatch(asking, lot)["userErrors"] == []
    assert await market.count(allocations, allocations.c.delivery_id.is_not(None)) == 1
