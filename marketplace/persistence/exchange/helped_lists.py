"""Rows of lists of those helped: what an organization gave or brought, each delivery once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from marketplace.persistence.database import Reading, Row, Values, Writing
from marketplace.persistence.tables import (
    allocations,
    categories,
    helped_list_lines,
    helped_lists,
    needs,
    organizations,
    published_needs,
    regions,
    results,
)

CHUNK = 500


async def unreported(
    db: Writing, organization_id: int, *, start: datetime, end: datetime, limit: int
) -> Sequence[Row]:
    """Results of start..end that stand in no list, their rows locked: id, household_id."""
    mine = _of(organization_id, start, end)
    # Two reports at the same time take turns here; the second statement sees what the first did.
    await db.rows(
        sa.select(results.c.id).where(*mine).order_by(results.c.id).limit(limit).with_for_update()
    )
    listed = sa.select(helped_list_lines.c.id).where(helped_list_lines.c.result_id == results.c.id)
    return await db.rows(
        sa.select(results.c.id, needs.c.household_id)
        .join(needs, needs.c.id == results.c.need_id)
        .where(*mine, ~listed.exists())
        .order_by(results.c.id)
        .limit(limit)
    )


async def add(db: Writing, values: Values, result_ids: Sequence[int]) -> int:
    """Put a list in with its lines; its key."""
    list_id = await db.insert(helped_lists, values)
    lines = [{"helped_list_id": list_id, "result_id": each} for each in result_ids]
    for start in range(0, len(lines), CHUNK):
        await db.insert_many(helped_list_lines, lines[start : start + CHUNK])
    return list_id


async def lock(db: Writing, list_id: int) -> Row | None:
    """A list with tree_low of its organization's region, its row locked."""
    await db.rows(
        sa.select(helped_lists.c.id).where(helped_lists.c.id == list_id).with_for_update()
    )
    return await db.row(
        sa.select(helped_lists, regions.c.tree_low)
        .join(regions, regions.c.id == helped_lists.c.region_id)
        .where(helped_lists.c.id == list_id)
    )


async def receive(db: Writing, list_id: int, values: Values) -> None:
    await db.execute(sa.update(helped_lists).where(helped_lists.c.id == list_id).values(**values))


async def organization(db: Reading, organization_id: int) -> Row | None:
    """Where an organization sits: region_id, and tree_low of it."""
    return await db.row(
        sa.select(organizations.c.region_id, regions.c.tree_low)
        .join(regions, regions.c.id == organizations.c.region_id)
        .where(organizations.c.id == organization_id)
    )


async def lines(
    db: Reading, organization_id: int, *, start: datetime, end: datetime, limit: int
) -> Sequence[Row]:
    """What an organization gave or brought and was confirmed in start..end, latest first.

    The place is the township that the public copy of the need names.
    """
    return await db.rows(
        sa.select(
            results.c.id,
            results.c.allocation_id,
            allocations.c.created_at.label("allocated_at"),
            results.c.sent_at,
            results.c.delivered_at,
            results.c.units_received,
            categories.c.unit,
            categories.c.label_zh,
            categories.c.label_en,
            regions.c.name_zh,
            regions.c.name_en,
            helped_lists.c.id.label("list_id"),
            helped_lists.c.status,
            helped_lists.c.reported_at,
        )
        .select_from(results)
        .join(allocations, allocations.c.id == results.c.allocation_id)
        .join(needs, needs.c.id == results.c.need_id)
        .join(categories, categories.c.id == needs.c.category_id)
        .outerjoin(published_needs, published_needs.c.need_id == needs.c.id)
        .outerjoin(regions, regions.c.id == published_needs.c.region_id)
        .outerjoin(helped_list_lines, helped_list_lines.c.result_id == results.c.id)
        .outerjoin(helped_lists, helped_lists.c.id == helped_list_lines.c.helped_list_id)
        .where(*_of(organization_id, start, end))
        .order_by(results.c.sent_at.desc(), results.c.id.desc())
        .limit(limit)
    )


def _of(organization_id: int, start: datetime, end: datetime) -> list[sa.ColumnElement[bool]]:
    return [
        sa.or_(
            results.c.organization_id == organization_id,
            results.c.delivered_by_id == organization_id,
        ),
        results.c.sent_at >= start,
        results.c.sent_at < end,
    ]
