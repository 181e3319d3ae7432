"""Ruled components under deadlines and cancelling, with real processes."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import ParamSpec, TypeVar

import numpy as np
import pytest

from matching import Cancelled, Problem, ProcessExecutor, certify, solve, violations
from tests.matching.ruled_instances import visits
from tests.matching.test_processes import gone, until

P = ParamSpec("P")
T = TypeVar("T")


@pytest.fixture(scope="module")
def town() -> Problem:
    """Too much for any test to wait for."""
    return visits(5, 400, 60)


def test_at_the_deadline_there_is_a_plan_with_an_honest_gap(town: Problem) -> None:
    executor = ProcessExecutor(1)
    plan = solve(town, deadline_s=3, executor=executor)

    (part,) = plan.components
    assert plan.status in ("bounded", "deadline")
    assert part.kind == "mip"
    assert int(plan.pair_units.sum()) > 0
    assert 0 < plan.gap <= 1
    assert part.unproven
    assert violations(town, plan) == []
    assert not certify(town, plan.policy, plan).optimal
    assert (np.cumsum(plan.level_bound) >= np.cumsum(plan.level_served)).all()
    executor.shutdown(cancel_futures=True)


def test_a_cancelled_solve_of_rules_leaves_no_child(town: Problem) -> None:
    executor, seen = ProcessExecutor(1), list[int]()

    def cancelled() -> bool:
        seen.extend(executor.pids)
        return len(seen) > 3

    with pytest.raises(Cancelled):
        solve(town, executor=executor, cancelled=cancelled)

    assert until(lambda: all(gone(pid) for pid in seen))
    executor.shutdown(cancel_futures=True)


def test_the_executor_does_not_matter_to_rules() -> None:
    small = visits(2, 10, 4)
    executor = ProcessExecutor(1)
    there, here = solve(small, executor=executor), solve(small)
    assert there.pair_units.tolist() == here.pair_units.tolist()
    assert there.status == "optimal"
    executor.shutdown(cancel_futures=True)


class Inline(Executor):
    """Does what it is asked for at once, one after the other."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def test_what_a_solver_has_answered_is_not_lost_when_time_is_up_meanwhile() -> None:
    one = visits(5, 400, 60)
    columns = {
        name: np.concatenate([getattr(one, name)] * 2)
        for name in Problem.__slots__
        if name.startswith(("need_", "offer_", "pair_"))
    }
    columns["pair_need"][one.n_pairs :] += one.n_needs
    columns["pair_offer"][one.n_pairs :] += one.n_offers
    towns = Problem(**columns)
    plan = solve(towns, deadline_s=1, executor=Inline())
    first_plan = solve(towns, deadline_s=0)
    assert {part.status for part in first_plan.components} == {"deadline"}
    assert plan.components[0].status == "bounded"


def test_with_time_enough_a_cold_pool_answers_what_the_solver_finds() -> None:
    small = visits(2, 40, 8)
    executor = ProcessExecutor(1)
    there, here = solve(small, deadline_s=60, executor=executor), solve(small)
    first_plan = solve(small, deadline_s=0)
    executor.shutdown(cancel_futures=True)
    assert (there.status, here.status) == ("optimal", "optimal")
    assert [part.bands for part in there.components] == [part.bands for part in here.components]
    assert first_plan.level_served.tolist() < there.level_served.tolist()
