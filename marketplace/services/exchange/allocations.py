"""Allocations: reserving what an approved plan proposes, as far as it still fits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import groupby
from operator import itemgetter

from marketplace.domain.exchange.allocations import AllocationOrigin, AllocationStatus
from marketplace.domain.exchange.plans import ApprovalRules, LeftOutReason
from marketplace.persistence.database import Database, Reading, Row
from marketplace.persistence.exchange import allocations, facts, needs, offers, plans
from marketplace.services.acting import Turn, record_many
from marketplace.services.exchange import rotas
from marketplace.services.exchange.visit_room import VisitRoom, room_for


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserved:
    """How many lines became allocations, and how many were left out."""

    reserved: int
    left_out: int


async def reserve_plan(
    turn: Turn, database: Database, plan_id: int, rules: ApprovalRules
) -> Reserved:
    """Make allocations of the lines that still fit; mark the others with their reasons.

    The plan's row must be locked. Needs, then offers are locked in id order, all lines are decided
    in memory (the most urgent needs first), and each counter is raised by one guarded update.
    """
    db, now = turn.db, database.now()
    pairs = await plans.to_decide(db, plan_id)
    open_needs = await needs.lock_in_market(db, (pair["need_id"] for pair in pairs), now=now)
    open_offers = await offers.lock_open(db, (pair["offer_id"] for pair in pairs), now=now)
    lines = await plans.lines_to_decide(db, plan_id)
    own = await facts.household_of(db, turn.act.viewer.account_id)
    left = await _left(db, lines, open_needs, open_offers, own, await room_for(db, lines, now=now))
    decided: dict[int, LeftOutReason | None] = {}
    for _, of_need in groupby(lines, key=itemgetter("need_id")):
        decided |= left.take_all(list(of_need))
    kept = [line for line in lines if decided[line["id"]] is None]
    await needs.cover_many(db, _sums(kept, "need_id", "units_served"))
    await offers.reserve_many(db, _sums(kept, "offer_id", "units_drawn"))
    visit_days = await rotas.days(db, plan_id, now=now, only={line["id"] for line in kept})
    await plans.decide_lines(db, decided)
    until = now + timedelta(days=rules.reservation_days)
    keys = await allocations.add_many(
        db,
        [
            {
                "need_id": line["need_id"],
                "offer_id": line["offer_id"],
                "plan_line_id": line["id"],
                "origin": AllocationOrigin.PLAN,
                "status": AllocationStatus.RESERVED,
                "units_served": line["units_served"],
                "units_drawn": line["units_drawn"],
                "visit_days": visit_days.get(line["id"]),
                "reserved_until": until,
                "created_at": now,
            }
            for line in kept
        ],
    )
    await record_many(turn, database, "allocation.reserved", "Allocation", keys, plan=plan_id)
    return Reserved(reserved=len(kept), left_out=len(lines) - len(kept))


@dataclass(slots=True, kw_only=True)
class _Left:
    """What is left of locked needs and offers, while lines take from it one by one."""

    needs: dict[int, int]
    offers: dict[int, int]
    own_household: int | None
    visits: VisitRoom
    given: Counter[tuple[int, int]] = field(default_factory=Counter)
    deliveries: Counter[int] = field(default_factory=Counter)

    def take_all(self, lines: Sequence[Row]) -> dict[int, LeftOutReason | None]:
        """Take what can be had of one need's lines, or nothing where that would be of no use."""
        decided = {line["id"]: self._take(line) for line in lines}
        kept = [line for line in lines if decided[line["id"]] is None]
        if sum(line["units_served"] for line in kept) < lines[0]["missing"]:
            for line in kept:
                self._put_back(line)
                decided[line["id"]] = LeftOutReason.QUANTITY_MIN
        return decided

    def _take(self, line: Row) -> LeftOutReason | None:
        """Take a line's units, or say why they cannot be had."""
        need, offer, household = line["need_id"], line["offer_id"], line["household_id"]
        served, drawn = line["units_served"], line["units_drawn"]
        if household == self.own_household:
            return LeftOutReason.OWN_HOUSEHOLD
        if need not in self.needs:
            covered = line["need_left"] <= 0
            return LeftOutReason.NEED_COVERED if covered else LeftOutReason.NEED_NOT_IN_MARKET
        if offer not in self.offers:
            used_up = line["offer_left"] <= 0
            return LeftOutReason.OFFER_USED_UP if used_up else LeftOutReason.OFFER_NOT_IN_MARKET
        if line["offer_changed"]:
            return LeftOutReason.OFFER_CHANGED
        if self.needs[need] < served:
            return LeftOutReason.NEED_COVERED
        if self.offers[offer] < drawn:
            return LeftOutReason.OFFER_USED_UP
        if drawn < line["delivery_min"]:
            return LeftOutReason.DELIVERY_MIN
        most = line["household_max"]
        if most is not None and self.given[offer, household] + drawn > most:
            return LeftOutReason.HOUSEHOLD_MAX
        times = line["deliveries_max"]
        if times is not None and self.deliveries[offer] + 1 > times:
            return LeftOutReason.DELIVERIES_MAX
        if not self.visits.holds(line):
            return LeftOutReason.VISITS_MAX
        self.needs[need] -= served
        self.offers[offer] -= drawn
        self.given[offer, household] += drawn
        self.deliveries[offer] += 1
        self.visits.take(line)
        return None

    def _put_back(self, line: Row) -> None:
        offer = line["offer_id"]
        self.needs[line["need_id"]] += line["units_served"]
        self.offers[offer] += line["units_drawn"]
        self.given[offer, line["household_id"]] -= line["units_drawn"]
        self.deliveries[offer] -= 1
        self.visits.take(line, back=True)


async def _left(
    db: Reading,
    lines: Sequence[Row],
    open_needs: Mapping[int, int],
    open_offers: Mapping[int, int],
    own_household: int | None,
    visits: VisitRoom,
) -> _Left:
    limited = {line["offer_id"] for line in lines if line["household_max"] is not None}
    counted = {line["offer_id"] for line in lines if line["deliveries_max"] is not None}
    return _Left(
        needs=dict(open_needs),
        offers=dict(open_offers),
        own_household=own_household,
        visits=visits,
        given=Counter(await allocations.drawn_by_household(db, limited)),
        deliveries=Counter(await allocations.deliveries(db, counted)),
    )


def _sums(lines: Sequence[Row], key: str, units: str) -> dict[int, int]:
    total: Counter[int] = Counter()
    for line in lines:
        total[line[key]] += line[units]
    return dict(total)
