"""Feedback in the graph: for who filed it and for the competent desk; its text is read apart."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import sqlalchemy as sa
import strawberry

from marketplace.domain.errors import Forbidden
from marketplace.domain.exchange.feedback import (
    FeedbackFrom,
    FeedbackKind,
    FeedbackStatus,
    Standing,
    allowed_moves,
)
from marketplace.domain.ids import key_of, opaque_id
from marketplace.domain.permissions import PROVIDERS, SUPERVISION, Role
from marketplace.persistence.tables.columns import UtcDateTime
from marketplace.persistence.tables.results import feedbacks
from marketplace.services.acting import Act
from marketplace.services.exchange import feedback_text
from marketplace.services.exchange.feedback import LETTER
from marketplace.services.registry.sealing import sealer_of
from schema.context import Context
from schema.enums import described
from schema.exchange.results import Desk
from schema.payloads import Info
from schema.readgraph.declare import (
    Columns,
    Condition,
    Descending,
    Edge,
    Entity,
    Scope,
    column,
    computed,
    for_viewer,
    node,
    one,
    root,
)
from schema.readgraph.references import referenced_by
from schema.registry.personal_data import POST_ONLY
from schema.registry.trees import in_region_of, own_household

# Whoever uses the enums takes them from here, so that they are described before they are used.
__all__ = ["Feedback", "FeedbackKind", "FeedbackQuery", "FeedbackStatus"]

described(
    FeedbackKind,
    "What feedback is.",
    {
        FeedbackKind.PRAISE: "表扬, thanks and praise.",
        FeedbackKind.SUGGESTION: "建议, how it could be better.",
        FeedbackKind.QUESTION: "咨询, a question.",
        FeedbackKind.COMPLAINT: "投诉, something that went wrong.",
    },
)
described(
    FeedbackFrom,
    "Who gives feedback.",
    {
        FeedbackFrom.HOUSEHOLD: "受助家庭, a household, also through an officer.",
        FeedbackFrom.PROVIDER: "供给方, a provider.",
    },
)
described(
    FeedbackStatus,
    "Where feedback stands.",
    {
        FeedbackStatus.OPEN: "the competent desk has yet to reply.",
        FeedbackStatus.ANSWERED: "answered; it can be taken up again.",
        FeedbackStatus.CLOSED: "closed by who filed it, or after some time.",
    },
)
DESKS_SEEN = {
    Role.TOWNSHIP_OFFICER: (Desk.TOWNSHIP,),
    Role.ASSISTANCE_OFFICER: (Desk.TOWNSHIP, Desk.ASSISTANCE),
    Role.CHARITY_OFFICER: (Desk.CHARITY,),
}


def _visible(row: Columns, scope: Scope) -> Condition:
    """A desk sees what it is to answer, the assistance desk its townships' too; not the reverse."""
    if scope.is_one_of(SUPERVISION):
        return sa.true()
    if scope.is_one_of(PROVIDERS):
        return row["organization_id"] == scope.organization_id
    if scope.role is Role.APPLICANT:
        return own_household(scope, row["household_id"])
    filed = row["filed_by"] == scope.account_id
    desks = DESKS_SEEN.get(scope.role)
    if desks is None:
        return filed if scope.role in (Role.GRID_WORKER, Role.SOCIAL_WORKER) else sa.false()
    theirs = sa.and_(row["desk"].in_(desks), in_region_of(scope, row["region_id"]))
    return sa.or_(filed, theirs)


def _overdue(row: Columns) -> Condition:
    now = sa.bindparam("now", type_=UtcDateTime())  # as Scope has it
    return sa.and_(row["status"] == FeedbackStatus.OPEN, row["due_at"] <= now)


def _moves(
    context: Context,
    status: str,
    desk: str,
    filed_by: int | None,
    organization_id: int | None,
    reopened: int,
) -> list[str]:
    viewer = context.viewer
    own = viewer.role is Role.APPLICANT or filed_by == viewer.account_id
    own = own or (organization_id is not None and organization_id == viewer.organization_id)
    found = Standing(status=FeedbackStatus(status), desk=Desk(desk), is_own=own, reopened=reopened)
    return list(allowed_moves(viewer, found))


@node(
    table=feedbacks,
    visible=_visible,
    order=(Descending("filedAt"),),
    description="反馈与投诉: what a household or a provider has to say, and by when who replies. "
    "`feedbackText` reads the words.",
)
class Feedback(Entity):
    reference: str = referenced_by(LETTER, "filed_at")
    from_side: FeedbackFrom = column("from_side", "Who gives it.", filter=FeedbackFrom)
    kind: FeedbackKind = column("kind", "What it is.", filter=FeedbackKind)
    desk: Desk = column("desk", "Who is to reply.", filter=Desk)
    status: FeedbackStatus = column("status", "Where it stands.", filter=FeedbackStatus, order=True)
    filed_at: datetime = column("filed_at", "When it was filed.", filter=True, order=True)
    due_at: datetime = column("due_at", "By when to reply.", filter=True, order=True)
    is_overdue: bool = computed(
        (_overdue,), bool, "Whether its day has passed without a reply.", filter=True
    )
    answered_at: datetime | None = column(
        "answered_at", "When it was last answered.", filter=True, order=True
    )
    closed_at: datetime | None = column("closed_at", "When it was closed.", filter=True, order=True)
    escalated_at: datetime | None = column(
        "escalated_at", "When it was passed up for being late.", filter=True, order=True
    )
    reopened: int = column("reopened", "How often a reply did not do.", filter=True)
    version: int = column("version", "Goes up with every change; for `expectedVersion`.")
    allowed_moves: list[str] = for_viewer(
        ("status", "desk", "filed_by", "organization_id", "reopened"),
        _moves,
        "Mutations that the viewer may ask for now.",
    )
    household: Edge = one("Household", "household_id", "Whose it is, of a household.")
    organization: Edge = one(
        "Organization", "organization_id", "Whose it is, of a provider.", filter=True
    )
    result: Edge = one("Result", "result_id", "What it is about, if about one.", filter=True)
    region: Edge = one("Region", "region_id", "Where who gave it lives or sits.", filter=True)


@strawberry.type(description="The words of feedback; that you read them is recorded.")
class FeedbackText:
    feedback_id: strawberry.ID = strawberry.field(description="Of which feedback.")
    text: str = strawberry.field(description="What was written.")
    reply: str | None = strawberry.field(description="The latest reply.")


@strawberry.type
class FeedbackQuery:
    feedbacks: Edge = root("Feedback", "Feedback that the viewer may see, newest first.")

    @strawberry.field(
        description="What was written in feedback, and the reply. It may name people, so that you "
        "read it is recorded. By POST only."
    )
    async def feedback_text(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The feedback.")],
    ) -> FeedbackText | None:
        context, key = info.context, key_of("Feedback", id)
        if context.by_get:
            raise Forbidden(POST_ONLY)
        act = Act(viewer=context.viewer, request_id=context.request_id)
        found = await feedback_text.read(context.database, act, sealer_of(context.settings), key)
        return FeedbackText(
            feedback_id=strawberry.ID(opaque_id("Feedback", key)),
            text=found.text,
            reply=found.reply,
        )
