"""The one append-only log: audit, outbox and subscription feed."""

from __future__ import annotations

from marketplace.domain.events import Event
from marketplace.persistence.database import Writing
from marketplace.persistence.tables import events


async def append(db: Writing, event: Event) -> int:
    """Write one event in the transaction of what it tells of; its position in the feed."""
    return await db.insert(events, event.row())


async def append_many(db: Writing, many: list[Event]) -> None:
    """Write many events in one statement."""
    await db.insert_many(events, [event.row() for event in many])
