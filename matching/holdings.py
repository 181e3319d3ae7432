"""Holdings: which units every offer gives, and to which precedence each of them goes.

What a need gets from one offer are counted as its last units: those it would give up first.
"""

from dataclasses import dataclass

import numpy as np

from matching.arrays import IntArray
from matching.precedence import Tranches
from matching.residual import Residual


@dataclass(frozen=True, slots=True, eq=False)
class Holdings:
    """What is held at each place (offers 0..M-1, shares of households after them).

        pair, place, need, top   [F]   pairs in use: row, place, need, weight of the first unit held
        code, before             [S]   sorted place x radix + weight, a sentinel last; units held
                                       at earlier codes, [S + 1]

    A pair that draws from a share is held at the share and at its offer.
    """

    pair: IntArray
    place: IntArray
    need: IntArray
    top: IntArray
    code: IntArray
    before: IntArray
    radix: int

    def split(self, place: IntArray, weight: IntArray) -> tuple[IntArray, IntArray, IntArray]:
        """Units held at a place by higher, equal and lower weights than this, [K] each."""
        places = np.arange(int(place.max(initial=0)) + 2) * self.radix
        ends = self.before[np.searchsorted(self.code, places)]
        edge = place * self.radix + weight
        at = np.searchsorted(self.code, edge)
        low, high = self.before[at], self.before[at + (self.code[at] == edge)]
        return ends[place + 1] - high, high - low, low - ends[place]


def holdings(net: Residual, levels: Tranches) -> Holdings:
    """All that a plan gives, by place and weight."""
    pair = np.flatnonzero(net.x > 0)
    need, y = net.problem.pair_need[pair], net.x[pair]
    base = np.concatenate([np.zeros(1, np.int64), np.cumsum(net.problem.need_units)])[need]
    end = base + net.served[need]
    begin = end - y
    ends = np.cumsum(levels.units)
    first, last = np.searchsorted(ends, begin, "right"), np.searchsorted(ends, end - 1, "right")
    count = last - first + 1
    flow = np.repeat(np.arange(len(pair)), count)
    tranche = np.arange(len(flow)) + np.repeat(first - (np.cumsum(count) - count), count)
    high, low = ends[tranche], ends[tranche] - levels.units[tranche]
    units = np.minimum(high, end[flow]) - np.maximum(low, begin[flow])
    weights = levels.n_levels - levels.level
    radix, top = levels.n_levels + 2, weights[first]
    place, offer = net.place[pair], net.problem.pair_offer[pair]
    twice = np.flatnonzero((place != offer)[flow])
    code = np.concatenate([offer[flow], place[flow[twice]]]) * radix
    code += np.concatenate([weights[tranche], weights[tranche[twice]]])
    order, held = np.argsort(code), np.append(units, units[twice])
    code, before = code[order], np.concatenate([np.zeros(1, np.int64), np.cumsum(held[order])])
    first = np.flatnonzero(np.diff(code, prepend=-1))
    code = np.append(code[first], np.iinfo(np.int64).max)  # a last one, so that every search ends
    before = before[np.append(first, [len(order)] * 2)]
    return Holdings(pair, offer, need, top, code, before, radix)
