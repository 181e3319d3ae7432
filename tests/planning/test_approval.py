"""Approving a plan: what still fits is reserved, the rest is left out and said."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from marketplace.domain.errors import Conflict, Forbidden, NotFound
from marketplace.domain.exchange.plans import ApprovalRules, PlanPolicy
from marketplace.persistence.database import Database
from marketplace.persistence.exchange.invariants import broken
from marketplace.persistence.tables import (
    accounts,
    allocations,
    consents,
    events,
    needs,
    offers,
    organizations,
    plan_lines,
    plans,
)
from marketplace.services.exchange import plans as service
from marketplace.services.exchange.offers import UpdateOffer, update
from marketplace.services.exchange.plans import MovePlan
from tests.fixtures.market import (
    Market,
    a_consent,
    a_household,
    a_market,
    a_need,
    an_allocation,
    an_offer,
)
from tests.planning.proposals import a_proposal
from tests.planning.workers import a_plan, a_proposed_plan

RULES = ApprovalRules()


@pytest.fixture
async def market(database: Database) -> Market:
    return await a_market(database)


async def a_home(market: Market) -> int:
    household = await a_household(market)
    await a_consent(market, household)
    return household


async def approve(market: Market, plan_id: int, who: str = "reviewer_2", **move: Any) -> int:
    command = MovePlan(plan_id=plan_id, **move)
    return await service.approve(market.database, market.act(who), command, RULES)


async def reasons(market: Market, plan_id: int) -> dict[int, str | None]:
    """By need: None where its line is reserved, else why it is not."""
    async with market.database.read() as db:
        lines = await db.rows(sa.select(plan_lines).where(plan_lines.c.plan_id == plan_id))
    assert all((line["status"] == "RESERVED") is (not line["left_out_reason"]) for line in lines)
    return {line["need_id"]: line["left_out_reason"] for line in lines}


async def change(market: Market, table: sa.Table, key: int, **values: Any) -> None:
    async with market.database.write() as db:
        await db.execute(sa.update(table).where(table.c.id == key).values(**values))


async def test_an_approved_plan_reserves_its_lines_for_some_days(market: Market) -> None:
    need, other = [await a_need(market, await a_home(market)) for _ in range(2)]
    offer = await an_offer(market)
    plan_id = await a_proposal(market, [(need, offer, 40), (other, offer, 100)])

    assert await approve(market, plan_id, expected_version=0) == plan_id

    plan = await market.row(plans, plan_id)
    assert (plan["status"], plan["version"]) == ("APPROVED", 1)
    assert plan["approved_by"] == market.viewer["reviewer_2"].account_id
    assert await reasons(market, plan_id) == {need: None, other: None}
    assert (await market.row(offers, offer))["reserved"] == 140
    assert (await market.row(needs, need))["covered"] == 40
    async with market.database.read() as db:
        rows = await db.rows(sa.select(allocations).order_by(allocations.c.need_id))
        assert await broken(db) == []
    assert [(row["status"], row["origin"], row["units_drawn"]) for row in rows] == [
        ("RESERVED", "PLAN", 40),
        ("RESERVED", "PLAN", 100),
    ]
    assert all(timedelta(days=6) < row["reserved_until"] - row["created_at"] for row in rows)
    assert await market.count(events, events.c.kind == "allocation.reserved") == 2
    assert await market.count(events, events.c.kind == "plan.approved") == 1


async def test_what_no_longer_fits_is_left_out_line_by_line_and_nothing_is_forced(
    market: Market,
) -> None:
    homes = [await a_home(market) for _ in range(7)]
    fits, withdrawn, late, unconsented, covered, paused, provider = [
        await a_need(market, home) for home in homes
    ]
    offer = await an_offer(market)
    gone = await an_offer(market)
    of_suspended = await an_offer(market, organization_id=market.organization["other"])
    plan_id = await a_proposal(
        market,
        [
            *((need, offer, 50) for need in (fits, withdrawn, late, unconsented, covered)),
            (paused, gone, 50),
            (provider, of_suspended, 50),
        ],
    )
    await change(market, needs, withdrawn, status="WITHDRAWN")
    await change(market, needs, late, deadline=market.database.now())
    async with market.database.write() as db:
        of_home = consents.c.household_id == homes[3]
        await db.execute(sa.update(consents).where(of_home).values(status="WITHDRAWN"))
    await an_allocation(market, covered, await an_offer(market), 60)
    await change(market, offers, gone, status="PAUSED")
    await change(market, organizations, market.organization["other"], status="SUSPENDED")

    await approve(market, plan_id)

    assert await reasons(market, plan_id) == {
        fits: None,
        withdrawn: "NEED_NOT_IN_MARKET",
        late: "NEED_NOT_IN_MARKET",
        unconsented: "NEED_NOT_IN_MARKET",
        covered: "NEED_COVERED",
        paused: "OFFER_NOT_IN_MARKET",
        provider: "OFFER_NOT_IN_MARKET",
    }
    assert (await market.row(offers, offer))["reserved"] == 50
    async with market.database.read() as db:
        event = await db.row(sa.select(events).where(events.c.kind == "plan.approved"))
    assert event is not None
    assert event["data"] == {"reserved": 1, "left_out": 6}


async def test_where_too_little_is_left_the_graver_need_keeps_its_line(market: Market) -> None:
    mild = await a_need(market, await a_home(market), severity=10)
    grave = await a_need(market, await a_home(market), severity=90)
    offer = await an_offer(market, quantity=100)
    plan_id = await a_proposal(market, [(mild, offer, 50), (grave, offer, 50)])
    await change(market, offers, offer, quantity=70)

    await approve(market, plan_id)

    assert await reasons(market, plan_id) == {mild: "OFFER_USED_UP", grave: None}


async def test_an_offer_whose_terms_have_changed_since_gives_nothing_by_that_plan(
    market: Market,
) -> None:
    need = await a_need(market, await a_home(market))
    offer = await an_offer(market)
    planned = await a_proposed_plan(market)
    edit = UpdateOffer(
        offer_id=offer, expected_version=0, patch={"region_ids": (market.region["empty"],)}
    )
    await update(market.database, market.act("provider"), edit)

    await approve(market, planned)

    assert await reasons(market, planned) == {need: "OFFER_CHANGED"}
    assert (await market.row(offers, offer))["reserved"] == 0
    assert (await market.row(needs, need))["covered"] == 0


async def test_a_plan_made_after_a_change_is_of_the_changed_terms(market: Market) -> None:
    need = await a_need(market, await a_home(market))
    offer = await an_offer(market)
    edit = UpdateOffer(offer_id=offer, expected_version=0, patch={"household_max": 30})
    await update(market.database, market.act("provider"), edit)
    planned = await a_proposed_plan(market)

    await approve(market, planned)

    assert await reasons(market, planned) == {need: None}
    assert (await market.row(offers, offer))["reserved"] == 30


async def test_a_need_gets_nothing_rather_than_less_than_is_of_use(market: Market) -> None:
    modest, useless, other = [
        await a_need(market, await a_home(market), quantity_min=least, severity=severity)
        for least, severity in ((50, 90), (60, 80), (1, 10))
    ]
    plenty, scarce = await an_offer(market), await an_offer(market, quantity=50)
    paused = await an_offer(market)
    plan_id = await a_proposal(
        market,
        [
            (modest, plenty, 50),
            (modest, paused, 10),
            (useless, scarce, 50),
            (useless, paused, 10),
            (other, scarce, 50),
        ],
    )
    await change(market, offers, paused, status="PAUSED")

    await approve(market, plan_id)

    async with market.database.read() as db:
        lines = await db.rows(sa.select(plan_lines).where(plan_lines.c.plan_id == plan_id))
        assert await broken(db) == []
    assert {(row["need_id"], row["offer_id"]): row["left_out_reason"] for row in lines} == {
        (modest, plenty): None,
        (modest, paused): "OFFER_NOT_IN_MARKET",
        (useless, scarce): "QUANTITY_MIN",
        (useless, paused): "OFFER_NOT_IN_MARKET",
        (other, scarce): None,  # what the graver need could not use
    }


async def test_what_a_need_has_already_counts_towards_what_is_of_use(market: Market) -> None:
    need = await a_need(market, await a_home(market), quantity_min=60)
    offer = await an_offer(market)
    await an_allocation(market, need, await an_offer(market), 20)
    plan_id = await a_proposal(market, [(need, offer, 40)])

    await approve(market, plan_id)

    assert await reasons(market, plan_id) == {need: None}


async def test_nobody_approves_what_the_own_household_would_get(market: Market) -> None:
    home = await a_home(market)
    own, other = await a_need(market, home), await a_need(market, await a_home(market))
    offer = await an_offer(market)
    plan_id = await a_proposal(market, [(own, offer, 40), (other, offer, 40)])
    approver = market.viewer["reviewer_2"].account_id
    assert approver is not None
    await change(market, accounts, approver, household_id=home)

    await approve(market, plan_id)

    assert await reasons(market, plan_id) == {own: "OWN_HOUSEHOLD", other: None}
    assert (await market.row(offers, offer))["reserved"] == 40


@pytest.mark.parametrize(
    ("limit", "reason"),
    [({"household_max": 90}, "HOUSEHOLD_MAX"), ({"deliveries_max": 1}, "DELIVERIES_MAX")],
)
async def test_two_approved_plans_together_keep_an_offers_limits(
    market: Market, limit: dict[str, int], reason: str
) -> None:
    home = await a_home(market)
    first, second = await a_need(market, home), await a_need(market, home)
    offer = await an_offer(market, **limit)
    plans_made = [await a_proposal(market, [(need, offer, 50)]) for need in (first, second)]

    for plan_id in plans_made:
        await approve(market, plan_id)

    assert await reasons(market, plans_made[0]) == {first: None}
    assert await reasons(market, plans_made[1]) == {second: reason}


async def test_no_line_below_the_smallest_delivery_is_reserved(market: Market) -> None:
    small, large = [await a_need(market, await a_home(market)) for _ in range(2)]
    offer = await an_offer(market, delivery_min=50)
    plan_id = await a_proposal(market, [(small, offer, 49), (large, offer, 50)])

    await approve(market, plan_id)

    assert await reasons(market, plan_id) == {small: "DELIVERY_MIN", large: None}


async def test_whoever_ran_a_plan_approves_it_only_where_the_operator_allows_it(
    market: Market,
) -> None:
    plan_id = await a_proposal(market, [])

    with pytest.raises(Conflict) as refused:
        await approve(market, plan_id, "reviewer")

    assert [fault.code for fault in refused.value.faults] == ["FOUR_EYES"]
    assert (await market.row(plans, plan_id))["status"] == "PROPOSED"
    command, act = MovePlan(plan_id=plan_id), market.act("reviewer")
    await service.approve(market.database, act, command, ApprovalRules(self_approval=True))
    assert (await market.row(plans, plan_id))["status"] == "APPROVED"


async def test_a_simulation_is_never_approved(market: Market) -> None:
    plan_id = await a_proposal(market, [], kind="SIMULATION")

    with pytest.raises(Conflict, match="simulation"):
        await approve(market, plan_id)


async def test_an_approval_asked_for_twice_with_one_key_reserves_once(market: Market) -> None:
    need, offer = await a_need(market, await a_home(market)), await an_offer(market)
    plan_id = await a_proposal(market, [(need, offer, 40)])
    act, command = market.act("reviewer_2", key="k"), MovePlan(plan_id=plan_id)

    for _ in range(2):
        assert await service.approve(market.database, act, command, RULES) == plan_id

    assert await market.count(allocations) == 1
    with pytest.raises(Conflict, match="APPROVED"):
        await approve(market, plan_id)


async def test_a_stale_decision_is_refused(market: Market) -> None:
    plan_id = await a_proposal(market, [])

    with pytest.raises(Conflict, match="version 0"):
        await approve(market, plan_id, expected_version=3)


async def test_a_discarded_plan_stays_so_and_reserves_nothing(market: Market) -> None:
    need, offer = await a_need(market, await a_home(market)), await an_offer(market)
    plan_id = await a_proposal(market, [(need, offer, 40)])
    act = market.act("reviewer")

    await service.discard(market.database, act, MovePlan(plan_id=plan_id))

    assert (await market.row(plans, plan_id))["status"] == "DISCARDED"
    with pytest.raises(Conflict, match="DISCARDED"):
        await approve(market, plan_id)
    assert await market.count(allocations) == 0


@pytest.mark.parametrize(
    ("who", "error"), [("assistance", Forbidden), ("provider", Forbidden), ("auditor", Forbidden)]
)
async def test_only_the_charity_desk_decides_on_plans(
    market: Market, who: str, error: type[Exception]
) -> None:
    plan_id = await a_proposal(market, [])

    with pytest.raises(error):
        await approve(market, plan_id, who)


async def test_a_plan_is_asked_for_within_ones_own_region_once_however_often(
    market: Market,
) -> None:
    act, command = market.act("reviewer", key="k"), service.CreatePlan(policy=PlanPolicy())

    first = await service.create(market.database, act, command)
    again = await service.create(market.database, act, command)

    assert first == again
    plan = await market.row(plans, first)
    assert (plan["region_id"], plan["status"]) == (market.region["county"], "QUEUED")
    with pytest.raises(Forbidden):
        await a_plan(market, "township")


async def test_nobody_queues_plans_without_end(market: Market) -> None:
    for _ in range(20):
        await a_plan(market)

    with pytest.raises(Conflict) as refused:
        await a_plan(market)

    assert refused.value.faults[0].code == "TOO_MANY"
    assert await a_plan(market, "reviewer_2")


async def test_a_plan_of_another_region_is_not_found(market: Market) -> None:
    plan_id = await a_proposal(market, [])
    async with market.database.write() as db:
        await db.execute(
            sa.text("UPDATE regions SET tree_low = 99, tree_high = 99 WHERE code = 'county'")
        )

    with pytest.raises(NotFound):
        await approve(market, plan_id)
