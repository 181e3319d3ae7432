"""Processes that die again and again end a solve; they never make it try for ever."""

import os
import signal
from contextlib import suppress

import pytest

from matching import ProcessExecutor, SolverFailed, solve
from tests.matching.instances import market


def test_a_chunk_that_loses_its_process_each_time_fails_the_solve() -> None:
    city = market(8, 40_000, towns=1, pairs_each=25)
    executor = ProcessExecutor(1)
    killed: set[int] = set()

    def cancelled() -> bool:
        for pid in executor.pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            killed.add(pid)
        return False

    with pytest.raises(SolverFailed, match="died twice"):
        solve(city, executor=executor, cancelled=cancelled)

    assert len(killed) == 2
    executor.shutdown()
