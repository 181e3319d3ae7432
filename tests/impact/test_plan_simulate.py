"""planSimulate: another policy, other offers, and who gains and loses by it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from marketplace.domain.ids import key_of, opaque_id
from marketplace.domain.permissions import MUTATIONS
from marketplace.persistence.database import Database
from marketplace.persistence.tables import allocations, offers, plan_lines, plans
from tests.fixtures.asked import Asked, asked, give_keys
from tests.fixtures.market import Market, a_market, a_need, an_offer
from tests.impact.recorded import a_recorded_plan
from tests.planning.planned import a_consenting, units
from tests.planning.test_over_http import APPROVE
from tests.planning.workers import a_worker, finished

SIMULATE = """mutation ($input: PlanSimulateInput!) { planSimulate(input: $input) {
  plan { id kind status allowedMoves policy { order floorSharePercent } base { id } }
  userErrors { field code message } } }"""
COMPARISON = """query ($input: ID!) { node(id: $input) { ... on Plan {
  status comparison { all { households gaining losing valueBefore { amount } valueAfter { amount } }
    slices { by key households gaining losing } levels { isFloor severityBand percentBefore
    percentAfter } unchanged valueDifference { amount } sentence } } } }"""

CHANGES = """query ($input: ID!) { node(id: $input) { ... on Plan { changes {
  offersAdded { kind categoryId quantity } offersWithdrawn
  quantities { offerId quantity } } } } }"""


@pytest.fixture
async def market(database: Database) -> Market:
    market = await a_market(database)
    await give_keys(market)
    return market


@pytest.fixture
def asking(market: Market, database_url: str, tmp_path: Path) -> Iterator[Asked]:
    with asked(market, database_url, tmp_path) as served:
        yield served


async def homes(market: Market, count: int, **need: Any) -> None:
    for number in range(count):
        wanted = units(10, severity=90 - number) | {"category_id": market.category["rice"]}
        await a_need(market, await a_consenting(market), **wanted | need)


async def simulated(asking: Asked, **changes: Any) -> tuple[str, dict[str, Any]]:
    """A finished simulation's id and comparison."""
    made = asking.do("reviewer", SIMULATE, changes)
    assert made["userErrors"] == []
    plan = made["plan"]
    assert (plan["kind"], plan["status"]) == ("SIMULATION", "QUEUED")
    async with a_worker(asking.market.database):
        assert await finished(asking.market.database, key_of("Plan", plan["id"])) == "PROPOSED"
    answer = asking.ask("reviewer", COMPARISON, {"input": plan["id"]})
    return plan["id"], answer["data"]["node"]["comparison"]


def offer_id(key: int) -> str:
    return opaque_id("Offer", key)


async def test_without_an_offer_those_lose_whom_it_served_and_nothing_of_it_is_reserved(
    asking: Asked,
) -> None:
    market = asking.market
    await homes(market, 12)
    taken = await an_offer(market, quantity=100)
    await a_recorded_plan(market)

    plan, comparison = await simulated(asking, offersWithdrawn=[offer_id(taken)])

    everyone = comparison["all"]
    assert (everyone["households"], everyone["gaining"], everyone["losing"]) == (10, None, 10)
    assert everyone["valueAfter"] is None
    assert {"by": "SEVERITY", "key": "CRITICAL"}.items() <= comparison["slices"][2].items()
    assert "fewer than five households get more and about 10 get less" in comparison["sentence"]
    assert await market.count(offers) == 1
    refused = asking.do("reviewer_2", APPROVE, {"id": plan})
    assert [error["code"] for error in refused["userErrors"]] == ["CONFLICT"]
    assert await market.count(allocations) == 0
    again = asking.do("reviewer", SIMULATE, {"basePlanId": plan})
    assert [error["code"] for error in again["userErrors"]] == ["CONFLICT"]
    with pytest.raises(sa.exc.IntegrityError):
        async with market.database.write() as db:
            changed = sa.update(plans).where(plans.c.id == key_of("Plan", plan))
            await db.execute(changed.values(status="APPROVED"))


async def test_with_an_offer_that_nobody_posted_others_gain_and_no_line_names_it(
    asking: Asked,
) -> None:
    market = asking.market
    await homes(market, 12)
    await an_offer(market, quantity=30)
    base = await a_recorded_plan(market)
    added = {
        "kind": "GOODS",
        "categoryId": opaque_id("Category", market.category["rice"]),
        "quantity": "500",
    }

    plan, comparison = await simulated(asking, offersAdded=[added])

    assert comparison["all"]["gaining"] == 10
    assert comparison["all"]["losing"] is None
    assert comparison["levels"][-1]["percentAfter"] == 100
    rows = await market.count(plan_lines, plan_lines.c.plan_id == key_of("Plan", plan))
    assert rows <= await market.count(plan_lines, plan_lines.c.plan_id == base) + 12


