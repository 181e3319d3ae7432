"""What one unit more or less does is what solving again finds, level by level, then cost."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching import Marginals, Policy, Problem, marginals, solve
from matching.policy import ORDERS, Order
from tests.fixtures.drawing import drawn
from tests.matching.instances import medium_problem
from tests.matching.one_unit import (
    Difference,
    difference,
    with_claim,
    with_new_offer,
    with_offer_units,
)

orders = st.sampled_from(ORDERS)


@st.composite
def problems(draw: st.DrawFn, *, caps: bool = True) -> Problem:
    n, m = draw(st.integers(1, 7)), draw(st.integers(1, 5))
    every = [(i, j) for i in range(n) for j in range(m)]
    pairs = draw(st.lists(st.sampled_from(every), unique=True, max_size=20))
    units = st.one_of(st.integers(1, 3), st.integers(1, 9), st.integers(1, 300))

    def column(size: int, values: Any) -> list[int]:
        return draw(st.lists(values, min_size=size, max_size=size))

    p = len(pairs)
    drawn: dict[str, Any] = {
        "need_units": column(n, units),
        "need_severity": column(n, st.integers(1, 4)),
        "need_household": column(n, st.integers(0, 3)),
        "offer_units": column(m, units),
        "offer_household_max": column(m, st.one_of(st.just(0), units)),
        "pair_need": [i for i, _ in pairs],
        "pair_offer": [j for _, j in pairs],
        "pair_cost": column(p, st.one_of(st.integers(0, 3), st.integers(0, 10**9))),
        "pair_prior": column(p, st.integers(0, 9)),
    }
    if caps:
        drawn["pair_max"] = column(p, st.one_of(st.integers(0, 9), units))
        drawn["pair_committed"] = column(p, st.integers(0, 3))
    return Problem(**drawn)


def gained(found: Marginals, level: int, cost: int) -> Difference:
    return ({} if level < 0 else {found.level_keys[level]: 1}), int(cost)


def lost(found: Marginals, level: int, cost: int) -> Difference:
    return ({} if level < 0 else {found.level_keys[level]: -1}), int(cost)


@drawn(40)
@given(problems(), orders, st.data())
def test_one_unit_more_or_less_of_an_offer_does_what_was_said(
    problem: Problem, order: Order, data: st.DataObject
) -> None:
    policy = Policy(order=order)
    plan = solve(problem, policy)
    found = marginals(problem, policy, plan)
    j = data.draw(st.integers(0, problem.n_offers - 1))

    more = difference(with_offer_units(problem, j, 1), policy, plan)
    less = difference(with_offer_units(problem, j, -1), policy, plan)

    assert more == gained(found, found.offer_gain_level[j], found.offer_gain_cost[j])
    assert less == lost(found, found.offer_loss_level[j], found.offer_loss_cost[j])
    assert not found.offer_estimate[j]


@drawn(40)
@given(problems(), orders, st.data())
def test_the_first_unit_of_a_new_offer_does_what_was_said(
    problem: Problem, order: Order, data: st.DataObject
) -> None:
    policy = Policy(order=order)
    plan = solve(problem, policy)
    found = marginals(problem, policy, plan)
    needs = data.draw(st.lists(st.integers(0, problem.n_needs - 1), unique=True, max_size=4))
    costs = data.draw(st.lists(st.integers(0, 5), min_size=len(needs), max_size=len(needs)))
    given_to = data.draw(st.integers(0, problem.n_needs - 1))

    worth = found.of_new_offer(needs, costs)
    gift = difference(with_new_offer(problem, [given_to], [0]), policy, plan)

    assert difference(with_new_offer(problem, needs, costs), policy, plan) == gained(
        found, worth.level, worth.cost
    )
    assert worth.key == (None if worth.level < 0 else plan.level_keys[worth.level])
    assert gift == gained(found, found.need_gain_level[given_to], found.need_gain_cost[given_to])


@drawn(40)
@given(problems(caps=False), orders, st.data())
def test_a_unit_that_must_be_served_costs_what_was_said(
    problem: Problem, order: Order, data: st.DataObject
) -> None:
    policy = Policy(order=order)
    plan = solve(problem, policy)
    found = marginals(problem, policy, plan)
    i = data.draw(st.integers(0, problem.n_needs - 1))

    units, cost = difference(with_claim(problem, i), policy, plan)

    claimed = [key for key, count in units.items() if key not in plan.level_keys and count == 1]
    assert bool(claimed) == bool(found.need_reachable[i])
    if claimed:
        del units[claimed[0]]
        assert (units, cost) == lost(found, found.need_loss_level[i], found.need_loss_cost[i])


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("seed", range(4))
def test_in_a_county_in_little_every_offer_is_worth_what_was_said(seed: int, order: Order) -> None:
    problem, policy = medium_problem(seed, 40), Policy(order=order)
    plan = solve(problem, policy)
    found = marginals(problem, policy, plan)
    for j in range(problem.n_offers):
        more = difference(with_offer_units(problem, j, 1), policy, plan)
        less = difference(with_offer_units(problem, j, -1), policy, plan)
        assert more == gained(found, found.offer_gain_level[j], found.offer_gain_cost[j]), j
        assert less == lost(found, found.offer_loss_level[j], found.offer_loss_cost[j]), j


def test_what_rules_close_is_not_counted_as_a_way_to_improve_a_plan() -> None:
    problem = Problem(
        need_units=[1, 1],
        need_severity=[1, 1],
        offer_units=[1, 1],
        pair_need=[1, 1, 0, 0],
        pair_offer=[0, 1, 0, 1],
        pair_cost=[0, 0, 0, 1],
        pair_committed=[1, 0, 0, 0],
        need_max_offers=[0, 1],
    )
    plan = solve(problem)
    assert plan.status == "optimal"
    found = marginals(problem, Policy(), plan)
    assert found.offer_loss_level.tolist() == [0, 0]
