"""Deadlines, cancelling and dying workers, with real processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from matching import (
    Cancelled,
    Problem,
    ProcessExecutor,
    Progress,
    certify,
    solve,
    violations,
)
from tests.matching.instances import market


@pytest.fixture(scope="module")
def towns() -> Problem:
    """Ten components, 60,000 pairs: three chunks."""
    return market(7, 6000, towns=10)


@pytest.fixture(scope="module")
def metropolis() -> Problem:
    """One small town, then one component that takes far longer than any test may wait."""
    city, town = market(8, 40_000, towns=1, pairs_each=25), market(9, 200, towns=1)
    return Problem(
        need_units=np.append(city.need_units, town.need_units),
        need_severity=np.append(city.need_severity, town.need_severity),
        offer_units=np.append(city.offer_units, town.offer_units),
        pair_need=np.append(city.pair_need, town.pair_need + city.n_needs),
        pair_offer=np.append(city.pair_offer, town.pair_offer + city.n_offers),
        pair_cost=np.append(city.pair_cost, town.pair_cost),
    )


def gone(pid: int) -> bool:
    """Not there, or dead and waiting to be collected by whoever adopted it."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat")
        return state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z"
    except (ProcessLookupError, FileNotFoundError):
        return True


def until(holds: Callable[[], bool]) -> bool:
    """Poll for at most a minute: a busy machine is slow, and nothing waits when all is well."""
    limit = time.monotonic() + 60
    while time.monotonic() < limit:
        if holds():
            return True
        os.sched_yield()
    return holds()


def test_at_the_deadline_the_rest_gets_a_plan_with_an_honest_bound(
    metropolis: Problem,
) -> None:
    executor = ProcessExecutor(2)
    seen: list[int] = []

    def on_progress(_share: float, progress: Progress) -> None:
        seen.extend(executor.pids)

    for worker in [executor.submit(os.getpid) for _ in range(2)]:
        worker.result()
    for deadline_s in (3, 6, 12, 24):  # a busy machine may need longer for the town
        plan = solve(metropolis, deadline_s=deadline_s, executor=executor, on_progress=on_progress)
        if plan.components[1].status == "optimal":
            break

    assert seen
    assert until(lambda: all(gone(pid) for pid in seen))
    assert [part.status for part in plan.components] == ["deadline", "optimal"]
    assert plan.status == "deadline"
    city, town = plan.components
    assert 0 < city.served.sum() <= city.bound.sum() <= city.asked.sum()
    assert 0 <= city.gap < 1
    assert town.served.sum() > 0
    assert 0 <= plan.gap < 1
    assert (np.cumsum(plan.level_bound) >= np.cumsum(plan.level_served)).all()
    assert violations(metropolis, plan) == []
    proof = certify(metropolis, plan.policy, plan)
    for one in (proof, plan.certificate):
        assert (one.optimal, one.proven, one.components) == (False, 1, 2)
        assert "1 of 2 components" in one.reason
    executor.shutdown()


def test_a_cancelled_solve_ends_its_processes_and_leaves_the_executor_usable(
    metropolis: Problem, towns: Problem
) -> None:
    executor = ProcessExecutor(1)
    seen: list[int] = []

    def cancelled() -> bool:
        seen.extend(executor.pids)
        return len(seen) > 3

    with pytest.raises(Cancelled):
        solve(metropolis, executor=executor, cancelled=cancelled)

    assert until(lambda: all(gone(pid) for pid in seen))
    assert solve(towns, executor=executor).certificate.optimal
    executor.shutdown()


def test_without_an_executor_cancel_and_deadline_work_as_well(metropolis: Problem) -> None:
    asked = []

    def cancelled() -> bool:
        asked.append(1)
        return len(asked) > 5

    with pytest.raises(Cancelled):
        solve(metropolis, cancelled=cancelled)
    plan = solve(metropolis, deadline_s=0.3)
    assert plan.components[0].status == "deadline"


