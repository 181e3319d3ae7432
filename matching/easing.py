"""Easing: the same problem without rules that cannot bind, so that more of it is a plain network.

A rule of which no plan could ever take notice is none; a pair that no rule lets be used is closed;
and an offer that gives the same of itself for every unit (cash that buys at one price, visits of
one length) is counted in units. What is left is what only a mixed-integer program can obey.
"""

from dataclasses import replace

import numpy as np

from matching.arrays import BoolArray, IntArray, summed
from matching.problem import UNITS_MAX, Problem, pair_capacity

SUM_SAFE = 4e18  # floats below it are sums that have not left 64 bits


def eased(problem: Problem) -> Problem:
    """An equal problem, row by row: every plan is allowed in both or in neither, at equal cost.

    A problem without rules is returned as it is.
    """
    if not _has_rules(problem):
        return problem
    cap = _closed(problem, _first_caps(problem))
    usable = cap > 0
    draw, offer_units, household_max = _in_units(problem, cap)
    least, offers_max, lot, needs_max = _binding(problem, cap)
    left = np.where(problem.pair_draw > 1, problem.pair_committed + cap, UNITS_MAX)
    left = np.where(usable, left, problem.pair_committed)
    return replace(
        problem,
        need_min=least,
        need_max_offers=offers_max,
        offer_units=offer_units,
        offer_min_lot=lot,
        offer_max_needs=needs_max,
        offer_household_max=household_max,
        pair_draw=draw,
        pair_max=np.minimum(problem.pair_max, left),
    )


def household_left(problem: Problem, rows: IntArray) -> tuple[IntArray, IntArray]:
    """Group of each of these pairs, by offer and household, and what each group may still get.

    rows    int64[R]   pairs of offers that have a limit
    returns int64[R], int64[G]   in the offer's own unit
    """
    groups = np.stack([problem.pair_offer[rows], problem.need_household[problem.pair_need[rows]]])
    _, member = np.unique(groups, axis=1, return_inverse=True)
    member = member.ravel()
    size = int(member.max()) + 1
    limit = np.zeros(size, np.int64)
    limit[member] = problem.offer_household_max[problem.pair_offer[rows]]
    draw, committed = problem.pair_draw[rows], problem.pair_committed[rows]
    about = np.bincount(member, committed.astype(np.float64) * draw, size)
    given = np.where(about > SUM_SAFE, limit, summed(member, committed * draw, size))
    return member, np.maximum(limit - given, 0)


def lots(problem: Problem) -> IntArray:
    """Fewest new units along each pair that is used: int64[P], >= 1."""
    lot: IntArray = np.maximum(
        problem.offer_min_lot[problem.pair_offer] - problem.pair_committed, 1
    )
    return lot


def missing_minimum(problem: Problem) -> IntArray:
    """Fewest new units of each need that is served: what is committed counts. int64[N]."""
    committed = summed(problem.pair_need, problem.pair_committed, problem.n_needs)
    least: IntArray = np.maximum(problem.need_min - committed, 1)
    return least


def free_slots(problem: Problem) -> tuple[IntArray, IntArray]:
    """Pairs that each need [N] and offer [M] may newly use; those committed are used. -1: any."""
    used = problem.pair_committed > 0
    givers = np.bincount(problem.pair_need[used], minlength=problem.n_needs)
    takers = np.bincount(problem.pair_offer[used], minlength=problem.n_offers)
    need, offer = problem.need_max_offers, problem.offer_max_needs
    return (
        np.where(need > 0, np.maximum(need - givers, 0), -1),
        np.where(offer > 0, np.maximum(offer - takers, 0), -1),
    )


def _has_rules(problem: Problem) -> bool:
    return bool(
        (problem.need_min > 1).any()
        or problem.need_max_offers.any()
        or (problem.offer_min_lot > 1).any()
        or problem.offer_max_needs.any()
        or (problem.pair_draw > 1).any()
    )


