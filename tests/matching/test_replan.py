"""A replan solves only what is touched, and answers what a cold solve would, unit by unit."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching import Base, Plan, Policy, Problem, certify, replan, solve, violations
from matching.policy import ORDERS, Order
from tests.fixtures.drawing import drawn
from tests.matching.edits import edited, with_needs, with_offer, with_prior
from tests.matching.instances import market, medium_problem
from tests.matching.test_properties import problems

orders = st.sampled_from(ORDERS)


def assert_same(plan: Plan, cold: Plan) -> None:
    """Bit for bit: units, levels, cost, and the prices that prove them."""
    assert plan.pair_units.tolist() == cold.pair_units.tolist()
    assert plan.level_served.tolist() == cold.level_served.tolist()
    assert plan.level_keys == cold.level_keys
    assert (plan.cost, plan.change, plan.status) == (cold.cost, cold.change, cold.status)
    mine, theirs = plan.certificate, cold.certificate
    assert (mine.optimal, mine.proven) == (theirs.optimal, theirs.proven)
    for name in ("need_price", "offer_price", "hub_price", "hub_offer", "hub_household"):
        assert (getattr(mine, name) == getattr(theirs, name)).all(), name


@drawn(50)
@given(problems(), orders, st.integers(0, 10**6), st.sampled_from([0, 3]), st.booleans())
def test_a_replan_equals_a_cold_solve_after_any_edits(
    problem: Problem, order: Order, seed: int, penalty: int, keep: bool
) -> None:
    policy = Policy(order=order, change_penalty=penalty)
    before = solve(problem, policy)
    base = Base.of(problem, policy, before)
    after = edited(with_prior(problem, before.pair_units) if keep else problem, seed)
    assert_same(replan(after, policy, base), solve(after, policy))


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("seed", range(8))
def test_components_that_no_edit_touches_are_taken_over(seed: int, order: Order) -> None:
    policy = Policy(order=order)
    problem = medium_problem(seed, 150, towns=12)
    base = Base.of(problem, policy, solve(problem, policy))

    after = edited(problem, seed, edits=2, reordered=False)

    plan = replan(after, policy, base)
    assert_same(plan, solve(after, policy))
    assert violations(after, plan) == []
    assert certify(after, policy, plan).optimal


def test_a_base_survives_a_change_of_weights_elsewhere() -> None:
    """A need of new severity shifts every level behind it; the rest of the market stays known, and
    is so short of everything that its prices are weights."""
    plenty = market(4, 400, towns=20)
    problem = replace(plenty, offer_units=np.maximum(1, plenty.offer_units // 8))
    base = Base.of(problem, Policy(), solve(problem))
    after = with_needs(problem, [3], 1000, [0])
    plan = replan(after, Policy(), base)
    assert_same(plan, solve(after))
    assert untouched(after, base) == 19


def test_only_what_is_touched_is_solved_again() -> None:
    problem = market(5, 400, towns=20)
    base = Base.of(problem, Policy(), solve(problem))
    assert untouched(problem, base) == 20
    assert untouched(with_offer(problem, 5, [0, 1]), base) == 19
    joined = with_offer(problem, 5, [0, 399])  # two towns become one
    assert untouched(joined, base) == 18
    assert_same(replan(joined, Policy(), base), solve(joined))
    assert untouched(replace(problem, pair_cost=problem.pair_cost + 1), base) == 0


def untouched(problem: Problem, base: Base) -> int:
    """Components taken over from the base."""
    return int((base.places(problem, Policy()) >= 0).sum())


def test_a_base_travels_and_knows_its_own_plan_only() -> None:
    problem = medium_problem(2, 80)
    plan = solve(problem)
    base = pickle.loads(pickle.dumps(Base.of(problem, Policy(), plan)))
    assert_same(replan(problem, None, base), plan)
    with pytest.raises(ValueError, match="another problem"):
        Base.of(medium_problem(3, 80), Policy(), plan)
    with pytest.raises(ValueError, match="another problem or policy"):
        Base.of(problem, Policy(order="leximin"), plan)


def test_a_base_of_another_policy_is_used_as_far_as_it_holds() -> None:
    problem = medium_problem(6, 120, towns=6)
    base = Base.of(problem, Policy(), solve(problem))
    for order in ORDERS:
        policy = Policy(order=order)
        assert_same(replan(problem, policy, base), solve(problem, policy))


def test_a_chain_of_replans_stays_equal_to_cold_solves() -> None:
    problem, policy = medium_problem(7, 150, towns=8), Policy(order="leximin", change_penalty=20)
    plan = solve(problem, policy)
    for day in range(5):
        base = Base.of(problem, policy, plan)
        problem = edited(with_prior(problem, plan.pair_units), day)
        plan = replan(problem, policy, base)
        assert_same(plan, solve(problem, policy))


def test_an_empty_market_and_one_without_pairs_are_replanned() -> None:
    empty = Problem(need_units=[], need_severity=[], offer_units=[], pair_need=[], pair_offer=[])
    base = Base.of(empty, Policy(), solve(empty))
    assert replan(empty, Policy(), base).pair_units.tolist() == []
    problem = medium_problem(1, 40)
    assert_same(replan(problem, Policy(), base), solve(problem))
    full = Base.of(problem, Policy(), solve(problem))
    assert replan(empty, Policy(), full).status == "optimal"


def test_units_are_never_taken_over_where_a_capacity_has_changed() -> None:
    problem = medium_problem(9, 60)
    base = Base.of(problem, Policy(), solve(problem))
    less = replace(problem, offer_units=np.maximum(1, problem.offer_units // 2))
    assert_same(replan(less, Policy(), base), solve(less))


@drawn(30)
@given(problems(), orders, st.integers(0, 10**6))
def test_units_alone_make_a_base_without_a_solve(problem: Problem, order: Order, seed: int) -> None:
    policy = Policy(order=order)
    plan = solve(problem, policy)
    base = Base.of_units(problem, policy, plan.pair_units)
    assert (
        base.places(problem, policy) == Base.of(problem, policy, plan).places(problem, policy)
    ).all()
    assert_same(replan(problem, policy, base), plan)
    after = edited(problem, seed)
    assert_same(replan(after, policy, base), solve(after, policy))


@pytest.mark.parametrize("seed", range(6))
def test_units_that_are_not_optimal_make_no_base(seed: int) -> None:
    problem = medium_problem(seed, 60)
    best = solve(problem).pair_units
    for worse in (best * 0, solve(problem, Policy(order="severity")).pair_units):
        with pytest.raises(ValueError, match=r"not optimal|exchanges"):
            Base.of_units(problem, Policy(), worse)
    dear = replace(problem, pair_cost=problem.pair_cost[::-1].copy())
    with pytest.raises(ValueError, match="exchanges"):
        Base.of_units(dear, Policy(), best)
    with pytest.raises(ValueError, match="break"):
        Base.of_units(problem, Policy(), best + 1000)


def test_a_plan_whose_prices_prove_nothing_makes_no_base() -> None:
    problem = medium_problem(2, 80)
    plan = solve(problem)
    proof = replace(plan.certificate, need_price=plan.certificate.need_price * 0)
    with pytest.raises(ValueError, match="do not prove"):
        Base.of(problem, Policy(), replace(plan, certificate=proof))
    other = np.roll(plan.pair_units, 1)
    with pytest.raises(ValueError, match="do not prove"):
        Base.of(problem, Policy(), replace(plan, pair_units=other))


def test_components_that_look_alike_at_first_sight_are_told_apart() -> None:
    """Many small ones, equal but for one number each: a base of them is never mixed up."""
    r = np.random.default_rng(4)
    count = 300
    problem = Problem(
        need_units=r.integers(1, 3, 2 * count),
        need_severity=r.integers(1, 3, 2 * count),
        offer_units=r.integers(1, 4, count),
        pair_need=np.arange(2 * count),
        pair_offer=np.arange(2 * count) // 2,
        pair_cost=r.integers(0, 2, 2 * count),
    )
    base = Base.of(problem, Policy(), solve(problem))
    after = edited(problem, 1, edits=5, reordered=False)
    assert_same(replan(after, Policy(), base), solve(after))
    assert untouched(after, base) >= count - 25  # an edit touches at most five
