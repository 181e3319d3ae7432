"""Rows of webhooks, their secrets sealed, and of what is delivered to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from marketplace.domain.messages import WebhookDeliveryStatus
from marketplace.domain.webhooks import Subscriber
from marketplace.persistence.crypto import Sealer, new_seal_id
from marketplace.persistence.database import Reading, Row, Writing
from marketplace.persistence.tables import events, regions, webhook_deliveries, webhooks

SECRET = "webhooks.secret"  # noqa: S105  # a place, not a secret
PREVIOUS = "webhooks.previous_secret"

Values = Mapping[str, object]


async def add(db: Writing, sealer: Sealer, of: Subscriber, secret: str, values: Values) -> int:
    """A new webhook; its key. The secret is sealed at once."""
    seal_id = new_seal_id()
    return await db.insert(
        webhooks,
        {
            "role": of.role,
            "organization_id": of.organization_id,
            "region_id": of.region_id,
            "seal_id": seal_id,
            "secret_sealed": sealer.seal(secret, place=SECRET, seal_id=seal_id),
            **values,
        },
    )


async def count_enabled(db: Reading, of: Subscriber) -> int:
    """How many webhooks of a subscriber are in use."""
    statement = sa.select(sa.func.count()).where(
        webhooks.c.role == of.role,
        webhooks.c.organization_id.is_not_distinct_from(of.organization_id),
        webhooks.c.region_id.is_not_distinct_from(of.region_id),
        webhooks.c.disabled_at.is_(None),
    )
    return int(str(await db.scalar(statement)))


async def lock(db: Writing, webhook_id: int) -> Row | None:
    """A webhook with its region's place in the tree, locked."""
    return await db.row(_located().where(webhooks.c.id == webhook_id).with_for_update(of=webhooks))


async def change(db: Writing, webhook_id: int, values: Values) -> None:
    """Change a locked webhook; its version goes up."""
    await db.execute(
        sa.update(webhooks)
        .where(webhooks.c.id == webhook_id)
        .values({**values, "version": webhooks.c.version + 1})
    )


def rotated(sealer: Sealer, row: Row, secret: str, *, until: datetime) -> Values:
    """The values by which a webhook gets a new secret, the old one signing on until a moment."""
    seal_id = row["seal_id"]
    old = sealer.open(row["secret_sealed"], place=SECRET, seal_id=seal_id)
    return {
        "secret_sealed": sealer.seal(secret, place=SECRET, seal_id=seal_id),
        "previous_secret_sealed": sealer.seal(old, place=PREVIOUS, seal_id=seal_id),
        "previous_until": until,
    }


def secrets_of(sealer: Sealer, row: Row, *, now: datetime) -> list[str]:
    """The secrets that sign now, the newest first."""
    seal_id = row["seal_id"]
    found = [sealer.open(row["secret_sealed"], place=SECRET, seal_id=seal_id)]
    until = row["previous_until"]
    if row["previous_secret_sealed"] is not None and until is not None and now < until:
        found.append(sealer.open(row["previous_secret_sealed"], place=PREVIOUS, seal_id=seal_id))
    return found


async def enabled(db: Reading) -> Sequence[Row]:
    """Every webhook in use, with its region's interval."""
    return await db.rows(_located().where(webhooks.c.disabled_at.is_(None)).order_by(webhooks.c.id))


async def add_deliveries(db: Writing, rows: Sequence[Values]) -> None:
    if rows:
        await db.insert_many(webhook_deliveries, list(rows))


async def any_due(db: Reading, *, now: datetime) -> bool:
    """Whether anything waits to be delivered; asked before a transaction is opened for it."""
    found = sa.select(webhook_deliveries.c.id).where(_due(now)).limit(1)
    return await db.scalar(found) is not None


async def lease(
    db: Writing, *, now: datetime, until: datetime, limit: int, of_each: int
) -> list[int]:
    """Take deliveries that are due, so that nobody else sends them before `until`; their keys.

    At most `of_each` of one webhook, so that one that answers slowly keeps no other waiting.
    """
    turn = sa.func.row_number().over(
        partition_by=webhook_deliveries.c.webhook_id,
        order_by=(webhook_deliveries.c.next_try_at, webhook_deliveries.c.id),
    )
    waiting = sa.select(webhook_deliveries.c.id, turn.label("turn")).where(_due(now)).subquery()
    due = (
        sa.select(webhook_deliveries.c.id)
        .where(
            _due(now),  # again, of the row as it is once it is locked
            webhook_deliveries.c.id.in_(sa.select(waiting.c.id).where(waiting.c.turn <= of_each)),
        )
        .order_by(webhook_deliveries.c.next_try_at, webhook_deliveries.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)  # SQLite has BEGIN IMMEDIATE instead
    )
    taken = (
        sa.update(webhook_deliveries)
        .where(webhook_deliveries.c.id.in_(due.scalar_subquery()))
        .values(next_try_at=until, attempts=webhook_deliveries.c.attempts + 1)
        .returning(webhook_deliveries.c.id)
    )
    return sorted(row["id"] for row in await db.rows(taken))


