"""Rows that a pledge is decided by: the need behind a public copy, and what need and offer say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from marketplace.domain.exchange.allocations import (
    LIVE_STATUSES,
    OPEN_STATUSES,
    AllocationOrigin,
    AllocationStatus,
)
from marketplace.persistence.database import Reading, Row
from marketplace.persistence.exchange import needs as need_rows
from marketplace.persistence.exchange import offers as offer_rows
from marketplace.persistence.tables import (
    allocations,
    categories,
    households,
    needs,
    offer_regions,
    offers,
    organizations,
    published_needs,
    regions,
)


async def need_behind(db: Reading, published_need_id: int) -> int | None:
    """The need of a public copy that is open; None where there is none to pledge to."""
    found = await db.scalar(
        sa.select(published_needs.c.need_id).where(
            published_needs.c.id == published_need_id, published_needs.c.is_open
        )
    )
    return None if found is None else int(str(found))


async def waiting(db: Reading, organization_id: int) -> int:
    """How many pledges of an organization wait to be accepted."""
    found = await db.scalar(
        sa.select(sa.func.count())
        .select_from(allocations.join(offers, offers.c.id == allocations.c.offer_id))
        .where(
            offers.c.organization_id == organization_id,
            allocations.c.origin == AllocationOrigin.PLEDGE,
            allocations.c.status == AllocationStatus.RESERVED,
        )
    )
    return int(str(found))


async def pair(
    db: Reading, *, need_id: int, offer_id: int, units: int, now: datetime
) -> Row | None:
    """A need and an offer, both locked, with all that the rules and the days of visits ask.

    The columns that visit_room asks of a line are among them.
    """
    of_need, of_offer = categories.alias("of_need"), categories.alias("of_offer")
    base, town = regions.alias("base"), regions.alias("town")
    starts = offers.c.latitude.is_not(None) & offers.c.longitude.is_not(None)
    statement = (
        sa.select(
            needs.c.id.label("need_id"),
            offers.c.id.label("offer_id"),
            sa.literal(units).label("units_served"),
            needs.c.household_id,
            need_rows.left().label("need_left"),
            (needs.c.quantity_min - needs.c.covered).label("missing"),
            needs.c.visit_minutes,
            needs.c.every_days,
            needs.c.deadline,
            of_need.c.kind.label("need_kind"),
            of_need.c.tree_low.label("need_low"),
            of_need.c.tree_high.label("need_high"),
            of_need.c.reference_price_fen,
            offers.c.kind.label("offer_kind"),
            of_offer.c.tree_low.label("offer_low"),
            of_offer.c.tree_high.label("offer_high"),
            offer_rows.left().label("offer_left"),
            offers.c.pack_size,
            offers.c.household_max,
            offers.c.delivery_min,
            offers.c.deliveries_max,
            offers.c.visits_per_day,
            offers.c.starts_at,
            offers.c.expires_at,
            offers.c.target_groups,
            households.c.target_groups.label("household_groups"),
            offers.c.radius_km,
            # Where everyone knows the need to be: from ever other places and radii, a pledge that
            # is refused or made would tell to the metre where the household lives.
            town.c.latitude,
            town.c.longitude,
            sa.case((starts, offers.c.latitude), else_=base.c.latitude).label("from_latitude"),
            sa.case((starts, offers.c.longitude), else_=base.c.longitude).label("from_longitude"),
            sa.and_(offers.c.kind == "SERVICE", needs.c.visit_minutes.is_not(None)).label(
                "is_visit"
            ),
            _in_region(town).label("in_region"),
            _given().label("given"),
            _deliveries().label("deliveries"),
        )
        .select_from(needs)
        .join(households, households.c.id == needs.c.household_id)
        .join(published_needs, published_needs.c.need_id == needs.c.id)
        .join(town, town.c.id == published_needs.c.region_id)
        .join(of_need, of_need.c.id == needs.c.category_id)
        .join(offers, sa.true())
        .join(of_offer, of_offer.c.id == offers.c.category_id)
        .join(organizations, organizations.c.id == offers.c.organization_id)
        .join(base, base.c.id == organizations.c.region_id)
        .where(needs.c.id == need_id, offers.c.id == offer_id)
    )
    return await db.row(statement)


async def promised(db: Reading, *, need_id: int, offer_id: int) -> Sequence[Row]:
    """need_id, offer_id and visit_days of open allocations of the need or of the offer."""
    return await db.rows(
        sa.select(allocations.c.need_id, allocations.c.offer_id, allocations.c.visit_days)
        .where(
            allocations.c.status.in_(sorted(OPEN_STATUSES)),
            allocations.c.visit_days.is_not(None),
            sa.or_(allocations.c.need_id == need_id, allocations.c.offer_id == offer_id),
        )
        .order_by(allocations.c.id)
    )


def _in_region(town: sa.FromClause) -> sa.ColumnElement[bool]:
    """Whether the offer is for the whole township: of less, an answer would tell the village."""
    named = sa.select(offer_regions.c.region_id).where(offer_regions.c.offer_id == offers.c.id)
    served = regions.alias("served")
    holds = (
        sa.select(served.c.id)
        .select_from(offer_regions.join(served, served.c.id == offer_regions.c.region_id))
        .where(
            offer_regions.c.offer_id == offers.c.id,
            served.c.tree_low <= town.c.tree_low,
            town.c.tree_high <= served.c.tree_high,
        )
    )
    return sa.or_(~named.correlate(offers).exists(), holds.correlate(offers, town).exists())


def _given() -> sa.ScalarSelect[int]:
    other = needs.alias("other")
    return (
        sa.select(sa.func.coalesce(sa.func.sum(allocations.c.units_drawn), 0))
        .join(other, other.c.id == allocations.c.need_id)
        .where(
            allocations.c.offer_id == offers.c.id,
            other.c.household_id == needs.c.household_id,
            allocations.c.status.in_(sorted(LIVE_STATUSES)),
        )
        .correlate(offers, needs)
        .scalar_subquery()
    )


def _deliveries() -> sa.ScalarSelect[int]:
    return (
        sa.select(sa.func.count())
        .select_from(allocations)
        .where(
            allocations.c.offer_id == offers.c.id,
            allocations.c.status.in_(sorted(LIVE_STATUSES)),
        )
        .correlate(offers)
        .scalar_subquery()
    )
