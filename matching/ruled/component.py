"""A ruled component: one connected part of a market with rules, as arrays that travel alone."""

from dataclasses import dataclass, field

import numpy as np

from matching.arrays import BoolArray, IntArray, exact_dot, summed
from matching.bands import Steps, steps_of
from matching.easing import free_slots, lots, missing_minimum
from matching.network import Layout, Network
from matching.precedence import Tranches
from matching.problem import Problem


@dataclass(frozen=True, slots=True, eq=False)
class Joint:
    """Needs, bool[N], whose components are solved as one, as they share a budget of change."""

    needs: BoolArray
    budget: int


@dataclass(frozen=True, slots=True, eq=False)
class RuledComponent:
    """n needs, m offers, h hubs, p pairs; `net` is the same part without its rules.

    need_least   [n]   fewest units if any; 1: no rule
    need_slots   [n]   fresh pairs at most, -1: any
    offer_units  [m]   in the offer's own unit
    offer_slots  [m]   fresh pairs at most, -1: any
    hub_left     [h]   what a household may still get, in the offer's own unit
    pair_lot     [p]   fewest units if any
    pair_draw    [p]   own units for one unit served
    pair_fixed   [p]   cost of using the pair
    pair_fresh   [p]   takes a slot when used
    level        [t]   level of each tranche of `net`; tier: levels that are never mixed
    change_budget      most units that differ from the earlier proposal
    """

    net: Network
    need_least: IntArray
    need_slots: IntArray
    need_value: IntArray
    offer_units: IntArray
    offer_slots: IntArray
    hub_left: IntArray
    pair_lot: IntArray
    pair_draw: IntArray
    pair_fixed: IntArray
    pair_fresh: BoolArray
    level: IntArray
    tier: IntArray
    change_penalty: int
    change_budget: int | None = None
    steps: Steps = field(init=False)

    def __post_init__(self) -> None:
        net = self.net
        need = np.repeat(np.arange(len(net.need_units)), np.diff(net.tranche_start))
        steps = steps_of(
            need,
            net.tranche_units,
            net.tranche_before,
            self.level,
            self.tier,
            self.need_least,
            self.need_value,
        )
        object.__setattr__(self, "steps", steps)

    @property
    def only_fixed_costs(self) -> bool:
        """Whether no rule touches what is served, so that the levels are those of a flow."""
        return not (
            (self.need_least > 1).any()
            or (self.need_slots >= 0).any()
            or (self.offer_slots >= 0).any()
            or (self.pair_lot > 1).any()
            or (self.pair_draw > 1).any()
            or self.change_budget is not None
        )

    @property
    def packs(self) -> bool:
        """Whether each need is served whole by one offer or not at all."""
        pairs_each = np.bincount(self.net.pair_need, minlength=len(self.net.need_units))
        single = (pairs_each == 1) | (self.need_slots == 1) | (self.net.need_units == 1)
        whole = self.need_least == self.net.need_units
        fit = self.net.pair_cap >= self.net.need_units[self.net.pair_need]
        return bool((single & whole).all() and fit.all() and self.pair_fresh.all())

    @property
    def proposed(self) -> bool:
        """Whether anything was proposed before; else change has no meaning, and no price."""
        return bool(self.net.pair_prior.any())

    def values(self, x: IntArray) -> list[int]:
        """Value of each band."""
        served = summed(self.net.pair_need, x, len(self.net.need_units))
        return self.steps.values(self.steps.served(served))

    def cost(self, x: IntArray) -> int:
        return exact_dot(x, self.net.pair_cost) + exact_dot(
            (x > 0).astype(np.int64), self.pair_fixed
        )

    def change(self, x: IntArray) -> int:
        return sum(np.abs(x - self.net.pair_prior).tolist())

    def spent(self, x: IntArray) -> int:
        """What the cost stage minimises."""
        penalty = self.change_penalty if self.proposed else 0
        return self.cost(x) + penalty * self.change(x)

    def merit(self, x: IntArray) -> tuple[int, ...]:
        """Larger is better, the first that differs deciding."""
        change = self.change(x) if self.proposed else 0
        return (*self.values(x), -self.spent(x), -change)

    def feasible(self, x: IntArray) -> bool:
        """Whether whole units keep every rule, in integers."""
        net, n, m = self.net, len(self.net.need_units), len(self.offer_units)
        used, drawn = x > 0, x * self.pair_draw
        if bool(((x < 0) | (x > net.pair_cap) | (used & (x < self.pair_lot))).any()):
            return False
        if self.change_budget is not None and self.change(x) > self.change_budget:
            return False
        served = summed(net.pair_need, x, n)
        fresh = used & self.pair_fresh
        givers = np.bincount(net.pair_need[fresh], minlength=n)
        takers = np.bincount(net.pair_offer[fresh], minlength=m)
        inside = net.pair_hub >= 0
        through = summed(net.pair_hub[inside], drawn[inside], len(self.hub_left))
        broken = (
            (served > net.need_units) | ((served > 0) & (served < self.need_least)),
            summed(net.pair_offer, drawn, m) > self.offer_units,
            (self.need_slots >= 0) & (givers > self.need_slots),
            (self.offer_slots >= 0) & (takers > self.offer_slots),
            through > self.hub_left,
        )
        return not any(bool(rows.any()) for rows in broken)


def ruled_components(
    problem: Problem,
    levels: Tranches,
    net: Network,
    layout: Layout,
    joint: Joint | None = None,
) -> list[RuledComponent]:
    """The components from layout.n_flow on. `problem` is eased, `net` and `layout` are its."""
    if layout.n_flow == net.n_components:
        return []
    least = np.where(problem.need_min > 1, missing_minimum(problem), 1)
    need_slots, offer_slots = free_slots(problem)
    fresh = problem.pair_committed == 0
    lot = np.where((problem.offer_min_lot > 1)[problem.pair_offer], lots(problem), 1)
    fixed = np.where(fresh, problem.pair_fixed_cost, 0)
    tier = _tiers(levels)
    shared = int(layout.need_component[np.argmax(joint.needs)]) if joint else -1
    parts = []
    for c in range(layout.n_flow, net.n_components):
        part = net.part(c, c + 1)
        need = layout.need_row[net.need_from[c] : net.need_from[c + 1]]
        offer = layout.offer_row[net.offer_from[c] : net.offer_from[c + 1]]
        pair = layout.pair_row[net.pair_from[c] : net.pair_from[c + 1]]
        level = levels.n_levels - part.tranche_weight
        parts.append(
            RuledComponent(
                net=part,
                need_least=least[need],
                need_slots=need_slots[need],
                need_value=problem.need_value[need],
                offer_units=problem.offer_units[offer],
                offer_slots=offer_slots[offer],
                hub_left=layout.hub_left[net.hub_from[c] : net.hub_from[c + 1]],
                pair_lot=lot[pair],
                pair_draw=problem.pair_draw[pair],
                pair_fixed=fixed[pair],
                pair_fresh=fresh[pair],
                level=level,
                tier=tier[level],
                change_penalty=net.change_penalty,
                change_budget=joint.budget if joint and c == shared else None,
            )
        )
    return parts


def _tiers(levels: Tranches) -> IntArray:
    """Tier of each level: the floor and what is above it, else all one."""
    if levels.order == "floor":
        return levels.shown[0]
    return np.zeros(levels.n_levels, np.int64)
