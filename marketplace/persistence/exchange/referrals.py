"""Rows of referrals and of the reviews of their lines."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa

from marketplace.domain.exchange.referrals import ReviewDecision
from marketplace.persistence.database import Reading, Values, Writing
from marketplace.persistence.tables import need_reviews, referrals


async def add(
    db: Writing, *, referred_by: int, referred_at: datetime, due_at: datetime, line_count: int
) -> int:
    """Put a batch in; its key."""
    values = {
        "referred_by": referred_by,
        "referred_at": referred_at,
        "due_at": due_at,
        "line_count": line_count,
    }
    return await db.insert(referrals, values)


async def add_review(db: Writing, values: Values) -> int:
    """Keep what one person decided on one need in one referral; its key."""
    return await db.insert(need_reviews, values)


async def reviews_of(
    db: Reading, *, need_id: int, referral_id: int
) -> Mapping[int, ReviewDecision]:
    """What each person decided on a need in this round, by account."""
    statement = sa.select(need_reviews.c.reviewed_by, need_reviews.c.decision).where(
        need_reviews.c.need_id == need_id, need_reviews.c.referral_id == referral_id
    )
    return {row["reviewed_by"]: ReviewDecision(row["decision"]) for row in await db.rows(statement)}
