"""Webhooks: making, changing and ending them, by whom they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from marketplace.domain.checks import fault
from marketplace.domain.errors import Conflict, Fault, InvalidInput, NotFound, Text
from marketplace.domain.messages import WebhookDeliveryStatus
from marketplace.domain.moves import check_move, check_version
from marketplace.domain.outgoing import DELIVERY_MOVES
from marketplace.domain.permissions import Role, Viewer
from marketplace.domain.webhooks import (
    MOVES,
    OVERLAP,
    PER_SUBSCRIBER_MAX,
    URL_LENGTH_MAX,
    Subscriber,
    WebhookStatus,
    check_kinds,
    may_manage,
    subscriber_of,
)
from marketplace.persistence import feed, webhooks
from marketplace.persistence.crypto import Sealer
from marketplace.persistence.database import Database, Row, Writing
from marketplace.services.acting import Act, Turn, once, record
from marketplace.services.outbound import Unreachable, is_literal_private, target_of
from marketplace.services.signing import new_secret

NOUN = Text("webhook", "回调")
DELIVERY = Text("delivery", "投递")


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateWebhook:
    """kinds: of events, such as "need.*"; none: all that the subscriber may be told."""

    url: str
    kinds: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateWebhook:
    """None: as it is."""

    webhook_id: int
    url: str | None = None
    kinds: Sequence[str] | None = None
    expected_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveWebhook:
    webhook_id: int
    expected_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WithSecret:
    """A webhook's key and its new secret, which is told once; None where the act is repeated."""

    webhook_id: int
    secret: str | None


async def create(
    database: Database, act: Act, sealer: Sealer, command: CreateWebhook, *, private_allowed: bool
) -> WithSecret:
    """Have events told to a URL from now on.

    Raises InvalidInput, Forbidden for an account without organization or region, Conflict
    (TOO_MANY).
    """
    async with once(database, act, "webhookCreate") as turn:
        if turn.replay is not None:
            return WithSecret(webhook_id=int(str(turn.replay["webhook"])), secret=None)
        of = subscriber_of(act.viewer)
        _refuse(
            _url_faults(command.url, private_allowed) + check_kinds(command.kinds),
        )
        await _check_room(turn.db, of)
        secret = new_secret()
        values = {
            "url": command.url,
            "kinds": sorted(set(command.kinds)),
            "after_event_id": await feed.newest(turn.db),
            "created_by": act.viewer.account_id,
            "created_at": database.now(),
        }
        webhook_id = await webhooks.add(turn.db, sealer, of, secret, values)
        await record(turn, database, "webhook.created", "Webhook", webhook_id, role=of.role)
        turn.outcome = {"webhook": webhook_id}
        return WithSecret(webhook_id=webhook_id, secret=secret)


async def update(
    database: Database, act: Act, command: UpdateWebhook, *, private_allowed: bool
) -> int:
    """Have other events told, or elsewhere. Raises InvalidInput, NotFound, Conflict."""
    async with once(database, act, "webhookUpdate") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["webhook"]))
        await _own(turn, command.webhook_id, command.expected_version)
        values: dict[str, object] = {}
        faults: list[Fault] = []
        if command.url is not None:
            faults += _url_faults(command.url, private_allowed)
            values["url"] = command.url
        if command.kinds is not None:
            faults += check_kinds(command.kinds)
            values["kinds"] = sorted(set(command.kinds))
        _refuse(faults)
        await webhooks.change(turn.db, command.webhook_id, values)
        return await _done(turn, database, "updated", command.webhook_id, changed=sorted(values))


async def rotate_secret(
    database: Database, act: Act, sealer: Sealer, command: MoveWebhook
) -> WithSecret:
    """Give it a new secret; for a day both sign, so that nothing is lost while it is put in place.

    Raises NotFound, Conflict.
    """
    async with once(database, act, "webhookRotateSecret") as turn:
        if turn.replay is not None:
            return WithSecret(webhook_id=int(str(turn.replay["webhook"])), secret=None)
        row = await _own(turn, command.webhook_id, command.expected_version)
        secret = new_secret()
        values = webhooks.rotated(sealer, row, secret, until=database.now() + OVERLAP)
        await webhooks.change(turn.db, command.webhook_id, values)
        webhook_id = await _done(turn, database, "secret_rotated", command.webhook_id)
        return WithSecret(webhook_id=webhook_id, secret=secret)


