"""The plan is the best there is, by enumeration, linear programs and maximum flows."""

from fractions import Fraction

import numpy as np
import pytest

from matching import Policy, Problem, certify, served_units, solve, violations
from matching.policy import ORDERS, Order
from tests.matching.instances import medium_problem, small_problem
from tests.matching.oracles import (
    all_keys,
    best_by_enumeration,
    best_by_linear_programs,
    feasible_plans,
    most_that_can_be_served,
)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("seed", range(36))
def test_no_plan_is_better_than_the_one_solved(seed: int, order: Order) -> None:
    problem, policy = small_problem(seed), Policy(order=order)

    plan = solve(problem, policy)

    levels, cost, _ = best_by_enumeration(problem, policy)
    assert plan.level_served.tolist() == levels
    assert plan.cost == cost
    assert plan.level_keys == tuple(all_keys(problem, policy))
    assert violations(problem, plan) == []
    assert certify(problem, policy, plan).optimal


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("seed", range(100, 124))
def test_among_plans_of_equal_cost_the_one_nearest_to_the_proposal_before_is_taken(
    seed: int, order: Order
) -> None:
    problem, policy = small_problem(seed, prior=True), Policy(order=order)

    plan = solve(problem, policy)

    best = best_by_enumeration(problem, policy)
    assert (plan.level_served.tolist(), plan.cost, plan.change) == best
    assert certify(problem, policy, plan).optimal


@pytest.mark.parametrize("seed", range(6))
def test_other_shapes_of_a_policy_are_solved_too(seed: int) -> None:
    problem = small_problem(seed, rules=False)
    for policy in (
        Policy(floor_share=Fraction(0)),
        Policy(floor_share=Fraction(1)),
        Policy(floor_share=Fraction(2, 3), tranches=(50, 100), diminishing=(900, 900)),
        Policy(order="weighted", tranches=(100,), diminishing=(1,)),
        Policy(order="leximin", share_steps=2),
        Policy(order="severity", share_steps=1),
    ):
        plan = solve(problem, policy)
        levels, cost, _ = best_by_enumeration(problem, policy)
        assert (plan.level_served.tolist(), plan.cost) == (levels, cost), policy


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("seed", range(3))
def test_a_linear_program_for_each_level_finds_the_same_levels_and_cost(
    seed: int, order: Order
) -> None:
    problem, policy = medium_problem(seed, 40, units_max=5), Policy(order=order)

    plan = solve(problem, policy)

    assert (plan.level_served.tolist(), plan.cost) == best_by_linear_programs(problem, policy)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("seed", range(3))
def test_up_to_every_precedence_as_much_is_served_as_if_only_those_units_asked(
    seed: int, order: Order
) -> None:
    problem, policy = medium_problem(seed, rules=False), Policy(order=order)

    plan = solve(problem, policy)

    keys = all_keys(problem, policy)
    for last in range(0, len(keys), max(1, len(keys) // 25)):
        served = int(plan.level_served[: last + 1].sum())
        assert served == most_that_can_be_served(problem, policy, set(keys[: last + 1]))


@pytest.mark.parametrize("seed", range(40))
def test_leximin_leaves_nobody_worse_off_than_any_other_plan_would(seed: int) -> None:
    problem = small_problem(seed)

    plan = solve(problem, Policy(order="leximin"))

    best = max(_shares(problem, np.array(units, np.int64)) for units in feasible_plans(problem))
    assert _shares(problem, plan.pair_units) == best


def test_a_need_of_one_gets_its_only_unit_before_a_need_of_two_gets_both() -> None:
    problem = Problem(
        need_units=[2, 1],
        need_severity=[9, 1],
        offer_units=[2],
        pair_need=[0, 1],
        pair_offer=[0, 0],
    )
    plan = solve(problem, Policy(order="leximin"))
    assert plan.pair_units.tolist() == [1, 1]


def test_cost_never_buys_a_unit_of_higher_precedence() -> None:
    problem = Problem(
        need_units=[1, 1],
        need_severity=[2, 1],
        offer_units=[1],
        pair_need=[0, 1],
        pair_offer=[0, 0],
        pair_cost=[10**12, 0],
    )
    plan = solve(problem, Policy(order="severity"))
    assert plan.pair_units.tolist() == [1, 0]
    assert plan.cost == 10**12


def _shares(problem: Problem, pair_units: np.ndarray) -> list[Fraction]:
    served = served_units(problem, pair_units).tolist()
    return sorted(Fraction(s, d) for s, d in zip(served, problem.need_units.tolist(), strict=True))
