"""A replan takes over components with rules as well: those that nothing touches are not solved."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching import Base, Plan, Policy, Problem, certify, replan, solve, violations
from matching.policy import ORDERS, Order
from tests.fixtures.drawing import drawn
from tests.matching.edits import edited, with_needs
from tests.matching.instances import medium_problem
from tests.matching.ruled_instances import ruled_problems, visits
from tests.matching.test_replan import assert_same


class Counting(Executor):
    """Runs what it is given here and now, and remembers how many pairs that were."""

    def __init__(self) -> None:
        self.calls = 0

    def submit(self, fn: Callable[..., object], /, *args: object, **kwargs: object) -> "Future":
        self.calls += 1
        future: Future[object] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def beside(*problems: Problem) -> Problem:
    """Markets next to each other that nothing connects."""
    columns: dict[str, np.ndarray] = {}
    for name in (field.name for field in fields(Problem) if field.init):
        parts, needs, offers = [], 0, 0
        for problem in problems:
            shift = {"pair_need": needs, "need_household": needs, "pair_offer": offers}
            parts.append(getattr(problem, name) + shift.get(name, 0))
            needs, offers = needs + problem.n_needs, offers + problem.n_offers
        columns[name] = np.concatenate(parts)
    return Problem(**columns)


def assert_same_claims(plan: Plan, cold: Plan) -> None:
    """All that is said of components, bands and bounds included."""
    assert_same(plan, cold)
    for mine, theirs in zip(plan.components, cold.components, strict=True):
        assert mine.to_json() == theirs.to_json()


@pytest.fixture(scope="module")
def towns() -> Problem:
    plain = medium_problem(4, 60, towns=3)
    return beside(visits(1, 10, 3), plain, visits(2, 12, 4), visits(3, 9, 3))


@pytest.mark.parametrize("order", ORDERS)
def test_what_is_known_is_not_solved_again(towns: Problem, order: Order) -> None:
    policy = Policy(order=order)
    cold = solve(towns, policy)
    assert [part.kind for part in cold.components].count("mip") >= 3
    base = Base.of(towns, policy, cold)
    counting = Counting()
    assert_same_claims(replan(towns, policy, base, executor=counting), cold)
    assert counting.calls == 0
    assert (base.places(towns, policy) >= 0).all()


@pytest.mark.parametrize("order", ORDERS)
def test_a_need_more_in_one_town_leaves_the_others_known(towns: Problem, order: Order) -> None:
    """Its severity is new, so the level of every unit behind it moves."""
    policy = Policy(order=order)
    base = Base.of(towns, policy, solve(towns, policy))
    after = with_needs(towns, [2], 77, [0])
    assert (base.places(after, policy) < 0).sum() == 1
    plan = replan(after, policy, base)
    assert_same_claims(plan, solve(after, policy))
    assert certify(after, policy, plan).reason == ""
    assert violations(after, plan) == []


@drawn(30)
@given(ruled_problems(), ruled_problems(), st.integers(0, 10**6), st.sampled_from(ORDERS))
def test_a_replan_equals_a_cold_solve_whatever_the_rules(
    one: Problem, other: Problem, seed: int, order: Order
) -> None:
    policy = Policy(order=order, change_penalty=seed % 2)
    before = beside(one, other)
    base = Base.of(before, policy, solve(before, policy))
    after = beside(one, edited(other, seed, reordered=False))
    assert_same_claims(replan(after, policy, base), solve(after, policy))


def test_every_rule_is_a_part_of_what_is_known(towns: Problem) -> None:
    base = Base.of(towns, Policy(), solve(towns))
    missing = int((base.places(towns, Policy()) < 0).sum())
    assert missing == 0
    for name, delta in (
        ("need_value", 1),
        ("offer_max_needs", 1),
        ("pair_fixed_cost", 3),
        ("pair_cost", 1),
        ("pair_prior", 1),
    ):
        column = getattr(towns, name).copy()
        column[0] += delta
        after = replace(towns, **{name: column})
        assert (base.places(after, Policy()) < 0).sum() == 1, name
        assert_same_claims(replan(after, Policy(), base), solve(after))


def test_what_is_not_proven_is_not_taken_over(towns: Problem) -> None:
    cut = solve(towns, deadline_s=0)
    base = Base.of(towns, Policy(), cut)
    assert (base.places(towns, Policy()) < 0).all()
    assert_same_claims(replan(towns, Policy(), base), solve(towns))
