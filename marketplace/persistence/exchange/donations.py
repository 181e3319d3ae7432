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
from marketplace.persistence.tables.campaigns import UNATTRIBUTED

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


async def unattributed(db: Reading, *, limit: int) -> list[tuple[int, int | None]]:
    """Offers of donations whose allocations and uses may differ, with their campaigns."""
    found = (
        sa.select(offers.c.id, offers.c.campaign_id)
        .where(offers.c.id.in_(_due(allocations.c.offer_id).distinct()), _is_given())
        .order_by(offers.c.id)
        .limit(limit)
    )
    return [(row["id"], row["campaign_id"]) for row in await db.rows(found)]


async def lock_unattributed(db: Writing, offer_id: int, *, limit: int) -> list[int]:
    """Allocations of an offer that donations are not brought up to yet, locked by id.

    Before the offer itself is locked: whoever moves an allocation locks in this order.
    """
    due = (
        _due(allocations.c.id)
        .where(allocations.c.offer_id == offer_id)
        .order_by(allocations.c.id)
        .limit(limit)
        .with_for_update()
    )
    return [row["id"] for row in await db.rows(due)]


async def mark_attributed(db: Writing, allocation_ids: Sequence[int]) -> None:
    """Say of locked allocations how many units of donations they use.

    Those that use fewer than they draw are looked at again.
    """
    await db.execute(
        sa.update(allocations)
        .where(allocations.c.id.in_(allocation_ids))
        .values(attributed=sa.func.coalesce(_used(), 0))
    )


async def any_ungiven(db: Reading) -> bool:
    """Whether `pass_by_ungiven` has anything to do."""
    return await db.scalar(_ungiven().limit(1)) is not None


async def pass_by_ungiven(db: Writing, *, limit: int) -> int:
    """Say of allocations that nothing was donated for that they were looked at; how many."""
    due = _ungiven().limit(limit).with_for_update(of=allocations, skip_locked=True)
    ids = [row["id"] for row in await db.rows(due)]
    return await db.execute(
        sa.update(allocations).where(allocations.c.id.in_(ids)).values(attributed=_counts())
    )


async def lock_campaign(db: Writing, campaign_id: int | None) -> None:
    if campaign_id is not None:
        await db.rows(
            sa.select(campaigns.c.id).where(campaigns.c.id == campaign_id).with_for_update()
        )


async def lock_sources(db: Writing, offer_id: int, campaign_id: int | None) -> None:
    """Keep an offer and its campaign as they are: nothing is given, returned or set aside."""
    await lock_campaign(db, campaign_id)
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
    return await db.rows(
        sa.select(allocations.c.id, _counts().label("units"))
        .where(allocations.c.offer_id == offer_id, _counts() != sa.func.coalesce(_used(), 0))
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


def _due(column: sa.ColumnElement[int]) -> sa.Select[int]:
    """Of allocations whose units have changed since donations were brought up to them."""
    return sa.select(column).where(sa.text(UNATTRIBUTED))


def _ungiven() -> sa.Select[int]:
    return (
        sa.select(allocations.c.id)
        .join(offers, offers.c.id == allocations.c.offer_id)
        .where(
            allocations.c.id.in_(_due(allocations.alias("due").c.id)),
            offers.c.campaign_id.is_(None),
            ~_is_given(),
        )
        .order_by(allocations.c.id)
    )


def _is_given() -> sa.ColumnElement[bool]:
    return sa.select(donations.c.id).where(donations.c.offer_id == offers.c.id).exists()


def _counts() -> sa.ColumnElement[int]:
    """Units that an allocation takes from its offer now."""
    return sa.case(
        (allocations.c.status.in_(sorted(LIVE_STATUSES)), allocations.c.units_drawn), else_=0
    )


def _used() -> sa.ColumnElement[int]:
    """Units of donations that an allocation uses; null: none."""
    return (
        sa.select(sa.func.sum(donation_uses.c.units))
        .where(donation_uses.c.allocation_id == allocations.c.id)
        .correlate(allocations)
        .scalar_subquery()
    )