async def deliveries(db: Reading, ids: Sequence[int]) -> Sequence[Row]:
    """Deliveries with their webhook's scope, URL and secrets, and their event."""
    return await db.rows(
        sa.select(
            webhook_deliveries.c.id,
            webhook_deliveries.c.webhook_id,
            webhook_deliveries.c.event_id,
            webhook_deliveries.c.entity,
            webhook_deliveries.c.entity_id,
            webhook_deliveries.c.reference,
            webhook_deliveries.c.message_key,
            webhook_deliveries.c.attempts,
            events.c.kind,
            events.c.at,
            *(webhooks.c[name] for name in _OF_WEBHOOK),
            regions.c.tree_low,
            regions.c.tree_high,
        )
        .select_from(
            webhook_deliveries.join(events, events.c.id == webhook_deliveries.c.event_id)
            .join(webhooks, webhooks.c.id == webhook_deliveries.c.webhook_id)
            .outerjoin(regions, regions.c.id == webhooks.c.region_id)
        )
        .where(webhook_deliveries.c.id.in_(ids))
        .order_by(webhook_deliveries.c.id)
    )


async def end(
    db: Writing,
    delivery_id: int,
    status: WebhookDeliveryStatus,
    *,
    now: datetime,
    response_status: int | None = None,
    error: str | None = None,
) -> None:
    """It was delivered, or is given up; a worker whose lease had ended changes nothing."""
    await _queued(
        db,
        delivery_id,
        {
            "status": status,
            "finished_at": now,
            "response_status": response_status,
            "error": error,
        },
    )


async def try_again(
    db: Writing, delivery_id: int, *, at: datetime, response_status: int | None, error: str
) -> None:
    values = {"next_try_at": at, "response_status": response_status, "error": error}
    await _queued(db, delivery_id, values)


async def count_dead(db: Reading) -> int:
    """How many deliveries to webhooks that are still in use were given up."""
    dead = (
        sa.select(sa.func.count())
        .select_from(
            webhook_deliveries.join(webhooks, webhooks.c.id == webhook_deliveries.c.webhook_id)
        )
        .where(
            webhook_deliveries.c.status == WebhookDeliveryStatus.DEAD,
            webhooks.c.disabled_at.is_(None),
        )
    )
    return int(str(await db.scalar(dead)))


async def lock_delivery(db: Writing, delivery_id: int) -> Row | None:
    return await db.row(
        sa.select(webhook_deliveries)
        .where(webhook_deliveries.c.id == delivery_id)
        .with_for_update()
    )


async def revive(db: Writing, delivery_id: int, *, now: datetime) -> None:
    """Put what was given up in line again, with all its attempts, under the same key."""
    await db.execute(
        sa.update(webhook_deliveries)
        .where(webhook_deliveries.c.id == delivery_id)
        .values(
            status=WebhookDeliveryStatus.QUEUED,
            attempts=0,
            error=None,
            next_try_at=now,
            finished_at=None,
        )
    )


async def _queued(db: Writing, delivery_id: int, values: Values) -> None:
    await db.execute(
        sa.update(webhook_deliveries)
        .where(
            webhook_deliveries.c.id == delivery_id,
            webhook_deliveries.c.status == WebhookDeliveryStatus.QUEUED,
        )
        .values(dict(values))
    )


def _due(now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(
        webhook_deliveries.c.status == WebhookDeliveryStatus.QUEUED,
        webhook_deliveries.c.next_try_at <= now,
    )


def _located() -> sa.Select[tuple[object, ...]]:
    return sa.select(webhooks, regions.c.tree_low, regions.c.tree_high).select_from(
        webhooks.outerjoin(regions, regions.c.id == webhooks.c.region_id)
    )


_OF_WEBHOOK = (
    "role",
    "organization_id",
    "region_id",
    "url",
    "seal_id",
    "secret_sealed",
    "previous_secret_sealed",
    "previous_until",
    "disabled_at",
)
