"""Messages to households as the operator sees them: whether they were sent, never what they say."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Annotated

import sqlalchemy as sa
import strawberry
from strawberry import ID

from marketplace.domain.ids import key_of
from marketplace.domain.messages import MessageStatus
from marketplace.domain.moves import moves_from
from marketplace.domain.outgoing import MESSAGE_MOVES
from marketplace.domain.permissions import SUPERVISION, Role
from marketplace.persistence.tables.messages import messages as table
from marketplace.services import messages
from schema.context import Context
from schema.enums import described
from schema.payloads import Info, Payload, act_of, payload
from schema.readgraph.declare import (
    Columns,
    Condition,
    Descending,
    Edge,
    Entity,
    Scope,
    column,
    for_viewer,
    node,
    root,
)
from schema.readgraph.read import read_one
from schema.writing import INPUT, KEY

described(
    MessageStatus,
    "Where a message to a household stands.",
    {
        MessageStatus.QUEUED: "it waits for its first or next attempt.",
        MessageStatus.SENT: "the channel took it; what it said is kept no longer.",
        MessageStatus.FAILED: "given up: `outgoingMessageRetry` tries anew.",
    },
)


def _visible(_row: Columns, scope: Scope) -> Condition:
    return sa.true() if scope.is_one_of(SUPERVISION | {Role.ADMIN}) else sa.false()


def _moves(context: Context, status: str) -> list[str]:
    return list(moves_from(MESSAGE_MOVES, context.viewer, MessageStatus(status)))


@node(
    table=table,
    visible=_visible,
    order=(Descending("createdAt"),),
    description="消息: one message to a household or applicant, without text and phone; for the "
    "operator.",
)
class OutgoingMessage(Entity):
    kind: str = column("kind", "What it is about, such as delivery.code.", filter=True)
    status: MessageStatus = column("status", "Where it stands.", filter=MessageStatus, order=True)
    channel: str | None = column("channel", "Which channel took it: console or webhook.")
    attempts: int = column("attempts", "How often it was tried.")
    error: str | None = column(
        "error",
        "For programs: why the last attempt failed: HTTP_500, TIMEOUT, NO_ANSWER, NO_CONNECTION, "
        "NO_ADDRESS, TLS, TOO_OLD.",
    )
    created_at: datetime = column("created_at", "When it was put in line.", filter=True, order=True)
    next_try_at: datetime = column("next_try_at", "When it is tried next, while it is QUEUED.")
    give_up_at: datetime = column("give_up_at", "When it is given up, if it is not taken by then.")
    sent_at: datetime | None = column("sent_at", "When the channel took it.")
    allowed_moves: list[str] = for_viewer(
        ("status",), _moves, "Mutations that the viewer may ask for now."
    )


@strawberry.type
class OutgoingQuery:
    outgoing_messages: Edge = root(
        "OutgoingMessage", "Messages to households, newest first; for the operator."
    )


@strawberry.input(description="Which message that was given up is sent again.")
class OutgoingMessageRetryInput:
    id: ID = strawberry.field(description="The message.")
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)


@strawberry.type(description="What came of putting a message in line again.")
class OutgoingMessageRetryPayload(Payload):
    message: OutgoingMessage | None = strawberry.field(
        description="The message as it is now; null where it was refused.", default=None
    )


@strawberry.type
class OutgoingMutations:
    @strawberry.mutation(description="Send a message that was given up again, under the same id.")
    async def outgoing_message_retry(
        self, info: Info, input: Annotated[OutgoingMessageRetryInput, INPUT]
    ) -> OutgoingMessageRetryPayload:
        key = key_of("OutgoingMessage", input.id)
        doing = messages.retry(info.context.database, act_of(info, input), key)
        read = partial(read_one, info, "OutgoingMessage")
        return await payload(OutgoingMessageRetryPayload, info, doing, read)
