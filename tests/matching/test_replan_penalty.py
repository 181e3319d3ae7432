"""A penalty on change is traded against cost, after the good done, and the trade is proven."""

from dataclasses import replace

import numpy as np
import pytest

from matching import Policy, Problem, certify, solve, violations
from matching.policy import ORDERS, Order
from tests.matching.instances import medium_problem, small_problem
from tests.matching.oracles import feasible_plans, served_by_level


def traded(problem: Problem, penalty: int, units: list[int]) -> tuple[int, int]:
    """Cost with the penalty in it, then change."""
    change = int(np.abs(np.array(units, np.int64) - problem.pair_prior).sum())
    return int(np.dot(units, problem.pair_cost)) + penalty * change if units else 0, change


def best_trade(problem: Problem, policy: Policy) -> tuple[list[int], tuple[int, int]]:
    """By enumeration: level counts, then cost and penalty, then change."""
    best = min(
        (
            [-count for count in served_by_level(problem, policy, units)],
            traded(problem, policy.change_penalty, units),
        )
        for units in feasible_plans(problem)
    )
    return [-count for count in best[0]], best[1]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("penalty", [1, 2, 50])
@pytest.mark.parametrize("seed", range(200, 216))
def test_no_plan_makes_a_better_trade(seed: int, penalty: int, order: Order) -> None:
    problem = small_problem(seed, prior=True)
    policy = Policy(order=order, change_penalty=penalty)

    plan = solve(problem, policy)

    levels, trade = best_trade(problem, policy)
    assert plan.level_served.tolist() == levels
    assert traded(problem, penalty, plan.pair_units.tolist()) == trade
    assert plan.change == trade[1]
    assert violations(problem, plan) == []
    assert plan.certificate.optimal
    assert certify(problem, policy, plan).optimal


@pytest.mark.parametrize("seed", range(200, 216))
def test_exactly_the_best_trades_are_certified(seed: int) -> None:
    problem, policy = small_problem(seed, prior=True), Policy(change_penalty=2)
    plan = solve(problem, policy)
    best = best_trade(problem, policy)
    every = list(feasible_plans(problem))
    for units in every[:: max(1, len(every) // 12)]:
        other = replace(plan, pair_units=np.array(units, np.int64))
        value = served_by_level(problem, policy, units), traded(problem, 2, units)
        assert certify(problem, policy, other).optimal == (value == best)


def test_a_larger_penalty_keeps_more_of_the_proposal_at_no_loss_of_good_done() -> None:
    cold = medium_problem(3, 200)
    before = solve(medium_problem(3, 200), Policy(order="severity"))
    problem = replace(cold, pair_prior=before.pair_units)

    plans = [solve(problem, Policy(change_penalty=penalty)) for penalty in (0, 5, 100, 10_000)]

    changes, costs = [plan.change for plan in plans], [plan.cost for plan in plans]
    assert changes == sorted(changes, reverse=True)
    assert changes[-1] < changes[0]
    assert costs == sorted(costs)
    assert len({tuple(plan.level_served.tolist()) for plan in plans}) == 1


def test_without_a_proposal_a_penalty_alters_nothing() -> None:
    problem = medium_problem(4, 80)
    plain, penalised = solve(problem), solve(problem, Policy(change_penalty=7))
    assert plain.pair_units.tolist() == penalised.pair_units.tolist()
    for name in ("need_price", "offer_price", "hub_price"):
        mine, theirs = getattr(plain.certificate, name), getattr(penalised.certificate, name)
        assert (mine == theirs).all()


def test_a_penalty_that_does_not_fit_beside_the_costs_is_refused_by_name() -> None:
    many = Problem(
        need_units=np.ones(600_000, np.int64),
        need_severity=1,
        offer_units=[1],
        pair_need=[0],
        pair_offer=[0],
        pair_cost=[5],
        pair_prior=[1],
    )
    with pytest.raises(ValueError, match="change_penalty is 1000000000000"):
        solve(many, Policy(change_penalty=10**12))
    assert solve(many, Policy(change_penalty=10**9)).change == 0


def test_a_need_that_nothing_spare_reaches_has_a_price_that_proves_the_plan() -> None:
    problem = Problem(
        need_units=[10, 20],
        need_severity=[9, 5],
        offer_units=[20],
        pair_need=[1, 0],
        pair_offer=[0, 0],
        pair_prior=[20, 0],
    )
    plan = solve(problem, Policy(change_penalty=1))
    assert plan.pair_units.tolist() == solve(problem).pair_units.tolist() == [12, 8]
    assert plan.certificate.optimal
