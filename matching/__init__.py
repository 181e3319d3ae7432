"""The optimizer: arrays in, a plan with its proof out.

>>> problem = Problem(
...     need_units=[3, 2], need_severity=[9, 5], offer_units=[4],
...     pair_need=[0, 1], pair_offer=[0, 0],
... )
>>> plan = solve(problem)
>>> plan.pair_units.tolist(), plan.status, plan.certificate.optimal
([3, 1], 'optimal', True)
"""

from matching.candidates import (
    NeedColumns,
    OfferColumns,
    Pairs,
    candidates,
    cash_units,
    region_intervals,
)
from matching.certificate import Certificate
from matching.checker import violations
from matching.cluster import ClusterExecutor
from matching.errors import Cancelled, SolverFailed, TooManyPairs
from matching.executor import ProcessExecutor
from matching.explanation import Explanation, Stopped, explain
from matching.explanations import Explanations, explanations
from matching.marginals import Marginals, Worth, marginals
from matching.plan import Component, Plan, Progress
from matching.policy import Policy
from matching.precedence import Tranches, tranches
from matching.problem import Problem, drawn_units, served_units
from matching.proof import certify
from matching.replan import Base, replan
from matching.solver import solve
from matching.wide import WidePlan, solve_wide
from matching.widepairs import AllPairs, NearPairs, near_pairs

__all__ = [
    "AllPairs",
    "Base",
    "Cancelled",
    "Certificate",
    "ClusterExecutor",
    "Component",
    "Explanation",
    "Explanations",
    "Marginals",
    "NearPairs",
    "NeedColumns",
    "OfferColumns",
    "Pairs",
    "Plan",
    "Policy",
    "Problem",
    "ProcessExecutor",
    "Progress",
    "SolverFailed",
    "Stopped",
    "TooManyPairs",
    "Tranches",
    "WidePlan",
    "Worth",
    "candidates",
    "cash_units",
    "certify",
    "drawn_units",
    "explain",
    "explanations",
    "marginals",
    "near_pairs",
    "region_intervals",
    "replan",
    "served_units",
    "solve",
    "solve_wide",
    "tranches",
    "violations",
]
