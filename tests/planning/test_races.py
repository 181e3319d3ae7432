"""Many real clients at once on one hot offer: exact totals, whoever comes first."""

from __future__ import annotations

from collections import Counter

import pytest
import sqlalchemy as sa

from marketplace.domain.errors import Conflict
from marketplace.domain.exchange.plans import ApprovalRules
from marketplace.persistence.database import Database
from marketplace.persistence.exchange.invariants import broken
from marketplace.persistence.tables import allocations, needs, offers, plan_lines, plans
from marketplace.services.exchange import consents
from marketplace.services.exchange import offers as offer_service
from marketplace.services.exchange import plans as service
from marketplace.services.exchange.consents import WithdrawConsent
from marketplace.services.exchange.offers import MoveOffer
from marketplace.services.exchange.plans import MovePlan
from tests.fixtures.market import Market, a_consent, a_household, a_market, a_need, an_offer
from tests.fixtures.racing import Doing, all_at_once
from tests.planning.proposals import a_proposal

CLIENTS = 32


def approving(market: Market, plan_id: int) -> Doing:
    return lambda client: service.approve(
        client, market.act("reviewer_2"), MovePlan(plan_id=plan_id), ApprovalRules()
    )


async def sums(market: Market, *statuses: str) -> Counter[str]:
    async with market.database.read() as db:
        rows = await db.rows(sa.select(allocations).where(allocations.c.status.in_(statuses)))
    counted: Counter[str] = Counter()
    for row in rows:
        counted["drawn"] += row["units_drawn"]
        counted["count"] += 1
    return counted


@pytest.fixture
async def market(database: Database) -> Market:
    return await a_market(database)


async def homes(market: Market, count: int) -> list[tuple[int, int]]:
    """Household and its need of 100 kg each."""
    made = []
    for _ in range(count):
        household = await a_household(market)
        made.append((household, await a_need(market, household)))
    return made


async def test_32_approvals_of_one_hot_offer_give_it_out_to_the_last_unit_and_not_one_more(
    market: Market, database_url: str
) -> None:
    offer = await an_offer(market, quantity=107)
    found = await homes(market, CLIENTS)
    for household, _ in found:
        await a_consent(market, household)
    made = [await a_proposal(market, [(need, offer, 10)]) for _, need in found]

    answers = await all_at_once(database_url, [approving(market, plan) for plan in made])

    assert answers == made
    assert (await market.row(offers, offer))["reserved"] == 100
    assert await sums(market, "RESERVED") == {"drawn": 100, "count": 10}
    left_out = plan_lines.c.left_out_reason == "OFFER_USED_UP"
    assert await market.count(plan_lines, left_out) == CLIENTS - 10
    assert await market.count(plans, plans.c.status == "APPROVED") == CLIENTS
    async with market.database.snapshot() as db:
        assert await broken(db) == []


async def test_32_approvals_of_one_plan_reserve_it_once(market: Market, database_url: str) -> None:
    offer = await an_offer(market)
    ((household, need),) = await homes(market, 1)
    await a_consent(market, household)
    plan_id = await a_proposal(market, [(need, offer, 10)])

    answers = await all_at_once(database_url, [approving(market, plan_id)] * CLIENTS)

    assert answers.count(plan_id) == 1
    assert sum(isinstance(answer, Conflict) for answer in answers) == CLIENTS - 1
    assert (await market.row(offers, offer))["reserved"] == 10
    assert await sums(market, "RESERVED") == {"drawn": 10, "count": 1}


async def test_approvals_withdrawals_and_a_closing_at_once_never_over_allocate(
    market: Market, database_url: str
) -> None:
    hot, other = await an_offer(market, quantity=155), await an_offer(market, quantity=95)
    found = await homes(market, 11)
    consent_ids = [await a_consent(market, household) for household, _ in found]
    lines = [(need, offer, 10) for _, need in found for offer in (hot, other)]
    # Each plan takes the same lines in another order, so that locks would cross if they could.
    made = [await a_proposal(market, lines[n:] + lines[:n]) for n in range(20)]
    doings = [approving(market, plan_id) for plan_id in made]
    doings += [
        lambda client, key=key: consents.withdraw(  # type: ignore[misc]
            client, market.act("assistance"), WithdrawConsent(consent_id=key)
        )
        for key in consent_ids
    ]
    doings.append(
        lambda client: offer_service.close(
            client, market.act("provider"), MoveOffer(offer_id=other)
        )
    )

    answers = await all_at_once(database_url, doings)

    assert answers == [*made, *consent_ids, other]
    live = await sums(market, "RESERVED")
    assert live == {}, "every household has withdrawn its consent"
    async with market.database.snapshot() as db:
        assert await broken(db) == []
    for offer in (hot, other):
        assert (await market.row(offers, offer))["reserved"] == 0
    assert await market.count(needs, needs.c.covered != 0) == 0
    assert (await market.row(offers, other))["status"] == "CLOSED"


async def test_approvals_beside_a_closing_leave_exact_totals(
    market: Market, database_url: str
) -> None:
    hot = await an_offer(market, quantity=1_000)
    found = await homes(market, CLIENTS - 1)
    for household, _ in found:
        await a_consent(market, household)
    made = [await a_proposal(market, [(need, hot, 10)]) for _, need in found]
    doings = [approving(market, plan_id) for plan_id in made]
    doings.insert(
        CLIENTS // 2,
        lambda client: offer_service.close(client, market.act("provider"), MoveOffer(offer_id=hot)),
    )

    await all_at_once(database_url, doings)

    live = await sums(market, "RESERVED")
    closed_to = await market.count(
        plan_lines, plan_lines.c.left_out_reason == "OFFER_NOT_IN_MARKET"
    )
    assert live["count"] + closed_to == CLIENTS - 1
    assert (await market.row(offers, hot))["reserved"] == live["drawn"] == 10 * live["count"]
    async with market.database.snapshot() as db:
        assert await broken(db) == []
