"""A flow in a network, and which part of it may still move without harm to what was decided before.

Stages are solved one after another (levels, then cost, then change). After each, prices prove it
optimal, and only what has reduced cost zero stays free: the optimal face. So the order between
stages is exact whatever the numbers; no weight has to be big enough.
"""

from dataclasses import dataclass, field

import numpy as np

from matching.arrays import BoolArray, IntArray, summed
from matching.network import Network

FAR = 2**60  # above every price and capacity


@dataclass(slots=True, eq=False)
class State:
    """Mutable: x [p] and what follows from it; free [p], hub_free [h], offer_free [m], and the
    ranges low..high [n] in which a need's total, and least..most [p] in which the units of a free
    pair may still vary.
    source [p] is where each pair draws from; need_part [n], source_part [m + h], pair_part [p] the
    component of each row."""

    net: Network
    x: IntArray
    free: BoolArray = field(init=False)
    hub_free: BoolArray = field(init=False)
    offer_free: BoolArray = field(init=False)
    least: IntArray = field(init=False)
    most: IntArray = field(init=False)
    low: IntArray = field(init=False)
    high: IntArray = field(init=False)
    served: IntArray = field(init=False)
    used: IntArray = field(init=False)
    source: IntArray = field(init=False)
    through: IntArray = field(init=False)
    need_part: IntArray = field(init=False)
    source_part: IntArray = field(init=False)
    pair_part: IntArray = field(init=False)

    def __post_init__(self) -> None:
        net = self.net
        self.free = np.ones(len(net.pair_need), np.bool_)
        self.hub_free = np.ones(len(net.hub_offer), np.bool_)
        self.offer_free = np.ones(len(net.offer_units), np.bool_)
        self.least, self.most = np.zeros(len(net.pair_need), np.int64), net.pair_cap
        self.source = net.pair_source
        parts = np.arange(net.n_components)
        self.need_part = np.repeat(parts, np.diff(net.need_from))
        self.pair_part = np.repeat(parts, np.diff(net.pair_from))
        self.source_part = np.concatenate(
            [np.repeat(parts, np.diff(net.offer_from)), np.repeat(parts, np.diff(net.hub_from))]
        )
        self.low = np.zeros(len(net.need_units), np.int64)
        self.high = net.need_units
        self.refresh()

    def refresh(self) -> None:
        """Recompute totals from x."""
        net = self.net
        self.served = summed(net.pair_need, self.x, len(net.need_units))
        self.used = summed(net.pair_offer, self.x, len(net.offer_units))
        inside = np.flatnonzero(net.pair_hub >= 0)
        self.through = summed(net.pair_hub[inside], self.x[inside], len(net.hub_offer))

    def unmet(self) -> IntArray:
        """Units of each tranche that are not served, the last ones first: int64[t]."""
        net = self.net
        served = np.repeat(self.served, np.diff(net.tranche_start))
        part = np.clip(served - net.tranche_before, 0, net.tranche_units)
        left: IntArray = net.tranche_units - part
        return left

    def margins(self) -> tuple[IntArray, IntArray]:
        """Weight of the last unit served (FAR: none) and of the first unserved (0: none), [n]."""
        net = self.net
        unmet = self.unmet()
        weight, start = net.tranche_weight, net.tranche_start[:-1]
        if not len(start):
            return self.served, self.served
        some = unmet < net.tranche_units
        last = np.minimum.reduceat(np.where(some, weight, FAR), start)
        first = np.maximum.reduceat(np.where(unmet > 0, weight, 0), start)
        return last, first
