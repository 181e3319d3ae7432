"""A first plan for what nobody had time to solve: whole units in order of precedence, in no time.

No proof comes with it. It keeps every limit of the network, so that a deadline at any moment
leaves a plan, and it is cheap: all needs of some levels ask at once, each its nearest offer.
"""

from itertools import pairwise

import numpy as np

from matching.arrays import BoolArray, IntArray, summed
from matching.network import Network

# Levels next to each other are served together where there are more than so many.
BATCHES = 256


def first_plan(net: Network) -> IntArray:
    """Units along each pair: int64[p]. Every component gets the better of two plans: served from
    nothing, or on top of what can be kept of the earlier proposal."""
    served = _Board(net).served_in_order()
    if not bool(net.pair_prior.any()):
        return served
    board = _Board(net)
    board.keep(net.pair_prior)
    kept = board.served_in_order()
    better = np.repeat(_no_worse(net, kept, served), np.diff(net.pair_from))
    return np.where(better, kept, served)


class _Board:
    """What is left of every limit. Needs turn to their pairs one after the other, cheap ones first;
    what a pair cannot give any more it never can again, so nobody turns back."""

    def __init__(self, net: Network) -> None:
        self.net = net
        self.x = np.zeros(len(net.pair_need), np.int64)
        self.served = np.zeros(len(net.need_units), np.int64)
        self.goal = np.zeros(len(net.need_units), np.int64)
        self.offer_left, self.hub_left = net.offer_units.copy(), net.hub_cap.copy()
        self.queue = _queue(net)
        ends = np.searchsorted(net.pair_need, np.arange(len(net.need_units) + 1))
        self.at, self.end = ends[:-1].copy(), ends[1:]

    def keep(self, wanted: IntArray) -> None:
        """As much of `wanted` [p] as the limits allow, needs with the highest precedence first."""
        net = self.net
        heaviest = np.zeros(len(net.need_units), np.int64)
        np.maximum.at(heaviest, _tranche_need(net), net.tranche_weight)
        k = np.flatnonzero(np.minimum(wanted, net.pair_cap))
        k = k[np.argsort(-heaviest[net.pair_need[k]], kind="stable")]
        units = np.minimum(wanted, net.pair_cap)[k]
        units = _shared(net.pair_need[k], units, net.need_units)
        self._move(k, self._granted(k, units))

    def served_in_order(self) -> IntArray:
        """The units after every need has asked for every tranche, in order of precedence."""
        net, tranche_need = self.net, _tranche_need(self.net)
        order = np.argsort(-net.tranche_weight, kind="stable")
        for first, last in pairwise(_batches(net.tranche_weight[order])):
            rows = order[first:last]
            need = tranche_need[rows]
            np.maximum.at(self.goal, need, net.tranche_before[rows] + net.tranche_units[rows])
            _, once = np.unique(need, return_index=True)
            self._serve(need[np.sort(once)])
        return self.x

    def _serve(self, asking: IntArray) -> None:
        """Needs, in order of precedence, up to their goals or until nothing reaches them."""
        while True:
            open_ = (self.served[asking] < self.goal[asking]) & (self.at[asking] < self.end[asking])
            asking = asking[open_]
            if not len(asking):
                return
            k = self.queue[self.at[asking]]
            room = self._room(k)
            self.at[asking] += room <= 0
            able = np.flatnonzero(room > 0)
            missing = (self.goal - self.served)[asking[able]]
            k = k[able]
            self._move(k, self._granted(k, np.minimum(missing, room[able])))

    def _room(self, k: IntArray) -> IntArray:
        """Most units that each of these pairs can still take."""
        net, hub = self.net, self.net.pair_hub[k]
        room: IntArray = np.minimum(net.pair_cap[k] - self.x[k], self.offer_left[net.pair_offer[k]])
        if len(self.hub_left):
            room = np.where(hub >= 0, np.minimum(room, self.hub_left[hub]), room)
        return room

    def _granted(self, k: IntArray, asked: IntArray) -> IntArray:
        """What pairs get who ask at once, those in front first."""
        net, hub = self.net, self.net.pair_hub[k]
        inside = np.flatnonzero(hub >= 0)
        if len(inside):
            asked = asked.copy()
            asked[inside] = _shared(hub[inside], asked[inside], self.hub_left)
        return _shared(net.pair_offer[k], asked, self.offer_left)

    def _move(self, k: IntArray, units: IntArray) -> None:
        net, hub = self.net, self.net.pair_hub[k]
        self.x[k] += units
        np.add.at(self.served, net.pair_need[k], units)
        np.subtract.at(self.offer_left, net.pair_offer[k], units)
        inside = np.flatnonzero(hub >= 0)
        np.subtract.at(self.hub_left, hub[inside], units[inside])


