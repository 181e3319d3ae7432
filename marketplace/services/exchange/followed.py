"""What followers of the feed narrow it by."""

from __future__ import annotations

from collections.abc import Collection

from marketplace.persistence.database import Database
from marketplace.persistence.exchange import followed


async def of_offer(database: Database, offer_id: int, allocation_ids: Collection[int]) -> set[int]:
    """Those of some allocations that are of an offer."""
    async with database.read() as db:
        return await followed.of_offer(db, offer_id, allocation_ids)
