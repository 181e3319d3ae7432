"""Dispatch: chunks of components over an executor, until all are done, time is up, or cancelled."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from dataclasses import dataclass, field

from matching.backends import Backend
from matching.chunks import CHUNK_PAIRS, Solved, chunk_ranges, solve_chunk
from matching.errors import Cancelled, SolverFailed
from matching.executor import ProcessExecutor, shared_executor, usable_cpus
from matching.network import Network

# Below this a trip to other processes takes longer than it saves (measured: about 1 s of solving).
PARALLEL_PAIRS = 400_000
# Below this a solve ends within any deadline worth the name, so no process has to be killed.
SHORT_PAIRS = 20_000
POLL_S = 0.05
TRIES = 2

log = logging.getLogger("matching")


class _TimeUp(Exception):
    """The deadline passed between two solver calls in this process."""


@dataclass(slots=True)
class Limits:
    """When to stop, and whom to tell how far it is."""

    until: float | None  # time.monotonic()
    cancelled: Callable[[], bool] | None
    told: Callable[[int, int], None]  # pairs done, components done

    @property
    def any(self) -> bool:
        return self.until is not None or self.cancelled is not None

    def left_s(self) -> float:
        return float("inf") if self.until is None else self.until - time.monotonic()

    def check(self) -> None:
        """Between two solver calls: raise Cancelled or _TimeUp."""
        if self.cancelled is not None and self.cancelled():
            raise Cancelled("The solve was cancelled.")
        if self.left_s() <= 0:
            raise _TimeUp


@dataclass(slots=True)
class Done:
    """Solved chunks by the range of components; what is missing was cut off by the deadline."""

    chunks: dict[tuple[int, int], Solved] = field(default_factory=dict)
    pairs: int = 0
    components: int = 0

    def add(self, net: Network, part: tuple[int, int], solved: Solved, limits: Limits) -> None:
        self.chunks[part] = solved
        self.pairs += int(net.pair_from[part[1]] - net.pair_from[part[0]])
        self.components += part[1] - part[0]
        limits.told(self.pairs, self.components)


def dispatch(net: Network, backend: Backend, executor: Executor | None, limits: Limits) -> Done:
    """Solve every component of the network, or as many as the limits allow."""
    pairs, done = len(net.pair_need), Done()
    limits_check = _guarded(limits)
    if not limits_check:
        return done
    if executor is None:
        wants_processes = pairs >= PARALLEL_PAIRS and usable_cpus() > 1
        if not wants_processes and not (limits.any and pairs > SHORT_PAIRS):
            _in_process(net, backend, limits, done)
            return done
        with shared_executor() as own:
            _over(own, net, backend, limits, done, _parts(net, own.workers))
        return done
    parts = _parts(net, getattr(executor, "workers", usable_cpus()))
    try:
        _over(executor, net, backend, limits, done, parts)
    except BrokenExecutor as error:
        log.warning("%s What is left is solved in processes of this machine.", error)
        with shared_executor() as own:  # theirs is beyond repair, the work is not
            _over(own, net, backend, limits, done, [p for p in parts if p not in done.chunks])
    return done


def _guarded(limits: Limits) -> bool:
    try:
        limits.check()
    except _TimeUp:
        return False
    return True


def _parts(net: Network, workers: int) -> list[tuple[int, int]]:
    """Small enough that all workers end at about the same time, large ones first."""
    return chunk_ranges(net, max(CHUNK_PAIRS, len(net.pair_need) // (8 * workers)))


def _in_process(net: Network, backend: Backend, limits: Limits, done: Done) -> None:
    size = CHUNK_PAIRS if limits.any else PARALLEL_PAIRS
    for part in chunk_ranges(net, size):
        try:
            solved = solve_chunk(net.part(*part), backend, limits.check)
        except _TimeUp:
            return
        done.add(net, part, solved, limits)


def _over(
    executor: Executor,
    net: Network,
    backend: Backend,
    limits: Limits,
    done: Done,
    parts: list[tuple[int, int]],
) -> None:
    """Submit all, collect as they come; on a limit end the processes that we own."""
    own = executor if isinstance(executor, ProcessExecutor) else None
    tries = dict.fromkeys(parts, 1)
    pending: dict[Future[Solved], tuple[int, int]] = {}
    try:
        for part in parts:
            pending[executor.submit(solve_chunk, net.part(*part), backend)] = part
        while pending:
            limits.check()
            timeout = min(POLL_S, max(0.0, limits.left_s())) if limits.any else None
            for future in wait(pending, timeout, return_when=FIRST_COMPLETED).done:
                part = pending.pop(future)
                try:
                    solved = future.result()
                except BrokenExecutor:
                    if own is None:
                        raise
                    if tries[part] == TRIES:
                        raise SolverFailed("A worker process died twice on one chunk.") from None
                    tries[part] += 1
                    pending[own.submit(solve_chunk, net.part(*part), backend)] = part
                else:
                    done.add(net, part, solved, limits)
    except _TimeUp:
        return
    finally:
        if pending and own is not None:
            own.kill()
        for future in pending:
            future.cancel()
