"""Wide offers: a plan over more pairs than can be built, proven over every one of them.

An offer over a province may meet every need there. Instead of all its pairs only some are built;
the plan's prices say which of the others would improve it, those are added, and the plan is made
again until none would: then it is optimal over all pairs, the ones never built included.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from matching.arrays import BoolArray, IndexArray, IntArray, frozen
from matching.backends import Backend
from matching.candidates import Pairs, Worth
from matching.errors import Cancelled
from matching.plan import Plan, Progress, gap_of
from matching.planning import OnProgress
from matching.policy import Policy
from matching.precedence import tranches
from matching.pricing import asked_prices
from matching.problem import Problem
from matching.solver import solve

# Of the pairs that would improve a plan, so many are built at once for one need.
NEED_PAIRS = 4
# And for one offer as many as could take this many times what it holds.
OFFER_TIMES = 8
OFFER_PAIRS_MIN = 16
# Pairs kept in mind while all are looked at.
HELD_PAIRS = 2_000_000

WideStatus = Literal["optimal", "bounded"]


class Reach(Protocol):
    """Every pair that may meet, slice by slice, in any order and as often as it is called.

    `worth(need, offer)`, both int64[K], says bool[K] which of them could matter; a reach may leave
    the others out, so that their cost need not be looked up.
    """

    def __call__(self, worth: Worth) -> Iterator[Pairs]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One plan on the way: pairs built, how many others would have improved it, seconds."""

    pairs: int
    improving: int
    added: int
    solve_s: float
    price_s: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WidePlan:
    """A plan, the problem of the pairs built for it, and what is proven of all the others.

    status        "optimal": no pair that may meet improves it, built or not. "bounded": time was
                  up before that was proven; the plan is the best one so far
    level_bound   int64[R] no plan over all pairs serves more up to any level (sums from level 0)
    gap           largest share of such a sum that is not proven out of reach; 0 when optimal
    """

    problem: Problem
    plan: Plan
    status: WideStatus
    level_bound: IntArray
    gap: float
    rounds: tuple[Round, ...]


def solve_wide(
    problem: Problem,
    reach: Reach,
    policy: Policy | None = None,
    *,
    deadline_s: float | None = None,
    executor: Executor | None = None,
    on_progress: OnProgress | None = None,
    cancelled: Callable[[], bool] | None = None,
    backend: Backend = "ortools",
) -> WidePlan:
    """The plan that is best over every pair of `reach`, though few of them are ever built.

    problem   the needs, the offers, and any of the pairs to begin with: all of narrow offers, the
              near ones of wide offers (see near_pairs), and every pair that has a limit, a
              commitment or units in the previous proposal. The others have none, and draw 1.

    Memory and time follow the pairs built; those that may meet are only looked at, in slices.
    Raises NotImplementedError where rules make prices no proof, Cancelled, SolverFailed.
    """
    search = _Search(problem, reach, policy or Policy(), deadline_s, cancelled, on_progress)
    return search.run(executor, backend)


class _Search:
    """Rounds of solving and pricing, until nothing improves or time is up."""

    def __init__(
        self,
        problem: Problem,
        reach: Reach,
        policy: Policy,
        deadline_s: float | None,
        cancelled: Callable[[], bool] | None,
        on_progress: OnProgress | None,
    ) -> None:
        self.problem, self.reach, self.policy = problem, reach, policy
        self.until = None if deadline_s is None else time.monotonic() + deadline_s
        self.cancelled, self.on_progress = cancelled, on_progress
        self.levels = tranches(problem.need_units, problem.need_severity, policy)
        self.rounds: list[Round] = []

    def run(self, executor: Executor | None, backend: Backend) -> WidePlan:
        best: tuple[Problem, Plan] | None = None
        while True:
            began = time.perf_counter()
            plan = solve(
                self.problem,
                self.policy,
                deadline_s=self._left_s(),
                executor=executor,
                on_progress=self._told,
                cancelled=self.cancelled,
                backend=backend,
            )
            if plan.status != "optimal" or not plan.certificate.optimal:
                return self._bounded(*(best or (self.problem, plan)))
            solved = time.perf_counter()
            best = self.problem, plan
            found = self._improving(plan)
            if found is None:
                return self._bounded(*best)
            pairs, improving = found
            self.rounds.append(
                Round(
                    pairs=self.problem.n_pairs,
                    improving=improving,
                    added=len(pairs.cost),
                    solve_s=solved - began,
                    price_s=time.perf_counter() - solved,
                )
            )
            if not len(pairs.cost):
                return self._optimal(plan)
            self.problem = with_pairs(self.problem, pairs)

    def _improving(self, plan: Plan) -> tuple[Pairs, int] | None:
        """The most improving pairs to build next, and how many there are; None: time is up."""
        asked = asked_prices(self.problem, self.levels, plan.pair_units, plan.certificate)
        built = np.sort(_codes(self.problem, self.problem.pair_need, self.problem.pair_offer))
        held, count = _Held(self.problem), 0
        for part in self.reach(asked.worth):
            if self.cancelled is not None and self.cancelled():
                raise Cancelled("The solve was cancelled.")
            left_s = self._left_s()
            if left_s is not None and left_s <= 0:
                return None
            reduced, better = asked.reduced(part)
            rows = np.flatnonzero(better)
            rows = rows[~_among(built, _codes(self.problem, part.need[rows], part.offer[rows]))]
            count += len(rows)
            held.add(_taken(part, rows), reduced[:, rows])
        return held.chosen(), count

    def _optimal(self, plan: Plan) -> WidePlan:
        return WidePlan(
            problem=self.problem,
            plan=plan,
            status="optimal",
            level_bound=plan.level_served,
            gap=0.0,
            rounds=tuple(self.rounds),
        )

    def _bounded(self, problem: Problem, plan: Plan) -> WidePlan:
        """What is asked up to a level, or all that the offers hold: nothing tighter is proven."""
        held = sum(problem.offer_units.tolist())
        asked = np.minimum(np.cumsum(plan.level_asked), min(held, 2**62))
        bound = frozen(np.diff(asked, prepend=0))
        return WidePlan(
            problem=problem,
            plan=plan,
            status="bounded",
            level_bound=bound,
            gap=gap_of(plan.level_served, bound),
            rounds=tuple(self.rounds),
        )

    def _left_s(self) -> float | None:
        return None if self.until is None else max(0.0, self.until - time.monotonic())

    def _told(self, share: float, progress: Progress) -> None:
        """Each round is worth half of what is left: how many there will be, nobody knows."""
        if self.on_progress is not None:
            self.on_progress(1 - 0.5 ** len(self.rounds) * (1 - share / 2), progress)


