"""What is looked up once for a whole operation, and values of the read graph that are awaited."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator, Hashable
from typing import Generic, TypeVar, cast

T = TypeVar("T")


class Once:
    """What one operation has looked up, by key; asked for at the same time, it is done once."""

    def __init__(self) -> None:
        self._locks: dict[Hashable, asyncio.Lock] = {}
        self._found: dict[Hashable, object] = {}

    async def of(self, key: Hashable, look_up: Callable[[], Awaitable[T]]) -> T:
        async with self._locks.setdefault(key, asyncio.Lock()):
            if key not in self._found:
                self._found[key] = await look_up()
        return cast(T, self._found[key])


class Later(Generic[T]):
    """A value of the read graph that has to be waited for.

    Not a coroutine: one that nobody comes to wait for is no mistake.
    """

    __slots__ = ("_wait",)

    def __init__(self, wait: Callable[[], Awaitable[T]]) -> None:
        self._wait = wait

    def __await__(self) -> Generator[object, None, T]:
        return self._wait().__await__()
