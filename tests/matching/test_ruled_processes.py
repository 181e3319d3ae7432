"""Ruled components under deadlines and cancelling, with real processes."""

import numpy as np
import pytest

from matching import Cancelled, Problem, ProcessExecutor, certify, solve, violations
from tests.matching.ruled_instances import visits
from tests.matching.test_processes import gone, until


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
