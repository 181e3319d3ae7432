"""Large parts with rules: what is built before any proof keeps every rule, and its bounds hold."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from matching import Plan, Policy, Problem, certify, solve, violations
from tests.matching.ruled_instances import every_plan, levels_with_blocks, ruled_problems, visits

# Two levels at most: each is a band of its own, in which a unit counts its need's value.
TWO_LEVELS = Policy(order="weighted", tranches=(50, 100), diminishing=(2, 1))


@contextmanager
def sizes(*, built: int, cut: int) -> Iterator[None]:
    """Problems with more pairs count as large, or as too large for branch and cut."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("matching.ruled.search.BUILT_PAIRS", built)
        patch.setattr("matching.ruled.search.CUT_PAIRS", cut)
        yield


def worth(problem: Problem, plan: Plan, c: int, units: list[int]) -> list[int]:
    """Value of each band of component c when these units move, need by need."""
    total = [0] * len(plan.components[c].bands)
    for i in np.flatnonzero(plan.need_component == c).tolist():
        mine = [x if j == i else 0 for x, j in zip(units, problem.pair_need, strict=True)]
        levels = levels_with_blocks(problem, TWO_LEVELS, mine)
        for b, band in enumerate(plan.components[c].bands):
            total[b] += int(problem.need_value[i]) * levels[band.first]
    return total


def banded(plan: Plan) -> list[int]:
    return [c for c, part in enumerate(plan.components) if part.bands]


def plainly_blocked(problem: Problem) -> bool:
    """Not where a lot already is what a minimum asks for: there the minimum makes no block."""
    return not ((problem.need_min > 1).any() and (problem.offer_min_lot > 1).any())


some_problems = ruled_problems().filter(plainly_blocked)


@pytest.mark.slow
@settings(max_examples=12, deadline=None)
@given(some_problems)
def test_what_is_built_first_ends_at_the_best_of_all_plans(problem: Problem) -> None:
    with sizes(built=0, cut=10**6):
        plan = solve(problem, TWO_LEVELS)

    assert violations(problem, plan) == []
    assert plan.status == "optimal"
    assert certify(problem, TWO_LEVELS, plan).reason == ""
    every = every_plan(problem)
    for c in banded(plan):
        values = worth(problem, plan, c, plan.pair_units.tolist())
        assert values == [band.served for band in plan.components[c].bands]
        assert values == max(worth(problem, plan, c, units) for units in every)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(some_problems)
def test_without_branch_and_cut_every_bound_still_holds(problem: Problem) -> None:
    with sizes(built=0, cut=-1):
        plan = solve(problem, TWO_LEVELS)

    assert violations(problem, plan) == []
    assert plan.status in ("optimal", "bounded")
    every = every_plan(problem)
    for c in banded(plan):
        part = plan.components[c]
        served = [band.served for band in part.bands]
        assert served == worth(problem, plan, c, plan.pair_units.tolist())
        tried = [worth(problem, plan, c, units) for units in every]
        before = 0
        for b, band in enumerate(part.bands):
            reach = [v[b] for v in tried if all(v[i] >= served[i] for i in range(b))]
            assert max(reach) <= band.bound <= band.asked
            if part.gap:
                assert (max(reach) - served[b]) <= part.gap * (before + band.bound) + 1e-9
            before += served[b]
        assert part.status == ("bounded" if part.unproven else "optimal")


@settings(max_examples=8, deadline=None)
@given(ruled_problems("pair_fixed_cost"))
def test_where_only_trips_cost_no_level_is_given_up_for_them(problem: Problem) -> None:
    free = solve(replace(problem, pair_fixed_cost=np.zeros(problem.n_pairs, np.int64)))
    with sizes(built=0, cut=-1):
        plan = solve(problem)
    assert plan.level_served.tolist() == free.level_served.tolist()
    assert all(
        (part.cost_bound or 0) <= part.cost for part in plan.components if part.kind == "mip"
    )


@pytest.mark.slow
def test_a_built_plan_is_better_than_the_first_at_hand() -> None:
    town = visits(3, 90, 15)
    first = solve(town, deadline_s=0.0)
    with sizes(built=0, cut=-1):
        built = solve(town)
    (one,), (other,) = first.components, built.components
    assert [band.served for band in other.bands] > [band.served for band in one.bands]
    assert other.gap < one.gap
    assert violations(town, built) == []
