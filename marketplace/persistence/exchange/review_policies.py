"""Rows of review policies: the one that holds for a place, and what the desk has before it."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from marketplace.domain.exchange.needs import NeedStatus
from marketplace.domain.exchange.review_policies import POLICY, ReviewPolicy, bands_from_json
from marketplace.persistence.database import Reading, Row, Values, Writing
from marketplace.persistence.tables import (
    need_reviews,
    needs,
    referral_drafts,
    regions,
    review_policies,
)


async def in_force(db: Reading, region_low: int, now: datetime) -> ReviewPolicy:
    """The policy for a place in the tree: of the nearest region above it that has set one."""
    found = await db.row(
        sa.select(review_policies)
        .join(regions, regions.c.id == review_policies.c.region_id)
        .where(
            regions.c.tree_low <= region_low,
            regions.c.tree_high >= region_low,
            review_policies.c.valid_from <= now,
        )
        .order_by(regions.c.tree_low.desc(), review_policies.c.version.desc())
        .limit(1)
    )
    if found is None:
        return POLICY
    return ReviewPolicy(
        bands=bands_from_json(found["bands"]),
        review_days=found["review_days"],
        resubmit_days=found["resubmit_days"],
        weekly_capacity=found["weekly_capacity"],
        version=found["version"],
    )


async def add(db: Writing, values: Values) -> int:
    """Put a further version of a region's policy in; its key. The region's row must be locked."""
    latest = sa.select(sa.func.coalesce(sa.func.max(review_policies.c.version), 0)).where(
        review_policies.c.region_id == values["region_id"]
    )
    version = int(str(await db.scalar(latest))) + 1
    return await db.insert(review_policies, {**values, "version": version})


async def lock_region(db: Writing, region_id: int) -> Row | None:
    """A region's id and place in the tree; those who set its policy take turns."""
    return await db.row(
        sa.select(regions.c.id, regions.c.tree_low, regions.c.tree_high)
        .where(regions.c.id == region_id)
        .with_for_update(key_share=True)
    )


async def waiting(db: Reading, low: int, high: int) -> int:
    """Needs of a subtree that wait for a review."""
    found = await db.scalar(
        sa.select(sa.func.count())
        .select_from(needs.join(regions, regions.c.id == needs.c.region_id))
        .where(needs.c.status == NeedStatus.REFERRED, regions.c.tree_low.between(low, high))
    )
    return int(str(found))


async def desk(db: Reading, low: int, high: int, *, now: datetime, since: datetime) -> Row:
    """What the two desks have before them in a subtree, in one statement.

    waiting, overdue          needs to review, and those of them past their day
    returned, returned_late   needs to bring back, and those of them past their day
    ready                     needs in a prepared referral that nobody sent yet
    reviewed                  decisions since a moment; next_due: the earliest day to come
    """
    here = sa.select(regions.c.id).where(regions.c.tree_low.between(low, high))

    def count(status: NeedStatus, *where: sa.ColumnElement[bool]) -> sa.ScalarSelect[int]:
        found = sa.select(sa.func.count()).select_from(needs)
        found = found.where(needs.c.status == status, needs.c.region_id.in_(here), *where)
        return found.scalar_subquery()

    late = needs.c.due_at <= now
    reviewed = (
        sa.select(sa.func.count())
        .select_from(need_reviews.join(needs, needs.c.id == need_reviews.c.need_id))
        .where(need_reviews.c.reviewed_at >= since, needs.c.region_id.in_(here))
    )
    next_due = sa.select(sa.func.min(needs.c.due_at)).where(
        needs.c.status == NeedStatus.REFERRED, needs.c.region_id.in_(here), needs.c.due_at > now
    )
    ready = sa.select(sa.func.coalesce(sa.func.sum(referral_drafts.c.line_count), 0)).where(
        referral_drafts.c.status == "PREPARED", referral_drafts.c.region_id.in_(here)
    )
    row = await db.row(
        sa.select(
            count(NeedStatus.REFERRED).label("waiting"),
            count(NeedStatus.REFERRED, late).label("overdue"),
            count(NeedStatus.RETURNED).label("returned"),
            count(NeedStatus.RETURNED, late).label("returned_late"),
            ready.scalar_subquery().label("ready"),
            reviewed.scalar_subquery().label("reviewed"),
            next_due.scalar_subquery().label("next_due"),
        )
    )
    assert row is not None, "counts are always there"
    return row


async def reviewed_at(db: Reading, low: int, high: int, *, since: datetime) -> list[datetime]:
    """When needs of a subtree were decided on since a moment."""
    rows = await db.rows(
        sa.select(need_reviews.c.reviewed_at)
        .join(needs, needs.c.id == need_reviews.c.need_id)
        .join(regions, regions.c.id == needs.c.region_id)
        .where(need_reviews.c.reviewed_at >= since, regions.c.tree_low.between(low, high))
    )
    return [row["reviewed_at"] for row in rows]
