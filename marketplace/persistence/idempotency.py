"""Idempotency keys: the same request sent again is told what came of it, not done again."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.dialects import sqlite

from marketplace.persistence.database import Row, Writing
from marketplace.persistence.tables import idempotency_keys as keys


async def claim(
    db: Writing,
    *,
    account_id: int,
    key: str,
    action: str,
    input_digest: str,
    now: datetime,
    kept_since: datetime,
) -> Row | None:
    """Take the key for this transaction and return None, or the row of who took it before.

    What was taken before `kept_since` counts no more: the key is free. A concurrent twin
    waits here until the first one's transaction ends.
    """
    values = {
        "account_id": account_id,
        "key": key,
        "action": action,
        "input_digest": input_digest,
        "created_at": now,
    }
    taken = (
        _insert(db.dialect)
        .values(**values)
        .on_conflict_do_update(
            index_elements=["account_id", "key"],
            set_={**values, "outcome": sa.null()},
            where=keys.c.created_at < kept_since,
        )
    )
    made = await db.scalar(taken.returning(keys.c.id))
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


def _insert(dialect: str) -> pg.Insert | sqlite.Insert:
    # RETURNING tells who won: the row count of an INSERT … ON CONFLICT is -1 with psycopg.
    return pg.insert(keys) if dialect == "postgresql" else sqlite.insert(keys)
