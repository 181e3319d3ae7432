"""Whether the server can do its work: its database answers and has this version's tables."""

from __future__ import annotations

import asyncio
import logging
from functools import cache

import sqlalchemy as sa

from marketplace.persistence import migrations
from marketplace.persistence.database import Database

ANSWER_WITHIN_S = 5
log = logging.getLogger("aidloop.health")

head = cache(migrations.head)


async def unready(database: Database) -> str | None:
    """Why the server cannot work now, in words without secrets; None if it can."""
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S), database.read() as db:
            at = await db.scalar(sa.text("SELECT version_num FROM alembic_version"))
    except Exception:  # whatever a driver raises, the answer is the same
        log.exception("The database does not answer, or was never migrated.")
        return "The database does not answer, or was never migrated: run 'aidloop migrate'."
    if at != head():
        return f"The database is at revision {at}, not {head()}: run 'aidloop migrate'."
    return None
