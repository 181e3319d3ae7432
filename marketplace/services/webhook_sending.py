"""Telling webhooks: events become deliveries, deliveries are sent until they are taken."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import orjson

from marketplace.domain.events import Event
from marketplace.domain.ids import opaque_id
from marketplace.domain.messages import WEBHOOK_ATTEMPTS_MAX, WebhookDeliveryStatus, back_off
from marketplace.domain.permissions import Role, Viewer
from marketplace.domain.webhooks import is_wanted
from marketplace.persistence import events as event_rows
from marketplace.persistence import feed, webhooks
from marketplace.persistence.crypto import Sealer
from marketplace.persistence.database import Database, Row
from marketplace.services.feed import Sight, subjects
from marketplace.services.outbound import Unreachable, post
from marketplace.services.signing import signed_headers

FEED = "webhooks"
EVENTS_MAX = 500
AT_ONCE_MAX = 40
OF_EACH_MAX = 4
LEASE = timedelta(minutes=2)  # longer than a POST may take
GONE = 410  # "do not come back"

log = logging.getLogger("aidloop.webhooks")


async def produce(database: Database, sight: Sight) -> int:
    """Make deliveries of the next events; how many events were looked at. A chore.

    Deliveries and how far the feed is read are one transaction: each event once for each webhook.
    """
    async with database.read() as db:
        was = await feed.position(db, FEED)
        events = await feed.after(db, was, limit=EVENTS_MAX)
        hooks = await webhooks.enabled(db) if events else []
    if not events:
        return 0
    rows: list[dict[str, object]] = []
    for hook in hooks:
        rows += await _deliveries(database, sight, hook, events)
    async with database.write() as db:
        if await feed.advance(db, FEED, was=was, now_at=events[-1]["id"]):
            await webhooks.add_deliveries(db, rows)
    return len(events)


async def send_due(
    database: Database, sealer: Sealer, sight: Sight, *, private_allowed: bool
) -> int:
    """Send deliveries that are due, a few at once; how many were taken in hand. A chore.

    Taken, sent, marked, and no transaction is open while the other side thinks: whoever is killed
    in between leaves a delivery that is sent again, under the same id.
    """
    now = database.now()
    async with database.read() as db:
        if not await webhooks.any_due(db, now=now):
            return 0
    async with database.write() as db:
        taken = await webhooks.lease(
            db, now=now, until=now + LEASE, limit=AT_ONCE_MAX, of_each=OF_EACH_MAX
        )
    async with database.read() as db:
        rows = await webhooks.deliveries(db, taken)
    answers = await asyncio.gather(
        *(_posted(database, sealer, sight, row, private_allowed) for row in rows),
        return_exceptions=True,
    )
    for row, answer in zip(rows, answers, strict=True):
        if isinstance(answer, BaseException):
            log.error("delivery %d failed; its lease will end", row["id"], exc_info=answer)
        else:
            await _mark(database, row, answer)
    return len(taken)


async def _deliveries(
    database: Database, sight: Sight, hook: Row, events: Sequence[Row]
) -> list[dict[str, object]]:
    """What a webhook is told of some events: what it asks for and its subscriber may see."""
    wanted = [
        event
        for event in events
        if event["id"] > hook["after_event_id"] and is_wanted(hook["kinds"], event["kind"])
    ]
    keys: dict[str, set[int]] = defaultdict(set)
    for event in wanted:
        for entity, key in subjects(event):
            keys[entity].add(key)
    viewer = _viewer(hook)
    seen: Mapping[str, Mapping[int, str]] = {
        entity: await sight(database, viewer, entity, sorted(each)) for entity, each in keys.items()
    }
    now = database.now()
    rows = []
    for event in wanted:
        visible = [(e, k) for e, k in subjects(event) if k in seen[e]]
        if visible:
            entity, key = visible[0]
            rows.append(_row(hook["id"], event["id"], entity, key, seen[entity][key], now))
    return rows


def _row(
    webhook_id: int, event_id: int, entity: str, key: int, reference: str, now: datetime
) -> dict[str, object]:
    return {
        "webhook_id": webhook_id,
        "event_id": event_id,
        "entity": entity,
        "entity_id": key,
        "reference": reference,
        "message_key": f"msg_{uuid.uuid4().hex}",
        "created_at": now,
        "next_try_at": now,
    }


async def _posted(
    database: Database, sealer: Sealer, sight: Sight, row: Row, private_allowed: bool
) -> int | str:
    """The status that was answered, or a word that says why there is none."""
    if row["disabled_at"] is not None:
        return "DISABLED"
    # What was to be seen when it was put in line may not be any more.
    key = row["entity_id"]
    if key not in await sight(database, _viewer(row), row["entity"], [key]):
        return "NOT_VISIBLE"
    now = database.now()
    body = _body(row)
    secrets = webhooks.secrets_of(sealer, row, now=now)
    headers = signed_headers(secrets, message_key=row["message_key"], now=now, body=body)
    headers["Idempotency-Key"] = row["message_key"]
    try:
        return await post(row["url"], body, headers, private_allowed=private_allowed)
    except Unreachable as gone:
        return gone.word


async def _mark(database: Database, row: Row, answer: int | str) -> None:
    now, key = database.now(), row["id"]
    status = answer if isinstance(answer, int) else None
    async with database.write() as db:
        if status is not None and 200 <= status < 300:
            await webhooks.end(db, key, WebhookDeliveryStatus.SENT, now=now, response_status=status)
            return
        error = f"HTTP_{status}" if status is not None else str(answer)
        gone = status == GONE
        if gone:
            await webhooks.change(db, row["webhook_id"], {"disabled_at": now})
            told = Event(
                kind="webhook.disabled",
                at=now,
                entity="Webhook",
                entity_id=row["webhook_id"],
                data={"reason": "GONE"},
            )
            await event_rows.append(db, told)
        hopeless = gone or error in ("DISABLED", "NOT_VISIBLE")
        if hopeless or row["attempts"] >= WEBHOOK_ATTEMPTS_MAX:
            dead = WebhookDeliveryStatus.DEAD
            await webhooks.end(db, key, dead, now=now, response_status=status, error=error)
        else:
            at = now + back_off(row["attempts"])
            await webhooks.try_again(db, key, at=at, response_status=status, error=error)
    log.warning("delivery %d to webhook %d: %s", key, row["webhook_id"], error)


def _body(row: Row) -> bytes:
    """The same bytes at every attempt: kind, time, id and reference, and nothing else."""
    return orjson.dumps(
        {
            "type": row["kind"],
            "timestamp": row["at"].isoformat(),
            "data": {
                "entity": row["entity"],
                "id": opaque_id(row["entity"], row["entity_id"]),
                "reference": row["reference"] or None,
                "position": str(row["event_id"]),
            },
        }
    )


def _viewer(row: Row) -> Viewer:
    """A subscriber as one who asks: its role and scope, and no account."""
    return Viewer(
        role=Role(row["role"]),
        organization_id=row["organization_id"],
        region_id=row["region_id"],
        region_low=0 if row["tree_low"] is None else row["tree_low"],
        region_high=-1 if row["tree_high"] is None else row["tree_high"],
    )
