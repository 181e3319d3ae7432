"""Referrals by the calendar: prepared batches, what the desks have before them, what is late."""

from __future__ import annotations

from datetime import date, datetime
from functools import partial
from typing import Annotated

import sqlalchemy as sa
import strawberry
from strawberry import ID

from marketplace.domain.errors import Conflict, Forbidden, Unauthenticated
from marketplace.domain.exchange.needs import NeedStatus
from marketplace.domain.exchange.schedules import MOVES, DraftStatus
from marketplace.domain.ids import key_of
from marketplace.domain.moves import moves_from
from marketplace.domain.permissions import COUNTY_OFFICERS, SUPERVISION, Role
from marketplace.persistence.tables.pledges import referral_draft_lines, referral_drafts
from marketplace.services.exchange import referral_calendar as service
from schema.context import Context
from schema.enums import described
from schema.exchange.referrals import Referral
from schema.payloads import Info, Payload, act_of, payload, user_errors
from schema.readgraph.declare import (
    Ascending,
    Columns,
    Condition,
    Descending,
    Edge,
    Entity,
    Scope,
    Through,
    column,
    for_viewer,
    many,
    node,
    one,
    root,
)
from schema.readgraph.narrowed import Narrowed
from schema.readgraph.read import read_one
from schema.registry.trees import within_reach
from schema.writing import INPUT, KEY, VERSION, keys_of

described(
    DraftStatus,
    "Where a prepared referral stands.",
    {
        DraftStatus.PREPARED: "waits for a person of the assistance desk.",
        DraftStatus.SENT: "became a referral.",
        DraftStatus.DISCARDED: "put aside, or replaced by a later one.",
    },
)
ASSISTANCE = frozenset({Role.ASSISTANCE_OFFICER}) | SUPERVISION


def _visible(row: Columns, scope: Scope) -> Condition:
    """Before it is sent it is the assistance desk's alone."""
    return within_reach(scope, row["region_id"]) if scope.is_one_of(ASSISTANCE) else sa.false()


def _moves(context: Context, status: str) -> list[str]:
    return list(moves_from(MOVES, context.viewer, DraftStatus(status)))


@node(
    table=referral_drafts,
    visible=_visible,
    order=(Descending("preparedAt"),),
    description="待发转介: needs that the calendar found ready, for a person to send.",
)
class ReferralDraft(Entity):
    status: DraftStatus = column("status", "Where it stands.", filter=DraftStatus, order=True)
    line_count: int = column("line_count", "How many needs it holds.")
    waiting: int = column(
        "waiting", "How many more were ready than the charity desk has room for this week."
    )
    prepared_at: datetime = column("prepared_at", "When.", filter=True, order=True)
    decided_at: datetime | None = column("decided_at", "When it was sent or put aside.")
    version: int = column("version", "Goes up with every change; for `expectedVersion`.")
    allowed_moves: list[str] = for_viewer(
        ("status",), _moves, "Mutations that the viewer may ask for now."
    )
    region: Edge = one("Region", "region_id", "Of which region.", filter=True)
    referral: Edge = one("Referral", "referral_id", "What it became.")
    needs: Edge = many(
        "Need",
        "id",
        "What it holds.",
        through=Through(referral_draft_lines, "draft_id", "need_id"),
    )


@strawberry.type(description="How many needs were decided on, on one day of the county.")
class ReviewedDay:
    day: date = strawberry.field(description="The day.")
    count: int = strawberry.field(description="Decisions: approved, returned or rejected.")


@strawberry.type(description="What the two desks of a region have before them.")
class ReferralCapacity:
    weekly_limit: int | None = strawberry.field(
        description="Needs that the charity desk reviews in a week, by policy; null: any number."
    )
    free: int | None = strawberry.field(
        description="Of them, what the queue leaves; null: any number."
    )
    waiting: int = strawberry.field(description="Referred needs that wait for a review.")
    overdue: int = strawberry.field(description="Of them, those past their day.")
    returned: int = strawberry.field(description="Returned needs that wait to be referred again.")
    returned_overdue: int = strawberry.field(description="Of them, those past their day.")
    prepared: int = strawberry.field(description="Needs in a prepared referral not sent yet.")
    next_due_at: datetime | None = strawberry.field(description="The next day a review is due.")
    reviewed: list[ReviewedDay] = strawberry.field(description="The last seven days.")


