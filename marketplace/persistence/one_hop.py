"""SQLite statements in one hop to the connection's thread each, where the driver takes four."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import aiosqlite
from sqlalchemy.connectors.asyncio import AsyncAdapt_dbapi_connection
from sqlalchemy.dialects.sqlite.aiosqlite import (
    AsyncAdapt_aiosqlite_connection,
    AsyncAdapt_aiosqlite_cursor,
    AsyncAdapt_aiosqlite_dbapi,
)
from sqlalchemy.util import EMPTY_DICT


class OneHop(AsyncAdapt_aiosqlite_dbapi):
    """The driver of SQLAlchemy's aiosqlite dialect, as `create_async_engine(module=…)` takes it.

    A hop wakes a thread and then the event loop again, which costs more than most of our
    statements. The plain driver makes a cursor, executes, fetches and closes in four of them.
    """

    def __init__(self) -> None:
        super().__init__(aiosqlite, sqlite3)

    def connect(self, *arg: Any, **kw: Any) -> AsyncAdapt_aiosqlite_connection:
        connection = super().connect(*arg, **kw)
        return _Connection(self, connection._connection)


class _Done:
    """What a statement left behind; its own cursor was closed in the thread."""

    description: Any = None
    rowcount = -1
    lastrowid: int | None = None
    arraysize = 1

    def close(self) -> None:
        """Nothing is open."""


class _Cursor(AsyncAdapt_aiosqlite_cursor):
    __slots__ = ()
    _awaitable_cursor_close = False
    _cursor: Any

    def __init__(self, adapt_connection: AsyncAdapt_dbapi_connection) -> None:
        self._adapt_connection = adapt_connection
        self._connection = adapt_connection._connection
        self._cursor = _Done()
        self._rows = deque()
        self._soft_closed_memoized = EMPTY_DICT

    async def _execute_async(self, operation: Any, parameters: Any) -> Any:
        await self._in_one_hop(partial(_executed, operation, parameters or ()))

    async def _executemany_async(self, operation: Any, seq_of_parameters: Any) -> Any:
        await self._in_one_hop(partial(_executed_many, operation, seq_of_parameters))

    async def _in_one_hop(self, act: Callable[[Any], tuple[_Done, Sequence[Any]]]) -> None:
        async with self._adapt_connection._execute_mutex:
            connection: Any = self._connection
            self._cursor, rows = await connection._execute(partial(act, connection._conn))
            self._rows = deque(rows)


class _Connection(AsyncAdapt_aiosqlite_connection):
    __slots__ = ()
    _cursor_cls = _Cursor


def _executed(
    operation: str, parameters: Any, connection: sqlite3.Connection
) -> tuple[_Done, Sequence[Any]]:
    return _fetched(connection.execute(operation, parameters))


def _executed_many(
    operation: str, parameters: Any, connection: sqlite3.Connection
) -> tuple[_Done, Sequence[Any]]:
    return _fetched(connection.executemany(operation, parameters))


def _fetched(cursor: sqlite3.Cursor) -> tuple[_Done, Sequence[Any]]:
    done = _Done()
    rows = cursor.fetchall() if cursor.description else ()
    done.description = cursor.description
    done.rowcount, done.lastrowid = cursor.rowcount, cursor.lastrowid
    cursor.close()
    return done, rows
