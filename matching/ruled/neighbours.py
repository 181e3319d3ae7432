"""Neighbours: a few needs and the offers they reach as a component of their own, all else kept.

What a plan does elsewhere is taken off every limit, so a better plan of the part is a better plan
of the whole.
"""

from dataclasses import dataclass

import numpy as np

from matching.arrays import IntArray, summed
from matching.bands import Steps
from matching.network import Network
from matching.ruled.component import RuledComponent


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """The component of some needs, and the pairs [q] of the whole that it has."""

    component: RuledComponent
    pairs: IntArray


class Neighbourhoods:
    """Where to look next: needs around one that is short, others in turn. Always the same ones."""

    def __init__(self, component: RuledComponent) -> None:
        self.component = component
        net = component.net
        self.need_from = np.searchsorted(net.pair_need, np.arange(len(net.need_units) + 1))
        self.by_offer = np.argsort(net.pair_offer, kind="stable")
        ends = np.arange(len(net.offer_units) + 1)
        self.offer_from = np.searchsorted(net.pair_offer[self.by_offer], ends)
        self.random = np.random.default_rng(0)

    def around(self, x: IntArray, pairs_max: int) -> IntArray:
        """Needs that might exchange what they get: with about `pairs_max` pairs together."""
        net, random = self.component.net, self.random
        steps, served = self.component.steps, summed(net.pair_need, x, len(net.need_units))
        short = np.flatnonzero(steps.served(served) < steps.units)
        first = int(steps.band[short].min()) if len(short) else 0
        # Mostly where the first band that is not full can still win, sometimes anywhere.
        likely = np.unique(steps.need[short[steps.band[short] == first]])
        anywhere = random.random() < 1 / 4 or not len(likely)
        seed = int(random.integers(len(served)) if anywhere else random.choice(likely))
        chosen, size, queue = {seed}, 0, [seed]
        while queue and size < pairs_max:
            i = queue.pop(0)
            rows = np.arange(self.need_from[i], self.need_from[i + 1])
            size += len(rows)
            for j in random.permutation(net.pair_offer[rows])[:3].tolist():
                fed = self.by_offer[self.offer_from[j] : self.offer_from[j + 1]]
                fed = net.pair_need[fed[x[fed] > 0]]
                for other in random.permutation(fed)[:4].tolist():
                    if other not in chosen:
                        chosen.add(other)
                        queue.append(other)
        return np.sort(np.array([i for i in chosen if i not in queue], np.int64))


def part_of(whole: RuledComponent, needs: IntArray, x: IntArray) -> Part:
    """These needs (sorted) with all their pairs; what `x` gives to others is gone."""
    net = whole.net
    row = np.full(len(net.need_units), -1, np.int64)
    row[needs] = np.arange(len(needs))
    pairs = np.flatnonzero(row[net.pair_need] >= 0)
    others = np.where(row[net.pair_need] < 0, x, 0)
    offers, offer = np.unique(net.pair_offer[pairs], return_inverse=True)
    hubs, inside = np.unique(net.pair_hub[pairs]), net.pair_hub[pairs] >= 0
    hubs = hubs[hubs >= 0]
    hub = np.where(inside, np.searchsorted(hubs, net.pair_hub[pairs]), -1)
    drawn, used = others * whole.pair_draw, whole.pair_fresh & (others > 0)
    offer_units = whole.offer_units - summed(net.pair_offer, drawn, len(whole.offer_units))
    hubbed = np.flatnonzero(net.pair_hub >= 0)
    hub_left = whole.hub_left - summed(net.pair_hub[hubbed], drawn[hubbed], len(whole.hub_left))
    takers = np.bincount(net.pair_offer[used], minlength=len(whole.offer_units))
    slots = np.where(whole.offer_slots >= 0, whole.offer_slots - takers, -1)
    tranches = np.flatnonzero(row[np.repeat(np.arange(len(row)), np.diff(net.tranche_start))] >= 0)
    count = np.diff(net.tranche_start)[needs]
    small = Network(
        need_units=net.need_units[needs],
        tranche_start=np.append(0, np.cumsum(count)),
        tranche_units=net.tranche_units[tranches],
        tranche_before=net.tranche_before[tranches],
        tranche_weight=net.tranche_weight[tranches],
        offer_units=offer_units[offers],
        hub_offer=np.searchsorted(offers, net.hub_offer[hubs]),
        hub_cap=hub_left[hubs],
        pair_need=row[net.pair_need[pairs]],
        pair_offer=offer.astype(np.int64),
        pair_hub=hub,
        pair_cap=net.pair_cap[pairs],
        pair_cost=net.pair_cost[pairs],
        pair_prior=net.pair_prior[pairs],
        need_from=np.array([0, len(needs)]),
        offer_from=np.array([0, len(offers)]),
        hub_from=np.array([0, len(hubs)]),
        pair_from=np.array([0, len(pairs)]),
        change_penalty=net.change_penalty,
    )
    part = RuledComponent(
        net=small,
        need_least=whole.need_least[needs],
        need_slots=whole.need_slots[needs],
        need_value=whole.need_value[needs],
        offer_units=offer_units[offers],
        offer_slots=slots[offers],
        hub_left=hub_left[hubs],
        pair_lot=whole.pair_lot[pairs],
        pair_draw=whole.pair_draw[pairs],
        pair_fixed=whole.pair_fixed[pairs],
        pair_fresh=whole.pair_fresh[pairs],
        level=whole.level[tranches],
        tier=whole.tier[tranches],
        change_penalty=whole.change_penalty,
        change_budget=_budget_left(whole, x, pairs),
    )
    # Bands of the whole, not of the part: only so a gain here is one there.
    object.__setattr__(part, "steps", _steps(whole.steps, row))
    return Part(part, pairs)


def _budget_left(whole: RuledComponent, x: IntArray, pairs: IntArray) -> int | None:
    if whole.change_budget is None:
        return None
    here: list[int] = np.abs(x - whole.net.pair_prior)[pairs].tolist()
    return whole.change_budget - whole.change(x) + sum(here)


def _steps(steps: Steps, row: IntArray) -> Steps:
    rows = np.flatnonzero(row[steps.need] >= 0)
    return Steps(
        need=row[steps.need[rows]],
        units=steps.units[rows],
        before=steps.before[rows],
        level=steps.level[rows],
        band=steps.band[rows],
        coef=steps.coef[rows],
        first=steps.first,
        last=steps.last,
    )
