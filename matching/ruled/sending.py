"""Sending: ruled components over an executor, until all are solved, time is up, or cancelled.

A component whose time runs out before any solver answers keeps its first plan.
"""

import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from dataclasses import dataclass

from matching.backends import Backend
from matching.dispatch import POLL_S, TRIES, Limits
from matching.errors import Cancelled, SolverFailed
from matching.executor import ProcessExecutor, shared_executor, usable_cpus
from matching.ruled.component import RuledComponent
from matching.ruled.search import EFFORT_S, RuledAnswer, solve_ruled, started

# Pairs in one trip to another process.
BATCH_PAIRS = 500
# Of the time that is left, so much is kept for the way back and the check.
MARGIN_SHARE = 0.1
MARGIN_MAX_S = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What is known of a ruled component; not `ended`: time was up before a solver answered."""

    component: RuledComponent
    answer: RuledAnswer
    ended: bool


def answered_ruled(
    components: Sequence[RuledComponent],
    backend: Backend,
    executor: Executor | None,
    limits: Limits,
) -> list[Outcome]:
    """The answer of every component, in their order. Raises Cancelled."""
    if executor is None and not limits.any:
        return [Outcome(part, _told(part, backend, limits), True) for part in components]
    found: dict[int, RuledAnswer] = {}
    if components and limits.left_s() > 0:
        if executor is None:
            with shared_executor() as own:
                _over(own, components, backend, limits, found)
        else:
            try:
                _over(executor, components, backend, limits, found)
            except BrokenExecutor:
                with shared_executor() as own:  # theirs is beyond repair, the work is not
                    _over(own, components, backend, limits, found)
    return [
        Outcome(part, found[c] if c in found else started(part), c in found)
        for c, part in enumerate(components)
    ]


def solve_batch(
    batch: list[RuledComponent], backend: Backend, effort_s: float | None
) -> list[RuledAnswer]:
    """Some components one after another, in equal parts of `effort_s` where there is a limit."""
    began, answers = time.monotonic(), []
    for place, part in enumerate(batch):
        effort = EFFORT_S
        if effort_s is not None:
            left = effort_s - (time.monotonic() - began)
            effort = min(effort, max(left, 0.0) / (len(batch) - place))
        answers.append(solve_ruled(part, backend, effort_s=effort))
    return answers


def _told(part: RuledComponent, backend: Backend, limits: Limits) -> RuledAnswer:
    answer = solve_ruled(part, backend)
    limits.told(len(part.net.pair_need), 1)
    return answer


def _over(
    executor: Executor,
    components: Sequence[RuledComponent],
    backend: Backend,
    limits: Limits,
    found: dict[int, RuledAnswer],
) -> None:
    """Submit all, collect as they come; on a limit end the processes that we own."""
    own = executor if isinstance(executor, ProcessExecutor) else None
    batches = _batches(components, found)
    tries = [1] * len(batches)
    effort = _effort(limits, len(batches), own.workers if own else usable_cpus())
    pending: dict[Future[list[RuledAnswer]], int] = {}

    def submit(at: int) -> None:
        parts = [components[c] for c in batches[at]]
        pending[executor.submit(solve_batch, parts, backend, effort)] = at

    try:
        for at in range(len(batches)):
            submit(at)
        while pending:
            if limits.cancelled is not None and limits.cancelled():
                raise Cancelled("The solve was cancelled.")
            if limits.left_s() <= 0:
                return
            timeout = min(POLL_S, max(0.0, limits.left_s())) if limits.any else None
            for future in wait(pending, timeout, return_when=FIRST_COMPLETED).done:
                at = pending.pop(future)
                try:
                    answers = future.result()
                except BrokenExecutor:
                    if own is None:
                        raise
                    if tries[at] == TRIES:
                        raise SolverFailed("A worker process died twice on one batch.") from None
                    tries[at] += 1
                    submit(at)
                    continue
                for c, answer in zip(batches[at], answers, strict=True):
                    found[c] = answer
                    limits.told(len(components[c].net.pair_need), 1)
    finally:
        if pending and own is not None:
            own.kill()
        for future in pending:
            future.cancel()


def _batches(
    components: Sequence[RuledComponent], found: dict[int, RuledAnswer]
) -> list[list[int]]:
    """Components without an answer, together where they are small; large ones first."""
    batches: list[list[int]] = []
    size = BATCH_PAIRS
    for c, part in enumerate(components):
        if c in found:
            continue
        if size >= BATCH_PAIRS:
            batches.append([])
            size = 0
        batches[-1].append(c)
        size += len(part.net.pair_need)
    return batches


def _effort(limits: Limits, batches: int, workers: int) -> float | None:
    """Seconds for each batch, so that all have had their turn before time is up."""
    if limits.until is None:
        return None
    left = limits.left_s()
    left -= min(MARGIN_MAX_S, MARGIN_SHARE * left)
    return left * min(1.0, workers / max(batches, 1))
