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
from matching.errors import Cancelled, SolverFailed, TooManyPairs
from matching.executor import ProcessExecutor
from matching.plan import Component, Plan, Progress
from matching.policy import Policy
from matching.precedence import Tranches, tranches
from matching.problem import Problem, drawn_units, served_units
from matching.proof import certify
from matching.solver import solve

__all__ = [
    "Cancelled",
    "Certificate",
    "Component",
    "NeedColumns",
    "OfferColumns",
    "Pairs",
    "Plan",
    "Policy",
    "Problem",
    "ProcessExecutor",
    "Progress",
    "SolverFailed",
    "TooManyPairs",
    "Tranches",
    "candidates",
    "cash_units",
    "certify",
    "drawn_units",
    "region_intervals",
    "served_units",
    "solve",
    "tranches",
    "violations",
]