class _Held:
    """Improving pairs while all are looked at: the best of each need, so that memory is bounded."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.parts: list[tuple[Pairs, IntArray]] = []
        self.size = 0

    def add(self, pairs: Pairs, reduced: IntArray) -> None:
        if not len(pairs.cost):
            return
        self.parts.append((pairs, reduced))
        self.size += len(pairs.cost)
        if self.size > HELD_PAIRS:
            self._prune()

    def chosen(self) -> Pairs:
        """Best pairs of each need, as many for an offer as could take twice what it holds."""
        if not self.parts:
            empty = np.empty(0, np.int64)
            return Pairs(empty.astype(np.int32), empty.astype(np.int32), empty)
        self._prune()
        ((pairs, reduced),) = self.parts
        order = np.lexsort((pairs.need, *reduced[::-1], pairs.offer))
        offer = pairs.offer[order].astype(np.int64)
        units = self.problem.need_units[pairs.need[order]]
        first = np.flatnonzero(np.diff(offer, prepend=-1))
        nth = np.arange(len(order)) - np.repeat(first, np.diff(first, append=len(order)))
        before = np.cumsum(units.astype(np.float64)) - units  # a rough sum is good enough here
        before -= np.repeat(before[first], np.diff(first, append=len(order)))
        room = self.problem.offer_units[offer].astype(np.float64) * OFFER_TIMES
        keep = order[(nth < OFFER_PAIRS_MIN) | (before < room)]
        return _taken(pairs, keep)

    def _prune(self) -> None:
        pairs = Pairs(
            *(np.concatenate([getattr(p, name) for p, _ in self.parts]) for name in _PAIR)
        )
        reduced = np.concatenate([r for _, r in self.parts], axis=1)
        order = np.lexsort((pairs.offer, *reduced[::-1], pairs.need))
        need = pairs.need[order]
        first = np.flatnonzero(np.diff(need, prepend=-1))
        nth = np.arange(len(order)) - np.repeat(first, np.diff(first, append=len(order)))
        keep = order[nth < NEED_PAIRS]
        self.parts = [(_taken(pairs, keep), reduced[:, keep])]
        self.size = 0  # counts what came since


_PAIR = ("need", "offer", "cost")
_FILLED = {
    "pair_draw": 1,
    "pair_max": None,
    "pair_prior": 0,
    "pair_committed": 0,
    "pair_fixed_cost": 0,
}


def with_pairs(problem: Problem, pairs: Pairs) -> Problem:
    """The same problem with more pairs at its end, which have no limit and no past."""
    columns = {name: getattr(problem, name) for name in Problem.__slots__ if name[0] != "_"}
    n_more = len(pairs.cost)
    columns["pair_need"] = np.concatenate([problem.pair_need, pairs.need])
    columns["pair_offer"] = np.concatenate([problem.pair_offer, pairs.offer])
    columns["pair_cost"] = np.concatenate([problem.pair_cost, pairs.cost])
    for name, fill in _FILLED.items():
        old: IntArray = columns[name]
        value = (10**18) if fill is None else fill
        if len(old) and bool((old == value).all()):
            columns[name] = value
        else:
            columns[name] = np.concatenate([old, np.full(n_more, value)])
    return Problem(**columns)


def _taken(pairs: Pairs, rows: IntArray | BoolArray) -> Pairs:
    return Pairs(pairs.need[rows], pairs.offer[rows], pairs.cost[rows])


def _codes(problem: Problem, need: IntArray | IndexArray, offer: IntArray | IndexArray) -> IntArray:
    code: IntArray = need.astype(np.int64) * max(1, problem.n_offers) + offer
    return code


def _among(sorted_codes: IntArray, codes: IntArray) -> BoolArray:
    if not len(sorted_codes):
        return np.zeros(len(codes), np.bool_)
    at = np.minimum(np.searchsorted(sorted_codes, codes), len(sorted_codes) - 1)
    found: BoolArray = sorted_codes[at] == codes
    return found
