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

from matching.arrays import FloatArray, IntArray, summed
from matching.backends import Backend
from matching.bands import BANDS, Band
from matching.chunks import solve_chunk
from matching.errors import SolverFailed
from matching.ruled.affordable import affordable
from matching.ruled.choices import completed
from matching.ruled.component import RuledComponent
from matching.ruled.greedy import greedy
from matching.ruled.guide import Guide, guide
from matching.ruled.highs import Answer, solved
from matching.ruled.model import Model, Objective
from matching.ruled.neighbours import Neighbourhoods, part_of
from matching.ruled.packing import packed

# One component gets so much time when nobody sets a deadline, by its pairs. Most need a fraction.
EFFORT_S = 30.0
EFFORT_LEAST_S = 12.0
EFFORT_PAIRS_PER_S = 1_500
# A stage takes at most this share of what is left, so that later ones have their turn.
STAGE_SHARE = 0.4
CHANGE_SHARE = 0.3
PACKING_SHARE = 0.2
# Of the whole time, how much the search for the least possible change may take.
BUDGET_SHARE = 0.3
# Of a stage's time, how much a search among likely pairs may take, and from which size on.
NEAR_SHARE = 0.6
NEAR_PAIRS = 1_000
# From so many pairs on a plan is built before any stage; above the other no branch and cut.
BUILT_PAIRS = 300
CUT_PAIRS = 40_000
# Shares of all time: for the guide, until neighbours end, until the bands end.
GUIDE_SHARE, NEIGHBOUR_SHARE, BAND_SHARE = 0.6, 0.5, 0.8
# Neighbours: pairs of one, seconds for it, and how many may fail one after the other.
PART_PAIRS, PART_S, FAILS = 250, 1.0, 60
SLOPES = 12
# Of what is left for cost, so much for neighbours.
COST_SHARE = 0.5


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


def effort_of(component: RuledComponent) -> float:
    """Seconds that a component may take when nobody sets a deadline."""
    return min(EFFORT_S, EFFORT_LEAST_S + len(component.net.pair_need) / EFFORT_PAIRS_PER_S)