@pytest.mark.one_database
async def test_a_smaller_budget_and_another_policy_are_compared_with_a_named_base(
    asking: Asked,
) -> None:
    market = asking.market
    await homes(market, 12)
    offer = await an_offer(market, quantity=120)
    base = await a_recorded_plan(market)
    await a_recorded_plan(market)
    half = {"offerId": offer_id(offer), "quantity": "60"}

    _, comparison = await simulated(
        asking, basePlanId=opaque_id("Plan", base), quantities=[half], order="SEVERITY"
    )

    assert comparison["all"]["losing"] == 5
    assert comparison["all"]["gaining"] is None


async def test_what_cannot_be_changed_is_refused_by_its_field(asking: Asked) -> None:
    market = asking.market
    refused = asking.do("reviewer", SIMULATE, {})
    assert [error["code"] for error in refused["userErrors"]] == ["NO_PLAN"]
    await a_recorded_plan(market)
    late = await an_offer(market)
    bad = {
        "kind": "GOODS",
        "categoryId": opaque_id("Category", market.category["rice"]),
        "quantity": "0",
    }

    for changes, field, code in (
        ({"offersWithdrawn": [offer_id(late)]}, ["input", "offersWithdrawn", "0"], "NOT_FOUND"),
        ({"offersAdded": [bad]}, ["input", "offersAdded", "0", "quantity"], "TOO_SMALL"),
        ({"order": "FLOOR", "floorSharePercent": 0}, ["input", "floorSharePercent"], "TOO_SMALL"),
    ):
        answer = asking.do("reviewer", SIMULATE, changes)
        assert [(e["field"], e["code"]) for e in answer["userErrors"]] == [(field, code)]


async def test_only_the_charity_desk_simulates(asking: Asked) -> None:
    await a_recorded_plan(asking.market)
    for who, viewer in asking.market.viewer.items():
        answer = asking.ask(None if who == "public" else who, SIMULATE, {"input": {}})
        assert ("errors" in answer) == (viewer.role not in MUTATIONS["planSimulate"]), who


@pytest.mark.one_database
async def test_a_floor_share_alone_is_taken_with_the_order_of_the_base(asking: Asked) -> None:
    await a_recorded_plan(asking.market)

    made = asking.do("reviewer", SIMULATE, {"floorSharePercent": 90})
    severe = asking.do("reviewer", SIMULATE, {"floorSharePercent": 90, "order": "SEVERITY"})

    assert made["plan"]["policy"] == {"order": "FLOOR", "floorSharePercent": 90}
    (error,) = severe["userErrors"]
    assert (error["field"], error["code"]) == (["input", "floorSharePercent"], "INVALID")


@pytest.mark.one_database
async def test_an_offer_is_named_once_and_has_no_more_than_an_offer_may(asking: Asked) -> None:
    market = asking.market
    taken = offer_id(await an_offer(market))
    await a_recorded_plan(market)
    much = {"offerId": taken, "quantity": str(10**18)}

    answer = asking.do(
        "reviewer", SIMULATE, {"offersWithdrawn": [taken], "quantities": [much, much]}
    )

    assert answer["plan"] is None
    assert [(e["field"][1:], e["code"]) for e in answer["userErrors"]] == [
        (["quantities", "0", "offerId"], "DUPLICATE"),
        (["quantities", "1", "offerId"], "DUPLICATE"),
        (["quantities", "0", "quantity"], "TOO_LARGE"),
        (["quantities", "1", "quantity"], "TOO_LARGE"),
    ]


@pytest.mark.one_database
async def test_a_simulation_says_what_it_changes_and_whether_anything_changed(
    asking: Asked,
) -> None:
    market = asking.market
    await homes(market, 6)
    offer, gone = await an_offer(market, quantity=30), await an_offer(market, quantity=10)
    await a_recorded_plan(market)
    added = {
        "kind": "CASH",
        "categoryId": opaque_id("Category", market.category["rice"]),
        "quantity": "1200",
    }
    size = {"offerId": offer_id(offer), "quantity": "20"}

    _, same = await simulated(asking)
    plan, less = await simulated(
        asking, offersAdded=[added], offersWithdrawn=[offer_id(gone)], quantities=[size]
    )

    assert (same["unchanged"], same["valueDifference"]["amount"]) == (True, "0")
    assert same["sentence"].startswith("Nothing changes")
    assert less["unchanged"] is False
    # Two kilograms bought for twenty that are gone, at 6 yuan each.
    assert int(less["valueDifference"]["amount"]) == -18 * 600
    answer = asking.ask("reviewer", CHANGES, {"input": plan})
    assert answer["data"]["node"]["changes"] == {
        "offersAdded": [added],
        "offersWithdrawn": [offer_id(gone)],
        "quantities": [size],
    }
