"""Rows of messages to households: sealed while they wait, leased while they are sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from marketplace.domain.messages import MESSAGE_KEPT_FOR, MessageStatus
from marketplace.persistence.crypto import Sealer, new_seal_id
from marketplace.persistence.database import Reading, Row, Writing
from marketplace.persistence.registry.households import PHONE as HOUSEHOLD_PHONE
from marketplace.persistence.tables import households, messages

PHONE = "messages.phone"
TEXT = "messages.text"


async def phone_of_household(db: Reading, sealer: Sealer, household_id: int) -> str | None:
    """A household's phone in the clear; None where none is known."""
    row = await db.row(
        sa.select(households.c.phone_sealed, households.c.seal_id).where(
            households.c.id == household_id
        )
    )
    if row is None or row["phone_sealed"] is None:
        return None
    return sealer.open(row["phone_sealed"], place=HOUSEHOLD_PHONE, seal_id=row["seal_id"])


async def enqueue(
    db: Writing,
    sealer: Sealer,
    *,
    household_id: int | None,
    phone: str,
    text: str,
    kind: str,
    now: datetime,
) -> int:
    """Put a message in line in the caller's transaction; its key."""
    seal_id = new_seal_id()
    return await db.insert(
        messages,
        {
            "household_id": household_id,
            "kind": kind,
            "seal_id": seal_id,
            "phone_sealed": sealer.seal(phone, place=PHONE, seal_id=seal_id),
            "text_sealed": sealer.seal(text, place=TEXT, seal_id=seal_id),
            "created_at": now,
            "next_try_at": now,
            "give_up_at": now + MESSAGE_KEPT_FOR,
        },
    )


async def any_due(db: Reading, *, now: datetime) -> bool:
    """Whether any message waits to be sent; asked before a transaction is opened for it."""
    return await db.scalar(sa.select(messages.c.id).where(_due(now)).limit(1)) is not None


async def lease(db: Writing, *, now: datetime, until: datetime, limit: int) -> Sequence[Row]:
    """Take messages that are due, so that nobody else sends them before `until`."""
    due = (
        sa.select(messages.c.id)
        .where(_due(now))
        .order_by(messages.c.next_try_at, messages.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)  # SQLite has BEGIN IMMEDIATE instead
    )
    taken = (
        sa.update(messages)
        .where(messages.c.id.in_(due.scalar_subquery()))
        .values(next_try_at=until, attempts=messages.c.attempts + 1)
        .returning(
            messages.c.id,
            messages.c.kind,
            messages.c.seal_id,
            messages.c.phone_sealed,
            messages.c.text_sealed,
            messages.c.attempts,
            messages.c.created_at,
            messages.c.give_up_at,
        )
    )
    return await db.rows(taken)


async def mark_sent(db: Writing, message_id: int, *, channel: str, now: datetime) -> None:
    """It was taken by a channel: what it said and to whom is kept no longer."""
    await db.execute(
        sa.update(messages)
        .where(messages.c.id == message_id, messages.c.status != MessageStatus.SENT)
        .values(
            status=MessageStatus.SENT,
            channel=channel,
            sent_at=now,
            error=None,
            phone_sealed=None,
            text_sealed=None,
        )
    )


async def try_again(db: Writing, message_id: int, *, error: str, at: datetime) -> None:
    await _queued(db, message_id, {"error": error, "next_try_at": at})


async def give_up(db: Writing, message_id: int, *, error: str) -> None:
    """It stays as it is, sealed, until somebody sends it again."""
    await _queued(db, message_id, {"error": error, "status": MessageStatus.FAILED})


async def count_failed(db: Reading) -> int:
    """How many messages were given up."""
    failed = sa.select(sa.func.count()).where(messages.c.status == MessageStatus.FAILED)
    return int(str(await db.scalar(failed)))


async def lock(db: Writing, message_id: int) -> Row | None:
    return await db.row(sa.select(messages).where(messages.c.id == message_id).with_for_update())


async def revive(db: Writing, message_id: int, *, now: datetime) -> None:
    """Put what was given up in line again, under the same key."""
    await db.execute(
        sa.update(messages)
        .where(messages.c.id == message_id)
        .values(
            status=MessageStatus.QUEUED,
            attempts=0,
            error=None,
            next_try_at=now,
            give_up_at=now + MESSAGE_KEPT_FOR,
        )
    )


async def _queued(db: Writing, message_id: int, values: dict[str, object]) -> None:
    await db.execute(
        sa.update(messages)
        .where(messages.c.id == message_id, messages.c.status == MessageStatus.QUEUED)
        .values(values)
    )


def _due(now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(messages.c.status == MessageStatus.QUEUED, messages.c.next_try_at <= now)
