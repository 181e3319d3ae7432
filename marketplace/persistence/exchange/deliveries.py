"""Rows of deliveries: batches, check-ins at doors, and the stops of a day."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from marketplace.persistence.database import Values, Writing
from marketplace.persistence.tables import check_ins, deliveries

ONE_BATCH = ("organization_id", "region_id", "carrier", "planned_on", "label")


async def batch(db: Writing, values: Values) -> int:
    """The key of the batch of this organization, township, carrier, day and label; made if new."""
    kind = postgresql if db.dialect == "postgresql" else sqlite
    await db.execute(kind.insert(deliveries).values(**values).on_conflict_do_nothing())
    same = sa.select(deliveries.c.id).where(
        *(deliveries.c[name] == values[name] for name in ONE_BATCH)
    )
    return int(str(await db.scalar(same)))


async def add_check_in(db: Writing, values: Values) -> int:
    """Put down who was where, when, and what was handed over; its key."""
    return await db.insert(check_ins, values)
