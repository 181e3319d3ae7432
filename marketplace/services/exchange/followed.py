"""What followers of the feed narrow it by."""

from __future__ import annotations

from marketplace.persistence.database import Database
from marketplace.persistence.exchange import followed


async def offer_of(database: Database, allocation_id: int) -> int | None:
    """The offer that an allocation is of."""
    async with database.read() as db:
        return await followed.offer_of(db, allocation_id)
