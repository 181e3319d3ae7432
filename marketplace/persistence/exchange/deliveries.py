"""Rows of deliveries: batches, check-ins at doors, and the stops of a day."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from marketplace.domain.exchange.allocations import AllocationStatus
from marketplace.domain.exchange.deliveries import Carrier
from marketplace.persistence.database import Reading, Row, Values, Writing
from marketplace.persistence.tables import (
    allocations,
    categories,
    check_ins,
    deliveries,
    households,
    needs,
    organizations,
    regions,
)

ONE_BATCH = ("organization_id", "region_id", "carrier", "planned_on", "label")


async def batch(db: Writing, values: Values) -> int:
    """The key of the batch of this organization, township, carrier, day and label; made if new."""
    kind = postgresql if db.dialect == "postgresql" else sqlite
    await db.execute(kind.insert(deliveries).values(**values).on_conflict_do_nothing())
    same = sa.select(deliveries.c.id).where(
        *(deliveries.c[name] == values[name] for name in ONE_BATCH)
    )
    return int(str(await db.scalar(same)))


async def add_check_in(db: Writing, values: Values) -> int:
    """Put down who was where, when, and what was handed over; its key."""
    return await db.insert(check_ins, values)


async def handed_over(db: Reading, allocation_id: int) -> int:
    """Units of the need that all check-ins of a locked allocation say were taken."""
    units = sa.func.coalesce(sa.func.sum(check_ins.c.handed_over), 0)
    of_it = check_ins.c.allocation_id == allocation_id
    return int(str(await db.scalar(sa.select(units).where(of_it))))


async def brought_some(db: Reading, allocation_id: int, account_id: int | None) -> bool:
    """Whether an account handed over any of a locked allocation, be it not the last of it."""
    mine = sa.select(check_ins.c.id).where(
        check_ins.c.allocation_id == allocation_id,
        check_ins.c.account_id == account_id,
        check_ins.c.handed_over > 0,
    )
    return await db.scalar(mine.limit(1)) is not None


async def stops(
    db: Reading,
    *,
    until: date,
    tree: tuple[int, int] | None,
    region_id: int | None,
    organization_id: int | None,
    limit: int,
) -> list[Row]:
    """What is on its way and to be brought by a day, by township, day and batch.

    tree, region_id    only households of this interval of regions, of this region's subtree
    organization_id    only what this organization brings itself

    The household's place is for the order of driving and for nobody to see.
    """
    township = regions.alias("township")
    statement = (
        sa.select(
            deliveries.c.id.label("delivery_id"),
            deliveries.c.created_at.label("begun_at"),
            deliveries.c.carrier,
            deliveries.c.planned_on,
            deliveries.c.label,
            organizations.c.name.label("organization"),
            township.c.id.label("township_id"),
            township.c.name_zh.label("township_zh"),
            township.c.name_en.label("township_en"),
            township.c.latitude.label("centre_latitude"),
            township.c.longitude.label("centre_longitude"),
            allocations.c.id.label("allocation_id"),
            allocations.c.created_at,
            allocations.c.units_served,
            categories.c.unit,
            categories.c.label_zh,
            categories.c.label_en,
            regions.c.id.label("region_id"),
            regions.c.name_zh,
            regions.c.name_en,
            households.c.latitude,
            households.c.longitude,
        )
        .join(allocations, allocations.c.delivery_id == deliveries.c.id)
        .join(needs, needs.c.id == allocations.c.need_id)
        .join(households, households.c.id == needs.c.household_id)
        .join(categories, categories.c.id == needs.c.category_id)
        .join(regions, regions.c.id == needs.c.region_id)
        .join(township, township.c.id == deliveries.c.region_id)
        .join(organizations, organizations.c.id == deliveries.c.organization_id)
        .where(
            # Spelled out, so that SQLite sees that the index of what is on its way will do.
            allocations.c.status == sa.literal_column(f"'{AllocationStatus.DISPATCHED}'"),
            deliveries.c.planned_on <= until,
        )
        .order_by(township.c.tree_low, deliveries.c.planned_on, deliveries.c.id, allocations.c.id)
        .limit(limit)
    )
    if tree is not None:
        statement = statement.where(regions.c.tree_low.between(*tree))
    if region_id is not None:
        asked = regions.alias("asked")
        inside = sa.and_(
            asked.c.id == region_id,
            regions.c.tree_low.between(asked.c.tree_low, asked.c.tree_high),
        )
        statement = statement.join(asked, inside)
    if organization_id is not None:
        statement = statement.where(
            deliveries.c.organization_id == organization_id,
            deliveries.c.carrier == Carrier.PROVIDER,
        )
    return list(await db.rows(statement))
