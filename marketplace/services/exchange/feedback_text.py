"""Reading what was written in feedback and in its reply; that it was read is recorded."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.domain.errors import NotFound
from marketplace.domain.events import Event
from marketplace.domain.permissions import require
from marketplace.persistence import events
from marketplace.persistence.crypto import Sealer
from marketplace.persistence.database import Database
from marketplace.persistence.exchange import feedback
from marketplace.services.acting import Act
from marketplace.services.exchange.feedback import may_see, standing


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackText:
    """In the clear; never kept, logged or cached."""

    feedback_id: int
    text: str
    reply: str | None


async def read(database: Database, act: Act, sealer: Sealer, feedback_id: int) -> FeedbackText:
    """What was written and replied; who read it is written in the same transaction.

    Raises Unauthenticated or Forbidden by role, NotFound for what the viewer may not see.
    """
    require(act.viewer, "feedbackText")
    async with database.write() as db:
        row = await feedback.find(db, feedback_id)
        if row is None:
            raise NotFound
        if not may_see(act.viewer, row, await standing(db, act.viewer, row)):
            raise NotFound
        await events.append(
            db,
            Event(
                kind="feedback.viewed",
                at=database.now(),
                entity="Feedback",
                entity_id=feedback_id,
                account_id=act.viewer.account_id,
                data={"role": act.viewer.role},
                request_id=act.request_id,
            ),
        )
    seal_id, reply = row["seal_id"], row["reply_sealed"]
    return FeedbackText(
        feedback_id=feedback_id,
        text=sealer.open(row["text_sealed"], place=feedback.TEXT, seal_id=seal_id),
        reply=None if reply is None else sealer.open(reply, place=feedback.REPLY, seal_id=seal_id),
    )
