"""Restrictions racing plans, acceptance, consent and each other: one of the serial outcomes."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from marketplace.domain.errors import Conflict
from marketplace.domain.exchange.plans import ApprovalRules
from marketplace.domain.oversight.integrity import CaseKind, OpenCase
from marketplace.domain.restrictions import RestrictionScope
from marketplace.persistence.tables import allocations, needs, offers, restrictions
from marketplace.services.exchange import accepting, consents
from marketplace.services.exchange import plans as plan_service
from marketplace.services.exchange.accepting import AcceptAllocations
from marketplace.services.exchange.consents import WithdrawConsent
from marketplace.services.exchange.handing_over import Line
from marketplace.services.exchange.plans import MovePlan
from marketplace.services.oversight import cases, outcomes
from marketplace.services.oversight.cases import FindCase, RestrictCase
from marketplace.services.oversight.outcomes import EndCase
from tests.fixtures.county import SEALER
from tests.fixtures.market import (
    Market,
    a_consent,
    a_household,
    a_need,
    an_allocation,
    an_offer,
)
from tests.fixtures.racing import Doing, all_at_once
from tests.oversight.wellness import all_is_well
from tests.planning.proposals import a_proposal

TEXT = "What the papers say"


async def found_case(market: Market, command: OpenCase, *who: str) -> int:
    database = market.database
    case_id = await cases.open_case(database, market.act(who[0]), SEALER, command)
    for each in who:
        found = FindCase(case_id=case_id, finding=TEXT)
        await cases.find(database, market.act(each), SEALER, found)
    return case_id


def of_household(household_id: int) -> OpenCase:
    return OpenCase(kind=CaseKind.CONCEALMENT, allegation=TEXT, household_id=household_id)


def restricting(market: Market, case_id: int, who: str, scope: RestrictionScope) -> Doing:
    ends_on = (market.database.now() + timedelta(days=30)).date()
    command = RestrictCase(case_id=case_id, scope=scope, ends_on=ends_on, grounds=TEXT)
    return lambda client: cases.restrict(client, market.act(who), SEALER, command)


def approving(market: Market, plan_id: int) -> Doing:
    return lambda client: plan_service.approve(
        client, market.act("reviewer_2"), MovePlan(plan_id=plan_id), ApprovalRules()
    )


def accepting_one(market: Market, allocation_id: int) -> Doing:
    command = AcceptAllocations(lines=(Line(allocation_id=allocation_id),))
    return lambda client: accepting.accept(client, market.act("provider"), command)


async def live(market: Market, *where: sa.ColumnElement[bool]) -> int:
    open_ = allocations.c.status.in_(["RESERVED", "ACCEPTED"])
    return await market.count(allocations, open_, *where)


@pytest.mark.parametrize("first", ["restriction", "others"])
async def test_a_restriction_beside_approvals_and_acceptances_leaves_nothing_set_aside(
    market: Market, database_url: str, first: str
) -> None:
    household_id, other = await a_household(market), await a_household(market)
    for each in (household_id, other):
        await a_consent(market, each)
    hot = await an_offer(market, quantity=1_000)
    mine = [await a_need(market, household_id) for _ in range(4)]
    theirs = await a_need(market, other)
    reserved = [await an_allocation(market, need, hot, 5) for need in mine]
    lines = [(need, hot, 10) for need in [*mine, theirs]]
    # Each plan takes the needs in another order, so that locks would cross if they could.
    plan_ids = [await a_proposal(market, lines[n:] + lines[:n]) for n in range(3)]
    case_id = await found_case(market, of_household(household_id), "assistance", "assistance_2")
    doings = [
        restricting(market, case_id, "assistance", RestrictionScope.CHARITY),
        *(approving(market, plan_id) for plan_id in plan_ids),
        *(accepting_one(market, key) for key in reserved),
    ]
    if first == "others":
        doings.reverse()

    answers = await all_at_once(database_url, doings)

    assert case_id in answers
    assert [answer for answer in answers if answer in plan_ids]
    assert await live(market, allocations.c.need_id.in_(mine)) == 0
    assert await live(market) == 3, "the other household gets what each plan gives it"
    assert await market.count(needs, needs.c.status == "SUSPENDED") == 4
    assert (await market.row(offers, hot))["reserved"] == 30
    await all_is_well(market.database)


async def test_a_restricted_provider_has_nothing_set_aside_whatever_is_approved_meanwhile(
    market: Market, database_url: str
) -> None:
    offer_ids = [await an_offer(market) for _ in range(3)]
    other = await an_offer(market, organization_id=market.organization["other"])
    households = [await a_household(market) for _ in range(4)]
    lines = []
    for each in households:
        await a_consent(market, each)
        need_id = await a_need(market, each)
        lines += [(need_id, offer, 5) for offer in [*offer_ids, other]]
    plan_ids = [await a_proposal(market, lines[n:] + lines[:n]) for n in range(4)]
    command = OpenCase(
        kind=CaseKind.DEFECTIVE_GOODS,
        allegation=TEXT,
        organization_id=market.organization["charity"],
    )
    case_id = await found_case(market, command, "reviewer", "reviewer_2")
    doings = [approving(market, plan_id) for plan_id in plan_ids]
    doings.insert(1, restricting(market, case_id, "reviewer", RestrictionScope.OFFERS))

    answers = await all_at_once(database_url, doings)

    assert case_id in answers, answers
    assert await live(market, allocations.c.offer_id.in_(offer_ids)) == 0
    assert await live(market) == 16
    assert await market.count(offers, offers.c.status == "PAUSED") == 3
    await all_is_well(market.database)


async def test_what_is_given_back_while_consent_ends_is_published_to_nobody(
    market: Market, database_url: str
) -> None:
    restored = []
    for _ in range(4):
        household_id = await a_household(market)
        consent_id = await a_consent(market, household_id)
        need_id = await a_need(market, household_id)
        case_id = await found_case(market, of_household(household_id), "assistance", "assistance_2")
        restrict = restricting(market, case_id, "assistance", RestrictionScope.BOTH)
        await restrict(market.database)
        restored.append((case_id, consent_id, need_id))
    doings: list[Doing] = []
    for number, (case_id, consent_id, _) in enumerate(restored):
        dismiss = EndCase(case_id=case_id, reason=TEXT)
        take_back = WithdrawConsent(consent_id=consent_id)
        pair: list[Doing] = [
            lambda client, it=dismiss: outcomes.dismiss(  # type: ignore[misc]
                client, market.act("assistance_2"), SEALER, it
            ),
            lambda client, it=take_back: consents.withdraw(  # type: ignore[misc]
                client, market.act("assistance"), it
            ),
        ]
        doings += pair if number % 2 else reversed(pair)

    answers = await all_at_once(database_url, doings)

    assert not [answer for answer in answers if isinstance(answer, Conflict)]
    assert await market.count(needs, needs.c.status == "WITHDRAWN") == 4
    assert await market.count(restrictions, restrictions.c.ended_at.is_not(None)) == 4
    await all_is_well(market.database)


async def test_two_findings_of_one_person_and_two_restrictions_at_once_count_once(
    market: Market, database_url: str
) -> None:
    household_id = await a_household(market)
    case_id = await cases.open_case(
        market.database, market.act("assistance"), SEALER, of_household(household_id)
    )
    find: Doing = lambda client: cases.find(  # noqa: E731
        client, market.act("assistance"), SEALER, FindCase(case_id=case_id, finding=TEXT)
    )

    found = await all_at_once(database_url, [find] * 4)

    assert sum(isinstance(answer, Conflict) for answer in found) == 3
    second = FindCase(case_id=case_id, finding=TEXT)
    await cases.find(market.database, market.act("assistance_2"), SEALER, second)
    restrict = restricting(market, case_id, "assistance", RestrictionScope.BOTH)
    answers = await all_at_once(database_url, [restrict] * 4)
    assert answers.count(case_id) == 1
    assert await market.count(restrictions) == 1
