"""The loop, closed by its own moves: accepted, brought, confirmed, acknowledged by three desks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from marketplace.domain.ids import opaque_id
from marketplace.persistence.tables import accounts, events, needs, result_copies, results
from marketplace.services.exchange.results import AcknowledgeResults, acknowledge
from tests.exchange.test_results import ACKNOWLEDGE
from tests.fixtures.asked import Asked, asked, give_keys
from tests.fixtures.delivering import a_lot, bring, moving
from tests.fixtures.invariants import all_is_well
from tests.fixtures.market import Market, an_allocation, an_offer
from tests.fixtures.results import a_result, sent

RESULTS = """
query ($allocation: ID!) {
  results(first: 2, where: {allocation: {eq: $allocation}}) {
    nodes {
      id status received { value } allowedMoves need { status }
      copies(first: 3) { nodes { desk status } }
      allocation { result { id } }
    }
  }
}
"""


@pytest.fixture
async def asking(market: Market, database_url: str, tmp_path: Path) -> AsyncIterator[Asked]:
    await give_keys(market)
    with asked(market, database_url, tmp_path) as asking:
        yield asking


async def test_what_is_confirmed_comes_back_to_the_desks_and_closes_the_need(
    asking: Asked,
) -> None:
    market = asking.market
    lot = await a_lot(market)
    bring(asking, lot, 40)
    of_lot = {"allocation": lot.id}
    assert asking.see("township", RESULTS, of_lot)["results"]["nodes"] == []

    confirmed = asking.do("township", moving("allocationConfirm"), {"id": lot.id})

    assert confirmed["userErrors"] == []
    (result,) = asking.see("township", RESULTS, of_lot)["results"]["nodes"]
    assert result["received"] == {"value": "40"}
    assert result["allowedMoves"] == ["resultAcknowledge", "resultRate"]
    assert result["need"] == {"status": "FULFILLED"}
    assert result["allocation"] == {"result": {"id": result["id"]}}
    assert {(c["desk"], c["status"]) for c in result["copies"]["nodes"]} == {
        (desk, "SENT") for desk in ("CHARITY", "ASSISTANCE", "TOWNSHIP")
    }
    await all_is_well(market.database)
    for who in ("reviewer", "township", "assistance"):
        done = asking.do(who, ACKNOWLEDGE, {"resultIds": [result["id"]]})
        assert done["userErrors"] == []
    (result,) = asking.see("township", RESULTS, of_lot)["results"]["nodes"]
    assert (result["status"], result["need"]) == ("ACKNOWLEDGED", {"status": "CLOSED"})
    await all_is_well(market.database)


@pytest.mark.one_database
async def test_each_desk_acknowledges_its_own_copies_and_is_told_of_what_it_cannot(
    asking: Asked,
) -> None:
    market = asking.market
    here, _, household_id = await a_result(market)
    again, _, _ = await a_result(market)
    far, _, _ = await a_result(market, region="far_village")
    ids = [opaque_id("Result", key) for key in (here, again, far)]

    def acknowledged(who: str, *which: str, **more: str) -> tuple[int, list[list[str]]]:
        done = asking.do(who, ACKNOWLEDGE, {"resultIds": list(which), **more})
        return len(done["copies"]), [error["field"] for error in done["userErrors"]]

    assert acknowledged("township", ids[0]) == (1, [])
    once_more = {"idempotencyKey": "k"}
    assert acknowledged("township", *ids[:2], **once_more) == (1, [["input", "resultIds", "0"]])
    assert acknowledged("township", *ids[:2], **once_more) == (1, [["input", "resultIds", "0"]])
    for who, given, code in (
        ("township", [ids[2]], "NOT_FOUND"),
        ("township", ids[:1], "CONFLICT"),
        ("assistance", [], "REQUIRED"),
        ("assistance", [ids[0], ids[0]], "REPEATED"),
        ("assistance", [opaque_id("Result", 999)], "NOT_FOUND"),
        ("grid", ids[:1], "FORBIDDEN"),
        ("provider", ids[:1], "FORBIDDEN"),
        ("auditor", ids[:1], "FORBIDDEN"),
        (None, ids[:1], "UNAUTHENTICATED"),
    ):
        assert asking.refused(who, ACKNOWLEDGE, {"resultIds": given}) == code, (who, given)
    async with market.database.write() as db:
        mine = accounts.c.id == market.viewer["assistance_2"].account_id
        await db.execute(sa.update(accounts).where(mine).values(household_id=household_id))
    assert asking.refused("assistance_2", ACKNOWLEDGE, {"resultIds": ids[:1]}) == "FOUR_EYES"
    assert acknowledged("assistance", *ids) == (3, [])
    assert await market.count(result_copies, result_copies.c.status == "SENT") == 4


async def test_desks_that_acknowledge_at_the_same_time_close_a_need_once(market: Market) -> None:
    first, need_id, _ = await a_result(market)
    async with market.database.write() as db:  # room for a second delivery of the same need
        await db.execute(needs.update().values(quantity=60, quantity_asked=60))
    more = await an_allocation(market, need_id, await an_offer(market), 20, "CONFIRMED")
    both = AcknowledgeResults(result_ids=(first, await sent(market, more)))
    one_by_one = [AcknowledgeResults(result_ids=(each,)) for each in both.result_ids]

    await asyncio.gather(
        acknowledge(market.database, market.act("township"), both),
        *(acknowledge(market.database, market.act("assistance"), each) for each in one_by_one),
        *(acknowledge(market.database, market.act("reviewer"), each) for each in one_by_one),
    )

    assert await market.count(results, results.c.status == "ACKNOWLEDGED") == 2
    assert (await market.row(needs, need_id))["status"] == "CLOSED"
    assert await market.count(events, events.c.kind == "need.closed") == 1
    await all_is_well(market.database)
