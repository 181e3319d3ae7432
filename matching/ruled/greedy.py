"""A first plan for a ruled component: step by step in order of precedence, keeping every rule.

It is there before any solver has said a word, so that a deadline at any moment finds a plan. With
a guide (the units of a relaxation) it rounds that: pairs that the guide uses come first.
"""

import numpy as np

from matching.arrays import FloatArray, IntArray
from matching.ruled.component import RuledComponent


def greedy(component: RuledComponent, guide: FloatArray | None = None) -> IntArray:
    """A plan that keeps every rule: int64[p]. `guide` [p], units that are to be followed."""
    board = _Board(component)
    steps, net = component.steps, component.net
    pairs_from = np.searchsorted(net.pair_need, np.arange(len(net.need_units) + 1)).tolist()
    order = np.lexsort((-steps.coef, steps.level, steps.band))
    wish = np.zeros(len(net.pair_need)) if guide is None else guide
    cost = net.pair_cost + component.pair_fixed // np.maximum(net.pair_cap, 1)
    ranked = np.lexsort((cost, -wish, net.pair_need)).tolist()
    followed = np.floor(wish + 1e-6).astype(np.int64).tolist()
    budget = component.change_budget
    rounds = [False] if guide is None else [True, False]
    for guided in rounds:
        if budget is not None and not guided:
            board.slack = budget - component.change(np.array(board.x, np.int64))
        for step in order.tolist():
            i = int(steps.need[step])
            missing = int(steps.before[step] + steps.units[step]) - board.served[i]
            if missing <= 0:
                continue
            pairs = ranked[pairs_from[i] : pairs_from[i + 1]]
            board.serve(i, missing, pairs, followed if guided else None)
    return np.array(board.x, np.int64)


class _Board:
    """What is left of every limit, in Python integers."""

    def __init__(self, component: RuledComponent) -> None:
        net = component.net
        self.x: list[int] = [0] * len(net.pair_need)
        self.served = [0] * len(net.need_units)
        self.least = component.need_least.tolist()
        self.units = net.need_units.tolist()
        self.left = component.offer_units.tolist()
        self.hub_left = component.hub_left.tolist()
        unlimited = 2**62
        self.need_slots = [s if s >= 0 else unlimited for s in component.need_slots.tolist()]
        self.offer_slots = [s if s >= 0 else unlimited for s in component.offer_slots.tolist()]
        self.offer, self.hub = net.pair_offer.tolist(), net.pair_hub.tolist()
        self.cap, self.lot = net.pair_cap.tolist(), component.pair_lot.tolist()
        self.prior = net.pair_prior.tolist()
        self.slack: int | None = None  # units of change that may still be made
        self.draw, self.fresh = component.pair_draw.tolist(), component.pair_fresh.tolist()

    def serve(self, i: int, missing: int, pairs: list[int], follow: list[int] | None) -> None:
        """Up to `missing` more units for a need, or nothing where its minimum is out of reach."""
        moved: list[tuple[int, int]] = []
        start = self.served[i]
        goal = start + missing
        for k in pairs:
            if self.served[i] >= goal:
                break
            room = self._room(i, k)
            if follow is not None:
                room = min(room, follow[k] - self.x[k])
            units = min(goal - self.served[i], room)
            units = max(units, min(self.lot[k] - self.x[k], self.units[i] - self.served[i]))
            if units <= 0 or units > room or self.x[k] + units < self.lot[k]:
                continue
            self._move(i, k, units)
            moved.append((k, units))
        if self.served[i] < self.least[i]:
            for k, units in reversed(moved):
                self._move(i, k, -units)

    def _room(self, i: int, k: int) -> int:
        """Most units that may still be added along a pair."""
        j, h = self.offer[k], self.hub[k]
        opens = self.x[k] == 0 and self.fresh[k]
        if opens and (self.need_slots[i] == 0 or self.offer_slots[j] == 0):
            return 0
        room: int = min(self.cap[k] - self.x[k], self.left[j] // self.draw[k])
        if h >= 0:
            room = min(room, self.hub_left[h] // self.draw[k])
        if self.slack is not None:
            room = min(room, max(self.prior[k] - self.x[k], 0) + max(self.slack, 0))
        open_units: int = self.units[i] - self.served[i]
        return min(room, open_units)

    def _move(self, i: int, k: int, units: int) -> None:
        j, h, before = self.offer[k], self.hub[k], self.x[k]
        self.x[k] += units
        if self.slack is not None:
            self.slack -= abs(self.x[k] - self.prior[k]) - abs(before - self.prior[k])
        self.served[i] += units
        self.left[j] -= units * self.draw[k]
        if h >= 0:
            self.hub_left[h] -= units * self.draw[k]
        if self.fresh[k]:
            turned = int(self.x[k] > 0) - int(before > 0)
            self.need_slots[i] -= turned
            self.offer_slots[j] -= turned
