"""The database: one way to read, one way to write, on SQLite and PostgreSQL alike."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from marketplace.persistence.one_hop import OneHop

Row = sa.RowMapping
Values = Mapping[str, object]

SQLITE_PRAGMAS = (
    "busy_timeout=10000",
    "journal_mode=WAL",
    "synchronous=FULL",  # a confirmed delivery survives a power cut; measured as free here
    "foreign_keys=ON",
    "trusted_schema=OFF",
    "secure_delete=ON",
)
POSTGRES_SESSION = (
    "-c timezone=UTC -c statement_timeout=60s -c lock_timeout=10s "
    "-c idle_in_transaction_session_timeout=60s"
)


class Reading:
    """A transaction that can only read: neither mypy nor the database lets it write."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    @property
    def dialect(self) -> str:
        return self._connection.dialect.name

    async def rows(self, statement: sa.Executable, values: Values | None = None) -> Sequence[Row]:
        """Every row of the answer, as mappings."""
        return (await self._connection.execute(statement, values)).mappings().all()

    async def row(self, statement: sa.Executable, values: Values | None = None) -> Row | None:
        """The first row, or None."""
        return (await self._connection.execute(statement, values)).mappings().first()

    async def scalar(self, statement: sa.Executable, values: Values | None = None) -> object:
        """The first column of the first row, or None."""
        return (await self._connection.execute(statement, values)).scalar()

    async def columns(self, statement: sa.Executable) -> dict[str, list[object]]:
        """The answer column by column, for what is worked on as arrays."""
        result = await self._connection.execute(statement)
        names = list(result.keys())
        rows = result.all()
        turned = zip(*rows, strict=True) if rows else ([] for _ in names)
        return {name: list(column) for name, column in zip(names, turned, strict=True)}


class Writing(Reading):
    """One transaction: all of it is kept, or nothing."""

    async def execute(
        self, statement: sa.Executable, values: Values | Sequence[Values] | None = None
    ) -> int:
        """Run a statement; how many rows an UPDATE or DELETE changed (no use for INSERT)."""
        return (await self._connection.execute(statement, values)).rowcount

    async def insert(self, table: sa.Table, values: Values) -> int:
        """Add one row and return the key that the database gave it."""
        if any(isinstance(value, sa.ClauseElement) for value in values.values()):
            made = await self._connection.execute(
                sa.insert(table).values(**values).returning(table.c.id)
            )
        else:
            made = await self._connection.execute(_insertion(table), dict(values))
        return int(made.scalar_one())

    async def insert_many(self, table: sa.Table, rows: Sequence[Values]) -> None:
        """Add many rows at once."""
        if rows:
            await self._connection.execute(_insertion_of_many(table), list(rows))

    async def insert_keys(self, table: sa.Table, rows: Sequence[Values]) -> list[int]:
        """Add many rows at once; their keys in the order of the rows."""
        if not rows:
            return []
        made = await self._connection.execute(_insertion_in_order(table), list(rows))
        return [int(key) for key in made.scalars()]


class Database:
    """Two pools on one database: readers in read-only transactions, and writers.

    url      as Settings.url gives it
    clock    what time it is; an argument, so that tests decide
    """

    def __init__(self, url: str, *, clock: Callable[[], datetime] | None = None) -> None:
        self.url = sa.make_url(url)
        self._clock = clock or (lambda: datetime.now(UTC))
        if self.url.get_backend_name() == "sqlite":
            if self.url.database:
                Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
            self._writer = _sqlite(self.url, pool_size=1, read_only=False)
            self._reader = _sqlite(self.url, pool_size=6, read_only=True)
        else:
            self._writer = _postgres(self.url, pool_size=8, read_only=False)
            self._reader = _postgres(self.url, pool_size=8, read_only=True)

    @property
    def engines(self) -> tuple[AsyncEngine, AsyncEngine]:
        """Writer and reader, for those who count statements or watch pools."""
        return self._writer, self._reader

    @property
    def dialect(self) -> str:
        return self._writer.dialect.name

    def now(self) -> datetime:
        """The time of the house's clock, aware, in UTC."""
        return self._clock()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Reading]:
        """A read-only transaction: one snapshot on SQLite, READ COMMITTED on PostgreSQL."""
        async with self._reader.connect() as connection, connection.begin():
            yield Reading(connection)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Reading]:
        """A read-only transaction whose statements all see the same moment, on both databases."""
        async with self._reader.connect() as connection:
            if self.dialect == "postgresql":
                await connection.execution_options(isolation_level="REPEATABLE READ")
            async with connection.begin():
                yield Reading(connection)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Writing]:
        """One transaction: committed when the block ends, rolled back when it raises."""
        async with self._writer.begin() as connection:
            yield Writing(connection)

    async def close(self) -> None:
        await self._reader.dispose()
        await self._writer.dispose()


@cache
def _insertion(table: sa.Table) -> sa.Insert:
    """Built once a table: building it anew costs as much as running it."""
    return sa.insert(table).returning(table.c.id)


@cache
def _insertion_of_many(table: sa.Table) -> sa.Insert:
    return sa.insert(table)


@cache
def _insertion_in_order(table: sa.Table) -> sa.Insert:
    return sa.insert(table).returning(table.c.id, sort_by_parameter_order=True)


def _sqlite(url: sa.URL, *, pool_size: int, read_only: bool) -> AsyncEngine:
    engine = create_async_engine(
        url,
        module=OneHop(),
        poolclass=sa.AsyncAdaptedQueuePool,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=30,
        hide_parameters=True,  # an error's text goes into the log, and values may be personal
    )
    pragmas = (*SQLITE_PRAGMAS, "query_only=ON") if read_only else SQLITE_PRAGMAS

    @sa.event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # BEGIN is ours: deferred writers fail as BUSY_SNAPSHOT
        for pragma in pragmas:
            cursor = connection.cursor()
            cursor.execute(f"PRAGMA {pragma}")
            cursor.close()

    @sa.event.listens_for(engine.sync_engine, "begin")
    def begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


def _postgres(url: sa.URL, *, pool_size: int, read_only: bool) -> AsyncEngine:
    session = POSTGRES_SESSION + (" -c default_transaction_read_only=on" if read_only else "")
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=4,
        pool_timeout=30,
        pool_pre_ping=True,
        pool_recycle=1800,
        hide_parameters=True,
        connect_args={"options": session},
    )
