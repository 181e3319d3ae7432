"""Rows of one-time codes: at most one that is good for each purpose and subject."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from marketplace.domain.messages import CODE_TRIES_MAX, CodePurpose
from marketplace.persistence.database import Reading, Writing
from marketplace.persistence.tables import one_time_codes as codes


async def issued_since(
    db: Reading, *, purpose: CodePurpose, subject_id: int, since: datetime
) -> int:
    """How many codes were made for a subject since a moment."""
    statement = sa.select(sa.func.count()).where(
        _of(purpose, subject_id), codes.c.created_at > since
    )
    return int(str(await db.scalar(statement)))


async def replace(
    db: Writing,
    *,
    purpose: CodePurpose,
    subject_id: int,
    digest: str,
    now: datetime,
    expires_at: datetime,
) -> bool:
    """Keep a new code's digest; the one before is good no more.

    False where another transaction has made one in the same moment: that one stands.
    """
    await db.execute(
        sa.update(codes)
        .where(_of(purpose, subject_id), codes.c.ended_at.is_(None))
        .values(ended_at=now)
    )
    made = await db.scalar(
        _insert(db.dialect)
        .values(
            purpose=purpose,
            subject_id=subject_id,
            digest=digest,
            created_at=now,
            expires_at=expires_at,
        )
        .returning(codes.c.id)
    )
    return made is not None


async def count_try(
    db: Writing, *, purpose: CodePurpose, subject_id: int, now: datetime
) -> str | None:
    """Count a try of the code that is good; its digest, or None if there is none (any more)."""
    statement = (
        sa.update(codes)
        .where(_good(purpose, subject_id, now), codes.c.tries < CODE_TRIES_MAX)
        .values(tries=codes.c.tries + 1)
        .returning(codes.c.digest)
    )
    found = await db.scalar(statement)
    return None if found is None else str(found)


async def use(
    db: Writing, *, purpose: CodePurpose, subject_id: int, digest: str, now: datetime
) -> bool:
    """End the good code of this digest as used; False if it is not (any more)."""
    done = await db.execute(
        sa.update(codes)
        .where(_good(purpose, subject_id, now), codes.c.digest == digest)
        .values(ended_at=now, used=True)
    )
    return done == 1


async def forget_before(db: Writing, moment: datetime) -> int:
    """Delete codes that ran out before a moment; how many."""
    return await db.execute(sa.delete(codes).where(codes.c.expires_at < moment))


def _of(purpose: CodePurpose, subject_id: int) -> sa.ColumnElement[bool]:
    return sa.and_(codes.c.purpose == purpose, codes.c.subject_id == subject_id)


def _good(purpose: CodePurpose, subject_id: int, now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(_of(purpose, subject_id), codes.c.ended_at.is_(None), codes.c.expires_at > now)


def _insert(dialect: str) -> sa.Insert:
    key, alive = [codes.c.purpose, codes.c.subject_id], codes.c.ended_at.is_(None)
    if dialect == "postgresql":
        made = postgresql.insert(codes)
        return made.on_conflict_do_nothing(index_elements=key, index_where=alive)
    return sqlite.insert(codes).on_conflict_do_nothing(index_elements=key, index_where=alive)