def solve_ruled(
    component: RuledComponent,
    backend: Backend = "ortools",
    *,
    effort_s: float | None = None,
) -> RuledAnswer:
    """The best plan that is found within `effort_s`, and how far it is proven.

    With a budget of change that no plan keeps, of the plans that change least.
    """
    began = time.monotonic()
    effort_s = effort_of(component) if effort_s is None else effort_s
    start = affordable(component, effort_s * BUDGET_SHARE)
    component = start.component
    search = _Search(component, began + effort_s, start.x, backend)
    relaxed = solve_chunk(component.net, backend)
    search.offer(greedy(component, relaxed.x.astype(np.float64)))
    prefix = _prefix(component, relaxed.x)
    bands: tuple[Band, ...] = ()
    if component.only_fixed_costs:
        search.keep_flow(relaxed.x)
    else:
        search.build(began, effort_s)
        bands = search.all_bands(began + BAND_SHARE * effort_s)
    if search.large:
        search.slope()
        search.improve(time.monotonic() + COST_SHARE * (search.until - time.monotonic()), cost=True)
    share = CHANGE_SHARE if component.proposed else 0.0
    spent = search.minimised(search.model.spent(), component.spent, 1 - share)
    change = 0
    if component.proposed:
        change = search.minimised(search.model.change(), component.change, 1.0)
    bands = search.final(bands)
    return RuledAnswer(
        x=search.x,
        bands=bands,
        cost_bound=min(spent, component.spent(search.x)),
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

    def __init__(
        self, component: RuledComponent, until: float, start: IntArray, backend: Backend = "ortools"
    ) -> None:
        self.component = component
        self.until = until
        self.model = Model(component)
        self.backend = backend
        self.solvers: set[str] = set()
        if component.change_budget is not None:
            self.model.keep(self.model.change(), component.change_budget)
        self.kept: list[int] = []  # values of the bands that are decided
        self.levels: IntArray | None = None  # units by level that are decided
        self.guide: Guide | None = None
        self.x = start
        self.merit = component.merit(self.x)
        self.offer(greedy(component))
        if component.change_budget is not None:
            self.offer(greedy(component, start.astype(np.float64)))

    def offer(self, x: IntArray) -> bool:
        """Take this plan if it keeps every rule and is better than the one at hand."""
        part = self.component
        if not part.feasible(x):
            return False
        merit = part.merit(x)
        if any(value < kept for value, kept in zip(merit, self.kept, strict=False)):
            return False
        if self.levels is not None and bool((self._by_level(x) < self.levels).any()):
            return False
        better = merit > self.merit
        if better:
            self.x, self.merit = x, merit
        return better

    @property
    def large(self) -> bool:
        """Whether branch and cut alone would take long to find a good plan."""
        return len(self.x) > BUILT_PAIRS

    @property
    def huge(self) -> bool:
        """Whether branch and cut would not even end its first relaxation in time."""
        return len(self.x) > CUT_PAIRS

    def build(self, began: float, effort_s: float) -> None:
        """A good plan before any proof: a relaxation's choices, the rest as a flow, neighbours."""
        if not self.large:
            return
        part = self.component
        self.solvers.add("highs")
        self.guide = guide(self.model, effort_s * GUIDE_SHARE, part.steps.n_bands)
        wanted = self.x.astype(np.float64) if self.guide is None else self.guide.wanted
        for share in (1.0,) if self.huge else (1.0, 0.5):
            found = completed(part, wanted, share, self.backend)
            self.offer(found)
            self.offer(greedy(part, found.astype(np.float64)))
        if not self.huge:  # there the time is better spent on bounds
            self.improve(began + effort_s * NEIGHBOUR_SHARE, cost=False)

    def slope(self) -> None:
        """The flow that is best for the pairs in use, as long as that lowers the cost."""
        for _ in range(SLOPES):
            at_hand = self.x.astype(np.float64)
            if time.monotonic() >= self.until or not self.offer(
                completed(self.component, at_hand, 1.0, self.backend)
            ):
                break

    def improve(self, until: float, *, cost: bool) -> None:
        """Decide small parts anew, for the first band that is not full, or for `cost` alone."""
        hoods, fails, steps = Neighbourhoods(self.component), 0, self.component.steps
        asked = steps.values(steps.units)
        while fails < FAILS and time.monotonic() < until and (cost or not self._proven()):
            full = [value == most for value, most in zip(self.merit, asked, strict=False)]
            found = part_of(self.component, hoods.around(self.x, PART_PAIRS), self.x)
            part_until = min(until, time.monotonic() + PART_S)
            inner = _Search(found.component, part_until, self.x[found.pairs], self.backend)
            if cost:
                inner.keep()
                inner.minimised(inner.model.spent(), found.component.spent, 1.0)
            else:
                inner.all_bands(part_until, full.index(False) + 1 if False in full else 0)
            x = self.x.copy()
            x[found.pairs] = inner.x
            fails = 0 if self.offer(x) else fails + 1
        self.offer(greedy(self.component, self.x.astype(np.float64)))

    def keep(self) -> None:
        """Nothing may lose what it has from now on, but cost."""
        if self.component.only_fixed_costs:
            self.keep_flow(self.x)
            return
        for b in range(self.component.steps.n_bands):
            self.model.keep(self.model.band(b), self.merit[b])
            self.kept.append(self.merit[b])

    def _proven(self) -> bool:
        values = list(self.merit[: self.component.steps.n_bands])
        return self.guide is not None and all(
            self.guide.bound(values, b) <= value for b, value in enumerate(values)
        )

    def all_bands(self, until: float, count: int = BANDS) -> tuple[Band, ...]:
        """Maximise the first `count` bands, those before each kept."""
        part = self.component
        asked = part.steps.values(part.steps.units)
        bands = []
        count = min(part.steps.n_bands, count)
        for b in range(count):
            share = self._share(count - b, until)
            if self.huge:
                bound = self._guided(b, asked[b], share)
            else:
                bound = self._stage(self.model.band(b), partial(self._reached, b), asked[b], share)
            if self.guide is not None:
                bound = min(bound, self.guide.bound(list(self.merit[: part.steps.n_bands]), b))
            served = self.merit[b]
            bands.append(self.band(b, asked[b], max(min(bound, asked[b]), served), served))
            self.kept.append(served)
            if not self.huge:
                self.model.keep(self.model.band(b), served)
        for b in range(count if self.huge else 0):
            self.model.keep(self.model.band(b), self.merit[b])
        return tuple(bands)

    def _guided(self, b: int, asked: int, time_s: float) -> int:
        """A bound of band b by a guide that knows no later one: far faster than kept rows."""
        if self.merit[b] == asked or time_s <= 0:
            return asked
        told = guide(self.model, time_s, b + 1)
        return asked if told is None else min(asked, told.bound(list(self.merit[: b + 1]), b))

    def _by_level(self, x: IntArray) -> IntArray:
        steps, net = self.component.steps, self.component.net
        served = summed(net.pair_need, x, len(net.need_units))
        _, level = np.unique(steps.level, return_inverse=True)
        return summed(level.ravel(), steps.served(served), int(level.max(initial=-1)) + 1)

    def _reached(self, b: int) -> int:
        return self.merit[b]

    def keep_flow(self, x: IntArray) -> None:
        """Only pairs have a price: what is served is decided by the flow, at every level."""
        self.x, self.merit = x, self.component.merit(x)
        self.model.keep_levels(x)
        self.levels = self._by_level(x)

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

    def _share(self, stages: int, until: float) -> float:
        left = until - time.monotonic()
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
        if not self.huge:
            asks.append(lambda: self._highs(objective, until, whole=True))
        for place, ask in enumerate(asks):
            if time.monotonic() >= until:
                break
            answer = ask()
            cut = len(self.x) > NEAR_PAIRS and not self.huge
            if place == 0 and answer.values is not None and cut:
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
        if self.large:
            self.offer(completed(self.component, found, 1.0, self.backend))


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
