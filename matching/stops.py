"""Stops: which rule keeps a pair from carrying one unit more to a need that is short."""

from typing import Literal, get_args

import numpy as np

from matching.arrays import BoolArray, IntArray
from matching.residual import Residual

Rule = Literal[
    "pair_max",
    "offer_household_max",
    "offer_max_needs",
    "need_max_offers",
    "offer_min_lot",
    "need_min",
]
RULES: tuple[Rule, ...] = get_args(Rule)


def stops(net: Residual, rows: IntArray) -> dict[Rule, BoolArray]:
    """For each of these pairs, by rule, whether it stands in the way: bool[K] each.

    need_min does so for every pair of a need that would have to get more at once than one unit.
    """
    problem, offer = net.problem, net.problem.pair_offer[rows]
    need, draw = net.problem.pair_need[rows], net.problem.pair_draw[rows]
    short = problem.need_units - net.served
    used = (net.x > 0) | (problem.pair_committed > 0)
    givers = np.bincount(problem.pair_need[used], minlength=problem.n_needs)
    takers = np.bincount(problem.pair_offer[used], minlength=problem.n_offers)
    most_givers, most_takers = problem.need_max_offers[need], problem.offer_max_needs[offer]
    share = np.zeros(len(rows), np.bool_)
    inside = np.flatnonzero(net.place[rows] != offer)
    share[inside] = ~net.share_open[net.place[rows][inside] - problem.n_offers]
    room = np.minimum(short[need], problem.offer_units[offer] // draw)
    room = np.minimum(room, problem.pair_max[rows] - problem.pair_committed[rows])
    lot = problem.offer_min_lot[offer]
    left = np.minimum(room, net.left[offer] // draw)
    return {
        "pair_max": net.x[rows] >= (problem.pair_max - problem.pair_committed)[rows],
        "offer_household_max": share,
        "offer_max_needs": ~used[rows] & (most_takers > 0) & (takers[offer] >= most_takers),
        "need_max_offers": ~used[rows] & (most_givers > 0) & (givers[need] >= most_givers),
        "offer_min_lot": ~used[rows] & (lot > 1) & (left < lot),
        "need_min": (net.served[need] == 0) & (problem.need_min[need] > 1),
    }
