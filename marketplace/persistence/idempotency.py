"""Idempotency keys: the same request sent again is told what came of it, not done again."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from marketplace.persistence.database import Row, Writing
from marketplace.persistence.tables import idempotency_keys as keys


async def claim(
    db: Writing, *, account_id: int, key: str, action: str, input_digest: str, now: datetime
) -> Row | None:
    """Take the key for this transaction and return None, or the row of who took it before.

    A concurrent twin waits here until the first one's transaction ends.
    """
    values = {
        "account_id": account_id,
        "key": key,
        "action": action,
        "input_digest": input_digest,
        "created_at": now,
    }
    made = await db.scalar(_insert(db.dialect).values(**values).returning(keys.c.id))
    if made is not None:
        return None
    return await db.row(sa.select(keys).where(keys.c.account_id == account_id, keys.c.key == key))


async def settle(db: Writing, *, account_id: int, key: str, outcome: dict[str, object]) -> None:
    """Keep what came of it, in the same transaction as the effect itself."""
    await db.execute(
        sa.update(keys)
        .where(keys.c.account_id == account_id, keys.c.key == key)
        .values(outcome=outcome)
    )


async def forget_before(db: Writing, moment: datetime) -> int:
    """Drop the keys that are older than they have to be kept; how many."""
    return await db.execute(sa.delete(keys).where(keys.c.created_at < moment))


def _insert(dialect: str) -> sa.Insert:
    # RETURNING tells who won: the row count of an INSERT … ON CONFLICT is -1 with psycopg.
    if dialect == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as pg_insert

        return pg_insert(keys).on_conflict_do_nothing(index_elements=["account_id", "key"])
    from sqlalchemy.dialects.sqlite import insert as sqlite_insert

    return sqlite_insert(keys).on_conflict_do_nothing(index_elements=["account_id", "key"])
