"""What followers of the feed narrow it by, read by key."""

from __future__ import annotations

import sqlalchemy as sa

from marketplace.persistence.database import Reading
from marketplace.persistence.tables import allocations


async def offer_of(db: Reading, allocation_id: int) -> int | None:
    """The offer that an allocation is of."""
    found = await db.scalar(
        sa.select(allocations.c.offer_id).where(allocations.c.id == allocation_id)
    )
    return None if found is None else int(str(found))
