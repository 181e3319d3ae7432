"""Replan: a problem that differs a little from an earlier one; only what is touched is solved."""

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np

from matching.arrays import IntArray
from matching.backends import Backend
from matching.bases import known_of, known_of_units
from matching.easing import eased
from matching.network import network
from matching.plan import Plan
from matching.planning import OnProgress
from matching.policy import Policy
from matching.precedence import tranches
from matching.problem import Problem
from matching.reuse import Known
from matching.ruled.component import ruled_components
from matching.ruled.reuse import ruled_digest
from matching.solver import planned


@dataclass(frozen=True, slots=True, eq=False)
class Base:
    """A proven plan's components, to be found again by their content. Made once, used often."""

    known: Known

    @classmethod
    def of(cls, problem: Problem, policy: Policy, plan: Plan) -> "Base":
        """What `solve` (or `replan`) found for a problem. Components that are not proven optimal
        are left out. Raises ValueError where the plan was made for another problem or policy, or
        its prices do not prove it."""
        if plan.problem_digest != problem.digest or plan.policy != policy:
            raise ValueError("plan: it was made for another problem or policy.")
        return cls(known_of(problem, policy, plan))

    @classmethod
    def of_units(cls, problem: Problem, policy: Policy, pair_units: IntArray) -> "Base":
        """From the units of a plan alone, int64[P], as they were stored: nothing is solved, one
        pass finds the prices. Components with rules are left out. Raises ValueError where the units
        break a rule or are not optimal: no replan may rely on them then."""
        return cls(known_of_units(problem, policy, pair_units))

    def places(self, problem: Problem, policy: Policy) -> IntArray:
        """Place of each component's answer in this base, -1 where it must be solved: int64[C]."""
        levels = tranches(problem.need_units, problem.need_severity, policy)
        simple = eased(problem)
        net, layout = network(simple, levels, policy.change_penalty)
        places = np.full(net.n_components, -1, np.int64)
        places[: layout.n_flow] = self.known.find(net.part(0, layout.n_flow))
        at = {digest: place for place, digest in enumerate(self.known.ruled, self.known.n_flow)}
        for c, part in enumerate(ruled_components(simple, levels, net, layout), layout.n_flow):
            places[c] = at.get(ruled_digest(part), -1)
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
