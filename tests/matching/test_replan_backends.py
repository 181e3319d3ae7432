"""Both flow solvers find plans of the same value, cold and replanned, under every policy."""

import importlib.util
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching import Base, Plan, Policy, Problem, certify, replan, solve, violations
from matching.policy import ORDERS, Order
from tests.fixtures.drawing import drawn
from tests.matching.edits import edited
from tests.matching.instances import market, medium_problem, small_problem
from tests.matching.test_properties import problems

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("pylmcf") is None, reason="pylmcf (extra fast) is not installed"
)


def assert_equal_value(problem: Problem, policy: Policy, one: Plan, other: Plan) -> None:
    """Levels, cost with the penalty in it, and change; both proven."""
    assert one.level_served.tolist() == other.level_served.tolist()
    penalty = policy.change_penalty
    assert one.cost + penalty * one.change == other.cost + penalty * other.change
    assert one.change == other.change
    for plan in (one, other):
        assert violations(problem, plan) == []
        assert plan.certificate.optimal
        assert certify(problem, policy, plan).optimal


@drawn(30)
@given(problems(), st.sampled_from(ORDERS), st.sampled_from([0, 1, 40]))
def test_any_problem_has_one_value(problem: Problem, order: Order, penalty: int) -> None:
    policy = Policy(order=order, change_penalty=penalty)
    one, other = (solve(problem, policy, backend=b) for b in ("ortools", "pylmcf"))
    assert_equal_value(problem, policy, one, other)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("seed", range(6))
def test_the_instances_of_the_other_tests_have_one_value(seed: int, order: Order) -> None:
    policy = Policy(order=order, change_penalty=seed % 3)
    for problem in (
        small_problem(seed, prior=True),
        small_problem(seed + 100, rules=False),
        medium_problem(seed, 60, rules=seed % 2 == 0),
        market(seed, 100, towns=3),
    ):
        one, other = (solve(problem, policy, backend=b) for b in ("ortools", "pylmcf"))
        assert_equal_value(problem, policy, one, other)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("seed", range(4))
def test_a_replan_may_use_another_solver_than_its_base(seed: int, order: Order) -> None:
    policy = Policy(order=order, change_penalty=3)
    problem = medium_problem(seed, 120, towns=8)
    before = solve(problem, policy, backend="ortools")
    base = Base.of(problem, policy, before)
    after = edited(replace(problem, pair_prior=before.pair_units), seed)
    one = replan(after, policy, base, backend="pylmcf")
    assert_equal_value(after, policy, one, solve(after, policy, backend="ortools"))
