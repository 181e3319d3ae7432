"""First come, first served: what the same offers would do without an optimizer."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from marketplace.services.matchfiles.building import Market


@dataclass(frozen=True, slots=True)
class Served:
    """Units that each need gets, and what moving them costs (as the problem counts cost)."""

    units: tuple[int, ...]
    cost: int


def first_come_first_served(market: Market) -> Served:
    """Needs by date, then by row; each takes from the cheapest offer that has something left.

    It knows all offers from the start, as the plan does: the two differ in nothing but the rule.
    Needs without a date come after those with one. Limits for a household are kept.
    """
    problem = market.problem
    order = np.lexsort((problem.pair_offer, problem.pair_cost, problem.pair_need))
    offers, costs = problem.pair_offer[order], problem.pair_cost[order]
    starts = np.searchsorted(problem.pair_need[order], np.arange(problem.n_needs + 1))
    left = problem.offer_units.copy()
    limits = problem.offer_household_max.tolist()
    taken: defaultdict[tuple[int, int], int] = defaultdict(int)
    units, cost = [0] * problem.n_needs, 0
    dates = [(not row.date, row.date, row.number) for row in market.needs]
    for need in sorted(range(problem.n_needs), key=dates.__getitem__):
        first, last = starts[need], starts[need + 1]
        household = int(problem.need_household[need])
        wanted = market.needs[need].quantity
        for at in np.flatnonzero(left[offers[first:last]] > 0).tolist():
            offer = int(offers[first + at])
            got = min(wanted, int(left[offer]))
            if limits[offer]:
                got = min(got, limits[offer] - taken[offer, household])
                taken[offer, household] += got
            left[offer] -= got
            wanted -= got
            units[need] += got
            cost += got * int(costs[first + at])
            if not wanted:
                break
    return Served(tuple(units), cost)
