"""Rows of a household's needs when the household moves, is merged or split, or has ended."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import sqlalchemy as sa

from marketplace.domain.exchange.allocations import AllocationStatus
from marketplace.domain.exchange.needs import WITHDRAWABLE, NeedStatus
from marketplace.persistence.database import Reading, Row, Values, Writing
from marketplace.persistence.exchange import published_needs as copies
from marketplace.persistence.tables import (
    allocations,
    categories,
    consents,
    government_aids,
    households,
    integrity_cases,
    needs,
    offer_regions,
    offers,
    published_needs,
    regions,
)

ENDABLE = WITHDRAWABLE | {NeedStatus.SUSPENDED}
STILL_OPEN = (AllocationStatus.RESERVED, AllocationStatus.ACCEPTED, AllocationStatus.DISPATCHED)


async def lock_of(db: Writing, household_ids: Collection[int]) -> list[Row]:
    """Every need of the households with the interval of its category, locked by ascending id."""
    await db.rows(
        sa.select(needs.c.id)
        .where(needs.c.household_id.in_(household_ids))
        .order_by(needs.c.id)
        .with_for_update()
    )
    return list(
        await db.rows(
            sa.select(needs, categories.c.tree_low, categories.c.tree_high)
            .join(categories, categories.c.id == needs.c.category_id)
            .where(needs.c.household_id.in_(household_ids))
            .order_by(needs.c.id)
        )
    )


async def rehome(db: Writing, need_ids: Sequence[int], values: Values, region_id: int) -> None:
    """Write where locked needs are from now on, and let their public copies follow."""
    if not need_ids:
        return
    await db.execute(
        sa.update(needs)
        .where(needs.c.id.in_(need_ids))
        .values(**values, region_id=region_id, version=needs.c.version + 1)
    )
    township = await copies.township_of(db, region_id)
    await db.execute(
        sa.update(published_needs)
        .where(published_needs.c.need_id.in_(need_ids), published_needs.c.region_id != township)
        .values(region_id=township)
    )


async def follow_groups(db: Writing, household_id: int, target_groups: int) -> None:
    """Let open public copies show the groups that a household has now."""
    own = sa.select(needs.c.id).where(needs.c.household_id == household_id)
    await db.execute(
        sa.update(published_needs)
        .where(
            published_needs.c.need_id.in_(own),
            published_needs.c.is_open,
            published_needs.c.target_groups != target_groups,
        )
        .values(target_groups=target_groups)
    )


async def withdraw(db: Writing, need_ids: Sequence[int]) -> list[int]:
    """Withdraw locked needs that nobody serves yet, and close their copies; which they were."""
    gone = await db.rows(
        sa.update(needs)
        .where(needs.c.id.in_(need_ids), needs.c.status.in_(sorted(ENDABLE)))
        .values(status=NeedStatus.WITHDRAWN, suspended_from=None, version=needs.c.version + 1)
        .returning(needs.c.id)
    )
    ids = sorted(row["id"] for row in gone)
    await copies.close(db, ids)
    return ids


async def with_open_allocations(db: Reading, need_ids: Collection[int]) -> frozenset[int]:
    """Those of the needs for which something is set aside, accepted or on its way."""
    rows = await db.rows(
        sa.select(allocations.c.need_id)
        .where(allocations.c.need_id.in_(need_ids), allocations.c.status.in_(STILL_OPEN))
        .distinct()
    )
    return frozenset(row["need_id"] for row in rows)


async def reaches(db: Reading, household_id: int) -> list[Row]:
    """Open allocations of a household, each with what its offer says of places.

    id, created_at, is_in_regions (whether the offer's regions hold the household's; none named:
    anywhere), radius_km and latitude and longitude of the offer, of the household (home_latitude,
    home_longitude) and its region's where it has none of its own.
    """
    within = regions.alias("within")
    here = regions.alias("here")
    named = sa.select(offer_regions.c.offer_id).where(offer_regions.c.offer_id == offers.c.id)
    holding = named.join(within, within.c.id == offer_regions.c.region_id).where(
        within.c.tree_low <= here.c.tree_low, here.c.tree_low <= within.c.tree_high
    )
    return list(
        await db.rows(
            sa.select(
                allocations.c.id,
                allocations.c.created_at,
                sa.or_(~named.exists(), holding.exists()).label("is_in_regions"),
                offers.c.radius_km,
                offers.c.latitude,
                offers.c.longitude,
                sa.func.coalesce(households.c.latitude, here.c.latitude).label("home_latitude"),
                sa.func.coalesce(households.c.longitude, here.c.longitude).label("home_longitude"),
            )
            .select_from(
                allocations.join(needs, needs.c.id == allocations.c.need_id)
                .join(offers, offers.c.id == allocations.c.offer_id)
                .join(households, households.c.id == needs.c.household_id)
                .join(here, here.c.id == households.c.region_id)
            )
            .where(needs.c.household_id == household_id, allocations.c.status.in_(STILL_OPEN))
            .order_by(allocations.c.id)
        )
    )


async def consents_of(db: Writing, household_ids: Collection[int]) -> list[Row]:
    """Every consent of the households, oldest word first, locked."""
    return list(
        await db.rows(
            sa.select(consents)
            .where(consents.c.household_id.in_(household_ids))
            .order_by(consents.c.id)
            .with_for_update()
        )
    )


async def hand_over(db: Writing, table: sa.Table, from_id: int, to_id: int) -> list[int]:
    """Give the rows of one household to another; which they were."""
    rows = await db.rows(
        sa.update(table)
        .where(table.c.household_id == from_id)
        .values(household_id=to_id)
        .returning(table.c.id)
    )
    return sorted(row["id"] for row in rows)


async def hand_over_aid(db: Writing, from_id: int, to_id: int) -> list[int]:
    """Government aid follows the household, so that it is set off against its needs."""
    return await hand_over(db, government_aids, from_id, to_id)


async def hand_over_consents(db: Writing, from_id: int, to_id: int) -> list[int]:
    return await hand_over(db, consents, from_id, to_id)


async def has_open_case(db: Reading, household_id: int) -> bool:
    """Whether a case of integrity is open against a household: nobody escapes it by a merger."""
    found = sa.select(integrity_cases.c.id).where(
        integrity_cases.c.household_id == household_id,
        integrity_cases.c.status.not_in(["CLOSED", "DISMISSED"]),
    )
    return await db.scalar(found.limit(1)) is not None
