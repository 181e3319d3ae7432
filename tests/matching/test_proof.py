"""A plan that is wrong is caught by the checker, one that could be better by the certificate."""

import json
import pickle
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from matching import Plan, Policy, Problem, certify, solve, violations
from matching.certificate import improvement
from matching.policy import ORDERS, Order
from matching.precedence import tranches
from tests.matching.instances import medium_problem, small_problem
from tests.matching.oracles import best_by_enumeration, feasible_plans, served_by_level


def with_units(plan: Plan, units: list[int]) -> Plan:
    return replace(plan, pair_units=np.array(units, np.int64))


LIMITED = Problem(
    need_units=[3, 4, 2],
    need_severity=[1, 2, 3],
    need_household=[5, 5, 6],
    offer_units=[6, 2],
    offer_household_max=[4, 0],
    pair_need=[0, 1, 2, 1],
    pair_offer=[0, 0, 0, 1],
    pair_max=[3, 3, 3, 1],
    pair_committed=[0, 1, 0, 0],
)


@pytest.mark.parametrize(
    ("units", "said"),
    [
        ([-1, 0, 0, 0], "pair 0: -1 units are negative"),
        ([4, 0, 0, 0], "pair 0: 4 units, the need asks for 3"),
        ([0, 3, 0, 0], "pair 1: 3 units, pair_max leaves 2"),
        ([0, 0, 0, 2], "pair 3: 2 units, pair_max leaves 1"),
        ([0, 0, 3, 0], "pair 2: 3 units, the need asks for 2"),
        ([2, 2, 0, 0], "offer 0: household 5 gets 4 beside 1, limit 4"),
        ([2**62, 2**62, 2**62, 2**62], "pair 0: 4611686018427387904 units"),
    ],
)
def test_a_rule_that_is_broken_is_named(units: list[int], said: str) -> None:
    plan = solve(LIMITED)
    assert violations(LIMITED, plan) == []
    broken = violations(LIMITED, with_units(plan, units))
    assert broken
    assert broken[0].startswith(said)
    assert not certify(LIMITED, Policy(), with_units(plan, units)).optimal


def test_sums_over_a_need_and_over_an_offer_are_checked() -> None:
    two = Problem(
        need_units=[2, 3],
        need_severity=1,
        offer_units=[2, 3],
        pair_need=[0, 0, 1],
        pair_offer=[0, 1, 1],
    )
    plan = solve(two)
    assert violations(two, with_units(plan, [2, 1, 0])) == ["need 0: 3 units served, 2 asked"]
    assert violations(two, with_units(plan, [0, 1, 3])) == ["offer 1: 4 drawn, 3 left"]


def test_rules_that_are_not_solved_yet_are_checked_all_the_same() -> None:
    ruled = Problem(
        need_units=[4, 4],
        need_severity=1,
        offer_units=[9, 9],
        pair_need=[0, 0, 1],
        pair_offer=[0, 1, 0],
        need_min=[4, 1],
        need_max_offers=[1, 0],
        offer_min_lot=[2, 1],
        offer_max_needs=[1, 0],
        pair_draw=[1, 1, 3],
    )
    plan = replace(solve(LIMITED), problem_digest=ruled.digest)
    assert violations(ruled, with_units(plan, [4, 0, 0])) == []
    assert violations(ruled, with_units(plan, [2, 0, 0])) == [
        "need 0: 2 units served, at least 4 or none"
    ]
    assert violations(ruled, with_units(plan, [2, 2, 0])) == ["need 0: 2 offers, 1 allowed"]
    assert violations(ruled, with_units(plan, [0, 0, 1])) == ["pair 2: 1 units, a lot lacks 2"]
    assert violations(ruled, with_units(plan, [0, 0, 4])) == ["pair 2: 4 units, the offer has 3"]
    assert violations(ruled, with_units(plan, [4, 0, 2])) == [
        "offer 0: 10 drawn, 9 left",
        "offer 0: 2 needs, 1 allowed",
    ]


