"""Who acts, in which request, and doing a thing once however often it is asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from marketplace.domain.errors import IdempotencyKeyReused, InvalidInput
from marketplace.domain.events import Event
from marketplace.domain.permissions import Viewer, require
from marketplace.persistence import events, idempotency
from marketplace.persistence.database import Database, Writing
from marketplace.services.feed import feed_bell

KEPT_FOR = timedelta(hours=24)
KEY_LENGTH_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One request to change something: the viewer, and how to tell a repetition from a new one."""

    viewer: Viewer
    request_id: str | None = None
    idempotency_key: str | None = None
    input_digest: str = ""  # SHA-256 of the canonical input


@dataclass(slots=True)
class Turn:
    """One transaction of one act. Set `outcome` to the ids that a repetition must be told."""

    db: Writing
    act: Act
    replay: Mapping[str, object] | None = None
    outcome: dict[str, object] = field(default_factory=dict)


@asynccontextmanager
async def once(database: Database, act: Act, action: str) -> AsyncIterator[Turn]:
    """The one write() of a use case, guarded by the matrix of permissions.

    Where the same key already ran, `turn.replay` is the stored outcome and nothing may be written.
    Raises Unauthenticated or Forbidden by role, IdempotencyKeyReused where the key came with
    another input or for another action.
    """
    require(act.viewer, action)
    key, account_id = act.idempotency_key, act.viewer.account_id
    if key is None or account_id is None:
        async with database.write() as db:
            yield Turn(db, act)
        feed_bell(database).ring()
        return
    if not 0 < len(key) <= KEY_LENGTH_MAX:
        raise InvalidInput.of(
            "idempotencyKey",
            f"An idempotency key has 1 to {KEY_LENGTH_MAX} characters.",
            f"幂等键长度应为 1 至 {KEY_LENGTH_MAX} 个字符。",
            code="INVALID",
        )
    async with database.write() as db:
        before = await idempotency.claim(
            db,
            account_id=account_id,
            key=key,
            action=action,
            input_digest=act.input_digest,
            now=database.now(),
            kept_since=database.now() - KEPT_FOR,
        )
        turn = Turn(db, act)
        if before is not None:
            if (before["action"], before["input_digest"]) != (action, act.input_digest):
                raise IdempotencyKeyReused.of(
                    "idempotencyKey",
                    "This idempotency key was already used with another input. Use a new key.",
                    "该幂等键已用于其他内容的请求，请更换新的幂等键。",
                )
            turn.replay = before["outcome"] or {}
        yield turn
        if before is None:
            await idempotency.settle(db, account_id=account_id, key=key, outcome=turn.outcome)
    feed_bell(database).ring()


async def record(
    turn: Turn, database: Database, kind: str, entity: str, entity_id: int, **data: object
) -> None:
    """Write the event of what was just done, in its transaction."""
    await record_each(turn, database, kind, entity, {entity_id: data})


async def record_many(
    turn: Turn, database: Database, kind: str, entity: str, ids: Iterable[int], **data: object
) -> None:
    """The same for many entities to which the same happened."""
    await record_each(turn, database, kind, entity, dict.fromkeys(ids, data))


async def record_each(
    turn: Turn,
    database: Database,
    kind: str,
    entity: str,
    told: Mapping[int, Mapping[str, object]],
) -> None:
    """The same for many entities, each with data of its own; in one statement."""
    now, act = database.now(), turn.act
    await events.append_many(
        turn.db,
        [
            Event(
                kind=kind,
                at=now,
                entity=entity,
                entity_id=entity_id,
                account_id=act.viewer.account_id,
                data=data,
                request_id=act.request_id,
            )
            for entity_id, data in told.items()
        ],
    )
