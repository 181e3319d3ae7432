"""Rows of feedback: what was written and replied is sealed before it gets here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from marketplace.domain.exchange.feedback import FeedbackStatus
from marketplace.persistence.database import Reading, Row, Values, Writing
from marketplace.persistence.tables import (
    feedbacks,
    households,
    needs,
    organizations,
    regions,
    results,
)

TEXT = "feedbacks.text"
REPLY = "feedbacks.reply"


async def add(db: Writing, values: Values) -> int:
    return await db.insert(feedbacks, values)


async def lock(db: Writing, feedback_id: int) -> Row | None:
    """Feedback with tree_low of its region, its row locked."""
    await db.rows(sa.select(feedbacks.c.id).where(feedbacks.c.id == feedback_id).with_for_update())
    return await find(db, feedback_id)


async def find(db: Reading, feedback_id: int) -> Row | None:
    """Feedback with tree_low of its region."""
    return await db.row(
        sa.select(feedbacks, regions.c.tree_low)
        .join(regions, regions.c.id == feedbacks.c.region_id)
        .where(feedbacks.c.id == feedback_id)
    )


async def change(db: Writing, feedback_ids: Sequence[int], values: Values) -> None:
    """Write columns of locked feedback and count its version up."""
    await db.execute(
        sa.update(feedbacks)
        .where(feedbacks.c.id.in_(feedback_ids))
        .values(**values, version=feedbacks.c.version + 1)
    )


async def lock_settled(db: Writing, *, answered_before: datetime, limit: int) -> list[int]:
    """What was answered so long ago and not taken up again, locked."""
    found = await db.rows(
        sa.select(feedbacks.c.id)
        .where(
            feedbacks.c.status == FeedbackStatus.ANSWERED,
            feedbacks.c.answered_at <= answered_before,
        )
        .order_by(feedbacks.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [row["id"] for row in found]


async def region_of_organization(db: Reading, organization_id: int) -> int | None:
    found = await db.scalar(
        sa.select(organizations.c.region_id).where(organizations.c.id == organization_id)
    )
    return None if found is None else int(str(found))


async def result_parties(db: Reading, result_id: int) -> Row | None:
    """Household, organizations and region of a result."""
    return await db.row(
        sa.select(
            needs.c.household_id,
            results.c.organization_id,
            results.c.delivered_by_id,
            results.c.region_id,
        )
        .join(needs, needs.c.id == results.c.need_id)
        .where(results.c.id == result_id)
    )


async def household_of_result(db: Reading, result_id: int) -> Row | None:
    """Whose a result is: household_id, phone_index, region_id, result_id, at; feedback_id None."""
    return await db.row(
        sa.select(
            needs.c.household_id,
            households.c.phone_index,
            households.c.region_id,
            results.c.id.label("result_id"),
            sa.null().label("feedback_id"),
            results.c.sent_at.label("at"),
        )
        .join(needs, needs.c.id == results.c.need_id)
        .join(households, households.c.id == needs.c.household_id)
        .where(results.c.id == result_id)
    )


async def household_of_feedback(db: Reading, feedback_id: int) -> Row | None:
    """As `household_of_result`, of a household's feedback; result_id None."""
    return await db.row(
        sa.select(
            feedbacks.c.household_id,
            households.c.phone_index,
            households.c.region_id,
            sa.null().label("result_id"),
            feedbacks.c.id.label("feedback_id"),
            feedbacks.c.filed_at.label("at"),
        )
        .join(households, households.c.id == feedbacks.c.household_id)
        .where(feedbacks.c.id == feedback_id)
    )


async def hand_over(db: Writing, from_id: int, to_id: int) -> list[int]:
    """Give the feedback of a household to the one that it lives on in; which that was."""
    rows = await db.rows(
        sa.update(feedbacks)
        .where(feedbacks.c.household_id == from_id)
        .values(household_id=to_id)
        .returning(feedbacks.c.id)
    )
    return sorted(row["id"] for row in rows)
