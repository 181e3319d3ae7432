"""A budget of change: at most so many units may differ from the earlier proposal, over all.

The best plan without a budget changes as little as any that is as good, component by component. So
where that is within the budget it is the answer, and where it is not, no plan as good is. Then only
the components that would change compete for the budget: the others have their best plan for none of
it. Those that compete are one integer program, decided band by band as any with rules.
"""

from dataclasses import replace

import numpy as np

from matching.arrays import BoolArray
from matching.bases import known_of
from matching.plan import Plan, Progress
from matching.planning import OnProgress, Options, planned_once
from matching.policy import Policy
from matching.problem import Problem
from matching.reuse import Known
from matching.ruled.component import Joint


def within_budget(
    problem: Problem, policy: Policy, known: Known | None, options: Options, budget: int
) -> Plan:
    """The best plan that changes at most `budget` units; if there is none, the best of those that
    change least."""
    free = replace(policy, change_budget=None)
    plan = planned_once(problem, free, known, _part(options, 0.0))
    joint = Joint(_competing(problem, plan), budget)
    if plan.change <= budget or not bool(joint.needs.any()):
        parts = len(plan.components)
        if options.on_progress is not None:
            done = Progress(phase="done", components_done=parts, components=parts)
            options.on_progress(1.0, done)
        return replace(plan, policy=policy, certificate=replace(plan.certificate, policy=policy))
    known = known_of(problem, free, plan)
    second = planned_once(problem, policy, known, _part(options, 0.5), joint)
    for phase, spent in plan.seconds.items():
        second.seconds[phase] = second.seconds.get(phase, 0.0) + spent
    return second


def _competing(problem: Problem, plan: Plan) -> BoolArray:
    """Needs of components that would change, or whose best plan is not known: bool[N]."""
    component = plan.need_component[problem.pair_need]
    changed = component[plan.pair_units != problem.pair_prior]
    competes = np.array([part.status != "optimal" for part in plan.components] + [False], np.bool_)
    competes[changed] = True
    competes[-1] = False  # needs without a pair have component -1
    needs: BoolArray = competes[plan.need_component]
    return needs


def _part(options: Options, begins: float) -> Options:
    """Options for one of two passes, each of them half of the way."""
    tell = options.on_progress
    if tell is None:
        return options

    def told(share: float, progress: Progress) -> None:
        if progress.phase != "done" or begins:
            tell(begins + share / 2, progress)

    halved: OnProgress = told
    return replace(options, on_progress=halved)
