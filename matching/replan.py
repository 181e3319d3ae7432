"""Replan: a problem that differs a little from an earlier one; only what is touched is solved."""

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np

from matching.arrays import IntArray
from matching.backends import Backend
from matching.chunks import Solved
from matching.network import Layout, Network, network
from matching.plan import Plan
from matching.policy import Policy
from matching.precedence import tranches
from matching.problem import Problem
from matching.reuse import Known
from matching.solver import OnProgress, planned


@dataclass(frozen=True, slots=True, eq=False)
class Base:
    """A proven plan's components, to be found again by their content. Made once, used often."""

    known: Known

    @classmethod
    def of(cls, problem: Problem, policy: Policy, plan: Plan) -> "Base":
        """What `solve` (or `replan`) found for a problem. Components that are not proven optimal
        are left out. Raises ValueError where the plan was made for another problem or policy."""
        if plan.problem_digest != problem.digest or plan.policy != policy:
            raise ValueError("plan: it was made for another problem or policy.")
        levels = tranches(problem.need_units, problem.need_severity, policy)
        whole, layout = network(problem, levels, policy.change_penalty)
        # Components without rules come first.
        net = whole.part(0, sum(part.kind == "flow" for part in plan.components))
        claimed = [part.status == "optimal" for part in plan.components[: net.n_components]]
        solved = _answers(net, layout, plan)
        return cls(Known.of(net, solved, np.array(claimed, np.bool_)))

    def places(self, problem: Problem, policy: Policy) -> IntArray:
        """Place of each component's answer in this base, -1 where it must be solved: int64[C]."""
        levels = tranches(problem.need_units, problem.need_severity, policy)
        net, layout = network(problem, levels, policy.change_penalty)
        places = np.full(net.n_components, -1, np.int64)
        places[: layout.n_flow] = self.known.find(net.part(0, layout.n_flow))
        return places


def replan(
    problem: Problem,
    policy: Policy | None,
    base: Base,
    *,
    deadline_s: float | None = None,
    executor: Executor | None = None,
    on_progress: OnProgress | None = None,
    cancelled: Callable[[], bool] | None = None,
    backend: Backend = "ortools",
) -> Plan:
    """What `solve` answers, unit by unit; only components that `base` does not know are solved.

    Rows may come in another order, and needs, offers and pairs may have come, gone or changed: a
    component is known as long as its own rows, in their order, are as they were. The whole plan is
    checked and proven before it leaves. Options and errors as in `solve`.
    """
    return planned(
        problem,
        policy or Policy(),
        base.known,
        deadline_s=deadline_s,
        executor=executor,
        on_progress=on_progress,
        cancelled=cancelled,
        backend=backend,
    )


def _answers(net: Network, layout: Layout, plan: Plan) -> Solved:
    """Units and prices that the plan brings with it, in the network's rows."""
    n, m, h, p = (
        len(rows) for rows in (net.need_units, net.offer_units, net.hub_cap, net.pair_cap)
    )
    proof = plan.certificate
    offers = proof.offer_price[:, layout.offer_row[:m]]
    source = np.concatenate([offers, proof.hub_price[:, :h]], axis=1)
    x = plan.pair_units[layout.pair_row[:p]]
    return Solved(x, proof.need_price[:, layout.need_row[:n]], source, 0, {})
