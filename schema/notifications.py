"""The inbox in the graph: what an account was told, read by that account alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Annotated

import strawberry
from strawberry import ID

from marketplace.domain import notifications as inbox
from marketplace.domain.ids import opaque_id
from marketplace.persistence.tables.messages import notifications as table
from marketplace.services import notifications
from schema.context import Context
from schema.payloads import Info, Payload, act_of, payload
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
    root,
)
from schema.readgraph.read import read_many
from schema.registry.trees import IN_LANGUAGE, Language
from schema.writing import INPUT, KEY, keys_of


def _visible(row: Columns, scope: Scope) -> Condition:
    return row["account_id"] == scope.account_id


def _said(context: Context, arguments: Mapping[str, object], kind: str, reference: str) -> str:
    chosen = arguments.get("language")
    text = inbox.said(kind, reference)
    if isinstance(chosen, Language):
        return text.en if chosen is Language.EN else text.zh
    return text.said_in(context.language)


@node(
    table=table,
    visible=_visible,
    order=(Descending("at"),),
    description="通知: something that happened and concerns the account; it names nobody.",
)
class Notification(Entity):
    kind: str = column(
        "kind", "For programs: the kind of event, such as allocation.reserved.", filter=True
    )
    text: str = for_viewer(
        ("kind", "reference"), _said, "For people: what happened, in a line.", arguments=IN_LANGUAGE
    )
    reference: str = column("reference", "The number on papers of what it is about.")
    subject_id: ID = computed(
        ("entity", "entity_id"), opaque_id, "What it is about: ask `node` for it."
    )
    at: datetime = column("at", "When it happened.", filter=True, order=True)
    read_at: datetime | None = column(
        "read_at", "When it was marked as read; null: not yet.", filter=True
    )


@strawberry.type(description="How many notifications of one kind.")
class NotificationCount:
    kind: str = strawberry.field(description="The kind of event.")
    label: str = strawberry.field(description="The kind in the language of Accept-Language.")
    count: int = strawberry.field(description="How many.")


@strawberry.type(description="An inbox in a sentence, to be sent on by mail or read aloud.")
class NotificationDigest:
    zh: str = strawberry.field(description="The summary in Chinese.")
    en: str = strawberry.field(description="The summary in English.")
    unread: int = strawberry.field(description="How many of them are not marked as read.")
    counts: list[NotificationCount] = strawberry.field(
        description="By kind, the most frequent first."
    )


@strawberry.type
class NotificationQuery:
    notifications: Edge = root("Notification", "The viewer's own inbox, newest first.")

    @strawberry.field(description="What the viewer was told since a moment, in both languages.")
    async def notification_digest(
        self,
        info: Info,
        since: Annotated[datetime, strawberry.argument(description="From when on.")],
    ) -> NotificationDigest:
        context = info.context
        found = await notifications.digest_of(context.database, context.viewer, since)
        return NotificationDigest(
            zh=found.text.zh,
            en=found.text.en,
            unread=found.unread,
            counts=[
                NotificationCount(
                    kind=kind, label=inbox.label_of(kind).said_in(context.language), count=count
                )
                for kind, count in found.counts
            ],
        )


@strawberry.input(description="Which notifications were read.")
class NotificationMarkReadInput:
    ids: list[ID] | None = strawberry.field(
        description="1 to 100 of the viewer's own; left out: all.", default=None
    )
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def keys(self) -> tuple[int, ...] | None:
        return None if self.ids is None else keys_of("Notification", self.ids)


@strawberry.type(description="What came of marking notifications as read.")
class NotificationMarkReadPayload(Payload):
    notifications: list[Notification] = strawberry.field(
        description="Those that were unread until now; at most 100 are listed.",
        default_factory=list,
    )


async def _marked(info: Info, done: list[int]) -> NotificationMarkReadPayload:
    listed = done[: notifications.IDS_MAX]
    return NotificationMarkReadPayload(notifications=await read_many(info, "Notification", listed))


@strawberry.type
class NotificationMutations:
    @strawberry.mutation(description="Mark notifications of one's own as read.")
    async def notification_mark_read(
        self, info: Info, input: Annotated[NotificationMarkReadInput, INPUT]
    ) -> NotificationMarkReadPayload:
        async def doing() -> list[int]:
            act = act_of(info, input)
            return await notifications.mark_read(info.context.database, act, input.keys())

        return await payload(NotificationMarkReadPayload, info, doing(), partial(_marked, info))
