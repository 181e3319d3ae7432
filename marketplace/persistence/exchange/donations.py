"""Rows of donations: numbered receipts, matches, and which allocation used how much of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import sqlalchemy as sa

from marketplace.domain.exchange.allocations import LIVE_STATUSES
from marketplace.domain.exchange.donations import DonationStatus, Given
from marketplace.persistence.database import Reading, Row, Values, Writing
from marketplace.persistence.tables import (
    allocations,
    campaigns,
    donation_matches,
    donation_uses,
    donations,
    offers,
    organizations,
    receipt_counters,
)

NAME = "donations.donor_name"
CONTACT = "donations.donor_contact"


async def next_number(db: Writing, organization_id: int, year: int) -> int:
    """The next number of an organization's receipts in a year.

    The organization's row makes the first two of a year take turns; an abandoned transaction gives
    its number back, so that none is missing.
    """
    await db.rows(
        sa.select(organizations.c.id)
        .where(organizations.c.id == organization_id)
        .with_for_update(key_share=True)
    )
    here = sa.and_(
        receipt_counters.c.organization_id == organization_id, receipt_counters.c.year == year
    )
    counted = await db.execute(
        sa.update(receipt_counters).where(here).values(last=receipt_counters.c.last + 1)
    )
    if not counted:
        first = {"organization_id": organization_id, "year": year, "last": 1}
        await db.insert_many(receipt_counters, [first])
        return 1
    last = await db.scalar(sa.select(receipt_counters.c.last).where(here))
    return int(str(last))


async def add(db: Writing, values: Values, matches: Mapping[int, int]) -> int:
    """A new donation with what each fund matched of it; its key."""
    donation_id = await db.insert(donations, values)
    await add_matches(db, donation_id, matches)
    return donation_id


async def add_matches(db: Writing, donation_id: int, matches: Mapping[int, int]) -> None:
    await db.insert_many(
        donation_matches,
        [
            {"donation_id": donation_id, "matching_fund_id": fund_id, "fen": fen}
            for fund_id, fen in matches.items()
        ],
    )


async def find(db: Reading, donation_id: int) -> Row | None:
    return await db.row(sa.select(donations).where(donations.c.id == donation_id))


async def lock(db: Writing, donation_id: int) -> Row | None:
    return await db.row(sa.select(donations).where(donations.c.id == donation_id).with_for_update())


async def by_receipt(db: Reading, organization_id: int, year: int, number: int) -> Row | None:
    return await db.row(
        sa.select(donations).where(
            donations.c.organization_id == organization_id,
            donations.c.receipt_year == year,
            donations.c.receipt_number == number,
        )
    )


async def change(db: Writing, donation_id: int, values: Values) -> None:
    """Write changed columns of a locked donation and count its version up."""
    await db.execute(
        sa.update(donations)
        .where(donations.c.id == donation_id)
        .values(**values, version=donations.c.version + 1)
    )


async def matches_of(db: Reading, donation_id: int) -> dict[int, int]:
    """What each fund matched of a donation, by fund, in order of their keys."""
    rows = await db.rows(
        sa.select(donation_matches)
        .where(donation_matches.c.donation_id == donation_id)
        .order_by(donation_matches.c.matching_fund_id)
    )
    return {row["matching_fund_id"]: row["fen"] for row in rows}


async def forget_matches(db: Writing, donation_id: int) -> None:
    await db.execute(
        sa.delete(donation_matches).where(donation_matches.c.donation_id == donation_id)
    )


async def unattributed(db: Reading, *, limit: int) -> list[tuple[int, int | None]]:
    """Offers of donations whose allocations and uses differ, with their campaigns."""
    used = _used_by_allocation()
    should = sa.case(
        (allocations.c.status.in_(sorted(LIVE_STATUSES)), allocations.c.units_drawn), else_=0
    )
    given = sa.select(donations.c.offer_id).where(donations.c.offer_id.is_not(None))
    found = (
        sa.select(offers.c.id, offers.c.campaign_id)
        .select_from(
            offers.join(allocations, allocations.c.offer_id == offers.c.id).outerjoin(
                used, used.c.allocation_id == allocations.c.id
            )
        )
        .where(offers.c.id.in_(given), should != sa.func.coalesce(used.c.units, 0))
        .distinct()
        .order_by(offers.c.id)
        .limit(limit)
    )
    return [(row["id"], row["campaign_id"]) for row in await db.rows(found)]


async def lock_sources(db: Writing, offer_id: int, campaign_id: int | None) -> None:
    """Keep an offer and its campaign as they are: nothing is given, returned or set aside."""
    if campaign_id is not None:
        await db.rows(
            sa.select(campaigns.c.id).where(campaigns.c.id == campaign_id).with_for_update()
        )
    await db.rows(sa.select(offers.c.id).where(offers.c.id == offer_id).with_for_update())


async def given(db: Reading, offer_id: int) -> list[Given]:
    """Donations in an offer with something left, first in first."""
    left = donations.c.units + donations.c.matched_fen - donations.c.used
    rows = await db.rows(
        sa.select(donations.c.id, left.label("left"))
        .where(
            donations.c.offer_id == offer_id,
            donations.c.status == DonationStatus.RECEIVED,
            left > 0,
        )
        .order_by(donations.c.received_at, donations.c.id)
    )
    return [Given(id=row["id"], left=row["left"]) for row in rows]


async def changed_uses(db: Reading, offer_id: int) -> Sequence[Row]:
    """Allocations of an offer (id, units) that use another sum of donations than `units`."""
    used = _used_by_allocation()
    should = sa.case(
        (allocations.c.status.in_(sorted(LIVE_STATUSES)), allocations.c.units_drawn), else_=0
    )
    return await db.rows(
        sa.select(allocations.c.id, should.label("units"))
        .select_from(allocations.outerjoin(used, used.c.allocation_id == allocations.c.id))
        .where(allocations.c.offer_id == offer_id, should != sa.func.coalesce(used.c.units, 0))
        .order_by(allocations.c.id)
    )


async def release(db: Writing, allocation_ids: Sequence[int]) -> None:
    """Forget what these allocations used; their donations have it again."""
    here = donation_uses.c.allocation_id.in_(allocation_ids)
    rows = await db.rows(sa.select(donation_uses.c.donation_id).where(here).distinct())
    await db.execute(sa.delete(donation_uses).where(here))
    await recount(db, [row["donation_id"] for row in rows])


async def use(db: Writing, uses: Mapping[tuple[int, int], int]) -> None:
    """Write down units by (donation, allocation)."""
    await db.insert_many(
        donation_uses,
        [
            {"donation_id": donation_id, "allocation_id": allocation_id, "units": units}
            for (donation_id, allocation_id), units in uses.items()
        ],
    )
    await recount(db, {donation_id for donation_id, _ in uses})


async def recount(db: Writing, donation_ids: Iterable[int]) -> None:
    """Make `used` of these donations the sum of their uses."""
    total = (
        sa.select(sa.func.coalesce(sa.func.sum(donation_uses.c.units), 0))
        .where(donation_uses.c.donation_id == donations.c.id)
        .scalar_subquery()
    )
    ids = sorted(set(donation_ids))
    for start in range(0, len(ids), 1_000):
        part = ids[start : start + 1_000]
        await db.execute(sa.update(donations).where(donations.c.id.in_(part)).values(used=total))


def _used_by_allocation() -> sa.Subquery:
    return (
        sa.select(donation_uses.c.allocation_id, sa.func.sum(donation_uses.c.units).label("units"))
        .group_by(donation_uses.c.allocation_id)
        .subquery()
    )
