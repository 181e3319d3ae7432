"""Rows of schedules, and of the referrals that they prepare."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime

import sqlalchemy as sa

from marketplace.domain.exchange.needs import MOVES, NeedStatus
from marketplace.domain.exchange.schedules import DraftStatus, ScheduleKind
from marketplace.persistence.database import Reading, Row, Values, Writing
from marketplace.persistence.exchange.consents import in_force
from marketplace.persistence.tables import (
    needs,
    referral_draft_lines,
    referral_drafts,
    regions,
    schedules,
)


async def put(db: Writing, values: Values) -> int:
    """Set the one schedule of a kind that a region has; its key. The region must be locked."""
    changed = (
        sa.update(schedules)
        .where(schedules.c.region_id == values["region_id"], schedules.c.kind == values["kind"])
        .values(**values, version=schedules.c.version + 1)
        .returning(schedules.c.id)
    )
    found = await db.scalar(changed)
    return int(str(found)) if found is not None else await db.insert(schedules, values)


async def on(db: Reading, kind: ScheduleKind, *, today: date) -> Sequence[Row]:
    """Schedules that are on and did not run today, with their region's place in the tree."""
    return await db.rows(
        sa.select(schedules, regions.c.tree_low, regions.c.tree_high)
        .join(regions, regions.c.id == schedules.c.region_id)
        .where(
            schedules.c.kind == kind,
            schedules.c.is_on,
            sa.or_(schedules.c.last_run_on.is_(None), schedules.c.last_run_on < today),
        )
        .order_by(schedules.c.id)
    )


async def claim(db: Writing, schedule_id: int, *, version: int, today: date) -> bool:
    """Mark a schedule as run today; False if someone did, or if it was changed meanwhile."""
    done = await db.execute(
        sa.update(schedules)
        .where(
            schedules.c.id == schedule_id,
            schedules.c.version == version,
            schedules.c.is_on,
            sa.or_(schedules.c.last_run_on.is_(None), schedules.c.last_run_on < today),
        )
        .values(last_run_on=today)
    )
    return done == 1


async def referable(db: Reading, low: int, high: int, *, now: datetime) -> list[int]:
    """Needs of a subtree that could be referred, the most severe first, the oldest among equals.

    What else keeps a need from being referred is asked of those that are taken.
    """
    statement = (
        sa.select(needs.c.id)
        .join(regions, regions.c.id == needs.c.region_id)
        .where(
            needs.c.status == NeedStatus.DRAFT,
            regions.c.tree_low.between(low, high),
            sa.or_(needs.c.deadline.is_(None), needs.c.deadline > now),
            in_force(needs.c.household_id, now),
        )
        .order_by(needs.c.severity.desc(), needs.c.id)
    )
    assert NeedStatus.DRAFT in MOVES["needRefer"], "drafts are what is referred"
    return [row["id"] for row in await db.rows(statement)]


async def add_draft(db: Writing, values: Values, need_ids: Collection[int]) -> int:
    """Put a prepared referral in with its lines; its key."""
    draft_id = await db.insert(referral_drafts, values)
    lines = [{"draft_id": draft_id, "need_id": need_id} for need_id in need_ids]
    await db.insert_many(referral_draft_lines, lines)
    return draft_id


async def discard_prepared(db: Writing, region_id: int, *, now: datetime) -> list[int]:
    """Discard what waits to be sent of a region; its keys."""
    rows = await db.rows(
        sa.update(referral_drafts)
        .where(
            referral_drafts.c.region_id == region_id,
            referral_drafts.c.status == DraftStatus.PREPARED,
        )
        .values(
            status=DraftStatus.DISCARDED,
            decided_at=now,
            version=referral_drafts.c.version + 1,
        )
        .returning(referral_drafts.c.id)
    )
    return [row["id"] for row in rows]


async def lock_draft(db: Writing, draft_id: int) -> Row | None:
    """A prepared referral with its region's place in the tree, kept for this transaction."""
    return await db.row(
        sa.select(referral_drafts, regions.c.tree_low)
        .join(regions, regions.c.id == referral_drafts.c.region_id)
        .where(referral_drafts.c.id == draft_id)
        .with_for_update(of=referral_drafts)
    )


async def lines_of(db: Reading, draft_id: int) -> tuple[int, ...]:
    """The needs of a prepared referral, the most severe first."""
    rows = await db.rows(
        sa.select(referral_draft_lines.c.need_id)
        .join(needs, needs.c.id == referral_draft_lines.c.need_id)
        .where(referral_draft_lines.c.draft_id == draft_id)
        .order_by(needs.c.severity.desc(), needs.c.id)
    )
    return tuple(row["need_id"] for row in rows)


async def change_draft(db: Writing, draft_id: int, values: Values) -> None:
    """Write columns of a locked draft and count its version up."""
    await db.execute(
        sa.update(referral_drafts)
        .where(referral_drafts.c.id == draft_id)
        .values(**values, version=referral_drafts.c.version + 1)
    )
