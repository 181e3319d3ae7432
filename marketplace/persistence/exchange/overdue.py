"""Rows past their day: found and marked, each once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from marketplace.domain.exchange.feedback import FeedbackStatus
from marketplace.domain.exchange.results import ResultStatus
from marketplace.persistence.database import Row, Writing
from marketplace.persistence.tables import feedbacks, result_copies


async def mark_copies(db: Writing, *, now: datetime, limit: int) -> Sequence[Row]:
    """Copies of results that are due and not acknowledged: id, result_id, desk."""
    return await _mark(
        db,
        result_copies,
        result_copies.c.status == ResultStatus.SENT,
        [result_copies.c.id, result_copies.c.result_id, result_copies.c.desk],
        now=now,
        limit=limit,
    )


async def mark_feedback(db: Writing, *, now: datetime, limit: int) -> Sequence[Row]:
    """Feedback that is due and not answered: id, desk."""
    return await _mark(
        db,
        feedbacks,
        feedbacks.c.status == FeedbackStatus.OPEN,
        [feedbacks.c.id, feedbacks.c.desk],
        now=now,
        limit=limit,
    )


async def _mark(
    db: Writing,
    table: sa.Table,
    waiting: sa.ColumnElement[bool],
    told: Sequence[sa.Column[object]],
    *,
    now: datetime,
    limit: int,
) -> Sequence[Row]:
    due = sa.and_(waiting, table.c.due_at <= now, table.c.escalated_at.is_(None))
    found = await db.rows(
        sa.select(table.c.id)
        .where(due)
        .order_by(table.c.due_at, table.c.id)  # as the index is
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    if not found:
        return []
    marked = (
        sa.update(table)
        .where(table.c.id.in_([row["id"] for row in found]), due)
        .values(escalated_at=now)
        .returning(*told)
    )
    return sorted(await db.rows(marked), key=lambda row: int(row["id"]))
