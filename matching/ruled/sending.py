"""Sending: ruled components over an executor, until all are solved, time is up, or cancelled.

A component whose time runs out before any solver answers keeps its first plan.
"""

import time
from collections.abc import Callable, Iterable, Sequence
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
# Past the end a child that is about to answer is waited for: a share of the time there was.
GRACE_SHARE = 0.25
GRACE_MAX_S = 2.0


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
    batch: list[RuledComponent], backend: Backend, effort_s: float, end: float | None = None
) -> list[RuledAnswer]:
    """Some components one after another, within `effort_s` together and until `end` (time.time()),
    whenever a process was free to begin."""
    if end is not None:
        effort_s = min(effort_s, end - time.time())
    return _one_by_one(batch, backend, max(effort_s, 0.0), lambda pairs, components: None)


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
    sent = _Sent(executor, components, backend, limits, _batches(components, found))
    grace_s = min(GRACE_MAX_S, GRACE_SHARE * limits.left_s())
    try:
        sent.submit_all()
        while sent.pending:
            if limits.cancelled is not None and limits.cancelled():
                raise Cancelled("The solve was cancelled.")
            left_s = limits.left_s() + grace_s
            timeout = min(POLL_S, max(0.0, left_s)) if limits.any else None
            done = wait(sent.pending, timeout, return_when=FIRST_COMPLETED).done
            if left_s <= 0 and not done:
                return
            for future in done:
                for c, answer in sent.collected(future):
                    found[c] = answer
                    limits.told(len(components[c].net.pair_need), 1)
    finally:
        if sent.pending and isinstance(executor, ProcessExecutor):
            executor.kill()
        for future in sent.pending:
            future.cancel()


class _Sent:
    """Batches that are under way, and when their processes are to stop."""

    def __init__(
        self,
        executor: Executor,
        components: Sequence[RuledComponent],
        backend: Backend,
        limits: Limits,
        batches: list[list[int]],
    ) -> None:
        self.executor, self.components, self.backend = executor, components, backend
        self.limits, self.batches = limits, batches
        self.tries = [0] * len(batches)
        self.efforts = [0.0] * len(batches)
        self.pending: dict[Future[list[RuledAnswer]], int] = {}
        left_s = limits.left_s()
        # By the wall clock, as it is the only one that other machines have too.
        self.end = None if limits.until is None else time.time() + left_s - _margin(left_s)

    def submit_all(self) -> None:
        """All batches, each with its seconds, so that all have had their turn before time is up.

        An executor that has done all by the time it gets the next works in turn: then what is left
        is shared out anew each time.
        """
        wanted = [sum(effort_of(self.components[c]) for c in batch) for batch in self.batches]
        workers = getattr(self.executor, "workers", usable_cpus())
        self.efforts = _efforts(self.limits, wanted, workers)
        for at in range(len(self.batches)):
            if at and all(future.done() for future in self.pending):
                if self.limits.left_s() <= 0:
                    return
                self.efforts[at] = _efforts(self.limits, wanted[at:], 1)[0]
            self._submit(at)

    def collected(self, future: Future[list[RuledAnswer]]) -> Iterable[tuple[int, RuledAnswer]]:
        """What a future that is done has brought: nothing where its process died the first time."""
        at = self.pending.pop(future)
        try:
            return zip(self.batches[at], future.result(), strict=True)
        except BrokenExecutor:
            if not isinstance(self.executor, ProcessExecutor):
                raise
            if self.tries[at] == TRIES:
                raise SolverFailed("A worker process died twice on one batch.") from None
            self._submit(at)
            return ()

    def _submit(self, at: int) -> None:
        parts = [self.components[c] for c in self.batches[at]]
        self.tries[at] += 1
        future = self.executor.submit(solve_batch, parts, self.backend, self.efforts[at], self.end)
        self.pending[future] = at


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


def _efforts(limits: Limits, wanted: list[float], workers: int) -> list[float]:
    """Seconds for each batch that wants so many."""
    left = min(limits.left_s(), SOLVE_EFFORT_S)
    if limits.until is not None:
        left -= _margin(left)
    most = [min(seconds, left) for seconds in wanted]
    scale = min(1.0, left * workers / max(sum(most), 1e-9))
    return [seconds * scale for seconds in most]


def _margin(left_s: float) -> float:
    return min(MARGIN_MAX_S, MARGIN_SHARE * left_s)
