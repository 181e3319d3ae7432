"""Taking needs out of the market: the needs, their public copies, and what was reserved for them.

The rows are changed in the one order of locks: needs, then offers, then allocations.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from marketplace.domain.exchange.allocations import AllocationStatus, CancelReason
from marketplace.domain.exchange.needs import WITHDRAWABLE, NeedStatus
from marketplace.persistence.database import Reading, Row, Writing
from marketplace.persistence.exchange import needs as need_rows
from marketplace.persistence.exchange import offers as offer_rows
from marketplace.persistence.exchange import published_needs
from marketplace.persistence.tables import allocations, needs, offers

# What is on its way already is not called back: RESERVED and ACCEPTED alone are cancelled.
CANCELLED_WITH_A_NEED = (AllocationStatus.RESERVED, AllocationStatus.ACCEPTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """What went out of the market.

    allocations    rows of id, need_id, offer_id, units_served, units_drawn
    """

    need_ids: tuple[int, ...]
    allocations: tuple[Row, ...]


async def withdraw_needs_of(
    db: Writing, household_ids: Collection[int], reason: CancelReason, *, now: datetime
) -> Withdrawn:
    """Withdraw every need of the households that charity has not served yet, and free its offers.

    Needs past that point keep their state, but what is still reserved for them is freed as well.
    """
    all_ids = await _lock_needs(db, household_ids)
    gone = await db.rows(
        sa.update(needs)
        .where(needs.c.id.in_(all_ids), needs.c.status.in_(sorted(WITHDRAWABLE)))
        .values(status=NeedStatus.WITHDRAWN, version=needs.c.version + 1)
        .returning(needs.c.id)
    )
    await published_needs.close(db, all_ids)
    cancelled = await _cancel(db, all_ids, reason, now=now)
    return Withdrawn(
        need_ids=tuple(sorted(row["id"] for row in gone)), allocations=tuple(cancelled)
    )


async def suspend_needs_of(db: Writing, household_id: int, *, now: datetime) -> Withdrawn:
    """Halt every need of a household that charity has not served yet, and free its offers.

    Each remembers where it was. What is on its way stays on its way.
    """
    all_ids = await _lock_needs(db, [household_id])
    gone = await db.rows(
        sa.update(needs)
        .where(needs.c.id.in_(all_ids), needs.c.status.in_(sorted(WITHDRAWABLE)))
        .values(
            status=NeedStatus.SUSPENDED,
            suspended_from=needs.c.status,
            version=needs.c.version + 1,
        )
        .returning(needs.c.id)
    )
    await published_needs.close(db, all_ids)
    cancelled = await _cancel(db, all_ids, CancelReason.RESTRICTION, now=now)
    return Withdrawn(
        need_ids=tuple(sorted(row["id"] for row in gone)), allocations=tuple(cancelled)
    )


async def cancel_of_organization(
    db: Writing, organization_id: int, *, now: datetime
) -> tuple[list[int], list[Row]] | None:
    """Cancel what of a provider's offers is set aside and not on its way, and lock all its offers.

    Answers the offers and the cancelled allocations; None, and nothing done, where a plan set more
    aside while the locks were waited for: undo the transaction and try again.
    """
    own = sa.select(offers.c.id).where(offers.c.organization_id == organization_id)
    these = sa.and_(
        allocations.c.offer_id.in_(own), allocations.c.status.in_(CANCELLED_WITH_A_NEED)
    )
    behind = sa.select(allocations.c.need_id).where(these).distinct()
    before = {row["need_id"] for row in await db.rows(behind)}
    await _lock(db, needs, needs.c.id.in_(before))
    await _lock(db, offers, offers.c.organization_id == organization_id)
    if not {row["need_id"] for row in await db.rows(behind)} <= before:
        return None
    cancelled = await _end(db, these, CancelReason.RESTRICTION, now=now)
    return [row["id"] for row in await db.rows(own.order_by(offers.c.id))], cancelled


async def cancel_lapsed(
    db: Writing, *, now: datetime, limit: int, only: int | None = None
) -> list[Row]:
    """Cancel what nobody accepted in time, `only` one or the oldest few; both sides get it back."""
    overdue = sa.and_(
        allocations.c.status == AllocationStatus.RESERVED, allocations.c.reserved_until <= now
    )
    due = sa.select(allocations.c.id, allocations.c.need_id, allocations.c.offer_id).where(overdue)
    if only is not None:
        due = due.where(allocations.c.id == only)
    # By the time, as the index is; by id SQLite would read the whole table.
    in_time = due.order_by(allocations.c.reserved_until, allocations.c.id)
    found = await db.rows(in_time.limit(limit))
    if not found:
        return []
    for table, of in ((needs, "need_id"), (offers, "offer_id")):
        await _lock(db, table, table.c.id.in_({row[of] for row in found}))
    these = sa.and_(allocations.c.id.in_([row["id"] for row in found]), overdue)
    return await _end(db, these, CancelReason.LAPSED, now=now)


async def lapsed(db: Reading, *, now: datetime, limit: int) -> list[int]:
    """Allocations that nobody accepted in time, the longest overdue first."""
    due = (
        sa.select(allocations.c.id)
        .where(
            allocations.c.status == AllocationStatus.RESERVED, allocations.c.reserved_until <= now
        )
        .order_by(allocations.c.reserved_until, allocations.c.id)
        .limit(limit)
    )
    return [row["id"] for row in await db.rows(due)]


async def _lock(db: Writing, table: sa.Table, where: sa.ColumnElement[bool]) -> None:
    await db.rows(sa.select(table.c.id).where(where).order_by(table.c.id).with_for_update())


async def _lock_needs(db: Writing, household_ids: Collection[int]) -> list[int]:
    statement = (
        sa.select(needs.c.id)
        .where(needs.c.household_id.in_(household_ids))
        .order_by(needs.c.id)
        .with_for_update()
    )
    return [row["id"] for row in await db.rows(statement)]


async def _cancel(
    db: Writing, need_ids: Sequence[int], reason: CancelReason, *, now: datetime
) -> list[Row]:
    offer_ids = await _offers_behind(db, need_ids)
    if not offer_ids:
        return []
    await _lock(db, offers, offers.c.id.in_(offer_ids))
    these = sa.and_(
        allocations.c.need_id.in_(need_ids), allocations.c.status.in_(CANCELLED_WITH_A_NEED)
    )
    return await _end(db, these, reason, now=now)


async def _end(
    db: Writing, these: sa.ColumnElement[bool], reason: CancelReason, *, now: datetime
) -> list[Row]:
    """Cancel allocations whose needs and offers are locked, and give back what they held."""
    in_order = sa.select(allocations.c.id).where(these).order_by(allocations.c.id)
    cancelled = await db.rows(
        sa.update(allocations)
        .where(allocations.c.id.in_(in_order.with_for_update()), these)
        .values(
            status=AllocationStatus.CANCELLED,
            cancel_reason=reason,
            ended_at=now,
            version=allocations.c.version + 1,
        )
        .returning(
            allocations.c.id,
            allocations.c.need_id,
            allocations.c.offer_id,
            allocations.c.units_served,
            allocations.c.units_drawn,
        )
    )
    served: Counter[int] = Counter()
    drawn: Counter[int] = Counter()
    for row in cancelled:
        served[row["need_id"]] += row["units_served"]
        drawn[row["offer_id"]] += row["units_drawn"]
    await need_rows.uncover(db, served)
    await offer_rows.give_back(db, drawn)
    return sorted(cancelled, key=lambda row: int(row["id"]))


async def _offers_behind(db: Reading, need_ids: Sequence[int]) -> list[int]:
    statement = (
        sa.select(allocations.c.offer_id)
        .where(allocations.c.need_id.in_(need_ids), allocations.c.status.in_(CANCELLED_WITH_A_NEED))
        .distinct()
        .order_by(allocations.c.offer_id)
    )
    return [row["offer_id"] for row in await db.rows(statement)]
