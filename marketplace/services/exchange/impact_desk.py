"""Where impacts are asked for: a child process that answers one question after the other."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

import matching
from marketplace.domain.errors import Conflict
from marketplace.persistence.database import Database
from marketplace.services.exchange.impact_child import Question, answer
from marketplace.services.exchange.impact_told import Told

DEADLINE_S = 20.0  # of a question that is being answered, the child's start included
WAITING_MAX = 20  # questions that wait or are answered
TRIES = 2
ASKED_MAX = 120  # questions of one account
ASKED_WITHIN = timedelta(hours=1)


class ImpactDesk:
    """One child for a database, kept warm; it is begun again when it died or was ended."""

    def __init__(self) -> None:
        self._executor = matching.ProcessExecutor(1)
        self._turn = asyncio.Lock()
        self._asking: set[int] = set()
        self._asked: dict[int, deque[datetime]] = {}

    async def ask(self, question: Question) -> Told | None:
        """The child's answer. Raises Conflict (TIMEOUT) where it takes too long."""
        async with self._turn:
            for tried in range(1, TRIES + 1):
                future = asyncio.wrap_future(self._executor.submit(answer, question))
                try:
                    async with asyncio.timeout(DEADLINE_S):
                        return await future
                except BrokenExecutor:
                    if tried == TRIES:
                        raise
                except TimeoutError:
                    self._executor.kill()  # the solver knows no interrupt
                    raise _too_long() from None
                except asyncio.CancelledError:
                    self._executor.kill()
                    raise
        raise AssertionError("the last try answers or raises")

    @contextmanager
    def one_at_a_time(self, account_id: int, *, now: datetime) -> Iterator[None]:
        """Keep an account from asking twice at once, and from asking too often.

        Answers to many chosen questions tell more than each of them. Counted in this process: a
        server of several processes allows so many in each, and a restart forgets.

        Raises Conflict (TOO_MANY).
        """
        if account_id in self._asking or len(self._asking) >= WAITING_MAX:
            raise Conflict.of(
                "",
                "Another question of this kind is being answered. Wait for it, then ask again.",
                "正在计算另一个同类请求，请等待其完成后再试。",
                code="TOO_MANY",
            )
        self._count(account_id, now)
        self._asking.add(account_id)
        try:
            yield
        finally:
            self._asking.discard(account_id)

    def _count(self, account_id: int, now: datetime) -> None:
        for key, asked in list(self._asked.items()):
            while asked and asked[0] <= now - ASKED_WITHIN:
                asked.popleft()
            if not asked:
                del self._asked[key]
        asked = self._asked.setdefault(account_id, deque())
        if len(asked) >= ASKED_MAX:
            raise _too_often(asked[0] + ASKED_WITHIN - now)
        asked.append(now)

    @property
    def pids(self) -> list[int]:
        """Process ids of the children alive."""
        return self._executor.pids

    async def close(self) -> None:
        """End the child and see it gone."""
        await asyncio.to_thread(self._executor.shutdown, cancel_futures=True)


_DESKS: WeakKeyDictionary[Database, ImpactDesk] = WeakKeyDictionary()


def desk_of(database: Database) -> ImpactDesk:
    """The desk of a database in this process; `close_desk` ends it."""
    if database not in _DESKS:
        _DESKS[database] = ImpactDesk()
    return _DESKS[database]


async def close_desk(database: Database) -> None:
    """End the child of a database, if there is one."""
    desk = _DESKS.pop(database, None)
    if desk is not None:
        await desk.close()


def _too_often(wait: timedelta) -> Conflict:
    minutes = -(-int(wait.total_seconds()) // 60) or 1
    return Conflict.of(
        "",
        f"Your account has asked {ASKED_MAX} such questions within an hour, and no more are "
        f"answered. Ask again in {minutes} min.",
        f"您的账号一小时内已提问 {ASKED_MAX} 次，达到上限，请在 {minutes} 分钟后再试。",
        code="TOO_MANY",
    )


def _too_long() -> Conflict:
    return Conflict.of(
        "",
        "This could not be worked out in time. Name fewer regions, or a narrower category.",
        "未能在限定时间内完成计算，请缩小区划范围或选择更具体的类别。",
        code="TIMEOUT",
    )