@strawberry.input(description="Which prepared referral to send.")
class ReferralSendInput:
    id: ID = strawberry.field(description="The prepared referral.")
    leave_out: list[ID] = strawberry.field(
        description="Needs of it that are not to be sent; they stay drafts.", default_factory=list
    )
    expected_version: int | None = strawberry.field(description=VERSION, default=None)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> service.SendDraft:
        return service.SendDraft(
            draft_id=key_of("ReferralDraft", self.id),
            leave_out=keys_of("Need", self.leave_out),
            expected_version=self.expected_version,
        )


@strawberry.input(description="Which prepared referral to put aside.")
class ReferralDraftDiscardInput:
    id: ID = strawberry.field(description="The prepared referral.")
    expected_version: int | None = strawberry.field(description=VERSION, default=None)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> service.DiscardDraft:
        return service.DiscardDraft(
            draft_id=key_of("ReferralDraft", self.id), expected_version=self.expected_version
        )


@strawberry.type(
    description="What came of sending: a need that was no longer ready stands in `userErrors`."
)
class ReferralSendPayload(Payload):
    referral: Referral | None = strawberry.field(
        description="The new referral; null where nothing was sent.", default=None
    )
    draft: ReferralDraft | None = strawberry.field(
        description="The prepared referral as it is now.", default=None
    )


@strawberry.type(description="What came of putting a prepared referral aside.")
class ReferralDraftDiscardPayload(Payload):
    draft: ReferralDraft | None = strawberry.field(
        description="The prepared referral as it is now.", default=None
    )


async def _sent(info: Info, done: service.Sent) -> ReferralSendPayload:
    refused = done.referred.refused
    refusal = Conflict(*(refused[place] for place in sorted(refused)))
    return ReferralSendPayload(
        referral=await read_one(info, "Referral", done.referred.referral_id),
        draft=await read_one(info, "ReferralDraft", done.draft_id),
        user_errors=user_errors(refusal, info.context.language) if refused else [],
    )


def _late(status: NeedStatus) -> Narrowed:
    def belongs(row: Columns, scope: Scope, _above: sa.ColumnElement[int] | None) -> Condition:
        return sa.and_(row["status"] == status, row["due_at"] <= scope.now)

    return Narrowed(belongs, (Ascending("dueAt"),))


@strawberry.type
class ReferralCalendarQuery:
    referral_drafts: Edge = root(
        "ReferralDraft", "Prepared referrals, newest first; for the assistance desk."
    )
    reviews_overdue: Edge = root(
        "Need",
        "Referred needs whose review is past its day, the longest overdue first.",
        only=_late(NeedStatus.REFERRED),
    )
    resubmissions_overdue: Edge = root(
        "Need",
        "Returned needs that are past the day to be referred again, the longest overdue first.",
        only=_late(NeedStatus.RETURNED),
    )

    @strawberry.field(
        description="What both desks of your region have before them; for officers of the county."
    )
    async def referral_capacity(self, info: Info) -> ReferralCapacity:
        viewer = info.context.viewer
        if not viewer.is_one_of(COUNTY_OFFICERS | SUPERVISION | {Role.ADMIN}):
            raise Unauthenticated if viewer.role is Role.PUBLIC else Forbidden
        found = await service.capacity(info.context.database, viewer)
        return ReferralCapacity(
            weekly_limit=found.weekly_capacity,
            free=found.free,
            waiting=found.waiting,
            overdue=found.overdue,
            returned=found.returned,
            returned_overdue=found.returned_late,
            prepared=found.ready,
            next_due_at=found.next_due,
            reviewed=[ReviewedDay(day=day, count=count) for day, count in found.reviewed],
        )


@strawberry.type
class ReferralCalendarMutations:
    @strawberry.mutation(
        description="Send a prepared referral to the charity desk: all of it that is still ready. "
        "Whoever sends it refers its needs."
    )
    async def referral_send(
        self, info: Info, input: Annotated[ReferralSendInput, INPUT]
    ) -> ReferralSendPayload:
        async def doing() -> service.Sent:
            act = act_of(info, input)
            return await service.send(info.context.database, act, input.to_command())

        return await payload(ReferralSendPayload, info, doing(), partial(_sent, info))

    @strawberry.mutation(
        description="Put a prepared referral aside; its needs stay drafts for the next one."
    )
    async def referral_draft_discard(
        self, info: Info, input: Annotated[ReferralDraftDiscardInput, INPUT]
    ) -> ReferralDraftDiscardPayload:
        async def doing() -> int:
            act = act_of(info, input)
            return await service.discard(info.context.database, act, input.to_command())

        read = partial(read_one, info, "ReferralDraft")
        return await payload(ReferralDraftDiscardPayload, info, doing(), read)
