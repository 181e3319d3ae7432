"""The events table as a feed: read in the order of positions, and nothing ever passed by."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import sqlalchemy as sa

from marketplace.persistence.database import Reading, Row, Writing
from marketplace.persistence.tables import events, feeds


async def after(
    db: Reading, position: int, *, limit: int, kinds: Collection[str] | None = None
) -> Sequence[Row]:
    """Events behind a position, the oldest first; none that an earlier one could still precede."""
    statement = (
        sa.select(events)
        .where(events.c.id > position, _settled(db.dialect))
        .order_by(events.c.id)
        .limit(limit)
    )
    if kinds is not None:
        statement = statement.where(events.c.kind.in_(sorted(kinds)))
    return await db.rows(statement)


async def newest(db: Reading) -> int:
    """The position behind which only what is still to come lies."""
    found = await db.scalar(
        sa.select(events.c.id).where(_settled(db.dialect)).order_by(events.c.id.desc()).limit(1)
    )
    return 0 if found is None else int(str(found))


async def position(db: Reading, name: str) -> int:
    """How far a reader has come."""
    found = await db.scalar(sa.select(feeds.c.position).where(feeds.c.name == name))
    assert found is not None, "the migration makes a row for every reader"
    return int(str(found))


async def advance(db: Writing, name: str, *, was: int, now_at: int) -> bool:
    """Move a reader on; False where another process has done it: then nothing may be kept."""
    done = await db.execute(
        sa.update(feeds)
        .where(feeds.c.name == name, feeds.c.position == was)
        .values(position=now_at)
    )
    return done == 1


def _settled(dialect: str) -> sa.ColumnElement[bool]:
    """No transaction that is still open can have been given an earlier position.

    SQLite has one writer at a time. In PostgreSQL positions are given before the commit, so that
    6 can be there before 5 is: only rows of transactions older than every open one are settled.
    Their numbers have 32 bits and turn over, so they are compared on that circle; a row of long
    ago, which may be more than half a turn away, is settled in any case.
    """
    if dialect == "sqlite":
        return sa.true()
    written = sa.literal_column("CAST(CAST(events.xmin AS text) AS bigint)", sa.BigInteger)
    oldest_open = sa.literal_column(
        "CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)", sa.BigInteger
    )
    turn = 1 << 32
    behind = sa.func.mod(sa.func.mod(oldest_open - written, turn) + turn, turn)
    long_ago = events.c.at < sa.literal_column("now() - interval '1 day'")
    return sa.or_(behind.between(1, turn // 2), long_ago)
