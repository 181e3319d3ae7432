"""solve: from a problem and a policy to a plan that is checked and proven before it leaves."""

import time
from collections.abc import Callable
from concurrent.futures import Executor

from matching.backends import Backend, solver
from matching.budget import within_budget
from matching.plan import Plan
from matching.planning import OnProgress, Options, planned_once
from matching.policy import Policy
from matching.problem import COST_SUM_MAX, Problem
from matching.reuse import Known


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
    end. The plan is the same whichever executor solves it. Raises ValueError where
    change_penalty is too large to add up, SolverFailed when a plan fails its check or its proof
    (a bug).

    Components with rules that bind are mixed-integer programs, decided band by band. Each takes
    ruled.search.EFFORT_S at most, all together ruled.sending.SOLVE_EFFORT_S of each worker, less
    before a deadline; what is not proven by then is "bounded".
    Rules that cannot be kept are no error: those needs stay open.

    A change_budget is no error either where no plan keeps it: the plan is then the best of those
    that change least, and `over_budget` says so.
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
    _refuse_penalty(problem, policy)
    solver(backend)
    options = Options(
        until=None if deadline_s is None else time.monotonic() + deadline_s,
        executor=executor,
        on_progress=on_progress,
        cancelled=cancelled,
        backend=backend,
    )
    if policy.change_budget is not None:
        return within_budget(problem, policy, known, options, policy.change_budget)
    return planned_once(problem, policy, known, options)


def _refuse_penalty(problem: Problem, policy: Policy) -> None:
    nodes = problem.n_needs + problem.n_offers + problem.n_pairs
    most = int(problem.pair_cost.max(initial=0)) + 2 * policy.change_penalty
    if policy.change_penalty and most * (nodes + 2) > COST_SUM_MAX:
        raise ValueError(f"change_penalty is {policy.change_penalty}: too large for {nodes} rows.")
