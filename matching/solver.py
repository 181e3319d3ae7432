"""solve: from a problem and a policy to a plan that is checked and proven before it leaves."""

import time
from collections.abc import Callable
from concurrent.futures import Executor

import numpy as np

from matching.answers import answered
from matching.arrays import BoolArray, IntArray, exact_dot, exact_sum, frozen
from matching.backends import Backend, solver, solver_version
from matching.certificate import Certificate
from matching.checker import violations
from matching.dispatch import Limits
from matching.errors import SolverFailed
from matching.network import Layout, Network, network
from matching.plan import Plan, Progress, Status, gap_of
from matching.policy import Policy
from matching.precedence import Tranches, tranches
from matching.problem import COST_SUM_MAX, Problem
from matching.proof import certificate_of, checked
from matching.reports import component_reports, reported_levels
from matching.reuse import Known

OnProgress = Callable[[float, Progress], None]

_PURE = {
    "need_min": 1,
    "need_max_offers": 0,
    "offer_min_lot": 1,
    "offer_max_needs": 0,
    "pair_draw": 1,
    "pair_fixed_cost": 0,
}


def solve(
    problem: Problem,
    policy: Policy | None = None,
    *,
    deadline_s: float | None = None,
    executor: Executor | None = None,
    on_progress: OnProgress | None = None,
    cancelled: Callable[[], bool] | None = None,
    backend: Backend = "ortools",
) -> Plan:
    """The plan that is best in the policy's order, then cheapest, then nearest to pair_prior.

    With `deadline_s` or `cancelled` a problem that is not small is solved in child processes, which
    are ended when time is up (components not done then have status "deadline", no units and an
    honest bound) or when `cancelled()` is true (Cancelled is raised). An `executor` of the caller's
    is only asked to cancel: what it already runs, it runs to the end. The plan is the same
    whichever executor solves it. Raises NotImplementedError naming a field that is not supported
    yet, SolverFailed when a plan fails its check or its proof (a bug).
    """
    return planned(
        problem,
        policy or Policy(),
        None,
        deadline_s=deadline_s,
        executor=executor,
        on_progress=on_progress,
        cancelled=cancelled,
        backend=backend,
    )


def planned(
    problem: Problem,
    policy: Policy,
    known: Known | None,
    *,
    deadline_s: float | None,
    executor: Executor | None,
    on_progress: OnProgress | None,
    cancelled: Callable[[], bool] | None,
    backend: Backend,
) -> Plan:
    """solve, but for components whose answer is known."""
    _refuse_ruled(problem, policy)
    solver(backend)
    clock = _Clock()
    until = None if deadline_s is None else time.monotonic() + deadline_s
    levels = tranches(problem.need_units, problem.need_severity, policy)
    net, layout = network(problem, levels, policy.change_penalty)
    seconds = {"build": clock.lap()}
    total, parts = len(net.pair_need), net.n_components

    def tell(pairs: int, components: int) -> None:
        if on_progress is not None:
            share = 0.05 + 0.85 * (pairs / total if total else 1.0)
            on_progress(
                share, Progress(phase="solve", components_done=components, components=parts)
            )

    tell(0, 0)
    limits = Limits(until, cancelled, tell)
    whole, claimed = answered(net, known, backend, executor, limits)
    seconds |= whole.seconds | {"solve_elapsed": clock.lap()}
    pair_units = np.zeros(problem.n_pairs, np.int64)
    pair_units[layout.pair_row] = whole.x
    if on_progress is not None:
        on_progress(0.92, Progress(phase="check", components_done=parts, components=parts))
    proof = checked(
        problem,
        levels,
        pair_units,
        certificate_of(problem, policy, net, layout, whole),
        layout,
        claimed,
        time.process_time(),
    )
    plan = _plan(problem, policy, levels, net, layout, frozen(pair_units), claimed, proof)
    plan.seconds.update(seconds)
    plan.solvers.update({backend: solver_version(backend)})
    _refuse_broken(problem, plan)
    plan.seconds["check"] = clock.lap()
    if on_progress is not None:
        on_progress(1.0, Progress(phase="done", components_done=parts, components=parts))
    return plan


class _Clock:
    """Wall time between laps."""

    def __init__(self) -> None:
        self.at = time.perf_counter()

    def lap(self) -> float:
        before, self.at = self.at, time.perf_counter()
        return self.at - before


def _refuse_ruled(problem: Problem, policy: Policy) -> None:
    for name, pure in _PURE.items():
        index = np.flatnonzero(getattr(problem, name) != pure)
        if len(index):
            raise NotImplementedError(
                f"{name}[{index[0]}] is {getattr(problem, name)[index[0]]}; "
                f"only {pure} can be solved for now."
            )
    if policy.change_budget is not None:
        raise NotImplementedError("change_budget: only None can be solved for now.")
    nodes = problem.n_needs + problem.n_offers + problem.n_pairs
    most = int(problem.pair_cost.max(initial=0)) + 2 * policy.change_penalty
    if policy.change_penalty and most * (nodes + 2) > COST_SUM_MAX:
        raise ValueError(f"change_penalty is {policy.change_penalty}: too large for {nodes} rows.")


def _plan(
    problem: Problem,
    policy: Policy,
    levels: Tranches,
    net: Network,
    layout: Layout,
    pair_units: IntArray,
    claimed: BoolArray,
    proof: Certificate,
) -> Plan:
    components = component_reports(net, levels, pair_units[layout.pair_row], claimed)
    asked, served, bound = reported_levels(problem, levels, pair_units, components)
    complete = bool(claimed.all())
    status: Status = "optimal" if complete else "deadline"
    return Plan(
        pair_units=pair_units,
        components=components,
        need_component=frozen(layout.need_component),
        offer_component=frozen(layout.offer_component),
        level_keys=levels.keys,
        level_asked=asked,
        level_served=served,
        level_bound=bound,
        cost=exact_dot(pair_units, problem.pair_cost),
        change=exact_sum(np.abs(pair_units - problem.pair_prior)),
        status=status,
        gap=0.0 if complete else gap_of(served, bound),
        seconds={},
        solvers={"numpy": np.__version__},
        problem_digest=problem.digest,
        policy=policy,
        certificate=proof,
    )


def _refuse_broken(problem: Problem, plan: Plan) -> None:
    """A plan that fails is a bug: raised, never returned."""
    broken = violations(problem, plan)
    if broken:
        raise SolverFailed(f"The plan breaks {len(broken)} rules: {broken[0]}.")
    proof = plan.certificate
    if proof.proven != sum(part.status == "optimal" for part in plan.components):
        raise SolverFailed(f"The plan is not proven: {proof.reason}.")
