"""The search for the best plan of a ruled component: band by band, then cost, then change.

Each stage starts from the plan at hand, asks the linear relaxation first (its value is a bound, and
rounded it is a plan), and branch and cut only where that leaves something open. What a stage has
reached is kept by all that follow. The plan at hand is only ever replaced by a better one that
keeps every rule in whole numbers.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from matching.arrays import FloatArray, IntArray
from matching.backends import Backend
from matching.bands import Band
from matching.chunks import solve_chunk
from matching.errors import SolverFailed
from matching.ruled.affordable import affordable
from matching.ruled.component import RuledComponent
from matching.ruled.greedy import greedy
from matching.ruled.highs import Answer, solved
from matching.ruled.model import Model, Objective
from matching.ruled.packing import packed

# One component gets so much time when nobody sets a deadline. Most need a fraction of it.
EFFORT_S = 30.0
# A stage takes at most this share of what is left, so that later ones have their turn.
STAGE_SHARE = 0.4
CHANGE_SHARE = 0.3
PACKING_SHARE = 0.2
# Of the whole time, how much the search for the least possible change may take.
BUDGET_SHARE = 0.3
# Of a stage's time, how much a search among likely pairs may take, and from which size on.
NEAR_SHARE = 0.6
NEAR_PAIRS = 1_000


@dataclass(frozen=True, slots=True, eq=False)
class RuledAnswer:
    """x [p]; bands; bounds of what the cost stage and the change stage minimise.

    prefix_bound  [L]   most units that can be served from the first of its L levels to each
    budget        most change it was held to: what the component allows, or where no plan (that was
                  found) keeps that, the least change there is; budget_bound: no plan changes less
    """

    x: IntArray
    bands: tuple[Band, ...]
    cost_bound: int
    change_bound: int
    prefix_bound: IntArray
    seconds: float
    solvers: tuple[str, ...]
    budget: int | None = None
    budget_bound: int = 0


def solve_ruled(
    component: RuledComponent,
    backend: Backend = "ortools",
    *,
    effort_s: float = EFFORT_S,
) -> RuledAnswer:
    """The best plan that is found within `effort_s`, and how far it is proven.

    With a budget of change that no plan keeps, of the plans that change least.
    """
    began = time.monotonic()
    start = affordable(component, effort_s * BUDGET_SHARE)
    component = start.component
    search = _Search(component, began + effort_s, start.x)
    relaxed = solve_chunk(component.net, backend)
    search.offer(greedy(component, relaxed.x.astype(np.float64)))
    prefix = _prefix(component, relaxed.x)
    bands: tuple[Band, ...] = ()
    if component.only_fixed_costs:
        search.keep_flow(relaxed.x)
    else:
        bands = search.all_bands()
    share = CHANGE_SHARE if component.proposed else 0.0
    spent = search.minimised(search.model.spent(), component.spent, 1 - share)
    change = 0
    if component.proposed:
        change = search.minimised(search.model.change(), component.change, 1.0)
    bands = search.final(bands)
    return RuledAnswer(
        x=search.x,
        bands=bands,
        cost_bound=spent,
        change_bound=change,
        prefix_bound=prefix,
        seconds=time.monotonic() - began,
        solvers=tuple(sorted(search.solvers)),
        budget=component.change_budget,
        budget_bound=start.least,
    )


def started(component: RuledComponent) -> RuledAnswer:
    """A first plan with bounds that hold, in no time: what is left when time runs out."""
    start = affordable(component, 0.0)
    component = start.component
    search = _Search(component, time.monotonic(), start.x)
    asked, values = component.steps.values(component.steps.units), component.values(search.x)
    bands = tuple(search.band(b, asked[b], asked[b], value) for b, value in enumerate(values))
    if component.only_fixed_costs:
        bands = ()
    levels = np.zeros(0, np.int64)
    budget = component.change_budget
    return RuledAnswer(search.x, bands, 0, 0, levels, 0.0, (), budget, start.least)


class _Search:
    """The plan at hand, the model with what is decided, and the time that is left."""

    def __init__(self, component: RuledComponent, until: float, start: IntArray) -> None:
        self.component = component
        self.until = until
        self.model = Model(component)
        self.solvers: set[str] = set()
        if component.change_budget is not None:
            self.model.keep(self.model.change(), component.change_budget)
        self.x = start
        self.merit = component.merit(self.x)
        self.offer(greedy(component))
        if component.change_budget is not None:
            self.offer(greedy(component, start.astype(np.float64)))

    def offer(self, x: IntArray) -> None:
        """Take this plan if it keeps every rule and is better than the one at hand."""
        part = self.component
        if not part.feasible(x):
            return
        merit = part.merit(x)
        if merit > self.merit:
            self.x, self.merit = x, merit

    def all_bands(self) -> tuple[Band, ...]:
        """Maximise each band, those before it kept."""
        part = self.component
        asked = part.steps.values(part.steps.units)
        bands = []
        for b in range(part.steps.n_bands):
            share = self._share(part.steps.n_bands - b)
            bound = self._stage(self.model.band(b), partial(self._reached, b), asked[b], share)
            served = self.merit[b]
            bands.append(self.band(b, asked[b], min(bound, asked[b]), served))
            self.model.keep(self.model.band(b), served)
        return tuple(bands)

    def _reached(self, b: int) -> int:
        return self.merit[b]

    def keep_flow(self, x: IntArray) -> None:
        """Only pairs have a price: what is served is decided by the flow, at every level."""
        self.x, self.merit = x, self.component.merit(x)
        self.model.keep_levels(x)

    def minimised(
        self, objective: Objective, value: Callable[[IntArray], int], share: float
    ) -> int:
        """Minimise cost, or change, in that share of the time left; the bound that is proven."""
        time_s = (self.until - time.monotonic()) * share
        bound = self._stage(objective, lambda: value(self.x), 0, time_s)
        bound = min(bound, value(self.x))
        self.model.keep(objective, value(self.x))
        return bound

    def band(self, b: int, asked: int, bound: int, served: int) -> Band:
        steps = self.component.steps
        return Band(
            first=int(steps.first[b]),
            last=int(steps.last[b]),
            asked=asked,
            served=served,
            bound=max(bound, served),
            proven=bound <= served,
        )

    def final(self, bands: tuple[Band, ...]) -> tuple[Band, ...]:
        """Bands as the last plan serves them: one not proven it may serve better than its stage."""
        asked = [band.asked for band in bands]
        return tuple(
            self.band(b, asked[b], band.bound, self.merit[b]) for b, band in enumerate(bands)
        )

    def _share(self, stages: int) -> float:
        left = self.until - time.monotonic()
        return max(left * STAGE_SHARE, left / (stages + 1))

    def _stage(
        self, objective: Objective, value: Callable[[], int], bound: int, time_s: float
    ) -> int:
        """Improve the plan at hand by this objective; the best bound that is found."""
        if not len(objective.column) or value() == bound:
            return value()
        until = min(self.until, time.monotonic() + time_s)
        tighter = min if objective.largest else max
        asks: list[Callable[[], Answer]] = [lambda: self._highs(objective, until, whole=False)]
        if self.component.packs and not self.component.only_fixed_costs:
            asks.append(lambda: self._packed(objective, until))
        asks.append(lambda: self._highs(objective, until, whole=True))
        for place, ask in enumerate(asks):
            if time.monotonic() >= until:
                break
            answer = ask()
            if place == 0 and answer.values is not None and len(self.x) > NEAR_PAIRS:
                self._near(objective, until, answer.values)
            if answer.bound is not None:
                bound = tighter(bound, answer.bound)
            if answer.values is not None:
                self._taken(answer.values)
            if bound <= value() if objective.largest else bound >= value():
                break
        return bound

    def _highs(self, objective: Objective, until: float, *, whole: bool) -> Answer:
        self.solvers.add("highs")
        return solved(
            self.model,
            objective,
            time_s=until - time.monotonic(),
            whole=whole,
            hint=self.model.columns_of(self.x) if whole else None,
        )

    def _near(self, objective: Objective, until: float, relaxed: FloatArray) -> None:
        """Look for a better plan among the pairs that the relaxation or the plan at hand uses:
        far fewer, and mostly the right ones."""
        at_hand = self.model.columns_of(self.x)
        unused = (relaxed < 1e-6) & (at_hand < 1e-6) & self.model.integer
        left = (until - time.monotonic()) * NEAR_SHARE
        found = solved(self.model, objective, time_s=left, hint=at_hand, held=unused)
        if found.values is not None:
            self._taken(found.values)

    def _packed(self, objective: Objective, until: float) -> Answer:
        self.solvers.add("cp-sat")
        return packed(self.model, objective, (until - time.monotonic()) * PACKING_SHARE, self.x)

    def _taken(self, values: FloatArray) -> None:
        """Round, and where that breaks a rule, let the greedy follow it."""
        found = values[: len(self.x)]
        rounded = np.rint(found).astype(np.int64)
        if self.component.feasible(rounded):
            self.offer(rounded)
        self.offer(greedy(self.component, found))


def _prefix(component: RuledComponent, x: IntArray) -> IntArray:
    """Most units up to each level that the network without rules can serve: a flow that is best in
    the policy's order is so for every sum from the first level on."""
    net = component.net
    served = np.zeros(len(net.need_units), np.int64)
    np.add.at(served, net.pair_need, x)
    part = np.clip(
        np.repeat(served, np.diff(net.tranche_start)) - net.tranche_before, 0, net.tranche_units
    )
    names, at = np.unique(component.level, return_inverse=True)
    by_level = np.zeros(len(names), np.int64)
    np.add.at(by_level, at, part)
    if bool((by_level < 0).any()):
        raise SolverFailed("A relaxation serves less than nothing.")
    return np.cumsum(by_level)
