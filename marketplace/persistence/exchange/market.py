"""The market at one moment, column by column: what the optimizer is given to work on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from marketplace.domain.exchange.allocations import LIVE_STATUSES, AllocationStatus
from marketplace.persistence.database import Reading
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
    regions,
)

Columns = Mapping[str, list[object]]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)  # asyncio shows its results by repr
class Market:
    """Columns of equal length in each; rows by id.

    needs      id year household category severity units covered quantity_min category_low
               category_high kind price region latitude longitude groups
    offers     id version year is_cash units pack household_max delivery_min deliveries_max
               category_low category_high latitude longitude radius groups
    regions    offer low high: where an offer may go; offers without a row go anywhere
    given      offer household units: drawn by live allocations of offers with a household limit
    deliveries offer count: live allocations of offers with limited deliveries
    declined   need offer: pairs whose provider has said no
    """

    needs: Columns
    offers: Columns
    regions: Columns
    given: Columns
    deliveries: Columns
    declined: Columns


async def read(
    db: Reading, *, now: datetime, region_id: int | None, category_id: int | None
) -> Market:
    """Needs and offers in the market; needs within a region's and a category's subtree only.

    Of one moment if `db` is a snapshot. Places without coordinates stand where their region does.
    """
    return Market(
        needs=await db.columns(_needs(now, region_id, category_id)),
        offers=await db.columns(_offers(now)),
        regions=await db.columns(_regions(now)),
        given=await db.columns(_given(now)),
        deliveries=await db.columns(_deliveries(now)),
        declined=await db.columns(_declined(now)),
    )


def _needs(now: datetime, region_id: int | None, category_id: int | None) -> sa.Select[tuple[()]]:
    lies = households.c.latitude.is_not(None) & households.c.longitude.is_not(None)
    statement = (
        sa.select(
            needs.c.id,
            sa.extract("year", needs.c.created_at).label("year"),
            needs.c.household_id.label("household"),
            needs.c.category_id.label("category"),
            needs.c.severity,
            need_rows.left().label("units"),
            needs.c.covered,
            needs.c.quantity_min,
            categories.c.tree_low.label("category_low"),
            categories.c.tree_high.label("category_high"),
            categories.c.kind,
            categories.c.reference_price_fen.label("price"),
            regions.c.tree_low.label("region"),
            sa.case((lies, households.c.latitude), else_=regions.c.latitude).label("latitude"),
            sa.case((lies, households.c.longitude), else_=regions.c.longitude).label("longitude"),
            households.c.target_groups.label("groups"),
        )
        .select_from(needs)
        .join(households, households.c.id == needs.c.household_id)
        .join(regions, regions.c.id == needs.c.region_id)
        .join(categories, categories.c.id == needs.c.category_id)
        .where(need_rows.in_market(now))
        .order_by(needs.c.id)
    )
    if region_id is not None:
        statement = statement.where(_within(regions, region_id))
    if category_id is not None:
        statement = statement.where(_within(categories, category_id))
    return statement


def _within(tree: sa.Table, key: int) -> sa.ColumnElement[bool]:
    """Whether a row of a tree lies in the subtree of another."""
    top = tree.alias()
    return (
        sa.select(top.c.id)
        .where(top.c.id == key, tree.c.tree_low.between(top.c.tree_low, top.c.tree_high))
        .exists()
    )


def _offers(now: datetime) -> sa.Select[tuple[()]]:
    owner = organizations.alias()  # the condition below looks at organizations by itself
    lies = offers.c.latitude.is_not(None) & offers.c.longitude.is_not(None)
    return (
        sa.select(
            offers.c.id,
            offers.c.version,
            sa.extract("year", offers.c.created_at).label("year"),
            (offers.c.kind == "CASH").label("is_cash"),
            offer_rows.left().label("units"),
            offers.c.pack_size.label("pack"),
            offers.c.household_max,
            offers.c.delivery_min,
            offers.c.deliveries_max,
            categories.c.tree_low.label("category_low"),
            categories.c.tree_high.label("category_high"),
            sa.case((lies, offers.c.latitude), else_=regions.c.latitude).label("latitude"),
            sa.case((lies, offers.c.longitude), else_=regions.c.longitude).label("longitude"),
            offers.c.radius_km.label("radius"),
            offers.c.target_groups.label("groups"),
        )
        .select_from(offers)
        .join(categories, categories.c.id == offers.c.category_id)
        .join(owner, owner.c.id == offers.c.organization_id)
        .join(regions, regions.c.id == owner.c.region_id)
        .where(offer_rows.open_for_plans(now))
        .order_by(offers.c.id)
    )


def _regions(now: datetime) -> sa.Select[tuple[int, int, int]]:
    return (
        sa.select(
            offer_regions.c.offer_id.label("offer"),
            regions.c.tree_low.label("low"),
            regions.c.tree_high.label("high"),
        )
        .join(regions, regions.c.id == offer_regions.c.region_id)
        .join(offers, offers.c.id == offer_regions.c.offer_id)
        .where(offer_rows.open_for_plans(now))
        .order_by(offer_regions.c.offer_id, regions.c.tree_low)
    )


def _given(now: datetime) -> sa.Select[tuple[int, int, int]]:
    return (
        sa.select(
            allocations.c.offer_id.label("offer"),
            needs.c.household_id.label("household"),
            sa.cast(sa.func.sum(allocations.c.units_drawn), sa.BigInteger).label("units"),
        )
        .join(needs, needs.c.id == allocations.c.need_id)
        .join(offers, offers.c.id == allocations.c.offer_id)
        .where(
            allocations.c.status.in_(sorted(LIVE_STATUSES)),
            offers.c.household_max.is_not(None),
            offer_rows.open_for_plans(now),
        )
        .group_by(allocations.c.offer_id, needs.c.household_id)
        .order_by(allocations.c.offer_id, needs.c.household_id)
    )


def _deliveries(now: datetime) -> sa.Select[tuple[int, int]]:
    return (
        sa.select(allocations.c.offer_id.label("offer"), sa.func.count().label("count"))
        .join(offers, offers.c.id == allocations.c.offer_id)
        .where(
            allocations.c.status.in_(sorted(LIVE_STATUSES)),
            offers.c.deliveries_max.is_not(None),
            offer_rows.open_for_plans(now),
        )
        .group_by(allocations.c.offer_id)
        .order_by(allocations.c.offer_id)
    )


def _declined(now: datetime) -> sa.Select[tuple[int, int]]:
    return (
        sa.select(allocations.c.need_id.label("need"), allocations.c.offer_id.label("offer"))
        .join(offers, offers.c.id == allocations.c.offer_id)
        .where(
            allocations.c.status == AllocationStatus.DECLINED,
            offer_rows.open_for_plans(now),
        )
        .distinct()
        .order_by(allocations.c.need_id, allocations.c.offer_id)
    )
