"""Planning: one pass from a problem to a plan that is checked and proven before it leaves."""

import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace

import numpy as np

from matching.answers import answered
from matching.arrays import BoolArray, IntArray, exact_dot, exact_sum, frozen
from matching.backends import Backend, solver_version
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
from matching.problem import Problem
from matching.proof import certificate_of, checked
from matching.reports import component_reports, reported_levels
from matching.reuse import Known
from matching.ruled.component import Joint, ruled_components
from matching.ruled.outcomes import joined
from matching.ruled.reuse import answered_or_known
from matching.ruled.sending import Outcome

OnProgress = Callable[[float, Progress], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to solve: until when (time.monotonic()), where, and whom to tell and to ask."""

    until: float | None
    executor: Executor | None
    on_progress: OnProgress | None
    cancelled: Callable[[], bool] | None
    backend: Backend


def planned_once(
    problem: Problem,
    policy: Policy,
    known: Known | None,
    options: Options,
    joint: Joint | None = None,
) -> Plan:
    """The best plan but for the policy's change_budget, which holds within `joint` only.

    Components whose answer is known are not solved.
    """
    clock = _Clock()
    levels = tranches(problem.need_units, problem.need_severity, policy)
    simple = eased(problem)
    together = joint.needs if joint else None
    net, layout = network(simple, levels, policy.change_penalty, together)
    seconds = {"build": clock.lap()}
    total, parts = len(net.pair_need), net.n_components

    on_progress, backend = options.on_progress, options.backend

    def tell(pairs: int, components: int) -> None:
        if on_progress is not None:
            share = 0.05 + 0.85 * (pairs / total if total else 1.0)
            on_progress(
                share, Progress(phase="solve", components_done=components, components=parts)
            )

    tell(0, 0)
    limits = Limits(options.until, options.cancelled, tell)
    whole, claimed, kept, outcomes = _answers(
        simple, levels, net, layout, known, joint, options, limits
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
        kept,
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


def _answers(
    simple: Problem,
    levels: Tranches,
    net: Network,
    layout: Layout,
    known: Known | None,
    joint: Joint | None,
    options: Options,
    limits: Limits,
) -> tuple[Solved, BoolArray, BoolArray, list[Outcome]]:
    """Units and prices of every component, flows first; which were solved as flows, and which were
    known; the ruled."""
    backend, executor = options.backend, options.executor
    if layout.n_flow == net.n_components:
        return *answered(net, known, backend, executor, limits), []
    flow = net.part(0, layout.n_flow)
    solved, claimed, kept = answered(flow, known, backend, executor, limits)
    after = replace(limits, told=_Tally(limits.told, len(flow.pair_need), layout.n_flow))
    if joint:  # what is proposed along pairs that are closed now changes whatever we do
        closed = exact_sum(simple.pair_prior) - exact_sum(simple.pair_prior[layout.pair_row])
        joint = replace(joint, budget=max(joint.budget - closed, 0))
    ruled = ruled_components(simple, levels, net, layout, joint)
    outcomes = answered_or_known(ruled, known.ruled if known else {}, backend, executor, after)
    x = np.concatenate([outcome.answer.x for outcome in outcomes])
    whole, _ = joined(net, solved, x, layout.n_flow)
    none = np.zeros(len(outcomes), np.bool_)
    return whole, np.append(claimed, none), np.append(kept, none), outcomes


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
    used = np.flatnonzero(pair_units)
    fresh = used[problem.pair_committed[used] == 0]
    return Plan(
        pair_units=pair_units,
        components=components,
        need_component=frozen(layout.need_component),
        offer_component=frozen(layout.offer_component),
        level_keys=levels.keys,
        level_asked=asked,
        level_served=served,
        level_bound=bound,
        cost=exact_dot(pair_units, problem.pair_cost) + exact_sum(problem.pair_fixed_cost[fresh]),
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
