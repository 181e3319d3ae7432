"""What explanations of plans are read from: what is kept with a plan, who may see it, places."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from marketplace.domain.exchange.plans import PlanKind, PlanStatus
from marketplace.domain.registry.regions import RegionLevel
from marketplace.persistence.database import Reading, Row
from marketplace.persistence.tables import plan_records, plans, regions

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
