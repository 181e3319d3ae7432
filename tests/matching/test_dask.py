"""A real Dask cluster: the same answer, whatever becomes of its workers and its scheduler."""

import os
import signal
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor
from pathlib import Path

import pytest

from matching import Cancelled, Plan, Problem, Progress, solve
from tests.fixtures.dask import WITHIN_S, Cluster
from tests.matching.instances import market
from tests.matching.test_processes import gone, until

pytest.importorskip("distributed")

from matching.cluster import ClusterExecutor

pytestmark = pytest.mark.xdist_group("dask")


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("dask"))
    yield cluster
    cluster.end()


@pytest.fixture
def cluster(begun: Cluster) -> Cluster:
    """A scheduler with one worker at least, whatever a test before has killed."""
    begun.with_workers(1)
    return begun


@pytest.fixture(scope="module")
def towns() -> Problem:
    """Twenty components, 60,000 pairs: three chunks."""
    return market(7, 6000, towns=20)


@pytest.fixture(scope="module")
def alone(towns: Problem) -> Plan:
    return solve(towns)


def an_executor(cluster: Cluster) -> ClusterExecutor:
    return ClusterExecutor(cluster.address, connect_s=WITHIN_S)


def test_a_cluster_gives_the_same_plan_though_a_worker_is_killed_in_the_middle(
    cluster: Cluster, towns: Problem, alone: Plan
) -> None:
    cluster.with_workers(2)
    victim = cluster.workers[0]

    def on_progress(_share: float, progress: Progress) -> None:
        if progress.phase == "solve" and progress.components_done:
            victim.kill()

    executor = an_executor(cluster)
    plan = solve(towns, executor=executor, on_progress=on_progress)

    assert victim.wait() == -signal.SIGKILL
    assert plan.pair_units.tolist() == alone.pair_units.tolist()
    assert plan.certificate.optimal
    cluster.with_workers(2)
    again = solve(towns, executor=executor)
    assert again.pair_units.tolist() == alone.pair_units.tolist()
    assert executor.submit(os.getpid).result() != os.getpid()
    with pytest.raises(ZeroDivisionError):
        executor.submit(divmod, 1, 0).result()
    executor.shutdown()
    with pytest.raises(RuntimeError, match="shut down"):
        executor.submit(os.getpid)


def wait_for_ever(path: str) -> None:
    """Say who we are, then wait: only a signal ends us."""
    Path(path).write_text(str(os.getpid()))
    threading.Event().wait()


def wait_once(path: str) -> str:
    """Wait for ever, but answer whoever asks again."""
    if not Path(path).exists():
        wait_for_ever(path)
    return "answered"


def pid_in(path: Path) -> int:
    assert until(lambda: path.exists() and path.read_text() != "")
    return int(path.read_text())


def test_a_call_goes_to_another_worker_when_its_own_is_killed(
    cluster: Cluster, tmp_path: Path
) -> None:
    cluster.with_workers(2)
    executor = an_executor(cluster)
    future = executor.submit(wait_once, str(tmp_path / "pid"))
    child = pid_in(tmp_path / "pid")
    worker = int(Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[1])
    (victim,) = [process for process in cluster.workers if process.pid == worker]

    victim.kill()

    assert future.result(timeout=WITHIN_S) == "answered"
    assert until(lambda: gone(child))
    executor.shutdown()


@pytest.mark.slow
def test_a_call_that_kills_its_process_each_time_is_given_up(cluster: Cluster) -> None:
    executor = an_executor(cluster)
    with pytest.raises(BrokenExecutor):
        executor.submit(os._exit, 1).result(timeout=WITHIN_S)
    assert executor.submit(os.getpid).result() > 0
    executor.shutdown()


def test_what_is_cancelled_is_ended_on_the_worker(cluster: Cluster, tmp_path: Path) -> None:
    executor = an_executor(cluster)
    future = executor.submit(wait_for_ever, str(tmp_path / "pid"))
    pid = pid_in(tmp_path / "pid")
    assert not gone(pid)

    assert future.cancel()

    assert until(lambda: gone(pid))
    assert executor.submit(os.getpid).result() > 0
    executor.shutdown(cancel_futures=True)


def test_deadline_and_cancel_are_kept_on_a_cluster(cluster: Cluster) -> None:
    city = market(8, 10_000, towns=1, pairs_each=20)
    executor = an_executor(cluster)
    plan = solve(city, executor=executor, deadline_s=0.2)
    assert (plan.status, plan.components[0].status) == ("deadline", "deadline")
    asked: list[int] = []

    def cancelled() -> bool:
        asked.append(1)
        return len(asked) > 5

    with pytest.raises(Cancelled):
        solve(city, executor=executor, cancelled=cancelled)
    assert executor.submit(os.getpid).result() > 0  # and the workers are free again
    executor.shutdown()


@pytest.mark.slow
def test_without_its_scheduler_the_rest_is_solved_here_and_that_is_logged(
    cluster: Cluster, towns: Problem, alone: Plan, caplog: pytest.LogCaptureFixture
) -> None:
    # As long as it takes to know that a scheduler is gone; this one is up and answers at once.
    executor = ClusterExecutor(cluster.address, connect_s=5)

    def on_progress(_share: float, progress: Progress) -> None:
        if progress.phase == "solve":
            cluster.scheduler.kill()
            cluster.scheduler.wait()

    plan = solve(towns, executor=executor, on_progress=on_progress)

    assert plan.pair_units.tolist() == alone.pair_units.tolist()
    assert "solved in processes of this machine" in caplog.text
    executor.shutdown(cancel_futures=True)


def test_an_address_where_no_scheduler_answers_is_refused() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(BrokenExecutor, match="No Dask scheduler answers"):
        ClusterExecutor(address, connect_s=0.5)
