"""Passing up what desks leave lying: copies of results and feedback past their day, each once."""

from __future__ import annotations

from collections.abc import Sequence

from marketplace.domain.days import county_day
from marketplace.domain.events import Event
from marketplace.domain.exchange.feedback import FeedbackStatus, policy_on
from marketplace.domain.exchange.results import ABOVE, Desk
from marketplace.persistence import events
from marketplace.persistence.database import Database, Row
from marketplace.persistence.exchange import feedback, overdue

AT_ONCE_MAX = 500


async def escalate_results(database: Database) -> int:
    """Mark copies that no desk acknowledged in time, and tell so; how many. A chore."""
    async with database.write() as db:
        rows = await overdue.mark_copies(db, now=database.now(), limit=AT_ONCE_MAX)
        await events.append_many(
            db, _told(database, "result.escalated", "Result", rows, key="result_id")
        )
        return len(rows)


async def escalate_feedback(database: Database) -> int:
    """Mark feedback that nobody answered in time, and tell so; how many. A chore."""
    async with database.write() as db:
        rows = await overdue.mark_feedback(db, now=database.now(), limit=AT_ONCE_MAX)
        await events.append_many(
            db, _told(database, "feedback.escalated", "Feedback", rows, key="id")
        )
        return len(rows)


async def close_answered_feedback(database: Database) -> int:
    """Close what was answered long ago and not taken up again; how many. A chore."""
    now = database.now()
    async with database.write() as db:
        before = now - policy_on(county_day(now)).close_after
        due = await feedback.lock_settled(db, answered_before=before, limit=AT_ONCE_MAX)
        if due:
            await feedback.change(db, due, {"status": FeedbackStatus.CLOSED, "closed_at": now})
            await events.append_many(
                db,
                [
                    Event(kind="feedback.closed", at=now, entity="Feedback", entity_id=each)
                    for each in due
                ],
            )
        return len(due)


def _told(
    database: Database, kind: str, entity: str, rows: Sequence[Row], *, key: str
) -> list[Event]:
    return [
        Event(
            kind=kind,
            at=database.now(),
            entity=entity,
            entity_id=row[key],
            data={"desk": row["desk"], "escalatedTo": ABOVE[Desk(row["desk"])]},
        )
        for row in rows
    ]
