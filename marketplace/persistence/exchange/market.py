"""The market at one moment, column by column: what the optimizer is given to work on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from marketplace.domain.days import first_day, last_day
from marketplace.domain.exchange.allocations import (
    LIVE_STATUSES,
    OPEN_STATUSES,
    AllocationStatus,
)
from marketplace.domain.exchange.plans import PlanKind, PlanStatus
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
    plan_lines,
    plans,
    regions,
)

Columns = Mapping[str, list[object]]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)  # asyncio shows its results by repr
class Market:
    """Columns of equal length in each; rows by id.

    needs      id year household category severity units covered quantity_min category_low
               category_high kind price region latitude longitude groups; of services (else None)
               visit_minutes every_days last_day; their units are visits
    offers     id version year is_cash is_service units pack household_max delivery_min
               deliveries_max category_low category_high latitude longitude radius groups; of
               services (else None) visits_per_day first_day last_day; their units are minutes
    regions    offer low high: where an offer may go; offers without a row go anywhere
    given      offer household units: drawn by live allocations of offers with a household limit
    deliveries offer count: live allocations of offers with limited deliveries
    declined   need offer: pairs whose provider has said no
    visits     need offer count: visits of services that are set aside and still to be made
    prior      need offer units: served by the latest plan of the same scope that is proposed
    forbidden  need offer: pairs that a plan may not use, without any more being said of the two

    A day is a whole number, as date.toordinal() gives it, by the county's calendar. An offer's
    first_day is the first whole day that is still to come, its last_day counts, too; a need's
    last_day is that of its deadline, None where it has none.
    """

    needs: Columns
    offers: Columns
    regions: Columns
    given: Columns
    deliveries: Columns
    declined: Columns
    visits: Columns = field(default_factory=lambda: {"need": [], "offer": [], "count": []})
    prior: Columns = field(default_factory=lambda: {"need": [], "offer": [], "units": []})
    forbidden: Columns = field(default_factory=lambda: {"need": [], "offer": []})


async def read(
    db: Reading, *, now: datetime, region_id: int | None, category_id: int | None
) -> Market:
    """Needs and offers in the market; needs within a region's and a category's subtree only.

    Of one moment if `db` is a snapshot. Places without coordinates stand where their region does.
    """
    return Market(
        needs=_with_days(await db.columns(_needs(now, region_id, category_id)), now),
        offers=_with_days(await db.columns(_offers(now)), now),
        regions=await db.columns(_regions(now)),
        given=await db.columns(_given(now)),
        deliveries=await db.columns(_deliveries(now)),
        declined=await db.columns(_declined(now)),
        visits=await db.columns(_visits(now)),
        prior=await db.columns(_prior(region_id, category_id)),
    )


def _with_days(columns: dict[str, list[object]], now: datetime) -> dict[str, list[object]]:
    """Times as days, which can be counted with."""
    ends = columns.pop("ends_at")
    columns["last_day"] = [
        last_day(at).toordinal() if isinstance(at, datetime) else None for at in ends
    ]
    if "begins_at" in columns:
        begins = columns.pop("begins_at")
        columns["first_day"] = [
            first_day(max(at, now)).toordinal() if isinstance(at, datetime) else None
            for at in begins
        ]
    return columns


def _needs(now: datetime, region_id: int | None, category_id: int | None) -> sa.Select[tuple[()]]:
    lies = households.c.latitude.is_not(None) & households.c.longitude.is_not(None)
    statement = (
        sa.select(
            needs.c.id,
            sa.cast(sa.extract("year", needs.c.created_at), sa.Integer).label("year"),
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
            needs.c.visit_minutes,
            needs.c.every_days,
            sa.case((needs.c.visit_minutes.is_not(None), needs.c.deadline)).label("ends_at"),
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
    is_service = offers.c.kind == "SERVICE"
    return (
        sa.select(
            offers.c.id,
            offers.c.version,
            sa.cast(sa.extract("year", offers.c.created_at), sa.Integer).label("year"),
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
            is_service.label("is_service"),
            offers.c.visits_per_day,
            sa.case((is_service, offers.c.starts_at)).label("begins_at"),
            sa.case((is_service, offers.c.expires_at)).label("ends_at"),
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


def _visits(now: datetime) -> sa.Select[tuple[int, int, int]]:
    """All of them, and not only those whose offer is open: a weekly need has one visit a week."""
    return (
        sa.select(
            allocations.c.need_id.label("need"),
            allocations.c.offer_id.label("offer"),
            sa.cast(sa.func.sum(allocations.c.units_served), sa.BigInteger).label("count"),
        )
        .join(offers, offers.c.id == allocations.c.offer_id)
        .where(
            allocations.c.status.in_(sorted(OPEN_STATUSES)),
            offers.c.kind == "SERVICE",
            offers.c.expires_at > now,
        )
        .group_by(allocations.c.need_id, allocations.c.offer_id)
        .order_by(allocations.c.need_id, allocations.c.offer_id)
    )


def _prior(region_id: int | None, category_id: int | None) -> sa.Select[tuple[int, int, int]]:
    latest = (
        sa.select(sa.func.max(plans.c.id))
        .where(
            plans.c.kind == PlanKind.PROPOSAL,
            plans.c.status == PlanStatus.PROPOSED,
            plans.c.region_id.is_not_distinct_from(region_id),
            plans.c.category_id.is_not_distinct_from(category_id),
        )
        .scalar_subquery()
    )
    return (
        sa.select(
            plan_lines.c.need_id.label("need"),
            plan_lines.c.offer_id.label("offer"),
            plan_lines.c.units_served.label("units"),
        )
        .where(plan_lines.c.plan_id == latest)
        .order_by(plan_lines.c.need_id, plan_lines.c.offer_id)
    )
