"""The rows of a desk's printed list of results."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from marketplace.domain.exchange.results import Desk, ResultStatus
from marketplace.persistence.database import Reading, Row
from marketplace.persistence.tables import (
    categories,
    households,
    needs,
    organizations,
    regions,
    result_copies,
    results,
)


async def rows(
    db: Reading,
    desk: Desk,
    *,
    within: tuple[int, int],
    start: datetime,
    end: datetime,
    only_waiting: bool,
    limit: int,
) -> Sequence[Row]:
    """A desk's copies that were sent in start..end, place by place, the oldest first.

    within    interval of the subtree whose households count
    """
    parent = regions.alias("parent")
    statement = (
        sa.select(
            results.c.id,
            results.c.sent_at,
            results.c.delivered_at,
            results.c.units_received,
            result_copies.c.due_at,
            result_copies.c.acknowledged_at,
            needs.c.id.label("need_id"),
            needs.c.created_at.label("need_at"),
            households.c.id.label("household_id"),
            households.c.created_at.label("household_at"),
            organizations.c.name.label("organization"),
            categories.c.unit,
            categories.c.label_zh,
            categories.c.label_en,
            regions.c.name_zh,
            regions.c.name_en,
            parent.c.name_zh.label("parent_zh"),
            parent.c.name_en.label("parent_en"),
        )
        .select_from(result_copies)
        .join(results, results.c.id == result_copies.c.result_id)
        .join(needs, needs.c.id == results.c.need_id)
        .join(households, households.c.id == needs.c.household_id)
        .join(categories, categories.c.id == needs.c.category_id)
        .join(organizations, organizations.c.id == results.c.organization_id)
        .join(regions, regions.c.id == results.c.region_id)
        .outerjoin(parent, parent.c.id == regions.c.parent_id)
        .where(
            result_copies.c.desk == desk,
            result_copies.c.sent_at >= start,
            result_copies.c.sent_at < end,
            regions.c.tree_low.between(*within),
        )
        .order_by(regions.c.tree_low, results.c.sent_at, results.c.id)
        .limit(limit)
    )
    if only_waiting:
        statement = statement.where(result_copies.c.status == ResultStatus.SENT)
    return await db.rows(statement)
