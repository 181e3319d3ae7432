"""Random months of a market, through the services, beside a model of it in memory.

After every step nothing contradicts itself, states and counters are the model's, and nothing is
published without consent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from marketplace.domain.exchange.allocations import DeclineReason, DisputeReason, Settlement
from marketplace.domain.exchange.consents import GiveConsent, HowGiven
from marketplace.domain.exchange.deliveries import CheckIn
from marketplace.domain.exchange.needs import NeedTerms
from marketplace.domain.exchange.referrals import ReviewDecision
from marketplace.domain.oversight.integrity import CaseKind, OpenCase, end_of
from marketplace.domain.restrictions import RestrictionScope
from marketplace.persistence.database import Database
from marketplace.persistence.tables import (
    published_needs,
    results,
)
from marketplace.services.exchange import accepting, deliveries, dispatching, disputes, pledges
from marketplace.services.exchange import consents as consent_service
from marketplace.services.exchange import needs as need_service
from marketplace.services.exchange import offers as offer_service
from marketplace.services.exchange import referrals as referral_service
from marketplace.services.exchange import results as result_service
from marketplace.services.exchange.expiry import expire
from marketplace.services.exchange.handing_over import Line
from marketplace.services.oversight import cases, lapsing, outcomes
from tests.fixtures.county import SEALER
from tests.fixtures.drawing import drawn
from tests.fixtures.market import a_household, a_market, rice
from tests.lifecycles.living import Clock, Living
from tests.lifecycles.model import Allocation, Consent, Household, Need, Offer

DAYS = st.one_of(st.none(), st.integers(1, 20))
UNITS = st.integers(1, 60)
PICK = st.integers(0, 999)
WHICH = st.integers(0, 2)
# What ends much falls mostly on one household, so that others come far.
LAST = st.sampled_from([2, 2, 2, 2, 1, 0])
HAS_LOTS: Callable[[Any], bool] = lambda self: bool(self.model.allocations)  # noqa: E731
SAID = "What the papers say"
HOURS = 48


class Months(Living):
    """One run: some households and offers in a market that other runs have left things in."""

    @initialize()
    def begins(self) -> None:
        for _ in range(3):
            self.model.households.append(Household(self.run(a_household(self.market))))
        for n, home in enumerate(self.model.households):
            self.consents(home, None)
            self.comes_to_the_market(home, 30 + n)
            self.is_in_need(home, 10, 4)
            self.offers(60, [None, 9, 3][n])
            self.pledges(5 * n, 5 * n, 30)
        for n, lot in enumerate(self.model.allocations):
            self.accepts(lot)
            if n < 2:
                self.sends(lot, 30)
                self.brings(lot, 30 - 2 * n, n)

    @rule(which=WHICH, days=DAYS)
    def agrees(self, which: int, days: int | None) -> None:
        self.consents(self.model.households[which], days)

    def consents(self, home: Household, days: int | None) -> None:
        expires_at = self.in_days(days)
        command = GiveConsent(
            household_id=home.key,
            text_version="2026-01",
            how_given=HowGiven.SIGNED,
            evidence_reference="paper 1",
            expires_at=expires_at,
        )
        possible = self.model.may_consent(home)
        key = self.tried(possible, self.act(consent_service.give, "township", command))
        if possible:
            home.consents.append(Consent(key, "GIVEN", expires_at=expires_at))

    @rule(which=LAST)
    def takes_consent_back(self, which: int) -> None:
        home = self.model.households[which]
        if home.consents:
            last = home.consents[-1].key
            command = consent_service.WithdrawConsent(consent_id=last)
            possible = self.model.withdraw(home)
            self.tried(possible, self.act(consent_service.withdraw, "township", command))

    @rule(which=WHICH, units=UNITS, days=DAYS)
    def falls_on_hard_times(self, which: int, units: int, days: int | None) -> None:
        self.is_in_need(self.model.households[which], units, days)

    def is_in_need(self, home: Household, units: int, days: int | None) -> Need:
        deadline = self.in_days(days)
        terms = NeedTerms(
            household_id=home.key,
            category_id=self.market.category["staple"],
            quantity_asked=units,
            deadline=deadline,
        )
        key = self.run(self.act(need_service.create, "grid", terms))
        need = Need(key, "DRAFT", home, units, deadline)
        self.model.needs.append(need)
        return need

    @rule(which=WHICH, units=UNITS)
    def is_helped_to_the_market(self, which: int, units: int) -> None:
        self.comes_to_the_market(self.model.households[which], units)

    def comes_to_the_market(self, home: Household, units: int) -> None:
        need = self.is_in_need(home, units, None)
        self.refers(need)
        self.reviews(need, ReviewDecision.APPROVE)

    @rule(pick=PICK)
    def is_referred(self, pick: int) -> None:
        self.refers(self.some(self.model.needs, pick, "DRAFT", "RETURNED"))

    def refers(self, need: Need) -> None:
        command = referral_service.ReferNeeds(need_ids=(need.key,))
        possible = self.model.refer(need)
        self.tried(possible, self.act(referral_service.refer, "assistance", command))

    @rule(pick=PICK, decision=st.sampled_from(ReviewDecision))
    def is_reviewed(self, pick: int, decision: ReviewDecision) -> None:
        self.reviews(self.some(self.model.needs, pick, "REFERRED"), decision)

    def reviews(self, need: Need, decision: ReviewDecision) -> None:
        after = {"APPROVE": "PUBLISHED", "RETURN": "RETURNED", "REJECT": "REJECTED"}
        possible = self.model.review(need, after[decision])
        command = referral_service.ReviewNeed(need_id=need.key, decision=decision, reason=SAID)
        self.tried(possible, self.act(referral_service.review, "reviewer", command))

    @rule(units=st.integers(20, 120), days=DAYS)
    def offers(self, units: int, days: int | None) -> None:
        expires_at = self.in_days(days)
        terms = rice(self.market, quantity=units, expires_at=expires_at)
        key = self.run(self.act(offer_service.post, "provider", terms))
        offer = Offer(key, "OPEN", units, expires_at)
        self.model.offers.append(offer)

    @rule(pick=PICK, status=st.sampled_from(["PAUSED", "OPEN", "OPEN", "CLOSED"]))
    def thinks_again(self, pick: int, status: str) -> None:
        offer = self.some(self.model.offers, pick, "PAUSED" if status == "OPEN" else "OPEN")
        moves = {
            "PAUSED": offer_service.pause,
            "OPEN": offer_service.resume,
            "CLOSED": offer_service.close,
        }
        command = offer_service.MoveOffer(offer_id=offer.key)
        possible = self.model.move_offer(offer, status)
        self.tried(possible, self.act(moves[status], "provider", command))

    @rule(pick=PICK, of=PICK, units=UNITS)
    def pledges(self, pick: int, of: int, units: int) -> None:
        need = self.some(self.model.needs, pick, "PUBLISHED")
        offer = self.some(self.model.offers, of, "OPEN")
        copy = sa.select(published_needs.c.id).where(published_needs.c.need_id == need.key)
        copy_id = self.run(self.market.value(copy)) or 0
        units = min(units, max(1, need.quantity - self.model.covered(need)))
        possible = self.model.may_pledge(need, offer, units)
        command = pledges.PledgeNeed(offer_id=offer.key, published_need_id=copy_id, units=units)
        pledge = pledges.pledge(
            self.market.database, self.market.act("provider"), command, hours=HOURS
        )
        key = self.tried(possible, pledge)
        if key is None:
            return
        until = self.clock.at + timedelta(hours=HOURS)
        lot = Allocation(key, "RESERVED", need, offer, units, until)
        self.model.allocations.append(lot)

    @precondition(HAS_LOTS)
    @rule(pick=PICK)
    def is_accepted(self, pick: int) -> None:
        lot = self.some(self.model.allocations, pick, "RESERVED")
        self.accepts(lot)

    def accepts(self, lot: Allocation) -> None:
        command = accepting.AcceptAllocations(lines=(Line(allocation_id=lot.key),))
        possible = self.model.accept(lot)
        self.tried(possible, self.act(accepting.accept, "provider", command))

    @precondition(HAS_LOTS)
    @rule(pick=PICK, by_provider=st.booleans())
    def is_called_off(self, pick: int, by_provider: bool) -> None:
        lot = self.some(self.model.allocations, pick, "RESERVED")
        if by_provider:
            lines = (Line(allocation_id=lot.key),)
            reason = DeclineReason.OTHER
            declined = accepting.DeclineAllocations(lines=lines, reason=reason)
            possible = self.model.decline(lot)
            self.tried(possible, self.act(accepting.decline, "provider", declined))
        else:
            command = accepting.CancelAllocation(allocation_id=lot.key)
            possible = self.model.cancel(lot)
            self.tried(possible, self.act(accepting.cancel, "reviewer", command))

    @precondition(HAS_LOTS)
    @rule(pick=PICK, less=st.integers(0, 3))
    def is_sent(self, pick: int, less: int) -> None:
        lot = self.some(self.model.allocations, pick, "ACCEPTED")
        self.sends(lot, max(1, lot.served - less))

    def sends(self, lot: Allocation, units: int) -> None:
        line = Line(allocation_id=lot.key, units=units)
        command = dispatching.DispatchAllocations(lines=(line,))
        possible = self.model.dispatch(lot, units)
        self.tried(possible, self.act(dispatching.dispatch, "provider", SEALER, command))

    @precondition(HAS_LOTS)
    @rule(pick=PICK, short=st.integers(0, 60), back=st.one_of(st.none(), st.integers(0, 60)))
    def is_brought(self, pick: int, short: int, back: int | None) -> None:
        lot = self.some(self.model.allocations, pick, "DISPATCHED")
        handed = max(0, lot.sent - short)
        back = None if back is None else min(back, lot.sent - handed)
        self.brings(lot, handed, back)

    def brings(self, lot: Allocation, handed: int, back: int | None) -> None:
        said = CheckIn(latitude=27.9, longitude=116.76, handed_over=handed, returned=back)
        command = deliveries.CheckInDelivery(allocation_id=lot.key, said=said)
        possible = self.model.check_in(lot, handed, back)
        self.tried(possible, self.act(deliveries.check_in, "grid", command))

    @precondition(HAS_LOTS)
    @rule(pick=PICK)
    def is_confirmed(self, pick: int) -> None:
        lot = self.some(self.model.allocations, pick, "DELIVERED")
        self.confirms(lot)

    def confirms(self, lot: Allocation) -> None:
        command = deliveries.ConfirmAllocation(allocation_id=lot.key)
        possible = self.model.confirm(lot)
        self.tried(possible, self.act(deliveries.confirm, "township", SEALER, command))

    @precondition(HAS_LOTS)
    @rule(pick=PICK, short=st.integers(0, 5), whole=st.booleans())
    def goes_all_the_way(self, pick: int, short: int, whole: bool) -> None:
        lot = self.some(self.model.allocations, pick, "RESERVED")
        self.accepts(lot)
        self.sends(lot, lot.served)
        self.brings(lot, lot.sent if whole else max(0, lot.sent - short), 0)
        self.confirms(lot)

    @precondition(HAS_LOTS)
    @rule(pick=PICK)
    def is_disputed(self, pick: int) -> None:
        lot = self.some(self.model.allocations, pick, "DELIVERED")
        command = disputes.DisputeAllocation(allocation_id=lot.key, reason=DisputeReason.OTHER)
        possible = self.model.dispute(lot)
        self.tried(possible, self.act(disputes.dispute, "township", command))

    @precondition(HAS_LOTS)
    @rule(pick=PICK, received=UNITS, back=st.integers(0, 60), came=st.booleans())
    def is_settled(self, pick: int, received: int, back: int, came: bool) -> None:
        lot = self.some(self.model.allocations, pick, "DISPUTED")
        received = min(received, max(1, lot.sent)) if came else 0
        back = min(back, max(0, lot.sent - received))
        command = disputes.SettleAllocation(
            allocation_id=lot.key,
            settlement=Settlement.CONFIRMED if came else Settlement.CANCELLED,
            note="Counted.",
            units_received=received,
            units_returned=back,
        )
        possible = self.model.settle(lot, received, back)
        self.tried(possible, self.act(disputes.settle, "reviewer", command))

    @precondition(HAS_LOTS)
    @rule(pick=PICK)
    def is_acknowledged(self, pick: int) -> None:
        lot = self.some(self.model.allocations, pick, "CONFIRMED")
        if not self.model.acknowledge(lot):
            return
        found = sa.select(results.c.id).where(results.c.allocation_id == lot.key)
        key = self.run(self.market.value(found))
        command = result_service.AcknowledgeResults(result_ids=(key,))
        for who in ("township", "assistance", "reviewer"):
            self.run(self.act(result_service.acknowledge, who, command))

    @rule(which=LAST, days=st.integers(0, 10))
    def is_restricted(self, which: int, days: int) -> None:
        home = self.model.households[which]
        if home.case is not None:
            return
        opened = OpenCase(kind=CaseKind.CONCEALMENT, allegation=SAID, household_id=home.key)
        case = self.run(self.act(cases.open_case, "assistance", SEALER, opened))
        for who in ("assistance", "assistance_2"):
            found = cases.FindCase(case_id=case, finding=SAID)
            self.run(self.act(cases.find, who, SEALER, found))
        last = (self.clock.at + timedelta(hours=8, days=days)).date()
        command = cases.RestrictCase(
            case_id=case, scope=RestrictionScope.BOTH, ends_on=last, grounds=SAID
        )
        self.run(self.act(cases.restrict, "assistance", SEALER, command))
        self.model.restrict(home, case, end_of(last))

    @rule(which=LAST)
    def is_cleared(self, which: int) -> None:
        home = self.model.households[which]
        if home.case is not None:
            command = outcomes.EndCase(case_id=home.case, reason=SAID)
            self.run(self.act(outcomes.dismiss, "assistance_2", SEALER, command))
            self.model.lift(home)

    @rule(hours=st.integers(1, 60), chores=st.booleans())
    def time_passes(self, hours: int, chores: bool) -> None:
        self.clock.at += timedelta(hours=hours)
        self.model.now = self.clock.at
        if chores:
            self.run(expire(self.market.database))
            self.run(lapsing.lapse(self.market.database, SEALER))
            self.model.chores()


def test_random_months_go_as_a_model_in_memory_says(database_url: str) -> None:
    clock = Clock(datetime.now(UTC))
    quick = settings(
        drawn(5),
        stateful_step_count=35,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    with asyncio.Runner() as runner:
        database = Database(database_url, clock=clock)
        try:
            market = runner.run(a_market(database))
            run_state_machine_as_test(lambda: Months(runner, market, clock), settings=quick)
        finally:
            runner.run(database.close())
