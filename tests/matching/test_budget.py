"""A budget of change holds before everything else, and within it no plan is better."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching import (
    Base,
    Plan,
    Policy,
    Problem,
    ProcessExecutor,
    certify,
    replan,
    solve,
    violations,
)
from matching.policy import ORDERS, Order
from tests.fixtures.drawing import drawn
from tests.matching.edits import with_prior
from tests.matching.instances import medium_problem
from tests.matching.oracles import feasible_plans, served_by_level
from tests.matching.ruled_instances import every_plan, levels_with_blocks, ruled_problems, visits

orders = st.sampled_from(ORDERS)


def tight(order: Order, budget: int, penalty: int = 0) -> Policy:
    """So few levels on these problems that each is a band of its own."""
    return Policy(
        order=order,
        change_budget=budget,
        change_penalty=penalty,
        tranches=(50, 100),
        diminishing=(2, 1),
    )


@st.composite
def tiny_problems(draw: st.DrawFn) -> Problem:
    """Units and severities of one or two: at most eight levels in any order."""
    n, m = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    every = list(product(range(n), range(m)))
    pairs = draw(st.lists(st.sampled_from(every), unique=True, min_size=1, max_size=6))

    def column(size: int, low: int, high: int) -> list[int]:
        return draw(st.lists(st.integers(low, high), min_size=size, max_size=size))

    committed = draw(st.booleans())
    return Problem(
        need_units=column(n, 1, 2),
        need_severity=column(n, 1, 2),
        need_household=column(n, 0, 2),
        offer_units=column(m, 1, 4),
        offer_household_max=column(m, 0, 3),
        pair_need=[i for i, _ in pairs],
        pair_offer=[j for _, j in pairs],
        pair_cost=column(len(pairs), 0, 3),
        pair_max=column(len(pairs), 0, 3),
        pair_committed=column(len(pairs), 0, 1) if committed else 0,
        pair_prior=column(len(pairs), 0, 2),
    )


def change_of(problem: Problem, units: list[int]) -> int:
    return int(np.abs(np.array(units, np.int64) - problem.pair_prior).sum())


def best_within(
    problem: Problem,
    policy: Policy,
    plans: list[list[int]],
    counts: list[list[int]],
    paid: list[int],
) -> tuple[list[int], int, int]:
    """Level counts, cost with the penalty in it and change of the best plan of all."""
    assert policy.change_budget is not None
    changes = [change_of(problem, units) for units in plans]
    most = max(policy.change_budget, min(changes))
    best = min(
        ([-count for count in levels], cost + policy.change_penalty * change, change)
        for levels, cost, change in zip(counts, paid, changes, strict=True)
        if change <= most
    )
    return [-count for count in best[0]], best[1], best[2]


def told(plan: Plan) -> tuple[list[int], int, int]:
    return (
        plan.level_served.tolist(),
        plan.cost + plan.policy.change_penalty * plan.change,
        plan.change,
    )


@drawn(60)
@given(tiny_problems(), orders, st.integers(0, 8), st.sampled_from([0, 0, 2]))
def test_no_plan_within_the_budget_is_better(
    problem: Problem, order: Order, budget: int, penalty: int
) -> None:
    policy = tight(order, budget, penalty)
    plan = solve(problem, policy)

    every = list(feasible_plans(problem))
    counts = [served_by_level(problem, policy, units) for units in every]
    paid = [int(np.dot(units, problem.pair_cost)) for units in every]
    assert told(plan) == best_within(problem, policy, every, counts, paid)
    assert plan.status == "optimal"
    assert plan.gap == 0
    assert violations(problem, plan) == []
    assert certify(problem, policy, plan).reason == ""
    least = min(change_of(problem, units) for units in every)
    assert plan.over_budget == (least > budget)
    if plan.over_budget:
        assert plan.change == least


@drawn(60)
@given(ruled_problems(), st.integers(0, 6))
def test_with_rules_no_plan_within_the_budget_is_better(problem: Problem, budget: int) -> None:
    r = np.random.default_rng(problem.n_pairs)
    problem = replace(
        problem,
        need_value=np.ones(problem.n_needs, np.int64),
        pair_prior=r.integers(0, 3, problem.n_pairs),
    )
    policy = tight("weighted", budget)
    plan = solve(problem, policy)
    every = every_plan(problem)
    assert plan.pair_units.tolist() in every
    assert plan.status == "optimal"
    assert certify(problem, policy, plan).reason == ""
    least = min(change_of(problem, units) for units in every)
    assert plan.change <= max(budget, least)
    fixed = np.where(problem.pair_committed == 0, problem.pair_fixed_cost, 0)
    paid = [
        int(np.dot(units, problem.pair_cost) + fixed @ (np.array(units) > 0)) for units in every
    ]
    counts = [levels_with_blocks(problem, policy, units) for units in every]
    mine = levels_with_blocks(problem, policy, plan.pair_units.tolist())
    best = best_within(problem, policy, every, counts, paid)
    if plan.components and plan.components[-1].change_budget is not None:
        assert (mine, plan.cost) == best[:2]


def test_a_budget_that_does_not_bind_leaves_the_plan_and_its_proof() -> None:
    problem = medium_problem(3, 60)
    free = solve(problem)
    policy = Policy(change_budget=free.change)
    plan = solve(problem, policy)
    assert plan.pair_units.tolist() == free.pair_units.tolist()
    assert plan.certificate.optimal
    assert {part.kind for part in plan.components} == {"flow"}
    assert certify(problem, policy, plan).optimal
    assert (plan.policy, plan.certificate.policy) == (policy, policy)


@pytest.mark.parametrize("seed", range(3))
def test_only_what_would_change_competes_for_the_budget(seed: int) -> None:
    problem = medium_problem(seed, 120, towns=8)
    free = solve(problem)
    prior = free.pair_units.copy()
    stirred = np.isin(free.need_component[problem.pair_need], [0, 1])
    prior[stirred] //= 2
    problem = with_prior(problem, prior)
    best = solve(problem)
    assert best.change > 4
    policy = Policy(change_budget=best.change // 2)
    plan = solve(problem, policy)
    assert plan.change <= best.change // 2
    kinds = [part.kind for part in plan.components]
    assert kinds == ["flow"] * (len(free.components) - 2) + ["mip"]
    assert (plan.pair_units[~stirred] == best.pair_units[~stirred]).all()
    assert certify(problem, policy, plan).reason == ""
    assert plan.level_served.tolist() < best.level_served.tolist()


def test_a_larger_budget_is_never_worse_and_all_of_it_gives_the_best() -> None:
    cold = medium_problem(5, 60)
    before = solve(cold, Policy(order="severity"))
    problem = with_prior(cold, before.pair_units)
    free = solve(problem)
    plans = [solve(problem, Policy(change_budget=b)) for b in (0, 5, 20, free.change)]
    levels = [plan.level_served.tolist() for plan in plans]
    assert levels == sorted(levels)
    assert plans[0].pair_units.tolist() == problem.pair_prior.tolist()
    assert levels[-1] == free.level_served.tolist()


def test_where_even_the_least_change_is_too_much_the_plan_says_so() -> None:
    problem = Problem(
        need_units=[5, 5],
        need_severity=[1, 9],
        offer_units=[4],
        pair_need=[0, 1],
        pair_offer=[0, 0],
        pair_prior=[5, 5],
    )
    plan = solve(problem, Policy(order="severity", change_budget=3))
    assert (plan.change, plan.over_budget, plan.pair_units.tolist()) == (6, True, [0, 4])
    assert plan.status == "optimal"
    assert plan.to_json()["over_budget"] is True
    (part,) = plan.components
    assert part.change_budget == 6
    assert not solve(problem, Policy(order="severity", change_budget=6)).over_budget


def test_a_proposal_along_closed_pairs_uses_up_its_part_of_the_budget() -> None:
    problem = Problem(
        need_units=[4, 4],
        need_severity=[1, 1],
        offer_units=[9],
        pair_need=[0, 1],
        pair_offer=[0, 0],
        pair_max=[0, 9],
        pair_prior=[3, 0],
    )
    plan = solve(problem, Policy(change_budget=5))
    assert (plan.pair_units.tolist(), plan.change) == ([0, 2], 5)
    assert certify(problem, plan.policy, plan).reason == ""


def test_a_plan_that_spends_more_than_it_may_is_refused() -> None:
    problem = medium_problem(3, 60)
    free = solve(problem)
    policy = Policy(change_budget=free.change - 1)
    forged = replace(free, policy=policy)
    assert "allowed" in certify(problem, policy, forged).reason
    plan = solve(problem, policy)
    parts = tuple(replace(part, change_budget=plan.change - 1) for part in plan.components)
    assert "break a rule" in certify(problem, policy, replace(plan, components=parts)).reason


@pytest.mark.parametrize("deadline_s", [0.0, 0.2])
def test_a_deadline_leaves_a_plan_within_the_budget(deadline_s: float) -> None:
    cold = medium_problem(7, 200, towns=2)
    before = solve(cold, Policy(order="severity"))
    problem = with_prior(cold, before.pair_units)
    plan = solve(problem, Policy(change_budget=10), deadline_s=deadline_s)
    assert plan.change <= 10
    assert violations(problem, plan) == []
    assert (np.cumsum(plan.level_bound) >= np.cumsum(plan.level_served)).all()


def test_a_replan_within_a_budget_equals_a_cold_solve() -> None:
    problem = medium_problem(5, 60, towns=4)
    before = solve(problem)
    base = Base.of(problem, Policy(), before)
    after = replace(
        with_prior(problem, before.pair_units),
        offer_units=np.maximum(1, problem.offer_units // 2),
    )
    policy = Policy(change_budget=150)
    cold, warm = solve(after, policy), replan(after, policy, base)
    assert warm.pair_units.tolist() == cold.pair_units.tolist()
    assert (warm.status, warm.change, warm.cost) == (cold.status, cold.change, cold.cost)
    again = Base.of(after, policy, warm)
    assert replan(after, policy, again).pair_units.tolist() == cold.pair_units.tolist()


def test_processes_give_the_same_plan_within_a_budget() -> None:
    problem = visits(2, 14, 4)
    prior = solve(problem, Policy(order="severity")).pair_units
    problem = with_prior(problem, np.roll(prior, 3) * 0 + prior // 2)
    executor = ProcessExecutor(1)
    shares: list[float] = []
    policy = Policy(change_budget=9)
    plan = solve(problem, policy, executor=executor, on_progress=lambda s, _: shares.append(s))
    executor.shutdown()
    assert plan.pair_units.tolist() == solve(problem, policy).pair_units.tolist()
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
