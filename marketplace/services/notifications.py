"""Notifications: made of events by a chore, read and marked as read by whom they are for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from marketplace.domain.errors import InvalidInput, NotFound, Unauthenticated
from marketplace.domain.notifications import NOTICES, Digest, Place, Reader, Readers, digest
from marketplace.domain.permissions import Role, Viewer
from marketplace.persistence import feed, notifications
from marketplace.persistence.belongings import belongings
from marketplace.persistence.database import Database, Reading, Row
from marketplace.services.acting import Act, once, record
from marketplace.services.feed import Sight

FEED = "notifications"
AT_ONCE_MAX = 500
IDS_MAX = 100


@dataclass(frozen=True, slots=True)
class _Told:
    event: Row
    reader: Reader


async def produce(database: Database, sight: Sight) -> int:
    """Tell those whom the next events concern; how many events were looked at. A chore.

    Nobody is told of what the read graph would not show. What is told and how far the feed is read
    are one transaction, so that every event is told once however many processes do this.
    """
    async with database.read() as db:
        was = await feed.position(db, FEED)
        events = await feed.after(db, was, limit=AT_ONCE_MAX)
        told = await _told(db, [event for event in events if event["kind"] in NOTICES])
    if not events:
        return 0
    rows = await _rows(database, sight, told)
    async with database.write() as db:
        if await feed.advance(db, FEED, was=was, now_at=events[-1]["id"]):
            await notifications.add_many(db, rows)
    return len(events)


async def mark_read(database: Database, act: Act, ids: Sequence[int] | None) -> list[int]:
    """Mark notifications of one's own as read: these, or all; those that were unread.

    Raises NotFound where none of them is unread and the viewer's, InvalidInput for too many.
    """
    async with once(database, act, "notificationMarkRead") as turn:
        if turn.replay is not None:
            return [int(each) for each in _listed(turn.replay["notifications"])]
        if ids is not None and not 1 <= len(ids) <= IDS_MAX:
            raise InvalidInput.of(
                "ids",
                f"Name 1 to {IDS_MAX} notifications, or leave it out for all.",
                f"请指定 1 至 {IDS_MAX} 条通知，或省略以标记全部。",
                code="TOO_MANY" if ids else "REQUIRED",
            )
        account_id = act.viewer.account_id
        assert account_id is not None, "the matrix lets nobody without an account mark"
        done = await notifications.mark_read(turn.db, account_id, ids, now=database.now())
        if ids and not done and not await notifications.own(turn.db, account_id, ids):
            raise NotFound
        if done:
            await record(
                turn, database, "notification.read", "Notification", done[0], count=len(done)
            )
        turn.outcome = {"notifications": done}
        return done


async def digest_of(database: Database, viewer: Viewer, since: datetime) -> Digest:
    """What an account was told since a moment, in a sentence. Raises Unauthenticated."""
    if viewer.account_id is None:
        raise Unauthenticated
    async with database.read() as db:
        rows = await notifications.counted(db, viewer.account_id, since)
    kinds = [kind for row in rows for kind in [row["kind"]] * int(row["total"])]
    unread = sum(int(row["unread"]) for row in rows)
    return digest(kinds, unread=unread, since=since.date().isoformat())


async def _told(db: Reading, events: Sequence[Row]) -> list[_Told]:
    """Who is concerned by which event."""
    if not events:
        return []
    by_entity: dict[str, set[int]] = defaultdict(set)
    for event in events:
        by_entity[event["entity"]].add(event["entity_id"])
    places: dict[tuple[str, int], Place] = {}
    for entity, keys in by_entity.items():
        found = await belongings(db, entity, keys)
        places |= {(entity, key): place for key, place in found.items()}
    roles = frozenset[Role]().union(*(NOTICES[event["kind"]].to for event in events))
    known = Readers(await notifications.readers(db, roles, list(places.values())))
    return [
        _Told(event, reader)
        for event in events
        if (place := places.get((event["entity"], event["entity_id"]))) is not None
        for reader in known.of(NOTICES[event["kind"]], place, actor=event["account_id"])
    ]


async def _rows(database: Database, sight: Sight, told: Sequence[_Told]) -> list[dict[str, object]]:
    """Rows of notifications, of what each account may see."""
    asked: dict[tuple[int, str], set[int]] = defaultdict(set)
    readers = {each.reader.account_id: each.reader for each in told}
    for each in told:
        asked[each.reader.account_id, each.event["entity"]].add(each.event["entity_id"])
    seen = {
        (account_id, entity): await sight(
            database, _viewer(readers[account_id]), entity, sorted(keys)
        )
        for (account_id, entity), keys in asked.items()
    }
    rows: list[dict[str, object]] = []
    for each in told:
        event, account_id = each.event, each.reader.account_id
        reference = seen[account_id, event["entity"]].get(event["entity_id"])
        if reference is not None:
            rows.append(
                {
                    "account_id": account_id,
                    "event_id": event["id"],
                    "kind": event["kind"],
                    "entity": event["entity"],
                    "entity_id": event["entity_id"],
                    "reference": reference,
                    "at": event["at"],
                }
            )
    return rows


def _viewer(reader: Reader) -> Viewer:
    return Viewer(
        role=reader.role,
        account_id=reader.account_id,
        organization_id=reader.organization_id,
        region_id=reader.region_id,
        region_low=reader.region_low,
        region_high=reader.region_high,
    )


def _listed(value: object) -> list[int]:
    assert isinstance(value, list), "an outcome keeps keys"
    return value
