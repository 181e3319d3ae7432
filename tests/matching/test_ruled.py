"""Rules: the plan is the best there is band by band, and what is not proven is said."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching import Plan, Policy, Problem, certify, solve, violations
from matching.policy import ORDERS, Order
from tests.fixtures.drawing import drawn
from tests.matching.ruled_instances import (
    RULES,
    every_plan,
    levels_with_blocks,
    ruled_problems,
    visits,
)

orders = st.sampled_from(ORDERS)


def band_values(problem: Problem, policy: Policy, plan: Plan, units: list[int]) -> list[list[int]]:
    """What a plan does, band by band, in each part with rules that bind (its needs by hand)."""
    values = []
    for c, part in enumerate(plan.components):
        inside = plan.need_component[problem.pair_need] == c
        mine = [x if here else 0 for x, here in zip(units, inside.tolist(), strict=True)]
        if not part.bands:
            values.append(levels_with_blocks(problem, policy, mine))
            continue
        levels = levels_with_blocks(problem, policy, mine)
        # Every band is one level here, and all needs have one value: a value is units.
        values.append([levels[band.first] for band in part.bands])
    return values


def paid(problem: Problem, units: list[int]) -> int:
    fixed = np.where(problem.pair_committed == 0, problem.pair_fixed_cost, 0)
    x = np.array(units)
    return int(x @ problem.pair_cost + fixed @ (x > 0))


def assert_best(problem: Problem, policy: Policy) -> None:
    plan = solve(problem, policy)

    assert violations(problem, plan) == []
    assert plan.status == "optimal"
    assert plan.gap == 0
    assert plan.cost == paid(problem, plan.pair_units.tolist())
    assert certify(problem, policy, plan).reason == ""
    every = every_plan(problem)
    assert plan.pair_units.tolist() in every
    keys = [(band_values(problem, policy, plan, units), -paid(problem, units)) for units in every]
    got = band_values(problem, policy, plan, plan.pair_units.tolist())
    best = [max(key[0][c] for key in keys) for c in range(len(plan.components))]
    assert got == best
    assert -plan.cost == max(cost for values, cost in keys if values == best)


def of_one_value(problem: Problem) -> Problem:
    return replace(problem, need_value=np.ones(problem.n_needs, np.int64))


@pytest.mark.parametrize("rule", sorted(RULES))
@drawn(15)
@given(data=st.data())
def test_with_one_rule_no_plan_is_better(rule: str, data: st.DataObject) -> None:
    problem = of_one_value(data.draw(ruled_problems(rule)))
    # Two levels at most: each is a band of its own, and their values are counts of units.
    assert_best(problem, Policy(order="weighted", tranches=(50, 100), diminishing=(2, 1)))


@drawn(40)
@given(ruled_problems())
def test_with_any_rules_together_no_plan_is_better(problem: Problem) -> None:
    problem = of_one_value(problem)
    assert_best(problem, Policy(order="weighted", tranches=(50, 100), diminishing=(2, 1)))


@drawn(20)
@given(ruled_problems(), orders)
def test_every_plan_keeps_every_rule_and_no_bound_is_below_what_is_possible(
    problem: Problem, order: Order
) -> None:
    policy = Policy(order=order)
    for deadline_s in (None, 0.0):
        plan = solve(problem, policy, deadline_s=deadline_s)
        assert violations(problem, plan) == []
        bound = np.cumsum(plan.level_bound)
        blind = replace(problem, need_min=np.ones(problem.n_needs, np.int64))
        free = Policy(order=order)
        for units in every_plan(problem):
            assert (np.cumsum(levels_with_blocks(blind, free, units)) <= bound).all()
        for part in plan.components:
            assert all(band.served <= band.bound <= band.asked for band in part.bands)
            assert (part.status == "optimal") == (not part.unproven and deadline_s is None)


@drawn(15)
@given(ruled_problems(), orders, st.integers(0, 10**6))
def test_the_order_of_rows_changes_no_band_and_no_cost(
    problem: Problem, order: Order, seed: int
) -> None:
    r = np.random.default_rng(seed)
    needs, offers = r.permutation(problem.n_needs), r.permutation(problem.n_offers)
    pairs = r.permutation(problem.n_pairs)
    columns = {}
    for name in Problem.__slots__:
        if name.startswith(("need_", "offer_", "pair_")):
            rows = {"need": needs, "offer": offers, "pair": pairs}[name.split("_")[0]]
            columns[name] = getattr(problem, name)[rows]
    columns["pair_need"] = np.argsort(needs)[columns["pair_need"]]
    columns["pair_offer"] = np.argsort(offers)[columns["pair_offer"]]

    one, other = solve(problem, Policy(order=order)), solve(Problem(**columns), Policy(order=order))

    def told(plan: Plan) -> list[tuple[list[int], int]]:
        return sorted(([band.served for band in part.bands], part.cost) for part in plan.components)

    assert told(one) == told(other)
    assert one.cost == other.cost


def test_a_minimum_that_cannot_be_reached_leaves_the_need_open() -> None:
    problem = Problem(
        need_units=[5, 4],
        need_min=[5, 1],
        need_severity=[9, 1],
        offer_units=[3, 1],
        pair_need=[0, 0, 1],
        pair_offer=[0, 1, 0],
    )
    plan = solve(problem)
    assert plan.pair_units.tolist() == [0, 0, 3]
    assert [part.kind for part in plan.components] == ["flow"]
    assert plan.certificate.optimal


def test_money_is_never_spent_twice_and_goes_where_it_does_most() -> None:
    problem = Problem(
        need_units=[10, 10],
        need_severity=[1, 1],
        need_value=[300, 800],
        offer_units=[3050],
        pair_need=[0, 1],
        pair_offer=[0, 0],
        pair_draw=[300, 800],
    )
    plan = solve(problem, Policy(order="weighted", tranches=(100,), diminishing=(1,)))
    spent = int(plan.pair_units @ problem.pair_draw)
    assert spent == 3000  # 10 x 300, or 2 x 300 + 3 x 800: what is left buys nothing
    assert plan.status == "optimal"
    assert plan.certificate.ruled == plan.certificate.ruled_proven == 1


def test_cash_of_one_price_is_units_and_stays_a_flow() -> None:
    problem = Problem(
        need_units=[3, 3],
        need_severity=[2, 1],
        need_household=[7, 7],
        offer_units=[2599],
        offer_household_max=[2100],
        pair_need=[0, 1],
        pair_offer=[0, 0],
        pair_draw=500,
        pair_committed=[0, 1],
    )
    plan = solve(problem)
    assert int(plan.pair_units.sum()) == 3
    assert [part.kind for part in plan.components] == ["flow"]
    assert certify(problem, Policy(), plan).optimal


def test_rules_elsewhere_leave_a_flow_as_it_was() -> None:
    plain = Problem(
        need_units=[4, 4],
        need_severity=[2, 1],
        offer_units=[3, 3],
        pair_need=[0, 0, 1],
        pair_offer=[0, 1, 1],
        pair_cost=[5, 2, 1],
    )
    beside = Problem(
        need_units=[4, 4, 4, 4],
        need_severity=[2, 1, 2, 1],
        need_min=[1, 1, 4, 1],
        offer_units=[3, 3, 5],
        pair_need=[0, 0, 1, 2, 3],
        pair_offer=[0, 1, 1, 2, 2],
        pair_cost=[5, 2, 1, 0, 0],
    )
    plan = solve(beside)
    assert plan.pair_units[:3].tolist() == solve(plain).pair_units.tolist()
    assert [part.kind for part in plan.components] == ["flow", "mip"]
    worse = replace(plan, pair_units=plan.pair_units - np.array([1, 0, 0, 0, 0]))
    assert not certify(beside, Policy(), worse).optimal


def test_claims_about_a_ruled_part_that_its_units_do_not_bear_out_are_refused() -> None:
    problem = visits(1, 8, 3)
    plan = solve(problem)
    assert certify(problem, Policy(), plan).optimal
    nothing = replace(plan, pair_units=plan.pair_units * 0)
    assert "component 0" in certify(problem, Policy(), nothing).reason
    part = plan.components[0]
    lowered = tuple(replace(band, bound=band.served - 1) for band in part.bands)
    forged = replace(plan, components=(replace(part, bands=lowered),))
    assert not certify(problem, Policy(), forged).optimal


@pytest.mark.parametrize("seed", range(3))
def test_visits_are_packed_whole_and_both_solvers_agree(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = visits(seed, 14, 4)
    packed = solve(problem)
    monkeypatch.setattr("matching.ruled.component.RuledComponent.packs", False)
    mixed = solve(problem)
    served = np.bincount(problem.pair_need, packed.pair_units, problem.n_needs)
    assert set(served[served > 0] - problem.need_units[served > 0]) <= {0}
    for plan in (packed, mixed):
        assert plan.status == "optimal"
    assert [band.served for band in packed.components[0].bands] == [
        band.served for band in mixed.components[0].bands
    ]
    assert packed.cost == mixed.cost


def test_what_is_committed_takes_a_slot_and_meets_a_part_of_the_minimum() -> None:
    problem = Problem(
        need_units=[4, 2],
        need_min=[5, 1],
        need_max_offers=[1, 0],
        need_severity=[1, 1],
        offer_units=[9, 9],
        pair_need=[0, 0, 1],
        pair_offer=[0, 1, 1],
        pair_committed=[1, 0, 0],
        pair_fixed_cost=[50, 50, 7],
    )
    plan = solve(problem)
    assert plan.pair_units.tolist() == [4, 0, 2]
    assert plan.cost == 7
    assert violations(problem, replace(plan, pair_units=np.array([3, 0, 2]))) == [
        "need 0: 3 units served, at least 4 or none"
    ]
    assert violations(problem, replace(plan, pair_units=np.array([3, 1, 0]))) == [
        "need 0: 2 offers, 1 allowed"
    ]
