"""Rows of results and of the copies that the desks have of them.

Results are locked before needs, each by ascending id.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from marketplace.domain.exchange.needs import NeedStatus
from marketplace.domain.exchange.results import Desk, ResultStatus
from marketplace.persistence.database import Reading, Row, Values, Writing
from marketplace.persistence.tables import (
    accounts,
    allocations,
    needs,
    offers,
    regions,
    result_copies,
    results,
)
from marketplace.persistence.tables.columns import UtcDateTime


async def of_allocation(db: Reading, allocation_id: int, *, now: datetime) -> Row | None:
    """What a result says of an allocation: need, organizations, region, units received, when.

    now    when it was delivered, where nobody checked in
    """
    bringer = accounts.alias()
    delivered_by = (
        sa.select(bringer.c.organization_id)
        .where(bringer.c.id == allocations.c.delivered_by)
        .scalar_subquery()
    )
    delivered_at = sa.func.coalesce(allocations.c.delivered_at, sa.literal(now, UtcDateTime()))
    return await db.row(
        sa.select(
            allocations.c.need_id,
            sa.func.coalesce(allocations.c.received_served, allocations.c.units_served).label(
                "units_received"
            ),
            delivered_at.label("delivered_at"),
            offers.c.organization_id,
            delivered_by.label("delivered_by_id"),
            needs.c.region_id,
        )
        .join(needs, needs.c.id == allocations.c.need_id)
        .join(offers, offers.c.id == allocations.c.offer_id)
        .where(allocations.c.id == allocation_id)
    )


async def add(db: Writing, values: Values, copies: Sequence[Values]) -> int:
    """Put a result in with its copies; its key."""
    result_id = await db.insert(results, values)
    await db.insert_many(result_copies, [{**copy, "result_id": result_id} for copy in copies])
    return result_id


async def lock(db: Writing, result_ids: Sequence[int], desk: Desk) -> dict[int, Row]:
    """Results by id, locked, with what a desk must know to acknowledge its copy.

    Beside need_id: copy_id and copy_status of the desk's copy, household_id of the need, tree_low
    of the region.
    """
    ids = sorted(set(result_ids))
    await _lock_rows(db, ids)
    # A statement of its own: it sees what was committed while the lock was waited for.
    statement = (
        sa.select(
            results.c.id,
            results.c.need_id,
            result_copies.c.id.label("copy_id"),
            result_copies.c.status.label("copy_status"),
            needs.c.household_id,
            regions.c.tree_low,
        )
        .join(result_copies, result_copies.c.result_id == results.c.id)
        .join(needs, needs.c.id == results.c.need_id)
        .join(regions, regions.c.id == results.c.region_id)
        .where(results.c.id.in_(ids), result_copies.c.desk == desk)
    )
    return {row["id"]: row for row in await db.rows(statement)}


async def acknowledge(
    db: Writing, copy_ids: Sequence[int], *, by: int | None, now: datetime
) -> None:
    """Mark copies of locked results as acknowledged."""
    await db.execute(
        sa.update(result_copies)
        .where(result_copies.c.id.in_(copy_ids), result_copies.c.status == ResultStatus.SENT)
        .values(status=ResultStatus.ACKNOWLEDGED, acknowledged_at=now, acknowledged_by=by)
    )


async def complete(db: Writing, result_ids: Sequence[int], *, now: datetime) -> list[int]:
    """Mark those of these locked results whose copies are all acknowledged; which these are."""
    waiting = sa.select(result_copies.c.id).where(
        result_copies.c.result_id == results.c.id, result_copies.c.status == ResultStatus.SENT
    )
    done = await db.rows(
        sa.update(results)
        .where(
            results.c.id.in_(result_ids),
            results.c.status == ResultStatus.SENT,
            ~waiting.exists(),
        )
        .values(status=ResultStatus.ACKNOWLEDGED, acknowledged_at=now)
        .returning(results.c.id)
    )
    return sorted(row["id"] for row in done)


async def closable(db: Writing, need_ids: Sequence[int] | None, *, limit: int) -> list[int]:
    """FULFILLED needs all of whose results are acknowledged, locked; of those given, or of all."""
    asked = sa.select(needs.c.id).where(needs.c.status == NeedStatus.FULFILLED)
    if need_ids is not None:
        asked = asked.where(needs.c.id.in_(need_ids))
    else:
        asked = asked.where(_all_acknowledged())
    found = await db.rows(
        asked.order_by(needs.c.id).limit(limit).with_for_update(skip_locked=need_ids is None)
    )
    # Again, with the locks held: whoever acknowledges another result of them waits for these.
    ids = [row["id"] for row in found]
    rows = await db.rows(
        sa.select(needs.c.id).where(needs.c.id.in_(ids), _all_acknowledged()).order_by(needs.c.id)
    )
    return [row["id"] for row in rows]


def _all_acknowledged() -> sa.ColumnElement[bool]:
    mine = sa.select(results.c.id).where(results.c.need_id == needs.c.id)
    waiting = mine.where(results.c.status == ResultStatus.SENT)
    return sa.and_(mine.exists(), ~waiting.exists())


async def _lock_rows(db: Writing, ids: Sequence[int]) -> None:
    await db.rows(
        sa.select(results.c.id)
        .where(results.c.id.in_(ids))
        .order_by(results.c.id)
        .with_for_update()
    )
