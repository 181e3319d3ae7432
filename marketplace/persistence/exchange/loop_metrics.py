"""Figures of the closed loop: what was confirmed in a span of time, in a region's subtree."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from marketplace.domain.exchange.results import ResultStatus
from marketplace.persistence.database import Reading
from marketplace.persistence.tables import needs, regions, result_copies, results


async def in_time(
    db: Reading,
    *,
    start: datetime,
    end: datetime,
    region_id: int | None,
    settled_by: datetime | None,
) -> tuple[int, int]:
    """How many results sent in start..end were acknowledged in time by all desks, and of how many.

    settled_by    what is neither acknowledged nor due by then is not counted; None: all is
    """
    late = sa.select(result_copies.c.id).where(
        result_copies.c.result_id == results.c.id,
        sa.or_(
            result_copies.c.acknowledged_at.is_(None),
            result_copies.c.acknowledged_at > result_copies.c.due_at,
        ),
    )
    asked = sa.select(
        sa.func.count().label("all"),
        sa.func.coalesce(sa.func.sum(sa.case((~late.exists(), 1), else_=0)), 0).label("in_time"),
    ).where(*_sent(start, end, region_id))
    if settled_by is not None:
        asked = asked.where(
            sa.or_(results.c.status == ResultStatus.ACKNOWLEDGED, _one_overdue(settled_by))
        )
    row = await db.row(asked)
    assert row is not None, "a count has a row"
    return int(row["in_time"]), int(row["all"])


async def days_to_delivery(
    db: Reading, *, start: datetime, end: datetime, region_id: int | None
) -> list[tuple[datetime, datetime]]:
    """Of each result sent in start..end, when its need was written down and when it came."""
    rows = await db.rows(
        sa.select(needs.c.created_at, results.c.delivered_at)
        .select_from(results)
        .join(needs, needs.c.id == results.c.need_id)
        .where(*_sent(start, end, region_id))
    )
    return [(row["created_at"], row["delivered_at"]) for row in rows]


def _one_overdue(by: datetime) -> sa.ColumnElement[bool]:
    waiting = sa.select(result_copies.c.id).where(
        result_copies.c.result_id == results.c.id,
        result_copies.c.status == ResultStatus.SENT,
        result_copies.c.due_at <= by,
    )
    return waiting.exists()


def _sent(start: datetime, end: datetime, region_id: int | None) -> list[sa.ColumnElement[bool]]:
    when = [results.c.sent_at >= start, results.c.sent_at < end]
    if region_id is None:
        return when
    top, inside = regions.alias("top"), regions.alias("inside")
    subtree = (
        sa.select(inside.c.id)
        .join(top, inside.c.tree_low.between(top.c.tree_low, top.c.tree_high))
        .where(top.c.id == region_id)
    )
    return [*when, results.c.region_id.in_(subtree)]