def test_a_small_problem_with_limits_that_are_not_reached_is_solved(towns: Problem) -> None:
    plain = solve(towns)
    small = market(2, 200, towns=2)
    assert solve(small, deadline_s=600, cancelled=lambda: False).status == "optimal"
    with pytest.raises(Cancelled):
        solve(small, cancelled=lambda: True)
    limited = solve(towns, deadline_s=600, cancelled=lambda: False)
    assert limited.pair_units.tolist() == plain.pair_units.tolist()


def test_a_worker_that_is_killed_is_replaced_and_its_chunk_solved_again(towns: Problem) -> None:
    executor = ProcessExecutor(1)
    killed: list[int] = []

    def on_progress(_share: float, progress: Progress) -> None:
        if progress.components_done and progress.phase == "solve" and not killed:
            killed.extend(executor.pids)
            for pid in killed:
                os.kill(pid, signal.SIGKILL)

    plan = solve(towns, executor=executor, on_progress=on_progress)

    assert killed
    assert plan.pair_units.tolist() == solve(towns).pair_units.tolist()
    executor.shutdown()


def test_a_broken_pool_of_the_callers_is_replaced(towns: Problem) -> None:
    pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
    with pytest.raises(BrokenExecutor):
        pool.submit(os._exit, 1).result()

    plan = solve(towns, executor=pool)

    assert plan.pair_units.tolist() == solve(towns).pair_units.tolist()
    pool.shutdown()


def test_progress_rises_to_one_and_counts_components(towns: Problem) -> None:
    told: list[tuple[float, Progress]] = []
    executor = ProcessExecutor(2)
    solve(towns, executor=executor, on_progress=lambda share, step: told.append((share, step)))
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert told[-1][1] == Progress(phase="done", components_done=10, components=10)
    assert len({step.components_done for _, step in told}) >= 3
    executor.shutdown()


def test_an_error_in_a_worker_comes_back_as_itself_and_the_worker_lives_on() -> None:
    executor = ProcessExecutor(1)
    with pytest.raises(ZeroDivisionError):
        executor.submit(divmod, 1, 0).result()
    (pid,) = executor.pids
    assert executor.submit(print, "this must not end up between two answers").result() is None
    assert executor.submit(os.getpid).result() == pid
    with pytest.raises(BrokenExecutor):
        executor.submit(os._exit, 3).result()
    assert executor.submit(os.getpid).result() != pid
    executor.shutdown(cancel_futures=True)
    with pytest.raises(RuntimeError, match="shut down"):
        executor.submit(os.getpid)


ORPHANING = """
import os, sys, threading
from tests.matching.test_processes import busy
from matching import ProcessExecutor
executor = ProcessExecutor(1)
executor.submit(busy)
while not executor.pids:
    os.sched_yield()
print(executor.pids[0], flush=True)
threading.Event().wait()
"""


def busy() -> None:
    """A call that never lets another thread run, as the flow solver."""
    sys.setswitchinterval(10_000)
    solve(market(8, 30_000, towns=1, pairs_each=12))


def test_workers_do_not_outlive_a_parent_that_is_killed() -> None:
    parent = subprocess.Popen([sys.executable, "-c", ORPHANING], stdout=subprocess.PIPE, text=True)
    with parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert not gone(pid)
        parent.kill()
    assert until(lambda: gone(pid))


def test_what_waits_is_cancelled_when_an_executor_is_killed() -> None:
    executor = ProcessExecutor(1)
    running, waiting = executor.submit(signal.pause), executor.submit(os.getpid)
    assert until(lambda: bool(executor.pids))
    executor.kill()
    with pytest.raises(BrokenExecutor):
        running.result()
    assert waiting.cancelled()
    executor.shutdown()


def test_a_solver_that_is_not_known_is_refused(towns: Problem) -> None:
    with pytest.raises(ValueError, match="backend"):
        solve(towns, backend="simplex")  # type: ignore[arg-type]
