"""A real Dask cluster: the same answer, whatever becomes of its workers and its scheduler."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor
from pathlib import Path

import pytest

from matching import Cancelled, Plan, Problem, Progress, solve
from tests.matching.instances import market
from tests.matching.test_processes import gone, until

pytest.importorskip("distributed")

from matching.cluster import ClusterExecutor


class Cluster:
    """A scheduler and workers as processes of their own, as an operator starts them."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.folder, self.address = folder, f"tcp://127.0.0.1:{port}"
        self.scheduler = self._started(
            "dask_scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"
        )
        self.workers: list[subprocess.Popen[bytes]] = []

    def add_worker(self) -> None:
        self.workers.append(
            self._started(
                "dask_worker", self.address, "--no-nanny", "--no-dashboard", "--nthreads", "1"
            )
        )

    def end(self) -> None:
        for process in [*self.workers, self.scheduler]:
            process.kill()
            process.wait()

    def _started(self, name: str, *options: str) -> subprocess.Popen[bytes]:
        root = str(Path(__file__).resolve().parents[2])
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", f"distributed.cli.{name}", *options],
                cwd=self.folder,
                env=os.environ | {"PYTHONPATH": root},
                stdout=log,
                stderr=log,
            )


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A scheduler with two workers."""
    cluster = Cluster(tmp_path_factory.mktemp("dask"))
    cluster.add_worker()
    cluster.add_worker()
    yield cluster
    cluster.end()


@pytest.fixture(scope="module")
def towns() -> Problem:
    """Twenty components, 60,000 pairs: three chunks."""
    return market(7, 6000, towns=20)


@pytest.fixture(scope="module")
def alone(towns: Problem) -> Plan:
    return solve(towns)


def test_a_cluster_gives_the_same_plan_though_a_worker_is_killed_in_the_middle(
    cluster: Cluster, towns: Problem, alone: Plan
) -> None:
    victim = cluster.workers[0]

    def on_progress(_share: float, progress: Progress) -> None:
        if progress.phase == "solve" and progress.components_done:
            victim.kill()

    executor = ClusterExecutor(cluster.address)
    plan = solve(towns, executor=executor, on_progress=on_progress)

    assert victim.wait() == -signal.SIGKILL
    assert plan.pair_units.tolist() == alone.pair_units.tolist()
    assert plan.certificate.optimal
    cluster.add_worker()
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
    executor = ClusterExecutor(cluster.address)
    future = executor.submit(wait_once, str(tmp_path / "pid"))
    child = pid_in(tmp_path / "pid")
    worker = int(Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[1])
    (victim,) = [process for process in cluster.workers if process.pid == worker]

    victim.kill()

    assert future.result(timeout=30) == "answered"
    assert until(lambda: gone(child))
    cluster.add_worker()
    executor.shutdown()


def test_a_call_that_kills_its_process_each_time_is_given_up(cluster: Cluster) -> None:
    executor = ClusterExecutor(cluster.address)
    with pytest.raises(BrokenExecutor):
        executor.submit(os._exit, 1).result(timeout=30)
    assert executor.submit(os.getpid).result() > 0
    executor.shutdown()


def test_what_is_cancelled_is_ended_on_the_worker(cluster: Cluster, tmp_path: Path) -> None:
    executor = ClusterExecutor(cluster.address)
    future = executor.submit(wait_for_ever, str(tmp_path / "pid"))
    pid = pid_in(tmp_path / "pid")
    assert not gone(pid)

    assert future.cancel()

    assert until(lambda: gone(pid))
    assert executor.submit(os.getpid).result() > 0
    executor.shutdown(cancel_futures=True)


def test_deadline_and_cancel_are_kept_on_a_cluster(cluster: Cluster) -> None:
    city = market(8, 40_000, towns=1, pairs_each=25)
    executor = ClusterExecutor(cluster.address)
    plan = solve(city, executor=executor, deadline_s=1)
    assert (plan.status, plan.components[0].status) == ("deadline", "deadline")
    asked: list[int] = []

    def cancelled() -> bool:
        asked.append(1)
        return len(asked) > 5

    with pytest.raises(Cancelled):
        solve(city, executor=executor, cancelled=cancelled)
    assert executor.submit(os.getpid).result() > 0  # and the workers are free again
    executor.shutdown()


def test_without_its_scheduler_the_rest_is_solved_here_and_that_is_logged(
    tmp_path: Path, towns: Problem, alone: Plan, caplog: pytest.LogCaptureFixture
) -> None:
    cluster = Cluster(tmp_path)
    try:
        cluster.add_worker()
        executor = ClusterExecutor(cluster.address, connect_s=5)

        def on_progress(_share: float, progress: Progress) -> None:
            if progress.phase == "solve":
                cluster.scheduler.kill()

        plan = solve(towns, executor=executor, on_progress=on_progress)
        assert plan.pair_units.tolist() == alone.pair_units.tolist()
        assert "solved in processes of this machine" in caplog.text
        executor.shutdown(cancel_futures=True)
    finally:
        cluster.end()


def test_an_address_where_no_scheduler_answers_is_refused() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(BrokenExecutor, match="No Dask scheduler answers"):
        ClusterExecutor(address, connect_s=0.5)
