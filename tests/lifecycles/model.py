"""A market in memory, apart from the code: what each move does, or that it cannot be made.

Every function answers whether the move is possible now, and then has made it. All quantities are
kilograms of rice: the need's unit is the offer's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from tests.lifecycles.table import TABLE

UNSERVED = ("DRAFT", "REFERRED", "RETURNED", "PUBLISHED")
SET_ASIDE = ("RESERVED", "ACCEPTED")
HELD = (*SET_ASIDE, "DISPATCHED")
GIVEN = ("DELIVERED", "DISPUTED", "CONFIRMED")


@dataclass(slots=True, eq=False)
class Thing:
    """Anything with a lifecycle; it changes by arrows of the table alone."""

    key: int
    status: str

    def go(self, status: str) -> None:
        assert TABLE[type(self).__name__].leads(self.status, status), (self, status)
        self.status = status


@dataclass(slots=True, eq=False)
class Consent(Thing):
    expires_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(slots=True, eq=False)
class Household:
    key: int
    consents: list[Consent] = field(default_factory=list)
    case: int | None = None
    restricted_at: datetime | None = None
    restricted_until: datetime | None = None

    @property
    def given(self) -> Consent | None:
        return next((each for each in self.consents if each.status == "GIVEN"), None)

    def consents_at(self, now: datetime) -> bool:
        given = self.given
        return given is not None and (given.expires_at is None or given.expires_at > now)

    def is_restricted(self, now: datetime) -> bool:
        return self.restricted_until is not None and self.restricted_until > now


@dataclass(slots=True, eq=False)
class Need(Thing):
    household: Household
    quantity: int
    deadline: datetime | None
    suspended_from: str = ""

    def is_presentable(self, now: datetime) -> bool:
        in_time = self.deadline is None or self.deadline > now
        home = self.household
        return in_time and home.consents_at(now) and not home.is_restricted(now)


@dataclass(slots=True, eq=False)
class Offer(Thing):
    quantity: int
    expires_at: datetime | None

    def is_over(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now


@dataclass(slots=True, eq=False)
class Allocation(Thing):
    """served counts in its need; lost beside it counts as given by its offer."""

    need: Need
    offer: Offer
    served: int
    until: datetime
    sent: int = 0
    received: int = 0
    lost: int = 0
    acknowledged: bool = False


@dataclass(slots=True, eq=False)
class Model:
    now: datetime
    households: list[Household] = field(default_factory=list)
    needs: list[Need] = field(default_factory=list)
    offers: list[Offer] = field(default_factory=list)
    allocations: list[Allocation] = field(default_factory=list)

    # What the counters are.

    def covered(self, need: Need) -> int:
        return sum(
            a.served for a in self.allocations if a.need is need and a.status in (*HELD, *GIVEN)
        )

    def reserved(self, offer: Offer) -> int:
        return sum(a.served for a in self.allocations if a.offer is offer and a.status in HELD)

    def delivered(self, offer: Offer) -> int:
        mine = [a for a in self.allocations if a.offer is offer]
        return sum(a.lost + (a.served if a.status in GIVEN else 0) for a in mine)

    # Consent and restriction, with what they take out of the market.

    def may_consent(self, home: Household) -> bool:
        if home.consents_at(self.now):
            return False
        if home.given is not None:
            self._end(home.given, home, "LAPSED")
        return True

    def withdraw(self, home: Household) -> bool:
        given = home.given
        if given is None:
            return False
        self._end(given, home, "WITHDRAWN")
        return True

    def _end(self, consent: Consent, home: Household, status: str) -> None:
        consent.go(status)
        consent.ended_at = self.now
        self._take_out(home, "WITHDRAWN")

    def _take_out(self, home: Household, status: str) -> None:
        for need in self._of(home):
            if need.status in UNSERVED:
                need.suspended_from = need.status
                need.go(status)
        for allocation in self.allocations:
            if allocation.need.household is home and allocation.status in SET_ASIDE:
                allocation.go("CANCELLED")

    def _of(self, home: Household) -> list[Need]:
        return [need for need in self.needs if need.household is home]

    def restrict(self, home: Household, case: int, until: datetime) -> None:
        home.case, home.restricted_at, home.restricted_until = case, self.now, until
        self._take_out(home, "SUSPENDED")

    def lift(self, home: Household) -> None:
        since = home.restricted_at
        assert since is not None
        home.case = home.restricted_at = home.restricted_until = None
        ended = any(c.ended_at is not None and c.ended_at >= since for c in home.consents)
        consents = home.consents_at(self.now)
        for need in self._of(home):
            if need.status != "SUSPENDED":
                continue
            if need.deadline is not None and need.deadline <= self.now:
                need.go("EXPIRED")
            elif not consents and (ended or need.suspended_from != "DRAFT"):
                need.go("WITHDRAWN")
            else:
                need.go(need.suspended_from)
                self._fulfil(need)

    # Needs and offers.

    def refer(self, need: Need) -> bool:
        possible = need.status in ("DRAFT", "RETURNED") and need.is_presentable(self.now)
        return self._move(need, "REFERRED", possible)

    def review(self, need: Need, status: str) -> bool:
        possible = need.status == "REFERRED"
        if status == "PUBLISHED":
            possible = possible and need.is_presentable(self.now)
        return self._move(need, status, possible)

    def move_offer(self, offer: Offer, status: str) -> bool:
        before = {"PAUSED": ("OPEN",), "OPEN": ("DRAFT", "PAUSED"), "CLOSED": ("OPEN", "PAUSED")}
        possible = offer.status in before[status]
        if status == "OPEN":
            possible = possible and not offer.is_over(self.now)
        return self._move(offer, status, possible)

    def _move(self, thing: Thing, status: str, possible: bool) -> bool:
        if possible:
            thing.go(status)
        return possible

    # Allocations.

    def may_pledge(self, need: Need, offer: Offer, units: int) -> bool:
        open_ = need.status == "PUBLISHED" and need.is_presentable(self.now)
        there = offer.status == "OPEN" and not offer.is_over(self.now)
        left = offer.quantity - self.reserved(offer) - self.delivered(offer)
        return open_ and there and units <= min(left, need.quantity - self.covered(need))

    def _is_fit(self, allocation: Allocation) -> bool:
        """Whether anything may still be given for its household."""
        need = allocation.need
        return need.status != "SUSPENDED" and need.household.consents_at(self.now)

    def accept(self, it: Allocation) -> bool:
        in_time = it.status == "RESERVED" and it.until > self.now
        return self._move(it, "ACCEPTED", in_time and self._is_fit(it))

    def decline(self, it: Allocation) -> bool:
        return self._move(it, "DECLINED", it.status == "RESERVED")

    def cancel(self, it: Allocation) -> bool:
        return self._move(it, "CANCELLED", it.status in SET_ASIDE)

    def dispatch(self, it: Allocation, units: int) -> bool:
        possible = it.status == "ACCEPTED" and units <= it.served and self._is_fit(it)
        if self._move(it, "DISPATCHED", possible):
            it.sent = it.served = units
        return possible

    def check_in(self, it: Allocation, handed: int, returned: int | None) -> bool:
        possible = it.status == "DISPATCHED" and handed + (returned or 0) <= it.sent
        if possible and (handed or returned is not None):
            it.go("DELIVERED")
            it.received = handed
            if handed:
                it.served, it.lost = handed, it.sent - handed - (returned or 0)
        return possible

    def confirm(self, it: Allocation) -> bool:
        possible = it.status == "DELIVERED" and it.received > 0
        if self._move(it, "CONFIRMED", possible):
            self._fulfil(it.need)
        return possible

    def dispute(self, it: Allocation) -> bool:
        return self._move(it, "DISPUTED", it.status == "DELIVERED")

    def settle(self, it: Allocation, received: int, returned: int) -> bool:
        """Nothing received: cancelled."""
        room = it.served + it.need.quantity - self.covered(it.need)
        possible = it.status == "DISPUTED" and received + returned <= it.sent
        if not possible or received > room:
            return False
        it.received, it.lost = received, it.sent - received - returned
        if received:
            it.served = received
        it.go("CONFIRMED" if received else "CANCELLED")
        self._fulfil(it.need)
        return True

    def acknowledge(self, it: Allocation) -> bool:
        if it.status != "CONFIRMED" or it.acknowledged:
            return False
        it.acknowledged = True
        self.close_done()
        return True

    def close_done(self) -> None:
        for need in self.needs:
            mine = [a for a in self.allocations if a.need is need and a.status == "CONFIRMED"]
            if need.status == "FULFILLED" and all(a.acknowledged for a in mine):
                need.go("CLOSED")

    def _fulfil(self, need: Need) -> None:
        live = [a for a in self.allocations if a.need is need and a.status in (*HELD, *GIVEN)]
        done = bool(live) and all(a.status == "CONFIRMED" for a in live)
        if need.status == "PUBLISHED" and done and self.covered(need) == need.quantity:
            need.go("FULFILLED")

    # Time.

    def chores(self) -> None:
        for home in self.households:
            given = home.given
            if given is not None and not home.consents_at(self.now):
                self._end(given, home, "LAPSED")
        for need in self.needs:
            overdue = need.deadline is not None and need.deadline <= self.now
            if overdue and need.status in UNSERVED:
                need.go("EXPIRED")
        for offer in self.offers:
            if offer.is_over(self.now) and offer.status in ("OPEN", "PAUSED"):
                offer.go("EXPIRED")
        for it in self.allocations:
            if it.status == "RESERVED" and it.until <= self.now:
                it.go("CANCELLED")
        self.close_done()
        for home in self.households:
            until = home.restricted_until
            if until is not None and until <= self.now:
                self.lift(home)
