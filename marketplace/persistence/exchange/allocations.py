"""Rows of allocations: what of an offer is set aside for a need, and what that adds up to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from marketplace.domain.exchange.allocations import LIVE_STATUSES
from marketplace.persistence.database import Reading, Values, Writing
from marketplace.persistence.tables import allocations, needs

CHUNK = 1_000


async def add_many(db: Writing, rows: Sequence[Values]) -> list[int]:
    """Add allocations of reserved units; their keys in the order of the rows."""
    return await db.insert_keys(allocations, rows)


async def drawn_by_household(db: Reading, offer_ids: Iterable[int]) -> dict[tuple[int, int], int]:
    """What live allocations draw, by (offer, household), in the offer's unit.

    Stable until the transaction ends where the offers' rows are locked.
    """
    drawn: dict[tuple[int, int], int] = {}
    ids = sorted(set(offer_ids))
    for start in range(0, len(ids), CHUNK):
        statement = (
            sa.select(
                allocations.c.offer_id,
                needs.c.household_id,
                sa.func.sum(allocations.c.units_drawn).label("units"),
            )
            .join(needs, needs.c.id == allocations.c.need_id)
            .where(
                allocations.c.offer_id.in_(ids[start : start + CHUNK]),
                allocations.c.status.in_(sorted(LIVE_STATUSES)),
            )
            .group_by(allocations.c.offer_id, needs.c.household_id)
        )
        for row in await db.rows(statement):
            drawn[row["offer_id"], row["household_id"]] = int(row["units"])
    return drawn


async def deliveries(db: Reading, offer_ids: Iterable[int]) -> dict[int, int]:
    """How many live allocations each offer has."""
    count: dict[int, int] = {}
    ids = sorted(set(offer_ids))
    for start in range(0, len(ids), CHUNK):
        statement = (
            sa.select(allocations.c.offer_id, sa.func.count().label("count"))
            .where(
                allocations.c.offer_id.in_(ids[start : start + CHUNK]),
                allocations.c.status.in_(sorted(LIVE_STATUSES)),
            )
            .group_by(allocations.c.offer_id)
        )
        count |= {row["offer_id"]: row["count"] for row in await db.rows(statement)}
    return count
