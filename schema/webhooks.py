"""Webhooks in the graph: endpoints of an organization or a desk, and what was delivered to them."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
import strawberry
from strawberry import ID

from marketplace.domain.ids import opaque_id
from marketplace.domain.messages import WebhookDeliveryStatus
from marketplace.domain.moves import moves_from
from marketplace.domain.outgoing import DELIVERY_MOVES
from marketplace.domain.permissions import PROVIDERS, Role
from marketplace.domain.webhooks import DESKS, MOVES, WebhookStatus
from marketplace.persistence.tables.house import events
from marketplace.persistence.tables.messages import webhook_deliveries, webhooks
from schema.context import Context
from schema.enums import described
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
    many,
    node,
    one,
    root,
)
from schema.registry.trees import in_region_of

described(
    WebhookStatus,
    "Whether a webhook is told of events.",
    {
        WebhookStatus.ENABLED: "it is told of what happens.",
        WebhookStatus.DISABLED: "it is told of nothing.",
    },
)
described(
    WebhookDeliveryStatus,
    "Where one event for one webhook stands.",
    {
        WebhookDeliveryStatus.QUEUED: "it waits for its first or next attempt.",
        WebhookDeliveryStatus.SENT: "the other side took it.",
        WebhookDeliveryStatus.DEAD: "given up: `webhookDeliveryRetry` tries anew.",
    },
)


def _visible(row: Columns, scope: Scope) -> Condition:
    """An organization's own people, the same desk, and the operator."""
    if scope.role is Role.ADMIN:
        return sa.true()
    if scope.is_one_of(PROVIDERS):
        return row["organization_id"] == scope.organization_id
    if scope.is_one_of(DESKS):
        return sa.and_(row["role"] == scope.role, in_region_of(scope, row["region_id"]))
    return sa.false()


def _delivery_visible(row: Columns, scope: Scope) -> Condition:
    webhook = webhooks.alias()
    own = sa.select(webhook.c.id).where(webhook.c.id == row["webhook_id"])
    return own.where(_visible(webhook.c, scope)).exists()


def _status(row: Columns) -> sa.ColumnElement[str]:
    return sa.case(
        (row["disabled_at"].is_(None), WebhookStatus.ENABLED), else_=WebhookStatus.DISABLED
    )


def _moves(context: Context, status: str) -> list[str]:
    return list(moves_from(MOVES, context.viewer, WebhookStatus(status)))


def _retry(context: Context, status: str) -> list[str]:
    return list(moves_from(DELIVERY_MOVES, context.viewer, WebhookDeliveryStatus(status)))


def _kind(row: Columns) -> sa.ColumnElement[str]:
    kind = sa.select(events.c.kind).where(events.c.id == row["event_id"])
    return kind.scalar_subquery()


def _as_it_is(value: object) -> object:
    return value


@node(
    table=webhooks,
    visible=_visible,
    order=(Descending("createdAt"),),
    description="回调: a URL that is told of events as they happen, signed (Standard Webhooks).",
)
class Webhook(Entity):
    url: str = column("url", "Where events are posted to.")
    kinds: list[str] = column(
        "kinds", "Kinds of events that it asks for, such as need.*; empty: all that it may know."
    )
    role: Role = column("role", "As whom it is told: only what this role may see in its scope.")
    status: WebhookStatus = computed((_status,), _as_it_is, "Whether it is told of events.")
    two_secrets_until: datetime | None = column(
        "previous_until", "Until when the secret before the last rotation signs as well."
    )
    created_at: datetime = column("created_at", "When it was made.", filter=True, order=True)
    disabled_at: datetime | None = column("disabled_at", "Since when it is disabled.", filter=True)
    version: int = column("version", "Goes up with every change; for `expectedVersion`.")
    allowed_moves: list[str] = for_viewer(
        (_status,), _moves, "Mutations that the viewer may ask for now."
    )
    organization: Edge = one("Organization", "organization_id", "Whose it is, if a provider's.")
    region: Edge = one("Region", "region_id", "Whose desk's it is, if an office's.")
    deliveries: Edge = many("WebhookDelivery", "webhook_id", "What it was told, or is to be.")


@node(
    table=webhook_deliveries,
    visible=_delivery_visible,
    order=(Descending("createdAt"),),
    description="投递: one event for one webhook, sent until it is taken or given up.",
)
class WebhookDelivery(Entity):
    kind: str = computed((_kind,), _as_it_is, "The kind of event.")
    status: WebhookDeliveryStatus = column(
        "status", "Where it stands.", filter=WebhookDeliveryStatus, order=True
    )
    message_key: str = column("message_key", "The `webhook-id` header: the same at every attempt.")
    subject_id: ID = computed(("entity", "entity_id"), opaque_id, "What the event is about.")
    reference: str = column("reference", "The number on papers of what the event is about.")
    attempts: int = column("attempts", "How often it was sent.")
    response_status: int | None = column("response_status", "The last HTTP status, if any came.")
    error: str | None = column(
        "error",
        "For programs: why the last attempt failed: HTTP_500, TIMEOUT, NO_ANSWER, NO_CONNECTION, "
        "NO_ADDRESS, PRIVATE_TARGET, TLS, INVALID_URL, DISABLED, NOT_VISIBLE.",
    )
    created_at: datetime = column("created_at", "When it was put in line.", filter=True, order=True)
    next_try_at: datetime = column("next_try_at", "When it is tried next, while it is QUEUED.")
    finished_at: datetime | None = column("finished_at", "When it was taken or given up.")
    allowed_moves: list[str] = for_viewer(
        ("status",), _retry, "Mutations that the viewer may ask for now."
    )
    webhook: Edge = one("Webhook", "webhook_id", "For whom it is.", filter=True)


@strawberry.type
class WebhookQuery:
    webhooks: Edge = root("Webhook", "Webhooks of the viewer's organization or desk.")
    webhook_deliveries: Edge = root(
        "WebhookDelivery", "Deliveries to the viewer's webhooks, newest first."
    )
