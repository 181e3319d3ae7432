"""Rows of published needs: put there from the one public copy, open while there is need."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from marketplace.domain.exchange.needs import NeedStatus
from marketplace.domain.registry.regions import RegionLevel
from marketplace.persistence.database import Reading, Values, Writing
from marketplace.persistence.tables import needs, published_needs, regions

CHUNK = 1_000
# What may be shown of where a household lives.
SHOWN_LEVELS = (
    RegionLevel.TOWNSHIP,
    RegionLevel.COUNTY,
    RegionLevel.PREFECTURE,
    RegionLevel.PROVINCE,
)


async def publish(db: Writing, copy: Values) -> int:
    """Show a public copy (made by `public_copy`), anew or again; its key."""
    shown = sa.update(published_needs).where(published_needs.c.need_id == copy["need_id"])
    again = await db.scalar(shown.values(**copy).returning(published_needs.c.id))
    if isinstance(again, int):
        return again
    return await db.insert(published_needs, copy)


async def close(db: Writing, need_ids: Sequence[int]) -> None:
    """Take the copies of these needs off the market."""
    await db.execute(
        sa.update(published_needs)
        .where(published_needs.c.need_id.in_(need_ids), published_needs.c.is_open)
        .values(is_open=False)
    )


async def follow(db: Writing, need_ids: Sequence[int]) -> None:
    """Close the copies of needs that are covered whole or gone, open those that ask again.

    The needs' rows must be locked, as they are after their counters were changed.
    """
    asks = (
        sa.select(needs.c.id)
        .where(
            needs.c.id == published_needs.c.need_id,
            needs.c.status == NeedStatus.PUBLISHED,
            needs.c.covered < needs.c.quantity,
        )
        .correlate(published_needs)
        .exists()
    )
    for start in range(0, len(need_ids), CHUNK):
        here = published_needs.c.need_id.in_(need_ids[start : start + CHUNK])
        await db.execute(
            sa.update(published_needs)
            .where(here, published_needs.c.is_open != asks)
            .values(is_open=asks)
        )


async def township_of(db: Reading, region_id: int) -> int:
    """The township that a region is or lies in, or the nearest region above one.

    Raises LookupError where the tree above is all villages and grid cells.
    """
    here = regions.alias("here")
    statement = (
        sa.select(regions.c.id)
        .join(
            here,
            sa.and_(regions.c.tree_low <= here.c.tree_low, here.c.tree_low <= regions.c.tree_high),
        )
        .where(here.c.id == region_id, regions.c.level.in_(SHOWN_LEVELS))
        .order_by(regions.c.tree_low.desc())
        .limit(1)
    )
    found = await db.scalar(statement)
    if not isinstance(found, int):
        raise LookupError(f"region {region_id} lies in no township")
    return found
