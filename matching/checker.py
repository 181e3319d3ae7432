"""The independent checker: what a plan breaks, told without any of the solvers' code."""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from matching.arrays import BoolArray, IntArray
from matching.problem import Problem

TOLD_MAX = 100


class _Planned(Protocol):
    @property
    def pair_units(self) -> IntArray: ...
    @property
    def problem_digest(self) -> str: ...


def violations(problem: Problem, plan: _Planned) -> list[str]:
    """Every rule of the problem that the plan breaks, in words; empty when it breaks none."""
    x = np.asarray(plan.pair_units)
    if x.dtype != np.int64 or x.shape != (problem.n_pairs,):
        return [f"pair_units: int64[{problem.n_pairs}] is wanted, not {x.dtype}{list(x.shape)}"]
    told = []
    if plan.problem_digest != problem.digest:
        told.append("problem_digest: the plan was made for another problem")
    # Pair by pair first: once each is in bounds, no sum can leave 64 bits.
    told += _pairs(problem, x)
    return (told or _totals(problem, x) + _households(problem, x) + _counts(problem, x))[:TOLD_MAX]


def _pairs(problem: Problem, x: IntArray) -> list[str]:
    need = problem.need_units[problem.pair_need]
    offer = problem.offer_units[problem.pair_offer] // problem.pair_draw
    most = problem.pair_max - problem.pair_committed
    lot = problem.offer_min_lot[problem.pair_offer] - problem.pair_committed
    return (
        _told(x < 0, lambda k: f"pair {k}: {x[k]} units are negative")
        + _told(x > need, lambda k: f"pair {k}: {x[k]} units, the need asks for {need[k]}")
        + _told(x > offer, lambda k: f"pair {k}: {x[k]} units, the offer has {offer[k]}")
        + _told(
            (x > 0) & (x > most), lambda k: f"pair {k}: {x[k]} units, pair_max leaves {most[k]}"
        )
        + _told((x > 0) & (x < lot), lambda k: f"pair {k}: {x[k]} units, a lot lacks {lot[k]}")
    )


def _totals(problem: Problem, x: IntArray) -> list[str]:
    some = np.flatnonzero(x)  # most pairs move nothing
    served = np.zeros(problem.n_needs, np.int64)
    np.add.at(served, problem.pair_need[some], x[some])
    drawn = np.zeros(problem.n_offers, np.int64)
    np.add.at(drawn, problem.pair_offer[some], (x * problem.pair_draw)[some])
    need, offer, least = problem.need_units, problem.offer_units, problem.need_min
    old = np.zeros(problem.n_needs, np.int64)
    some = np.flatnonzero(problem.pair_committed)
    np.add.at(old, problem.pair_need[some], problem.pair_committed[some])
    few = (served > 0) & (served < least - old)
    return (
        _told(served > need, lambda i: f"need {i}: {served[i]} units served, {need[i]} asked")
        + _told(
            few,
            lambda i: f"need {i}: {served[i]} units served, at least {least[i] - old[i]} or none",
        )
        + _told(drawn > offer, lambda j: f"offer {j}: {drawn[j]} drawn, {offer[j]} left")
    )


def _households(problem: Problem, x: IntArray) -> list[str]:
    most = problem.offer_household_max
    rows = np.flatnonzero(most[problem.pair_offer] > 0)
    if not len(rows):
        return []
    household, offer = problem.need_household[problem.pair_need[rows]], problem.pair_offer[rows]
    order = np.lexsort((household, offer))
    rows, household, offer = rows[order], household[order], offer[order]
    differs = (np.diff(household, prepend=-1) != 0) | (np.diff(offer, prepend=-1) != 0)
    start = np.flatnonzero(differs)
    draw = problem.pair_draw[rows]
    new = np.add.reduceat(x[rows] * draw, start)
    old = np.add.reduceat(problem.pair_committed[rows] * draw, start)
    j, home = offer[start], household[start]
    return _told(
        (new > 0) & (new + old > most[j]),
        lambda g: (
            f"offer {j[g]}: household {home[g]} gets {new[g]} beside {old[g]}, limit {most[j[g]]}"
        ),
    )


def _counts(problem: Problem, x: IntArray) -> list[str]:
    giver_max, taker_max = problem.need_max_offers, problem.offer_max_needs
    if not giver_max.any() and not taker_max.any():
        return []
    new = (x > 0) & (problem.pair_committed == 0)  # more than is allowed may be committed
    used = new | (problem.pair_committed > 0)
    givers = np.bincount(problem.pair_need[used], minlength=problem.n_needs)
    takers = np.bincount(problem.pair_offer[used], minlength=problem.n_offers)
    many = (giver_max > 0) & (givers > giver_max)
    many &= np.bincount(problem.pair_need[new], minlength=problem.n_needs) > 0
    wide = (taker_max > 0) & (takers > taker_max)
    wide &= np.bincount(problem.pair_offer[new], minlength=problem.n_offers) > 0
    return _told(many, lambda i: f"need {i}: {givers[i]} offers, {giver_max[i]} allowed") + _told(
        wide, lambda j: f"offer {j}: {takers[j]} needs, {taker_max[j]} allowed"
    )


def _told(broken: BoolArray, say: Callable[[int], str]) -> list[str]:
    return [say(int(index)) for index in np.flatnonzero(broken)[:TOLD_MAX]]
