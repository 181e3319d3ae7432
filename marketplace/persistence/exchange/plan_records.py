"""What each plan was made from: the market as it read it, and what it says of every need."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from marketplace.persistence.database import Reading, Row, Writing
from marketplace.persistence.tables import plan_lines, plan_records


async def add(
    db: Writing, plan_id: int, *, market: bytes, explained: bytes | None, now: datetime
) -> None:
    """Keep what a plan was made from; once a plan."""
    await db.execute(
        sa.insert(plan_records).values(
            plan_id=plan_id, market=market, explained=explained, recorded_at=now
        )
    )


async def market_of(db: Reading, plan_id: int) -> bytes | None:
    """The market that a plan read; None where there is none, or no longer."""
    found = await db.scalar(
        sa.select(plan_records.c.market).where(plan_records.c.plan_id == plan_id)
    )
    assert found is None or isinstance(found, bytes), "bytes go in and come out"
    return found


async def has_market(db: Reading, plan_id: int) -> bool:
    """Whether the market that a plan read is still kept."""
    kept = sa.and_(plan_records.c.plan_id == plan_id, plan_records.c.market.is_not(None))
    return await db.scalar(sa.select(plan_records.c.plan_id).where(kept)) is not None


async def explained_of(db: Reading, plan_id: int) -> bytes | None:
    """What a plan says of its needs, lines and shortages; None where it was not asked to."""
    found = await db.scalar(
        sa.select(plan_records.c.explained).where(plan_records.c.plan_id == plan_id)
    )
    assert found is None or isinstance(found, bytes), "bytes go in and come out"
    return found


async def lines_of(db: Reading, plan_id: int) -> list[Row]:
    """need_id, offer_id, units_served and units_drawn of a plan's lines, by need and offer."""
    return list(
        await db.rows(
            sa.select(
                plan_lines.c.need_id,
                plan_lines.c.offer_id,
                plan_lines.c.units_served,
                plan_lines.c.units_drawn,
            )
            .where(plan_lines.c.plan_id == plan_id)
            .order_by(plan_lines.c.need_id, plan_lines.c.offer_id)
        )
    )


async def forget_markets(db: Writing, *, before: datetime) -> int:
    """Let go of the markets that were recorded before a time; how many."""
    return await db.execute(
        sa.update(plan_records)
        .where(plan_records.c.recorded_at < before, plan_records.c.market.is_not(None))
        .values(market=None)
    )
