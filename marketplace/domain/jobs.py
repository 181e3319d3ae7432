"""A job: work that outlives the request that asked for it, and the process that runs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

BACK_OFF_MAX_S = 300


class JobStatus(StrEnum):
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    DONE = "DONE"
    CANCELLED = "CANCELLED"
    DEAD = "DEAD"


class Beat(StrEnum):
    """What a heartbeat learns: go on, or stop because the job was cancelled or is another's."""

    GO = "GO"
    CANCELLED = "CANCELLED"
    LOST = "LOST"


class LeaseLost(Exception):
    """The job is no longer this attempt's: it was cancelled, or another worker has taken it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One claimed job. `attempt` counts the claims and is the fencing token of this one."""

    id: int
    kind: str
    payload: Mapping[str, object]
    attempt: int
    attempts_max: int
    checkpoint: Mapping[str, object] | None = None

    @property
    def is_exhausted(self) -> bool:
        """Every allowed attempt has already ended without a word: it must not be run again."""
        return self.attempt > self.attempts_max

    @property
    def is_last_attempt(self) -> bool:
        return self.attempt >= self.attempts_max


def back_off_s(attempt: int) -> int:
    """Seconds to wait before the next attempt.

    >>> [back_off_s(n) for n in (1, 2, 3, 20)]
    [2, 4, 8, 300]
    """
    return min(BACK_OFF_MAX_S, 1 << min(attempt, 16))
