"""What plans are about: the current plan of a county, and names of places and things."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from marketplace.domain.exchange.plans import PlanKind, PlanStatus
from marketplace.domain.registry.regions import RegionLevel
from marketplace.persistence.database import Reading, Row
from marketplace.persistence.tables import (
    categories,
    offers,
    organizations,
    plan_records,
    plans,
    regions,
)

STANDING = (PlanStatus.PROPOSED, PlanStatus.APPROVED)
COUNTY_WIDE = (RegionLevel.PROVINCE, RegionLevel.PREFECTURE, RegionLevel.COUNTY)


async def current(db: Reading, place: int) -> Row | None:
    """The latest standing proposal for all needs of the county round a place, market and all.

    place   position in the tree of regions
    """
    around = sa.and_(
        regions.c.level.in_(COUNTY_WIDE), regions.c.tree_low <= place, regions.c.tree_high >= place
    )
    return await db.row(
        sa.select(plans.c.id, plans.c.created_at, plans.c.finished_at, plans.c.proof)
        .join(plan_records, plan_records.c.plan_id == plans.c.id)
        .outerjoin(regions, regions.c.id == plans.c.region_id)
        .where(
            plans.c.kind == PlanKind.PROPOSAL,
            plans.c.status.in_(STANDING),
            plans.c.category_id.is_(None),
            sa.or_(plans.c.region_id.is_(None), around),
            plan_records.c.market.is_not(None),
        )
        .order_by(plans.c.finished_at.desc(), plans.c.id.desc())
        .limit(1)
    )


async def seat(db: Reading, organization_id: int) -> Row | None:
    """The region of an organization's seat: tree_low, latitude and longitude."""
    return await db.row(
        sa.select(regions.c.tree_low, regions.c.latitude, regions.c.longitude)
        .join(organizations, organizations.c.region_id == regions.c.id)
        .where(organizations.c.id == organization_id)
    )


async def place(db: Reading, region_id: int) -> Row | None:
    """The same of a region itself."""
    return await db.row(
        sa.select(regions.c.tree_low, regions.c.latitude, regions.c.longitude).where(
            regions.c.id == region_id
        )
    )


async def intervals(db: Reading, region_ids: Sequence[int]) -> Sequence[Row]:
    """tree_low and tree_high of regions, top to bottom."""
    return await db.rows(
        sa.select(regions.c.tree_low, regions.c.tree_high)
        .where(regions.c.id.in_(region_ids))
        .order_by(regions.c.tree_low)
    )


async def townships(db: Reading) -> Sequence[Row]:
    """id, tree_low, tree_high, latitude and longitude of every township."""
    place = (regions.c.latitude, regions.c.longitude)
    return await db.rows(
        sa.select(regions.c.id, regions.c.tree_low, regions.c.tree_high, *place)
        .where(regions.c.level == RegionLevel.TOWNSHIP)
        .order_by(regions.c.tree_low)
    )


async def names_of_regions(db: Reading, ids: Iterable[int]) -> dict[int, Row]:
    """name_zh and name_en by id."""
    wanted = sorted(set(ids))
    found = sa.select(regions.c.id, regions.c.name_zh, regions.c.name_en)
    rows = await db.rows(found.where(regions.c.id.in_(wanted))) if wanted else ()
    return {row["id"]: row for row in rows}


async def names_of_categories(db: Reading, ids: Iterable[int]) -> dict[int, Row]:
    """label_zh, label_en and unit by id."""
    wanted = sorted(set(ids))
    found = sa.select(
        categories.c.id, categories.c.label_zh, categories.c.label_en, categories.c.unit
    )
    rows = await db.rows(found.where(categories.c.id.in_(wanted))) if wanted else ()
    return {row["id"]: row for row in rows}


async def has_external_reference(db: Reading, external_reference: str) -> bool:
    """Whether some offer goes by this number already."""
    found = sa.select(offers.c.id).where(offers.c.external_reference == external_reference)
    return await db.scalar(found) is not None
