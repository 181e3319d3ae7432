"""Two at once who take one thing to different states: it ends in one of them, as if in turn."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import pytest
import sqlalchemy as sa

from marketplace.domain.errors import DomainError, NotFound
from marketplace.domain.exchange.referrals import ReviewDecision
from marketplace.domain.permissions import Role
from marketplace.domain.registry.applications import RejectReason
from marketplace.persistence.database import Database
from marketplace.persistence.tables import (
    applications,
    consents,
    events,
    need_reviews,
    needs,
    offers,
    published_needs,
    results,
)
from marketplace.services.exchange.consents import WithdrawConsent, withdraw
from marketplace.services.exchange.deliveries import ConfirmAllocation, confirm
from marketplace.services.exchange.pledges import PledgeNeed, pledge
from marketplace.services.exchange.referrals import ReviewNeed, review
from marketplace.services.exchange.results import AcknowledgeResults, acknowledge
from marketplace.services.registry.applications import (
    RegisterApplication,
    RejectApplication,
    register,
    reject,
)
from tests.fixtures.county import SEALER
from tests.fixtures.delivering import a_lot
from tests.fixtures.invariants import all_is_well
from tests.fixtures.market import Market, a_consent, a_household, a_market, a_need, an_offer
from tests.fixtures.results import a_result
from tests.lifecycles import entities
from tests.lifecycles.entities import ground

TIMES = 5  # so that every order comes up


@pytest.fixture
async def market(database: Database) -> Market:
    return await a_market(database)


async def done_of(*doing: Awaitable[object]) -> list[bool]:
    """Which of them were done; a refusal is none, and anything else is a bug."""
    ends = await asyncio.gather(*doing, return_exceptions=True)
    for each in ends:
        if isinstance(each, BaseException) and not isinstance(each, DomainError | NotFound):
            raise each
    return [not isinstance(each, BaseException) for each in ends]


async def told(market: Market, kind: str, key: int) -> int:
    return await market.count(events, events.c.kind == kind, events.c.entity_id == key)


async def test_officers_who_decide_differently_while_consent_ends_decide_once(
    market: Market,
) -> None:
    on = await ground(market, SEALER)
    for first in range(TIMES):
        household = await a_household(market)
        consent_id = await a_consent(market, household)
        made = await entities.need(on, "REFERRED", "", Role.ADMIN)
        await on.change(needs, made.key, household_id=household)

        def reviewing(who: str, decision: ReviewDecision, key: int) -> Awaitable[object]:
            command = ReviewNeed(need_id=key, decision=decision, reason="Read")
            return review(market.database, market.act(who), command)

        doing = [
            reviewing("reviewer", ReviewDecision.APPROVE, made.key),
            reviewing("reviewer_2", ReviewDecision.REJECT, made.key),
            withdraw(
                market.database, market.act("township"), WithdrawConsent(consent_id=consent_id)
            ),
        ]
        places = [(first + n) % 3 for n in range(3)]
        ends = dict(zip(places, await done_of(*(doing[n] for n in places)), strict=True))

        status = (await market.row(needs, made.key))["status"]
        assert ends[2]
        # Rejected for good; approved or not looked at, it went with the consent.
        assert status == ("REJECTED" if ends[1] else "WITHDRAWN")
        assert not (ends[0] and ends[1])
        reviewed = await market.count(need_reviews, need_reviews.c.need_id == made.key)
        assert reviewed == ends[0] + ends[1]
        open_ = (published_needs.c.need_id == made.key, published_needs.c.is_open)
        assert await market.count(published_needs, *open_) == 0
        assert (await market.row(consents, consent_id))["status"] == "WITHDRAWN"
    await all_is_well(market.database)


async def test_two_providers_who_pledge_the_whole_of_one_need_do_not_both_get_it(
    market: Market,
) -> None:
    for _ in range(TIMES):
        household = await a_household(market)
        await a_consent(market, household)
        need = await a_need(market, household)
        copy = sa.select(published_needs.c.id).where(published_needs.c.need_id == need)
        copy_id = int(await market.value(copy))
        mine = {
            who: await an_offer(market, organization_id=market.organization[organization])
            for who, organization in (("provider", "charity"), ("other_provider", "other"))
        }

        ends = await done_of(
            *(
                pledge(
                    market.database,
                    market.act(who),
                    PledgeNeed(offer_id=offer, published_need_id=copy_id, units=80),
                    hours=1,
                )
                for who, offer in mine.items()
            )
        )

        assert sorted(ends) == [False, True]
        assert (await market.row(needs, need))["covered"] == 80
        reserved = [(await market.row(offers, key))["reserved"] for key in mine.values()]
        assert reserved == [80 * end for end in ends]
    await all_is_well(market.database)


async def test_an_application_is_registered_or_rejected_and_never_both(market: Market) -> None:
    on = await ground(market, SEALER)
    for _ in range(TIMES):
        made = await entities.application(on, "SUBMITTED", "", Role.ADMIN)
        no = RejectApplication(application_id=made.key, why=RejectReason.OTHER, reason="Not here")
        yes = RegisterApplication(application_id=made.key)

        ends = await done_of(
            register(market.database, market.act("township"), SEALER, yes),
            reject(market.database, market.act("assistance"), SEALER, no),
            register(market.database, market.act("assistance_2"), SEALER, yes),
        )

        assert sum(ends) == 1
        row = await market.row(applications, made.key)
        assert row["status"] == ("REJECTED" if ends[1] else "REGISTERED")
        registered = await told(market, "application.registered", made.key)
        assert registered + await told(market, "application.rejected", made.key) == 1


async def test_desks_that_acknowledge_at_once_close_the_need_once(market: Market) -> None:
    for _ in range(TIMES):
        result_id, need_id, _ = await a_result(market)
        command = AcknowledgeResults(result_ids=(result_id,))

        ends = await done_of(
            *(
                acknowledge(market.database, market.act(who), command)
                for who in ("township", "assistance", "reviewer", "assistance_2")
            )
        )

        assert sum(ends) == 3
        assert (await market.row(results, result_id))["status"] == "ACKNOWLEDGED"
        assert (await market.row(needs, need_id))["status"] == "CLOSED"
        assert await told(market, "need.closed", need_id) == 1
    await all_is_well(market.database)


async def test_the_last_two_confirmations_of_a_need_fulfil_it_once(market: Market) -> None:
    for _ in range(TIMES):
        household = await a_household(market)
        await a_consent(market, household)
        need = await a_need(market, household, quantity=40, quantity_asked=40)
        here = {"household_id": household, "need_id": need}
        one = await a_lot(market, 30, "DELIVERED", **here)
        other = await a_lot(market, 10, "DELIVERED", **here)

        ends = await done_of(
            *(
                confirm(
                    market.database,
                    market.act(who),
                    SEALER,
                    ConfirmAllocation(allocation_id=lot.allocation_id),
                )
                for who, lot in (("township", one), ("grid", other))
            )
        )

        assert ends == [True, True]
        assert (await market.row(needs, one.need_id))["status"] == "FULFILLED"
        assert await told(market, "need.fulfilled", one.need_id) == 1
