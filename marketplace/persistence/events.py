"""The one append-only log: audit, outbox and subscription feed."""

from __future__ import annotations

import sqlalchemy as sa

from marketplace.domain.events import Event
from marketplace.persistence.database import Reading, Row, Writing
from marketplace.persistence.tables import events


async def append(db: Writing, event: Event) -> int:
    """Write one event in the transaction of what it tells of; its position in the feed."""
    return await db.insert(events, event.row())


async def append_many(db: Writing, many: list[Event]) -> None:
    """Write many events in one statement."""
    await db.insert_many(events, [event.row() for event in many])


async def of_entity(db: Reading, entity: str, entity_id: int) -> list[Row]:
    """Everything that happened to one thing, oldest first."""
    statement = (
        sa.select(events)
        .where(events.c.entity == entity, events.c.entity_id == entity_id)
        .order_by(events.c.id)
    )
    return list(await db.rows(statement))
