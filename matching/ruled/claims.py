"""Claims: what a plan says of its ruled components, held against the plan itself.

No prices prove a mixed-integer optimum. So all that a component says of its units is counted again,
what can be refuted without a solver is, and a component that calls itself optimal is solved again
where that is soon done. Where it is not, the claim stays a claim and does not count as proven.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from matching.arrays import IntArray, summed
from matching.bands import Band
from matching.chunks import solve_chunk
from matching.network import Layout, Network
from matching.ruled.component import RuledComponent
from matching.ruled.greedy import greedy
from matching.ruled.search import RuledAnswer, solve_ruled

# Up to so many pairs a component is solved again: most are proven within a second.
AGAIN_PAIRS = 300


class Claim(Protocol):
    """What a plan says of one component."""

    @property
    def status(self) -> str: ...
    @property
    def levels(self) -> IntArray: ...
    @property
    def served(self) -> IntArray: ...
    @property
    def bound(self) -> IntArray: ...
    @property
    def cost(self) -> int: ...
    @property
    def bands(self) -> tuple[Band, ...]: ...
    @property
    def cost_bound(self) -> int | None: ...
    @property
    def change_bound(self) -> int | None: ...
    @property
    def change_budget(self) -> int | None: ...


class _Planned(Protocol):
    @property
    def pair_units(self) -> IntArray: ...
    @property
    def components(self) -> "Sequence[Claim]": ...


@dataclass(frozen=True, slots=True)
class Findings:
    """Claims that do not hold, in words; components that are not proven again, by their place."""

    broken: tuple[str, ...] = ()
    open: tuple[int, ...] = ()


def examined(
    components: list[RuledComponent],
    plan: _Planned,
    net: Network,
    layout: Layout,
    budget: int | None,
) -> Findings:
    """What comes of all claims. `budget`: most change that a component with one was allowed."""
    told, unsure = [], []
    x = plan.pair_units[layout.pair_row]
    for c, part in enumerate(components, layout.n_flow):
        claim, mine = plan.components[c], x[net.pair_from[c] : net.pair_from[c + 1]]
        said = _miscounted(part, claim, mine) or _refuted(part, claim, mine)
        if not said and claim.status == "optimal":
            if len(mine) > AGAIN_PAIRS:
                unsure.append(c)
            else:
                said, proven = _again(part, claim, mine, budget)
                unsure.extend([] if proven else [c])
        if said:
            told.append(f"component {c}: {said}")
    return Findings(tuple(told), tuple(unsure))


def _miscounted(part: RuledComponent, claim: Claim, x: IntArray) -> str:
    """What the units do not bear out."""
    if not part.feasible(x):
        return "its units break a rule"
    levels, served = _by_level(part, x)
    if not np.array_equal(levels, claim.levels) or not np.array_equal(served, claim.served):
        return "its units serve other levels than it says"
    if part.cost(x) != claim.cost:
        return "its units cost another sum than it says"
    bands, steps = claim.bands, part.steps
    if not bands:
        return "" if part.only_fixed_costs else "it says nothing of its bands"
    said = [(band.first, band.last, band.asked, band.served) for band in bands]
    columns = (steps.first.tolist(), steps.last.tolist(), steps.values(steps.units))
    if said != list(zip(*columns, part.values(x), strict=True)):
        return "its bands serve another value than they say"
    return ""


def _refuted(part: RuledComponent, claim: Claim, x: IntArray) -> str:
    """Bounds that something is beyond: the plan, the flow without rules, a plan soon found."""
    _, most = _by_level(part, solve_chunk(part.net, "ortools").x)
    if bool((np.cumsum(claim.bound) < np.cumsum(most)).any()):
        return "a bound is below what may be served"
    if any(band.bound < band.served for band in claim.bands):
        return "a band's bound is below what it serves"
    change = part.change(x) if part.proposed else 0
    bounds = ((claim.cost_bound, part.spent(x)), (claim.change_bound, change))
    if any(least is None or least > reached for least, reached in bounds):
        return "a bound is above what it comes to"
    values = part.values(x)
    for other in (greedy(part), greedy(part, x.astype(np.float64))):
        if not part.feasible(other) or not claim.bands:
            continue
        for band, mine, found in zip(claim.bands, values, part.values(other), strict=True):
            if found > band.bound:
                return "a band's bound is below what a plan serves"
            if found != mine:
                break
    if claim.status != "optimal":
        return ""
    if any(not band.proven or band.bound != band.served for band in claim.bands):
        return "it is called optimal with a band unproven"
    if any(least != reached for least, reached in bounds):
        return "it is called optimal above its bounds"
    if part.only_fixed_costs and not np.array_equal(_by_level(part, x)[1], most):
        return "a flow without its fixed costs serves more"
    return ""


def _again(part: RuledComponent, claim: Claim, x: IntArray, budget: int | None) -> tuple[str, bool]:
    """What a second solve says against it, and whether that proves it."""
    if part.change_budget is not None and budget is not None:
        part = replace(part, change_budget=budget)
    answer = solve_ruled(part)
    held = claim.change_budget
    if held is not None and answer.budget is not None and answer.budget < held:
        return "a plan that changes less is at hand", False
    if _rank(part, answer.x) > _rank(part, x):
        return "a better plan is at hand", False
    least = max(answer.budget_bound, part.change_budget or 0)
    return "", _proves(part, answer) and (held is None or least >= held)


def _rank(part: RuledComponent, x: IntArray) -> tuple[int, ...]:
    """Larger is better: by level where no rule touches these, else by band; then cost, change."""
    if part.only_fixed_costs:
        ends = part.merit(x)[part.steps.n_bands :]
        return (*_by_level(part, x)[1].tolist(), *ends)
    return part.merit(x)


def _proves(part: RuledComponent, answer: RuledAnswer) -> bool:
    change = part.change(answer.x) if part.proposed else 0
    return (
        all(band.proven for band in answer.bands)
        and answer.cost_bound >= part.spent(answer.x)
        and answer.change_bound >= change
    )


def _by_level(part: RuledComponent, x: IntArray) -> tuple[IntArray, IntArray]:
    """The levels that a component asks for, and units served at each."""
    net = part.net
    served = summed(net.pair_need, x, len(net.need_units))
    each = np.repeat(served, np.diff(net.tranche_start)) - net.tranche_before
    levels, at = np.unique(part.level, return_inverse=True)
    return levels, summed(at.ravel(), np.clip(each, 0, net.tranche_units), len(levels))