def _first_caps(problem: Problem) -> IntArray:
    """Most new units along each pair by everything but minima and counts: int64[P]."""
    cap: IntArray = np.minimum(
        pair_capacity(problem), problem.offer_units[problem.pair_offer] // problem.pair_draw
    )
    rows = np.flatnonzero(problem.offer_household_max[problem.pair_offer] > 0)
    if len(rows):
        member, left = household_left(problem, rows)
        cap[rows] = np.minimum(cap[rows], left[member] // problem.pair_draw[rows])
    return cap


def _closed(problem: Problem, cap: IntArray) -> IntArray:
    """Caps with 0 for pairs that no plan can use; one closed pair may close others."""
    need, offer, fresh = problem.pair_need, problem.pair_offer, problem.pair_committed == 0
    lot, least = lots(problem), missing_minimum(problem)
    need_slots, offer_slots = free_slots(problem)
    full = fresh & ((need_slots == 0)[need] | (offer_slots == 0)[offer])
    cap = np.where(full, 0, cap)
    alone = (need_slots == 1) & (summed(need, problem.pair_committed, problem.n_needs) == 0)
    cap = np.where(alone[need] & (cap < least[need]), 0, cap)
    open_pairs = -1
    while open_pairs != (open_pairs := int((cap > 0).sum())):
        cap = np.where(cap < lot, 0, cap)
        reach = summed(need, _within_slots(problem, cap, need_slots), problem.n_needs)
        beyond = (least > 1) & (least > np.minimum(reach, problem.need_units))
        cap = np.where(beyond[need], 0, cap)
    return cap


def _within_slots(problem: Problem, cap: IntArray, slots: IntArray) -> IntArray:
    """Caps of those pairs that a need might use together: the largest, where they are limited."""
    limited = (slots >= 0)[problem.pair_need] & (problem.pair_committed == 0)
    rows = np.flatnonzero(limited & (cap > 0))
    rows = rows[np.lexsort((-cap[rows], problem.pair_need[rows]))]
    need = problem.pair_need[rows]
    starts = np.flatnonzero(np.diff(need, prepend=-1))
    rank = np.arange(len(rows)) - np.repeat(starts, np.diff(np.append(starts, len(rows))))
    kept = np.where(limited, 0, cap)
    inside = rank < slots[need]
    kept[rows[inside]] = cap[rows[inside]]
    return kept


def _binding(problem: Problem, cap: IntArray) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """need_min, need_max_offers, offer_min_lot, offer_max_needs with the ones that cannot bind
    set to no rule."""
    need, offer, usable = problem.pair_need, problem.pair_offer, cap > 0
    fresh = usable & (problem.pair_committed == 0)
    lot = lots(problem)
    # Even where a lot implies the minimum: it is also what makes a block of those units.
    served = np.bincount(need[usable], minlength=problem.n_needs) > 0
    least_binds = served & (missing_minimum(problem) > 1)
    largest = np.ones(problem.n_offers, np.int64)
    np.maximum.at(largest, offer[usable], lot[usable])
    need_slots, offer_slots = free_slots(problem)
    most = np.minimum(np.bincount(need[fresh], minlength=problem.n_needs), problem.need_units)
    many = np.bincount(offer[fresh], minlength=problem.n_offers)
    return (
        np.where(least_binds, problem.need_min, 1),
        np.where((need_slots >= 0) & (most > need_slots), problem.need_max_offers, 0),
        np.where(largest > 1, problem.offer_min_lot, 1),
        np.where((offer_slots >= 0) & (many > offer_slots), problem.offer_max_needs, 0),
    )


def _in_units(problem: Problem, cap: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """pair_draw, offer_units and offer_household_max, with offers counted in units where one unit
    always draws the same, or where there is enough for all."""
    offer, limit = problem.pair_offer, problem.offer_household_max
    usable = cap > 0
    counted = usable | ((problem.pair_committed > 0) & (limit > 0)[offer])
    low, high = np.full(problem.n_offers, UNITS_MAX), np.ones(problem.n_offers, np.int64)
    np.minimum.at(low, offer[counted], problem.pair_draw[counted])
    np.maximum.at(high, offer[counted], problem.pair_draw[counted])
    alike = low >= high
    low = np.where(low > high, 1, low)  # no pair at all
    wanted = np.bincount(
        offer, cap.astype(np.float64) * problem.pair_draw, minlength=problem.n_offers
    )
    enough = ~alike & (limit == 0) & (wanted < problem.offer_units * (1 - 1e-9))
    reach = np.maximum(summed(offer, cap, problem.n_offers), 1)
    units = np.where(alike, np.maximum(problem.offer_units // low, 1), problem.offer_units)
    units = np.where(enough, np.minimum(reach, UNITS_MAX), units)
    household = np.where(alike, limit // low, limit)
    plain: BoolArray = (alike | enough)[offer]
    return np.where(plain, 1, problem.pair_draw), units, household
