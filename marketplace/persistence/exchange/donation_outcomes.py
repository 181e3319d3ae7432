"""Rows of what donors are told, and of the deliveries that it is made of."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from marketplace.domain.exchange.allocations import AllocationStatus
from marketplace.domain.registry.regions import RegionLevel
from marketplace.persistence.database import Reading, Row, Values, Writing
from marketplace.persistence.tables import (
    allocations,
    donation_outcomes,
    donation_uses,
    donations,
    needs,
    regions,
)

CAME = (AllocationStatus.DELIVERED, AllocationStatus.CONFIRMED)


async def of(db: Reading, donation_id: int) -> Sequence[Row]:
    """What is told of one donation, by month."""
    return await db.rows(
        sa.select(donation_outcomes)
        .where(donation_outcomes.c.donation_id == donation_id)
        .order_by(donation_outcomes.c.month, donation_outcomes.c.id)
    )


async def offers_given(db: Reading, *, limit: int, after: int = 0) -> list[int]:
    """Offers whose donations are used, or were told to be, by key."""
    told = sa.select(donation_outcomes.c.id).where(
        donation_outcomes.c.donation_id == donations.c.id
    )
    found = (
        sa.select(donations.c.offer_id)
        .where(donations.c.offer_id > after, sa.or_(donations.c.used > 0, told.exists()))
        .distinct()
        .order_by(donations.c.offer_id)
        .limit(limit)
    )
    return [row["offer_id"] for row in await db.rows(found)]


async def deliveries(db: Reading, offer_ids: Sequence[int]) -> Sequence[Row]:
    """What came to households from offers, a row for each donation in each allocation.

    offer_id, donation_id, units, household_id, category_id, region_id (a township), at,
    is_confirmed
    """
    town, place = regions.alias(), regions.alias()
    township = (
        sa.select(town.c.id)
        .where(
            town.c.level == RegionLevel.TOWNSHIP,
            place.c.tree_low.between(town.c.tree_low, town.c.tree_high),
        )
        .limit(1)
        .scalar_subquery()
    )
    return await db.rows(
        sa.select(
            allocations.c.offer_id,
            donation_uses.c.donation_id,
            donation_uses.c.units,
            needs.c.household_id,
            needs.c.category_id,
            township.label("region_id"),
            sa.func.coalesce(allocations.c.delivered_at, allocations.c.created_at).label("at"),
            (allocations.c.status == AllocationStatus.CONFIRMED).label("is_confirmed"),
        )
        .select_from(
            donation_uses.join(allocations, allocations.c.id == donation_uses.c.allocation_id)
            .join(needs, needs.c.id == allocations.c.need_id)
            .join(place, place.c.id == needs.c.region_id)
        )
        .where(allocations.c.offer_id.in_(offer_ids), allocations.c.status.in_(CAME))
        .order_by(donation_uses.c.donation_id, donation_uses.c.allocation_id)
    )


async def told(db: Reading, offer_ids: Sequence[int]) -> Sequence[Row]:
    """What is told now of the donations in offers, with the offer and without keys of rows."""
    return await db.rows(
        sa.select(
            donations.c.offer_id,
            *(column for column in donation_outcomes.c if column.name != "id"),
        )
        .join(donations, donations.c.id == donation_outcomes.c.donation_id)
        .where(donations.c.offer_id.in_(offer_ids))
        .order_by(donation_outcomes.c.id)
    )


async def replace(db: Writing, offer_id: int, rows: Sequence[Values]) -> None:
    """Tell this of the donations in an offer, and nothing else."""
    await db.execute(
        sa.delete(donation_outcomes).where(donation_outcomes.c.donation_id.in_(_in(offer_id)))
    )
    await db.insert_many(donation_outcomes, rows)


def _in(offer_id: int) -> sa.Select[int]:
    return sa.select(donations.c.id).where(donations.c.offer_id == offer_id)
