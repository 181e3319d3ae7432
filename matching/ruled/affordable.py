"""What a budget of change allows: a plan that keeps it, or the least change that there is."""

from dataclasses import dataclass, replace

import numpy as np

from matching.arrays import IntArray
from matching.ruled.component import RuledComponent
from matching.ruled.greedy import greedy
from matching.ruled.highs import solved
from matching.ruled.model import Model


@dataclass(frozen=True, slots=True, eq=False)
class Affordable:
    """A component whose budget the plan x [p] keeps; no plan changes less than `least` units."""

    component: RuledComponent
    x: IntArray
    least: int


def affordable(component: RuledComponent, time_s: float) -> Affordable:
    """The component as it is where a plan is found that keeps its budget, else with the budget
    raised to the least change that is found, by an integer program that takes `time_s` at most."""
    budget = component.change_budget
    nothing = np.zeros(len(component.net.pair_need), np.int64)
    if budget is None:
        return Affordable(component, nothing, 0)
    free, least = replace(component, change_budget=None), 0
    x = _nearest(free, nothing)
    if free.change(x) > budget and time_s > 0:
        model = Model(free)
        answer = solved(model, model.change(), time_s=time_s, hint=model.columns_of(x))
        least = max(answer.bound or 0, 0)
        if answer.values is not None:
            found = np.rint(answer.values[: len(x)]).astype(np.int64)
            if free.feasible(found) and free.change(found) < free.change(x):
                x = found
    return Affordable(replace(component, change_budget=max(budget, free.change(x))), x, least)


def _nearest(free: RuledComponent, nothing: IntArray) -> IntArray:
    """Of the plans that come to mind the one that changes least."""
    prior = free.net.pair_prior
    kept = np.minimum(prior, free.net.pair_cap)
    restored = greedy(replace(free, change_budget=0), prior.astype(np.float64))
    plans = [x for x in (kept, restored, nothing) if free.feasible(x)]
    return min(plans, key=free.change)
