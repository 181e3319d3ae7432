"""What explanations of plans are read from: what is kept with a plan, who may see it, places."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from marketplace.domain.exchange.plans import PlanKind, PlanStatus
from marketplace.domain.registry.regions import RegionLevel
from marketplace.persistence.database import Reading, Row
from marketplace.persistence.tables import categories, organizations, plan_records, plans, regions

# From a township upwards; a household's own village or grid cell is nothing to count by.
PLACES = (RegionLevel.PROVINCE, RegionLevel.PREFECTURE, RegionLevel.COUNTY, RegionLevel.TOWNSHIP)
STANDING = (PlanStatus.PROPOSED, PlanStatus.APPROVED)
COUNTY_WIDE = (RegionLevel.PROVINCE, RegionLevel.PREFECTURE, RegionLevel.COUNTY)


async def places(db: Reading) -> Sequence[Row]:
    """id, level, tree_low and tree_high of all regions down to townships, top to bottom."""
    return await db.rows(
        sa.select(regions.c.id, regions.c.level, regions.c.tree_low, regions.c.tree_high)
        .where(regions.c.level.in_(PLACES))
        .order_by(regions.c.tree_low, regions.c.tree_high.desc())
    )


async def plan(db: Reading, plan_id: int) -> Row | None:
    """id, kind, status, created_at, finished_at of a plan, and region_low of its region."""
    return await db.row(_plans().where(plans.c.id == plan_id))


async def current(db: Reading, place: int) -> Row | None:
    """The same of the latest standing proposal for all needs of the county round a place.

    place   position in the tree of regions
    """
    around = sa.and_(
        regions.c.level.in_(COUNTY_WIDE), regions.c.tree_low <= place, regions.c.tree_high >= place
    )
    return await db.row(
        _plans()
        .join(plan_records, plan_records.c.plan_id == plans.c.id)
        .where(
            plans.c.kind == PlanKind.PROPOSAL,
            plans.c.status.in_(STANDING),
            plans.c.category_id.is_(None),
            sa.or_(plans.c.region_id.is_(None), around),
            plan_records.c.explained.is_not(None),
        )
        .order_by(plans.c.finished_at.desc(), plans.c.id.desc())
        .limit(1)
    )


def _plans() -> sa.Select[tuple[object, ...]]:
    return sa.select(
        plans.c.id,
        plans.c.kind,
        plans.c.status,
        plans.c.created_at,
        plans.c.finished_at,
        regions.c.tree_low.label("region_low"),
    ).outerjoin(regions, regions.c.id == plans.c.region_id)


async def place(db: Reading, region_id: int) -> Row | None:
    """id, tree_low, tree_high of a region; of the township above it where it lies below one."""
    here = await db.row(_intervals().where(regions.c.id == region_id))
    if here is None or here["level"] in PLACES:
        return here
    above = _intervals().where(
        regions.c.level == RegionLevel.TOWNSHIP,
        regions.c.tree_low <= here["tree_low"],
        regions.c.tree_high >= here["tree_low"],
    )
    return await db.row(above) or here


async def seat(db: Reading, organization_id: int) -> int | None:
    """Where the region of an organization's seat lies in the tree."""
    found = await db.scalar(
        sa.select(regions.c.tree_low)
        .join(organizations, organizations.c.region_id == regions.c.id)
        .where(organizations.c.id == organization_id)
    )
    assert found is None or isinstance(found, int)
    return found


async def category(db: Reading, category_id: int) -> Row | None:
    """tree_low and tree_high of a category."""
    return await db.row(
        sa.select(categories.c.tree_low, categories.c.tree_high).where(
            categories.c.id == category_id
        )
    )


async def regions_of(db: Reading, ids: Iterable[int]) -> dict[int, Row]:
    """name_zh, name_en and tree_low by id."""
    wanted = sorted(set(ids))
    rows = await db.rows(
        sa.select(regions.c.id, regions.c.name_zh, regions.c.name_en, regions.c.tree_low).where(
            regions.c.id.in_(wanted)
        )
    )
    return {row["id"]: row for row in rows}


async def categories_of(db: Reading, ids: Iterable[int]) -> dict[int, Row]:
    """label_zh, label_en, unit and tree_low by id."""
    wanted = sorted(set(ids))
    rows = await db.rows(
        sa.select(
            categories.c.id,
            categories.c.label_zh,
            categories.c.label_en,
            categories.c.unit,
            categories.c.tree_low,
        ).where(categories.c.id.in_(wanted))
    )
    return {row["id"]: row for row in rows}


def _intervals() -> sa.Select[tuple[object, ...]]:
    return sa.select(regions.c.id, regions.c.level, regions.c.tree_low, regions.c.tree_high)
