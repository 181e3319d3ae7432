"""Wide offers: the plan over few pairs is as good as the plan over all of them, and proven so."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from matching import (
    AllPairs,
    Cancelled,
    NeedColumns,
    OfferColumns,
    Pairs,
    Policy,
    Problem,
    candidates,
    certify,
    near_pairs,
    solve,
    solve_wide,
    violations,
)
from matching.arrays import BoolArray, IntArray
from matching.candidates import Worth
from matching.policy import ORDERS, Order
from tests.fixtures.drawing import drawn

UNLIMITED = 10**18


def part_of(problem: Problem, keep: BoolArray) -> Problem:
    """The same market with only some of its pairs."""
    columns: dict[str, Any] = {
        name: getattr(problem, name) for name in Problem.__slots__ if name != "_digest"
    }
    return Problem(
        **{
            name: column[keep] if name.startswith("pair_") else column
            for name, column in columns.items()
        }
    )


def reach_of(problem: Problem, slice_pairs: int = 5) -> Any:
    """All pairs of a problem, a few at a time, and as often as asked for."""

    def reach(worth: Worth) -> Iterator[Pairs]:
        for first in range(0, problem.n_pairs, slice_pairs):
            rows = slice(first, first + slice_pairs)
            need, offer = problem.pair_need[rows], problem.pair_offer[rows]
            keep = worth(need, offer)
            yield Pairs(
                need[keep].astype(np.int32),
                offer[keep].astype(np.int32),
                problem.pair_cost[rows][keep],
            )

    return reach


def spread_over(problem: Problem, part: Problem, units: IntArray) -> IntArray:
    """Units along the pairs of a part, as units along all pairs."""
    at = {pair: k for k, pair in enumerate(zip(problem.pair_need, problem.pair_offer, strict=True))}
    whole = np.zeros(problem.n_pairs, np.int64)
    for need, offer, moved in zip(part.pair_need, part.pair_offer, units, strict=True):
        whole[at[need, offer]] = moved
    return whole


def random_market(seed: int) -> tuple[Problem, BoolArray]:
    """A market, and which of its pairs are built to begin with: those with a limit or a past."""
    r = np.random.default_rng(seed)
    n, m, most = int(r.integers(1, 12)), int(r.integers(1, 7)), int(r.choice([2, 5, 12, 10**12]))
    need, offer = np.nonzero(r.random((n, m)) < r.choice([0.3, 0.6, 1]))
    p = len(need)
    begun = r.random(p) < r.choice([0, 0.2, 0.5])
    columns: dict[str, Any] = {
        "need_units": r.integers(1, most + 1, n),
        "need_severity": r.integers(1, 4, n),
        "offer_units": r.integers(1, 3 * most, m),
        "pair_need": need,
        "pair_offer": offer,
        "pair_cost": r.integers(0, r.choice([1, 4, 50]), p),
        "pair_prior": np.where(begun, r.integers(0, 3, p), 0),
    }
    if seed % 2:
        columns |= {
            "need_household": r.integers(0, max(1, n // 2), n),
            "offer_household_max": r.integers(0, most + 3, m),
            "pair_max": np.where(begun, r.integers(0, most + 2, p), UNLIMITED),
            "pair_committed": np.where(begun, r.choice([0, 0, 0, 2], p), 0),
        }
    return Problem(**columns), begun


def shared_household() -> tuple[Problem, BoolArray]:
    """Two needs of one household at an offer that gives a household three; one pair is built."""
    problem = Problem(
        need_units=[3, 3],
        need_severity=[1, 4],
        need_household=[7, 7],
        offer_units=[9],
        offer_household_max=[3],
        pair_need=[0, 1],
        pair_offer=[0, 0],
    )
    return problem, np.array([True, False])


@drawn(60)
@given(st.integers(0, 10**6).map(random_market), st.sampled_from(ORDERS))
@example(shared_household(), "floor")
@example(random_market(45), "severity")
def test_the_plan_over_few_pairs_equals_the_plan_over_all(
    market: tuple[Problem, BoolArray], order: Order
) -> None:
    problem, begun = market
    policy = Policy(order=order)

    wide = solve_wide(part_of(problem, begun), reach_of(problem), policy)

    best = solve(problem, policy)
    assert (wide.status, wide.gap) == ("optimal", 0.0)
    assert wide.plan.level_served.tolist() == best.level_served.tolist()
    assert wide.level_bound.tolist() == best.level_served.tolist()
    assert (wide.plan.cost, wide.plan.change) == (best.cost, best.change)
    whole = spread_over(problem, wide.problem, wide.plan.pair_units)
    plan = replace(best, pair_units=whole)
    assert violations(problem, plan) == []
    assert certify(problem, policy, plan).optimal


@pytest.fixture(scope="module")
def county() -> tuple[NeedColumns, OfferColumns, dict[str, IntArray]]:
    """2,000 needs in clusters, 100 offers with a radius, and five over the whole county."""
    r = np.random.default_rng(11)
    n, m, wide = 2000, 105, 5
    towns = r.uniform(0, 1, (8, 2)) + np.array([25, 100])
    home = towns[r.integers(0, 8, n)] + r.normal(0, 0.05, (n, 2))
    store = towns[r.integers(0, 8, m)] + r.normal(0, 0.05, (m, 2))
    asked, given = r.integers(0, 4, n), r.integers(0, 4, m)
    radius = np.where(np.arange(m) < wide, np.inf, 12.0)
    needs = NeedColumns(
        category_low=asked,
        category_high=asked,
        region=np.zeros(n, np.int64),
        latitude=home[:, 0],
        longitude=home[:, 1],
    )
    offers = OfferColumns(
        category_low=np.where(np.arange(m) < wide, 0, given),
        category_high=np.where(np.arange(m) < wide, 3, given),
        by_purpose=np.arange(m) < wide,
        latitude=store[:, 0],
        longitude=store[:, 1],
        radius_km=radius,
    )
    units = {
        "need_units": r.integers(1, 13, n),
        "need_severity": r.integers(1, 101, n),
        "offer_units": np.where(np.arange(m) < wide, 300, r.integers(20, 90, m)),
    }
    return needs, offers, units


def problem_of(units: dict[str, IntArray], pairs: Pairs) -> Problem:
    return Problem(**units, pair_need=pairs.need, pair_offer=pairs.offer, pair_cost=pairs.cost)


def test_offers_over_a_county_are_solved_with_a_part_of_their_pairs(
    county: tuple[NeedColumns, OfferColumns, dict[str, IntArray]],
) -> None:
    needs, offers, units = county
    reach = AllPairs(needs=needs, offers=offers, chunk_pairs=700)
    near = near_pairs(reach, 105, near=60)
    wide = solve_wide(problem_of(units, near.pairs), reach)

    pairs = candidates(needs, offers)
    best = solve(problem_of(units, pairs))
    assert near.is_wide
    assert near.reach_pairs.tolist() == np.bincount(pairs.offer, minlength=105).tolist()
    assert wide.status == "optimal"
    assert wide.plan.level_served.tolist() == best.level_served.tolist()
    assert wide.plan.cost == best.cost
    assert wide.problem.n_pairs < 0.6 * len(pairs.cost)
    assert wide.rounds[-1].improving == 0
    assert [step.pairs for step in wide.rounds] == sorted({step.pairs for step in wide.rounds})


def test_near_pairs_are_the_cheapest_of_each_wide_offer_and_all_of_the_others(
    county: tuple[NeedColumns, OfferColumns, dict[str, IntArray]],
) -> None:
    needs, offers, _ = county
    near = near_pairs(AllPairs(needs=needs, offers=offers, chunk_pairs=999), 105, near=100)
    pairs = candidates(needs, offers)
    for offer in range(105):
        mine, all_ = near.pairs.cost[near.pairs.offer == offer], pairs.cost[pairs.offer == offer]
        assert sorted(mine) == sorted(all_)[:100]
    fewer = near_pairs(AllPairs(needs=needs, offers=offers), 105, near=100, begin_pairs=2000)
    assert (fewer.near, len(fewer.pairs.cost) <= 2000) == (12, True)


def test_at_the_deadline_the_plan_so_far_comes_back_and_says_that_it_is_not_proven(
    county: tuple[NeedColumns, OfferColumns, dict[str, IntArray]],
) -> None:
    needs, offers, units = county
    reach = AllPairs(needs=needs, offers=offers)
    near = near_pairs(reach, 105, near=5)
    best = solve(problem_of(units, candidates(needs, offers)))

    wide = solve_wide(problem_of(units, near.pairs), reach, deadline_s=0)

    assert wide.status == "bounded"
    assert 0 < wide.gap <= 1
    assert violations(wide.problem, wide.plan) == []
    assert (np.cumsum(wide.level_bound) >= np.cumsum(best.level_served)).all()


def test_a_wide_solve_can_be_cancelled_while_it_looks_at_pairs(
    county: tuple[NeedColumns, OfferColumns, dict[str, IntArray]],
) -> None:
    needs, offers, units = county
    looking: list[Pairs] = []

    def reach(worth: Worth) -> Iterator[Pairs]:
        for part in AllPairs(needs=needs, offers=offers, chunk_pairs=100)(worth):
            looking.append(part)
            yield part

    with pytest.raises(Cancelled):
        solve_wide(
            problem_of(units, near_pairs(AllPairs(needs=needs, offers=offers), 105).pairs),
            reach,
            cancelled=lambda: len(looking) > 2,
        )
    assert len(looking) == 3


def test_progress_never_falls(
    county: tuple[NeedColumns, OfferColumns, dict[str, IntArray]],
) -> None:
    needs, offers, units = county
    reach = AllPairs(needs=needs, offers=offers)
    told: list[float] = []
    wide = solve_wide(
        problem_of(units, near_pairs(reach, 105, near=60).pairs),
        reach,
        on_progress=lambda share, _: told.append(share),
    )
    assert len(wide.rounds) > 1
    assert told == sorted(told)
    assert 0.5 < told[-1] <= 1
