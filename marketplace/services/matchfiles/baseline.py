"""First come, first served: what the same offers would do without an optimizer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from marketplace.services.matchfiles.building import Market
from matching import Problem

NO_LIMIT = 2**62


@dataclass(frozen=True, slots=True)
class Served:
    """Units that each need gets, and what moving them costs (as the problem counts cost)."""

    units: tuple[int, ...]
    cost: int


def first_come_first_served(market: Market) -> Served:
    """Needs by date, then by row; each takes from the cheapest offer that has something left.

    It knows all offers from the start, as the plan does: the two differ in nothing but the rule.
    Needs without a date come after those with one. Limits for a household and of deliveries, the
    smallest delivery, and what is of use to a need at least are kept.
    """
    problem = market.problem
    order = np.lexsort((problem.pair_offer, problem.pair_cost, problem.pair_need))
    offers, costs = problem.pair_offer[order], problem.pair_cost[order]
    starts = np.searchsorted(problem.pair_need[order], np.arange(problem.n_needs + 1))
    stock = _Stock(problem)
    units, cost = [0] * problem.n_needs, 0
    dates = [(not row.date, row.date, row.number) for row in market.needs]
    for need in sorted(range(problem.n_needs), key=dates.__getitem__):
        first, last = starts[need], starts[need + 1]
        here = np.flatnonzero(stock.left[offers[first:last]] > 0).tolist()
        reached = ((int(offers[first + at]), int(costs[first + at])) for at in here)
        got = stock.take(need, market.needs[need].quantity, reached)
        units[need] = sum(taken for _, taken, _ in got)
        cost += sum(taken * each for _, taken, each in got)
    return Served(tuple(units), cost)


class _Stock:
    """What the offers have left, while one need after the other takes from it."""

    def __init__(self, problem: Problem) -> None:
        self.left = problem.offer_units.copy()
        self.household = problem.need_household.tolist()
        self.limits = problem.offer_household_max.tolist()
        self.lots = problem.offer_min_lot.tolist()
        self.least, self.offers_max = problem.need_min.tolist(), problem.need_max_offers.tolist()
        most = problem.offer_max_needs
        self.deliveries = np.where(most > 0, most, NO_LIMIT).tolist()
        self.taken: defaultdict[tuple[int, int], int] = defaultdict(int)

    def take(
        self, need: int, wanted: int, reached: Iterable[tuple[int, int]]
    ) -> list[tuple[int, int, int]]:
        """(offer, units, cost of one) for what the need gets; nothing if that is of no use."""
        got: list[tuple[int, int, int]] = []
        household, most = self.household[need], self.offers_max[need] or NO_LIMIT
        for offer, cost in reached:
            if not wanted or len(got) == most:
                break
            units = min(wanted, int(self.left[offer]))
            if self.limits[offer]:
                units = min(units, self.limits[offer] - self.taken[offer, household])
            if units >= self.lots[offer] and self.deliveries[offer]:
                got.append((offer, units, cost))
                wanted -= units
        if sum(units for _, units, _ in got) < self.least[need]:
            return []
        for offer, units, _ in got:
            self.left[offer] -= units
            self.taken[offer, household] += units
            self.deliveries[offer] -= 1
        return got
