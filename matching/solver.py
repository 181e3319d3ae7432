"""solve: from a problem and a policy to a plan that is checked and proven before it leaves."""

import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import replace

import numpy as np

from matching.answers import answered
from matching.arrays import BoolArray, IntArray, exact_dot, exact_sum, frozen
from matching.backends import Backend, solver, solver_version
from matching.certificate import Certificate
from matching.checker import violations
from matching.chunks import Solved
from matching.dispatch import Limits
from matching.easing import eased
from matching.errors import SolverFailed
from matching.network import Layout, Network, network
from matching.plan import Component, Plan, Progress, Status, plan_gap
from matching.policy import Policy
from matching.precedence import Tranches, tranches
from matching.problem import COST_SUM_MAX, Problem
from matching.proof import certificate_of, checked
from matching.reports import component_reports, reported_levels
from matching.reuse import Known
from matching.ruled.component import ruled_components
from matching.ruled.outcomes import joined
from matching.ruled.sending import Outcome, answered_ruled

OnProgress = Callable[[float, Progress], None]


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
    are ended when time is up (components not done then have status "deadline", a first plan in
    order of precedence and an honest bound) or when `cancelled()` is true (Cancelled is raised).
    An `executor` of the caller's is only asked to cancel: what it already runs, it runs to the
    end. The plan is the same whichever executor solves it. Raises NotImplementedError naming a
    field of the policy that is not supported, SolverFailed when a plan fails its check or its proof
    (a bug).

    Components with rules that bind are mixed-integer programs, decided band by band. Each takes
    ruled.search.EFFORT_S at most, less before a deadline; what is not proven by then is "bounded".
    Rules that cannot be kept are no error: those needs stay open.
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
    _refuse_unsupported(problem, policy)
    solver(backend)
    clock = _Clock()
    until = None if deadline_s is None else time.monotonic() + deadline_s
    levels = tranches(problem.need_units, problem.need_severity, policy)
    simple = eased(problem)
    net, layout = network(simple, levels, policy.change_penalty)
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
    whole, claimed, outcomes = _answers(
        simple, levels, net, layout, known, backend, executor, limits
    )
    seconds |= whole.seconds | {"solve_elapsed": clock.lap()}
    pair_units = np.zeros(problem.n_pairs, np.int64)
    pair_units[layout.pair_row] = whole.x
    if on_progress is not None:
        on_progress(0.92, Progress(phase="check", components_done=parts, components=parts))
    parts_told = component_reports(net, levels, whole.x, claimed, outcomes)
    proof = checked(
        simple,
        levels,
        pair_units,
        certificate_of(simple, policy, net, layout, whole),
        layout,
        np.array([part.status == "optimal" for part in parts_told], np.bool_),
        time.process_time(),
    )
    proof = replace(proof, problem_digest=problem.digest)
    plan = _plan(problem, policy, levels, layout, frozen(pair_units), parts_told, proof)
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


def _refuse_unsupported(problem: Problem, policy: Policy) -> None:
    if policy.change_budget is not None:
        raise NotImplementedError("change_budget: only None can be solved for now.")
    nodes = problem.n_needs + problem.n_offers + problem.n_pairs
    most = int(problem.pair_cost.max(initial=0)) + 2 * policy.change_penalty
    if policy.change_penalty and most * (nodes + 2) > COST_SUM_MAX:
        raise ValueError(f"change_penalty is {policy.change_penalty}: too large for {nodes} rows.")


def _answers(
    simple: Problem,
    levels: Tranches,
    net: Network,
    layout: Layout,
    known: Known | None,
    backend: Backend,
    executor: Executor | None,
    limits: Limits,
) -> tuple[Solved, BoolArray, list[Outcome]]:
    """Units and prices of every component, flows first; which were solved as flows; the ruled."""
    if layout.n_flow == net.n_components:
        return *answered(net, known, backend, executor, limits), []
    flow = net.part(0, layout.n_flow)
    solved, claimed = answered(flow, known, backend, executor, limits)
    after = replace(limits, told=_Tally(limits.told, len(flow.pair_need), layout.n_flow))
    ruled = ruled_components(simple, levels, net, layout)
    outcomes = answered_ruled(ruled, backend, executor, after)
    x = np.concatenate([outcome.answer.x for outcome in outcomes])
    whole, _ = joined(net, solved, x, layout.n_flow)
    return whole, np.append(claimed, np.zeros(len(outcomes), np.bool_)), outcomes


class _Tally:
    """Adds up what is told of single components."""

    def __init__(self, told: Callable[[int, int], None], pairs: int, components: int) -> None:
        self.told, self.pairs, self.components = told, pairs, components

    def __call__(self, pairs: int, components: int) -> None:
        self.pairs += pairs
        self.components += components
        self.told(self.pairs, self.components)


def _plan(
    problem: Problem,
    policy: Policy,
    levels: Tranches,
    layout: Layout,
    pair_units: IntArray,
    components: tuple[Component, ...],
    proof: Certificate,
) -> Plan:
    asked, served, bound = reported_levels(problem, levels, pair_units, components)
    states = {part.status for part in components}
    status: Status = "deadline" if "deadline" in states else "optimal"
    if status == "optimal" and "bounded" in states:
        status = "bounded"
    fresh = (pair_units > 0) & (problem.pair_committed == 0)
    return Plan(
        pair_units=pair_units,
        components=components,
        need_component=frozen(layout.need_component),
        offer_component=frozen(layout.offer_component),
        level_keys=levels.keys,
        level_asked=asked,
        level_served=served,
        level_bound=bound,
        cost=exact_dot(pair_units, problem.pair_cost)
        + exact_sum(np.where(fresh, problem.pair_fixed_cost, 0)),
        change=exact_sum(np.abs(pair_units - problem.pair_prior)),
        status=status,
        gap=plan_gap(components, levels.n_levels),
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
