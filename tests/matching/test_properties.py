"""What holds for every problem, whatever is drawn."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching import Policy, Problem, certify, solve, violations
from matching.policy import ORDERS, Order
from tests.fixtures.drawing import drawn
from tests.matching.instances import market, medium_problem, permuted


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    n, m = draw(st.integers(1, 7)), draw(st.integers(1, 5))
    every = [(i, j) for i in range(n) for j in range(m)]
    pairs = draw(st.lists(st.sampled_from(every), unique=True, max_size=20))
    units = st.one_of(st.integers(1, 9), st.integers(1, 300), st.sampled_from([10**6, 10**14]))

    def column(size: int, values: Any) -> list[int]:
        return draw(st.lists(values, min_size=size, max_size=size))

    p = len(pairs)
    return Problem(
        need_units=column(n, units),
        need_severity=column(n, st.integers(1, 100)),
        need_household=column(n, st.integers(0, 3)),
        offer_units=column(m, units),
        offer_household_max=column(m, st.one_of(st.just(0), units)),
        pair_need=[i for i, _ in pairs],
        pair_offer=[j for _, j in pairs],
        pair_cost=column(p, st.one_of(st.integers(0, 9), st.integers(0, 10**12))),
        pair_max=column(p, st.one_of(st.integers(0, 9), units)),
        pair_prior=column(p, st.integers(0, 9)),
        pair_committed=column(p, st.integers(0, 3)),
    )


orders = st.sampled_from(ORDERS)


@drawn(60)
@given(problems(), orders)
def test_every_plan_is_feasible_and_certified(problem: Problem, order: Order) -> None:
    plan = solve(problem, Policy(order=order))
    assert violations(problem, plan) == []
    proof = certify(problem, Policy(order=order), plan)
    assert (proof.optimal, proof.reason) == (True, "")
    assert proof.proven == proof.components == len(plan.components)


@drawn(60)
@given(problems(), orders, st.integers(0, 10**6))
def test_the_order_of_rows_changes_neither_levels_nor_cost_nor_change(
    problem: Problem, order: Order, seed: int
) -> None:
    policy = Policy(order=order)
    plan, other = solve(problem, policy), solve(permuted(problem, seed), policy)
    assert plan.level_served.tolist() == other.level_served.tolist()
    assert (plan.cost, plan.change) == (other.cost, other.change)


@drawn(60)
@given(problems(), orders, st.integers(1, 50), st.data())
def test_one_more_offer_never_lowers_what_the_top_precedences_get(
    problem: Problem, order: Order, units: int, data: st.DataObject
) -> None:
    reached = data.draw(st.lists(st.integers(0, problem.n_needs - 1), unique=True, min_size=1))
    k = len(reached)
    richer = Problem(
        need_units=problem.need_units,
        need_severity=problem.need_severity,
        need_household=problem.need_household,
        offer_units=np.append(problem.offer_units, units),
        offer_household_max=np.append(problem.offer_household_max, 0),
        pair_need=np.append(problem.pair_need, reached),
        pair_offer=np.append(problem.pair_offer, [problem.n_offers] * k),
        pair_cost=np.append(problem.pair_cost, [0] * k),
        pair_max=np.append(problem.pair_max, [10**6] * k),
        pair_committed=np.append(problem.pair_committed, [0] * k),
    )
    before = np.cumsum(solve(problem, Policy(order=order)).level_served)
    after = np.cumsum(solve(richer, Policy(order=order)).level_served)
    assert bool((after >= before).all())


@drawn(60)
@given(problems(), orders)
def test_both_flow_solvers_find_the_same_levels_and_cost(problem: Problem, order: Order) -> None:
    pytest.importorskip("pylmcf")
    one = solve(problem, Policy(order=order))
    other = solve(problem, Policy(order=order), backend="pylmcf")
    assert one.level_served.tolist() == other.level_served.tolist()
    assert (one.cost, one.change) == (other.cost, other.change)
    assert set(other.solvers) == {"numpy", "pylmcf"}


@pytest.mark.parametrize("seed", range(4))
def test_the_plan_before_as_proposal_is_kept_as_it_is(seed: int) -> None:
    problem = medium_problem(seed, 80)
    first = solve(problem)
    columns = {name: getattr(problem, name) for name in Problem.__slots__ if name != "_digest"}
    again = solve(Problem(**columns | {"pair_prior": first.pair_units}))
    assert again.pair_units.tolist() == first.pair_units.tolist()
    assert again.change == 0


def test_the_executor_does_not_matter() -> None:
    problem = market(3, 6000, towns=12)
    alone = solve(problem)
    with ThreadPoolExecutor(2) as threads:
        together = solve(problem, executor=threads)
    assert together.pair_units.tolist() == alone.pair_units.tolist()
    assert together.certificate.optimal
