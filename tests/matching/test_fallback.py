"""A deadline at any moment leaves a plan: in order of precedence, its bound honest, unbroken."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching import Base, Plan, Policy, Problem, certify, replan, solve, violations
from matching.policy import ORDERS, Order
from tests.fixtures.drawing import drawn
from tests.matching.edits import edited, with_prior
from tests.matching.instances import market, medium_problem
from tests.matching.test_properties import problems

orders = st.sampled_from(ORDERS)


def assert_honest(problem: Problem, policy: Policy, plan: Plan, best: Plan) -> None:
    """No rule broken, nothing claimed, and bounds that the best plan keeps."""
    assert violations(problem, plan) == []
    assert {part.status for part in plan.components} <= {"deadline"}
    assert (np.cumsum(plan.level_bound) >= np.cumsum(best.level_served)).all()
    assert plan.level_served.tolist() <= best.level_served.tolist()
    assert plan.certificate.proven == 0
    assert certify(problem, policy, plan).proven == 0
    served, bound = np.cumsum(plan.level_served), np.cumsum(plan.level_bound)
    assert (plan.gap > 0) == bool((bound > served).any())


@drawn(50)
@given(problems(), orders)
def test_a_deadline_that_has_passed_leaves_a_plan_with_its_bound(
    problem: Problem, order: Order
) -> None:
    policy = Policy(order=order)
    plan = solve(problem, policy, deadline_s=0)
    assert_honest(problem, policy, plan, solve(problem, policy))
    if any(part.pairs for part in plan.components):
        assert plan.status == "deadline"


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("seed", range(3))
def test_what_a_household_may_get_of_an_offer_holds_for_a_first_plan(
    seed: int, order: Order
) -> None:
    """Several needs a household, and little of each offer for one of them."""
    plain, policy = medium_problem(seed, 120), Policy(order=order)
    problem = replace(
        plain,
        need_household=np.arange(plain.n_needs) // 4,
        offer_household_max=np.full(plain.n_offers, 3),
    )
    plan = solve(problem, policy, deadline_s=0)
    assert plan.pair_units.sum() > 0
    assert_honest(problem, policy, plan, solve(problem, policy))


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("seed", range(4))
def test_no_unit_could_simply_be_added_to_a_first_plan(seed: int, order: Order) -> None:
    problem = medium_problem(seed, 120, rules=False)
    plan = solve(problem, Policy(order=order), deadline_s=0)
    served = np.bincount(problem.pair_need, plan.pair_units, problem.n_needs)
    drawn = np.bincount(problem.pair_offer, plan.pair_units, problem.n_offers)
    short, left = served < problem.need_units, drawn < problem.offer_units
    assert not (short[problem.pair_need] & left[problem.pair_offer]).any()


@pytest.mark.parametrize("order", ORDERS)
def test_the_highest_precedences_come_first(order: Order) -> None:
    """Every need may take from the one offer: then nothing is better than to serve in order."""
    r = np.random.default_rng(5)
    units = r.integers(1, 300, 40)
    problem = Problem(
        need_units=units,
        need_severity=r.integers(1, 30, 40),
        offer_units=[int(units.sum()) // 2],
        pair_need=np.arange(40),
        pair_offer=np.zeros(40, np.int64),
    )
    policy = Policy(order=order)
    first, best = solve(problem, policy, deadline_s=0), solve(problem, policy)
    if order in ("floor", "weighted"):
        assert first.level_served.tolist() == best.level_served.tolist()
    served = np.cumsum(first.level_served) / np.maximum(np.cumsum(best.level_served), 1)
    assert served.min() > 0.8


@pytest.mark.parametrize("seed", range(6))
def test_an_earlier_proposal_that_still_holds_is_kept(seed: int) -> None:
    problem = medium_problem(seed, 150, towns=5)
    before = solve(problem)
    kept = solve(with_prior(problem, before.pair_units), deadline_s=0)
    assert kept.level_served.tolist() == before.level_served.tolist()
    assert kept.change == 0
    assert kept.status == "deadline"
    less = edited(with_prior(problem, before.pair_units), seed)
    assert_honest(less, Policy(), solve(less, deadline_s=0), solve(less))


def test_a_replan_that_runs_out_of_time_keeps_what_is_known_and_its_proof() -> None:
    problem = market(5, 400, towns=20)
    base = Base.of(problem, Policy(), solve(problem))
    after = edited(problem, 3, edits=2, reordered=False)
    known = int((base.places(after, Policy()) >= 0).sum())
    plan = replan(after, Policy(), base, deadline_s=0)
    states = [part.status for part in plan.components]
    assert states.count("optimal") == known == plan.certificate.proven
    assert states.count("deadline") == len(states) - known > 0
    assert all(part.served.sum() > 0 for part in plan.components)
    assert violations(after, plan) == []
