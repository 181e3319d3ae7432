"""Kinds of jobs, and the bell that wakes this process's worker when one was enqueued."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from marketplace.domain.errors import Text
from marketplace.domain.jobs import Job
from marketplace.persistence.database import Database, Writing

Values = Mapping[str, object]


class JobFailed(Exception):
    """The job cannot succeed however often it is tried; `said` is for the people who asked."""

    def __init__(self, code: str, said: Text) -> None:
        super().__init__(f"{code}: {said.en}")
        self.code = code
        self.said = said


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """How a kind of job is run: a computation in a child process between two transactions.

    compute    "module:function" that the child runs; it takes the request and a reporter of
               (progress, stage), and returns plain values
    request    what the child is told, read (and marked as begun) in the worker; raises LeaseLost
    settle     the effect, written in the one transaction that also marks the job as done
    give_up    the effect of failing for good, likewise
    """

    compute: str
    request: Callable[[Database, Job], Awaitable[Values]]
    settle: Callable[[Writing, Database, Job, Values], Awaitable[None]]
    give_up: Callable[[Writing, Database, Job, JobFailed], Awaitable[None]]


class Bell:
    """Rings for everyone of this process who waits for jobs; other processes look by themselves."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wake whoever waits now."""
        self._rung.set()
        self._rung = asyncio.Event()

    async def heard(self, within_s: float) -> bool:
        """Wait for a ring; False if there was none within so many seconds."""
        try:
            async with asyncio.timeout(within_s):
                await self._rung.wait()
        except TimeoutError:
            return False
        return True


_BELLS: WeakKeyDictionary[Database, Bell] = WeakKeyDictionary()


def bell_of(database: Database) -> Bell:
    """The bell of a database in this process: ring it after a commit that a worker should see."""
    return _BELLS.setdefault(database, Bell())