async def disable(database: Database, act: Act, command: MoveWebhook) -> int:
    """Tell it nothing more; what waits for it is given up. Raises NotFound, Conflict."""
    async with once(database, act, "webhookDisable") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["webhook"]))
        row = await _own(turn, command.webhook_id, command.expected_version)
        check_move(MOVES, "webhookDisable", _status(row), NOUN)
        await webhooks.change(turn.db, command.webhook_id, {"disabled_at": database.now()})
        return await _done(turn, database, "disabled", command.webhook_id)


async def enable(database: Database, act: Act, command: MoveWebhook) -> int:
    """Tell it what happens from now on, again. Raises NotFound, Conflict."""
    async with once(database, act, "webhookEnable") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["webhook"]))
        row = await _own(turn, command.webhook_id, command.expected_version)
        check_move(MOVES, "webhookEnable", _status(row), NOUN)
        await _check_room(turn.db, _subscriber(row))
        values = {"disabled_at": None, "after_event_id": await feed.newest(turn.db)}
        await webhooks.change(turn.db, command.webhook_id, values)
        return await _done(turn, database, "enabled", command.webhook_id)


async def retry(database: Database, act: Act, delivery_id: int) -> int:
    """Put a delivery that was given up in line again; its key. Raises NotFound, Conflict."""
    async with once(database, act, "webhookDeliveryRetry") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["delivery"]))
        found = await webhooks.lock_delivery(turn.db, delivery_id)
        if found is None:
            raise NotFound
        await _own(turn, found["webhook_id"], None)
        status = WebhookDeliveryStatus(found["status"])
        check_move(DELIVERY_MOVES, "webhookDeliveryRetry", status, DELIVERY)
        await webhooks.revive(turn.db, delivery_id, now=database.now())
        await record(
            turn, database, "webhook.retried", "Webhook", found["webhook_id"], delivery=delivery_id
        )
        turn.outcome = {"delivery": delivery_id}
        return delivery_id


async def _own(turn: Turn, webhook_id: int, expected_version: int | None) -> Row:
    row = await webhooks.lock(turn.db, webhook_id)
    viewer: Viewer = turn.act.viewer
    if row is None or not may_manage(viewer, _subscriber(row), row["tree_low"]):
        raise NotFound
    check_version(NOUN, expected_version, row["version"])
    return row


def _status(row: Row) -> WebhookStatus:
    return WebhookStatus.ENABLED if row["disabled_at"] is None else WebhookStatus.DISABLED


def _subscriber(row: Row) -> Subscriber:
    return Subscriber(
        role=Role(row["role"]),
        organization_id=row["organization_id"],
        region_id=row["region_id"],
    )


async def _check_room(db: Writing, of: Subscriber) -> None:
    if await webhooks.count_enabled(db, of) >= PER_SUBSCRIBER_MAX:
        raise Conflict.of(
            "",
            f"There are {PER_SUBSCRIBER_MAX} webhooks already. Disable one first.",
            f"已有 {PER_SUBSCRIBER_MAX} 个回调，请先停用一个。",
            code="TOO_MANY",
        )


async def _done(turn: Turn, database: Database, what: str, webhook_id: int, **told: object) -> int:
    await record(turn, database, f"webhook.{what}", "Webhook", webhook_id, **told)
    turn.outcome = {"webhook": webhook_id}
    return webhook_id


def _refuse(faults: list[Fault]) -> None:
    if faults:
        raise InvalidInput(*faults)


def _url_faults(url: str, private_allowed: bool) -> list[Fault]:
    """What can be said of a URL before it is used; its addresses are checked at every use."""
    if len(url) > URL_LENGTH_MAX:
        return [fault("url", "TOO_LARGE", f"At most {URL_LENGTH_MAX} characters.", "网址过长。")]
    try:
        target = target_of(url)
    except Unreachable:
        return [
            fault(
                "url",
                "INVALID",
                "Give an address such as https://example.org/hook, without name and password.",
                "请填写网址，例如 https://example.org/hook，不得含用户名和密码。",
            )
        ]
    if not private_allowed and not target.is_tls:
        return [fault("url", "INVALID", "Only https is spoken.", "仅支持 https。")]
    if not private_allowed and is_literal_private(target.host):
        return [
            fault(
                "url",
                "PRIVATE_TARGET",
                "Addresses of private networks are not called.",
                "不得使用内网地址。",
            )
        ]
    return []
