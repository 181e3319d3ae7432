"""Why a need is short: what is named is what stands in the way."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching import Plan, Policy, Problem, explain, explanations, marginals, served_units, solve
from matching.policy import ORDERS, Order
from tests.fixtures.drawing import drawn
from tests.matching.instances import medium_problem
from tests.matching.one_unit import columns, difference, with_new_offer, without_needs
from tests.matching.test_marginals import problems

orders = st.sampled_from(ORDERS)


@drawn(60)
@given(problems(), orders, st.data())
def test_the_reason_is_what_stands_in_the_way(
    problem: Problem, order: Order, data: st.DataObject
) -> None:
    policy = Policy(order=order)
    plan = solve(problem, policy)
    short = problem.need_units - served_units(problem, plan.pair_units)
    i = data.draw(st.sampled_from([*np.flatnonzero(short).tolist(), 0]))

    why = explain(problem, policy, plan, i)

    assert why.complete == (short[i] == 0)
    assert (why.kind == "nothing_eligible") == (short[i] > 0 and i not in problem.pair_need)
    assert (why.units_short, why.estimate) == (short[i], False)
    assert why.kind != "undecided"
    served = served_units(problem, plan.pair_units)[i]
    if why.kind == "outranked":
        gone = {*why.outranking_needs.tolist(), *why.waiting_needs.tolist()}
        poorer = without_needs(problem, gone)
        assert served_units(poorer, solve(poorer, policy).pair_units)[i] > served
    if why.kind in ("outranked", "capacity"):
        units, _ = difference(with_new_offer(problem, [i], [0]), policy, plan)
        level = marginals(problem, policy, plan).need_gain_level[i]
        assert units == {plan.level_keys[level]: 1}
        assert level <= why.level
    if why.kind == "capacity":
        assert why.held_higher == 0 or any(why.rules) or len(why.outranking_needs) == 0
    if why.kind == "rule":
        freed = lifted(without_needs(problem, set(range(problem.n_needs)) - {i}), problem, why, i)
        assert served_units(freed, solve(freed, policy).pair_units)[i] > served


def lifted(poorer: Problem, problem: Problem, why: object, i: int) -> Problem:
    """Without the rules that are named, at the offers that are named."""
    most, share = poorer.pair_max.copy(), poorer.offer_household_max.copy()
    for stopped in why.rules:  # type: ignore[attr-defined]
        theirs = np.isin(problem.pair_offer, stopped.offers) & (problem.pair_need == i)
        if stopped.rule == "pair_max":
            most[theirs] = 10**18
        else:
            assert stopped.rule == "offer_household_max"
            share[stopped.offers] = 0
    return Problem(**columns(poorer) | {"pair_max": most, "offer_household_max": share})


@drawn(60)
@given(problems(caps=False), orders)
def test_counts_for_all_are_those_of_the_lists_for_each(problem: Problem, order: Order) -> None:
    free = Problem(**columns(problem) | {"offer_household_max": np.zeros(problem.n_offers, int)})
    policy = Policy(order=order)
    plan = solve(free, policy)
    all_ = explanations(free, policy, plan)
    for s, i in enumerate(all_.need.tolist()):
        why = explain(free, policy, plan, i)
        assert why.kind == all_.kind_of(s)
        assert why.kind != "rule"
        assert len(why.outranking_needs) == why.needs_higher == all_.needs_higher[s]
        assert why.outranking_units.sum() == why.held_higher == all_.held_higher[s]
        assert why.tied_units.sum() == why.held_equal == all_.held_equal[s]
        assert set(why.tied_needs) - set(why.outranking_needs) <= set(range(free.n_needs))
        assert len({*why.tied_needs} - {*why.outranking_needs}) == all_.needs_equal[s]
        capacity = why.held_higher + why.held_equal + why.held_own + why.left
        assert capacity == why.capacity == free.offer_units[why.direct_offers].sum()
        assert why.left == 0
        mine = all_.short_need == i
        assert all_.short_units[mine].sum() == why.units_short
        assert all_.short_level[mine][0] == why.level


@pytest.mark.parametrize("order", ORDERS)
def test_in_a_county_in_little_nobody_who_outranks_has_a_unit_of_lower_precedence(
    order: Order,
) -> None:
    problem, policy = medium_problem(5), Policy(order=order)
    plan = solve(problem, policy)
    for s, i in enumerate((all_ := explanations(problem, policy, plan)).need.tolist()):
        why = explain(problem, policy, plan, i)
        assert (why.kind, why.level) == (all_.kind_of(s), all_.level[s])
        if why.kind == "outranked":
            assert why.outranking_units.min() > 0
            assert i not in why.outranking_needs
            assert not set(why.direct_offers) & set(why.reassigned_offers)


def test_who_comes_before_is_named_directly_and_through_re_assignment() -> None:
    chain = Problem(
        need_units=[1, 1, 1],
        need_severity=[9, 8, 1],
        offer_units=[1, 1],
        pair_need=[0, 1, 1, 2],
        pair_offer=[0, 0, 1, 1],
    )
    policy = Policy(order="severity")
    why = explain(chain, policy, solve(chain, policy), 2)

    assert (why.kind, why.level, why.units_short) == ("outranked", 2, 1)
    assert (why.outranking_needs.tolist(), why.outranking_units.tolist()) == ([1], [1])
    assert (why.direct_offers.tolist(), why.reassigned_offers.tolist()) == ([1], [0])
    assert (why.reassigned_needs.tolist(), why.reassigned_units.tolist()) == ([0], [1])
    assert json.loads(json.dumps(why.to_json()))["outranking_needs"] == [1]


def test_a_tie_that_cost_decided_is_no_outranking() -> None:
    tie = Problem(
        need_units=[1, 1],
        need_severity=3,
        offer_units=[1],
        pair_need=[0, 1],
        pair_offer=[0, 0],
        pair_cost=[5, 6],
    )
    why = explain(tie, Policy(), solve(tie), 1)
    assert (why.kind, why.held_equal, why.tied_needs.tolist()) == ("capacity", 1, [0])
    assert explain(tie, Policy(), solve(tie), 0).kind == "complete"


def test_a_rule_is_named_with_the_offers_that_it_keeps_back() -> None:
    ruled = Problem(
        need_units=[5, 4, 4],
        need_severity=1,
        need_household=[0, 1, 1],
        offer_units=[9, 9],
        offer_household_max=[0, 3],
        pair_need=[0, 1, 2],
        pair_offer=[0, 1, 1],
        pair_max=[2, 9, 9],
    )
    plan = solve(ruled)
    told = [explain(ruled, Policy(), plan, i) for i in range(3)]
    assert [why.kind for why in told] == ["rule"] * 3
    names = [[(s.rule, s.offers.tolist()) for s in why.rules] for why in told]
    assert names == [[("pair_max", [0])]] + [[("offer_household_max", [1])]] * 2
    all_ = explanations(ruled, Policy(), plan)
    assert [all_.rules_of(s) for s in range(3)] == [
        ("pair_max",),
        ("offer_household_max",),
        ("offer_household_max",),
    ]
    assert all_.ruled_offers.tolist() == [1, 1, 1]
    assert json.loads(json.dumps(all_.to_json()))["kind"] == [2, 2, 2]


def as_mip(problem: Problem, pair_units: list[int]) -> Plan:
    """A plan as a solver of rules might give it."""
    names = ("need_units", "need_severity", "offer_units", "pair_need", "pair_offer")
    plain = Problem(**{name: getattr(problem, name) for name in names})
    plan = solve(plain)
    return replace(
        plan,
        pair_units=np.array(pair_units, np.int64),
        components=tuple(replace(part, kind="mip") for part in plan.components),
        problem_digest=problem.digest,
    )


@pytest.mark.parametrize(
    ("rule", "column", "pair_units"),
    [
        ("need_min", {"need_min": [4, 1]}, [0, 1]),
        ("need_max_offers", {"need_max_offers": [1, 0], "pair_max": [9, 9]}, [0, 1]),
        ("offer_min_lot", {"offer_min_lot": [3]}, [0, 1]),
        ("offer_max_needs", {"offer_max_needs": [1]}, [0, 1]),
    ],
)
def test_rules_beyond_a_flow_are_named_as_an_estimate(
    rule: str, column: dict[str, list[int]], pair_units: list[int]
) -> None:
    values = {
        "need_units": [4, 1],
        "need_severity": [2, 2],
        "offer_units": [3],
        "pair_need": [0, 1],
        "pair_offer": [0, 0],
    }
    if rule == "need_max_offers":
        values |= {"offer_units": [3, 3], "pair_need": [0, 0], "pair_offer": [0, 1]}
        pair_units = [3, 0]
    problem = Problem(**values | column)  # type: ignore[arg-type]
    plan = as_mip(problem, pair_units)
    why = explain(problem, Policy(), plan, 0)
    assert (why.kind, why.estimate) == ("rule", True)
    assert [stopped.rule for stopped in why.rules] == [rule]
    worth = marginals(problem, Policy(), plan)
    assert bool(worth.need_estimate.any())
    assert bool(worth.offer_estimate.any())


def test_a_plan_for_another_problem_or_policy_is_refused() -> None:
    problem, other = medium_problem(1), medium_problem(2)
    plan = solve(problem)
    for asked in (explanations, marginals):
        with pytest.raises(ValueError, match="another problem"):
            asked(other, Policy(), plan)
        with pytest.raises(ValueError, match="another policy"):
            asked(problem, Policy(order="weighted"), plan)
    with pytest.raises(IndexError):
        explain(problem, Policy(), plan, problem.n_needs)
    with pytest.raises(ValueError, match="twice"):
        explanations(problem, Policy(), plan, [1, 1])
