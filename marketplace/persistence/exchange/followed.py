"""What followers of the feed narrow it by, read by key."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from marketplace.persistence.database import Reading
from marketplace.persistence.tables import allocations


async def of_offer(db: Reading, offer_id: int, allocation_ids: Collection[int]) -> set[int]:
    """Those of some allocations that are of an offer."""
    rows = await db.rows(
        sa.select(allocations.c.id).where(
            allocations.c.id.in_(sorted(allocation_ids)), allocations.c.offer_id == offer_id
        )
    )
    return {row["id"] for row in rows}