def _queue(net: Network) -> IntArray:
    """Pairs by need, then cost, those proposed before first."""
    new, width = net.pair_prior == 0, 2 * (int(net.pair_cost.max(initial=0)) + 1)
    if width * len(net.need_units) < 2**62:  # one number sorts in a third of the time
        return np.argsort(net.pair_need * width + 2 * net.pair_cost + new, kind="stable")
    return np.lexsort((new, net.pair_cost, net.pair_need))


def _shared(group: IntArray, asked: IntArray, left: IntArray) -> IntArray:
    """Units of what is `left` to each group for those who ask, first come first served."""
    order = np.argsort(group, kind="stable")
    group, units = group[order], asked[order]
    before = np.cumsum(units) - units
    opens = np.diff(group, prepend=-1) != 0
    before -= before[np.flatnonzero(opens)][np.cumsum(opens) - 1] if len(opens) else 0
    granted = np.empty_like(asked)
    granted[order] = np.clip(left[group] - before, 0, units)
    return granted


def _batches(weight: IntArray) -> list[int]:
    """Cuts of falling weights into parts; a level is never cut."""
    ends = np.append(np.flatnonzero(np.diff(weight)) + 1, len(weight))
    if len(ends) > BATCHES:
        part = ends * BATCHES // len(weight)
        ends = ends[np.diff(part, append=-1) != 0]
    return [0, *ends.tolist()]


def _no_worse(net: Network, one: IntArray, other: IntArray) -> BoolArray:
    """Components in which the first level with a difference, else the cost, speaks for `one`."""
    part = np.repeat(np.arange(net.n_components), np.diff(net.need_from))
    ahead = [_served_tranches(net, x) for x in (one, other)]
    weight = net.tranche_weight
    code = np.repeat(part, np.diff(net.tranche_start)) * (int(weight.max(initial=0)) + 1)
    cells, cell = np.unique(code + (weight.max(initial=0) - weight), return_inverse=True)
    ahead_by = summed(cell.ravel(), ahead[0] - ahead[1], len(cells))
    owner = cells // (int(weight.max(initial=0)) + 1)
    differs = np.flatnonzero(ahead_by)
    first = differs[np.diff(owner[differs], prepend=-1) != 0]
    dearer = (one - other).astype(np.float64) * net.pair_cost
    pair_part = np.repeat(np.arange(net.n_components), np.diff(net.pair_from))
    no_worse: BoolArray = np.bincount(pair_part, dearer, net.n_components) <= 0
    no_worse[owner[first]] = ahead_by[first] > 0
    return no_worse


def _served_tranches(net: Network, x: IntArray) -> IntArray:
    served = summed(net.pair_need, x, len(net.need_units))
    units = np.repeat(served, np.diff(net.tranche_start)) - net.tranche_before
    part: IntArray = np.clip(units, 0, net.tranche_units)
    return part


def _tranche_need(net: Network) -> IntArray:
    return np.repeat(np.arange(len(net.need_units)), np.diff(net.tranche_start))