def test_a_plan_for_another_problem_or_of_another_shape_is_refused() -> None:
    plan, other = solve(LIMITED), medium_problem(3)
    assert "int64" in violations(other, plan)[0]
    assert "int64" in violations(LIMITED, replace(plan, pair_units=plan.pair_units * 1.0))[0]
    stale = replace(plan, problem_digest="0" * 64)
    assert violations(LIMITED, stale) == ["problem_digest: the plan was made for another problem"]
    assert not certify(LIMITED, Policy(), replace(plan, components=())).optimal


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("seed", range(16))
def test_exactly_the_best_plans_are_certified(seed: int, order: Order) -> None:
    problem, policy = small_problem(seed, prior=seed % 3 == 0), Policy(order=order)
    plan = solve(problem, policy)
    levels, cost, change = best_by_enumeration(problem, policy)
    every = list(feasible_plans(problem))
    for units in every[:: max(1, len(every) // 8)]:
        worse = with_units(plan, units)
        is_best = (
            served_by_level(problem, policy, units) == levels
            and int(np.dot(worse.pair_units, problem.pair_cost)) == cost
            and int(np.abs(worse.pair_units - problem.pair_prior).sum()) == change
        )
        proof = certify(problem, policy, worse)
        assert proof.optimal == is_best, (units, proof.reason)
        assert bool(proof.reason) != is_best


def one_unit_less(problem: Problem, plan: Plan) -> Plan:
    units = plan.pair_units.copy()
    units[np.flatnonzero(units)[0]] -= 1
    return with_units(plan, units.tolist())


def dearer_exchange(problem: Problem, plan: Plan) -> Plan:
    """Two needs swap a unit of their two offers where that costs more and nothing forbids it."""
    units = plan.pair_units
    ends = zip(problem.pair_need.tolist(), problem.pair_offer.tolist(), strict=True)
    at = {end: k for k, end in enumerate(ends)}
    used = [key for key, k in at.items() if units[k] > 0]
    for i, j in used:
        for other, rival in used:
            if j == rival or (i, rival) not in at or (other, j) not in at:
                continue
            swapped = units.copy()
            swapped[[at[i, j], at[other, rival]]] -= 1
            swapped[[at[i, rival], at[other, j]]] += 1
            moved = with_units(plan, swapped.tolist())
            dearer = np.dot(swapped - units, problem.pair_cost) > 0
            if dearer and not violations(problem, moved):
                return moved
    raise AssertionError("the instance has such an exchange")


@pytest.mark.parametrize("worsen", [one_unit_less, dearer_exchange])
@pytest.mark.parametrize("order", ORDERS)
def test_a_larger_plan_made_a_little_worse_is_not_certified(
    order: Order, worsen: Callable[[Problem, Plan], Plan]
) -> None:
    problem, policy = medium_problem(1, 120), Policy(order=order)
    plan = solve(problem, policy)
    assert certify(problem, policy, plan).optimal

    proof = certify(problem, policy, worsen(problem, plan))

    assert not proof.optimal
    assert proof.proven == 0
    assert proof.reason


def test_a_plan_that_is_best_for_one_policy_is_not_certified_for_another() -> None:
    problem = medium_problem(2, 120)
    plan = solve(problem, Policy(order="severity"))
    assert not certify(problem, Policy(order="leximin"), plan).optimal


@pytest.mark.parametrize("stage", [0, 1])
@pytest.mark.parametrize("which", ["need_price", "offer_price"])
def test_forged_prices_do_not_pass_the_check(stage: int, which: str) -> None:
    problem, policy = medium_problem(4, 120), Policy()
    plan = solve(problem, policy)
    levels = tranches(problem.need_units, problem.need_severity, policy)
    every = np.ones(problem.n_needs, np.bool_), np.ones(problem.n_offers, np.bool_)
    assert improvement(problem, levels, plan.pair_units, plan.certificate, *every) == ""
    caught = 0
    size = getattr(plan.certificate, which).shape[1]
    for row in range(0, size, max(1, size // 20)):
        for step in (-(10**6), 10**6):
            prices = getattr(plan.certificate, which).copy()
            prices[stage, row] += step
            forged = replace(plan.certificate, **{which: prices})
            caught += improvement(problem, levels, plan.pair_units, forged, *every) != ""
    assert caught >= size // max(1, size // 20)


def test_plan_and_certificate_travel_as_pickle_and_as_json() -> None:
    plan = solve(LIMITED)
    copy = pickle.loads(pickle.dumps(plan))
    assert copy.pair_units.tolist() == plan.pair_units.tolist()
    assert certify(LIMITED, Policy(), copy).optimal

    told = json.loads(json.dumps(plan.to_json(pair_units=True)))

    assert told["pair_units"] == plan.pair_units.tolist()
    assert told["status"] == "optimal"
    assert told["level_served"] == plan.level_served.tolist() == told["level_bound"]
    assert told["components"][0]["kind"] == "flow"
    assert told["certificate"]["optimal"] is True
    assert "pair_units" not in plan.to_json()
    assert "components" not in plan.to_json(components=False)
    prices = json.loads(json.dumps(plan.certificate.to_json(prices=True)))
    assert prices["need_price"] == plan.certificate.need_price.tolist()
    keys = json.loads(json.dumps(solve(LIMITED, Policy(order="leximin")).to_json()))["level_keys"]
    assert keys[0] == ["0", "-1/2", -3]


def test_components_add_up_to_the_plan() -> None:
    problem = medium_problem(5, 120, towns=6)
    plan = solve(problem)
    assert len(plan.components) >= 6
    assert sum(part.cost for part in plan.components) == plan.cost
    total = np.zeros_like(plan.level_served)
    for part in plan.components:
        total[part.levels] += part.served
        assert part.served.tolist() == part.bound.tolist()
    assert total.tolist() == plan.level_served.tolist()
    for c, part in enumerate(plan.components):
        assert int((plan.need_component == c).sum()) == part.needs
        assert int((plan.offer_component == c).sum()) == part.offers


def test_prices_that_fit_the_pairs_in_use_do_not_hide_a_cheaper_one() -> None:
    choice = Problem(
        need_units=[1],
        need_severity=1,
        offer_units=[2, 2],
        pair_need=[0, 0],
        pair_offer=[0, 1],
        pair_cost=[1, 5],
    )
    proof = solve(choice).certificate
    forged = replace(proof, need_price=np.array([[0], [5], [0]]), offer_price=proof.offer_price * 0)
    levels = tranches(choice.need_units, choice.need_severity, Policy())
    every = np.ones(1, np.bool_), np.ones(2, np.bool_)
    said = improvement(choice, levels, np.array([0, 1]), forged, *every)
    assert said == "pair 0: one unit more would improve the plan"
