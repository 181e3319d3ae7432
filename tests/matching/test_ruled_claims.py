"""Forged plans with rules: `certify` proves nothing that their units do not bear out."""

import re
from dataclasses import replace

import numpy as np
import pytest

from matching import Plan, Policy, Problem, certify, solve, violations
from tests.matching.ruled_instances import visits

FIXED = Problem(
    need_units=[4, 4],
    need_severity=[9, 1],
    offer_units=[4],
    pair_need=[0, 1],
    pair_offer=[0, 0],
    pair_fixed_cost=[5, 1],
)
DEARER = Problem(
    need_units=[4],
    need_severity=[9],
    offer_units=[4, 4],
    pair_need=[0, 0],
    pair_offer=[0, 1],
    pair_fixed_cost=[5, 100],
)
BLOCK = Problem(
    need_units=[4],
    need_min=[4],
    need_severity=[9],
    offer_units=[4, 4],
    pair_need=[0, 0],
    pair_offer=[0, 1],
    pair_cost=[1, 100],
)


def counted_rightly(plan: Plan, units: list[int], cost: int) -> Plan:
    """Other units, with all that is said of them made to fit: only their being best is a lie."""
    (part,), total = plan.components, sum(units)
    served = part.served if total else part.served * 0
    bands = tuple(replace(band, served=total, bound=total) for band in part.bands)
    told = replace(part, served=served, bands=bands, cost=cost, cost_bound=cost)
    return replace(plan, pair_units=np.array(units, np.int64), components=(told,))


@pytest.mark.parametrize(
    ("problem", "units", "said"),
    [
        (FIXED, [0, 4], "levels"),
        (FIXED, [0, 0], "levels"),
        (FIXED, [1, 1], "levels"),
        (DEARER, [0, 4], "cost"),
        (DEARER, [2, 2], "cost"),
        (BLOCK, [0, 4], "cost"),
    ],
)
def test_units_that_were_exchanged_are_refused(
    problem: Problem, units: list[int], said: str
) -> None:
    plan = solve(problem)
    assert certify(problem, Policy(), plan).optimal
    worse = replace(plan, pair_units=np.array(units, np.int64))
    assert violations(problem, worse) == []
    proof = certify(problem, Policy(), worse)
    assert said in proof.reason
    assert (proof.optimal, proof.ruled_proven) == (False, 0)


@pytest.mark.parametrize(
    ("problem", "units", "cost", "said"),
    [
        (FIXED, [0, 0], 0, "a bound is above|serves more"),
        (DEARER, [0, 4], 100, "better plan"),
        (BLOCK, [0, 4], 400, "better plan"),
        (BLOCK, [0, 0], 0, "below what a plan serves"),
    ],
)
def test_a_worse_plan_that_counts_itself_rightly_is_refused(
    problem: Problem, units: list[int], cost: int, said: str
) -> None:
    worse = counted_rightly(solve(problem), units, cost)
    assert violations(problem, worse) == []
    proof = certify(problem, Policy(), worse)
    assert re.search(said, proof.reason)
    assert (proof.optimal, proof.ruled_proven) == (False, 0)


def test_the_cheapest_of_equal_plans_is_known_among_visits() -> None:
    problem = visits(1, 8, 3)
    plan = solve(problem)
    dear = solve(replace(problem, pair_cost=problem.pair_cost.max() - problem.pair_cost))
    cost = int(dear.pair_units @ problem.pair_cost)
    assert (dear.components[0].bands, dear.cost) != (plan.components[0].bands, plan.cost)
    assert cost > plan.cost
    told = replace(dear.components[0], cost=cost, cost_bound=cost)
    proof = certify(
        problem, Policy(), replace(plan, pair_units=dear.pair_units, components=(told,))
    )
    assert "a better plan is at hand" in proof.reason


def test_what_is_too_large_to_solve_again_does_not_count_as_proven(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan = solve(BLOCK)
    monkeypatch.setattr("matching.ruled.claims.AGAIN_PAIRS", 1)
    proof = certify(BLOCK, Policy(), plan)
    assert (proof.optimal, proof.ruled, proof.ruled_proven) == (False, 1, 0)
    assert proof.reason == "1 of 1 components are not proven optimal"
