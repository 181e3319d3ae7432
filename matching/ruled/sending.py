"""Sending: ruled components over an executor, until all are solved, time is up, or cancelled.

A component whose time runs out before any solver answers keeps its first plan.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from dataclasses import dataclass

from matching.backends import Backend
from matching.dispatch import POLL_S, TRIES, Limits
from matching.errors import Cancelled, SolverFailed
from matching.executor import ProcessExecutor, shared_executor, usable_cpus
from matching.ruled.component import RuledComponent
from matching.ruled.search import RuledAnswer, effort_of, solve_ruled, started

# Pairs in one trip to another process.
BATCH_PAIRS = 500
# All components of one solve together get so much time of each worker; what one leaves, others may
# use.
SOLVE_EFFORT_S = 60.0
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
        done = _one_by_one(components, backend, SOLVE_EFFORT_S, limits.told)
        return [Outcome(part, answer, True) for part, answer in zip(components, done, strict=True)]
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
    batch: list[RuledComponent], backend: Backend, effort_s: float
) -> list[RuledAnswer]:
    """Some components one after another, within `effort_s` together."""
    return _one_by_one(batch, backend, effort_s, lambda pairs, components: None)


def _one_by_one(
    components: Sequence[RuledComponent],
    backend: Backend,
    effort_s: float,
    told: Callable[[int, int], None],
) -> list[RuledAnswer]:
    """Each in its share of the time that is left; none takes more than what it needs at most."""
    until, answers = time.monotonic() + effort_s, []
    wanted = [effort_of(part) for part in components]
    for place, part in enumerate(components):
        left = max(until - time.monotonic(), 0.0)
        share = left * wanted[place] / sum(wanted[place:])
        answers.append(solve_ruled(part, backend, effort_s=min(share, wanted[place])))
        told(len(part.net.pair_need), 1)
    return answers


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
    workers = own.workers if own else usable_cpus()
    efforts = _efforts(limits, [[components[c] for c in batch] for batch in batches], workers)
    pending: dict[Future[list[RuledAnswer]], int] = {}

    def submit(at: int) -> None:
        parts = [components[c] for c in batches[at]]
        pending[executor.submit(solve_batch, parts, backend, efforts[at])] = at

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


def _efforts(limits: Limits, batches: list[list[RuledComponent]], workers: int) -> list[float]:
    """Seconds for each batch, so that all have had their turn before time is up."""
    left = min(limits.left_s(), SOLVE_EFFORT_S)
    if limits.until is not None:
        left -= min(MARGIN_MAX_S, MARGIN_SHARE * left)
    wanted = [sum(map(effort_of, batch)) for batch in batches]
    most = [min(seconds, left) for seconds in wanted]
    scale = min(1.0, left * workers / max(sum(most), 1e-9))
    return [seconds * scale for seconds in most]
