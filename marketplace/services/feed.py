"""Following the events: a bell that rings after a commit, and who may see what happened."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from weakref import WeakKeyDictionary

from marketplace.domain.errors import PositionTooOld
from marketplace.domain.permissions import Viewer
from marketplace.persistence import feed
from marketplace.persistence.database import Database, Row
from marketplace.services.jobs import Bell

POLL_S = 1.0  # how often to look for what other processes wrote
BATCH = 100
RESUME_MAX = 10_000  # positions that a follower may have been away for


class Sight(Protocol):
    """Which of some rows a viewer may see, and by what reference: the rules of the read graph.

    The graph stands a floor above and is handed in from there, so that there is one set of rules.
    An entity that the graph does not know is seen by nobody.
    """

    async def __call__(
        self, database: Database, viewer: Viewer, entity: str, keys: Sequence[int]
    ) -> Mapping[int, str]: ...


class Tail(Bell):
    """Rings in this process after every act, and knows the newest position for all followers.

    What other processes do is looked for in between, once for however many follow.
    """

    def __init__(self) -> None:
        super().__init__()
        self._looking = asyncio.Lock()
        self._looked_at = -POLL_S
        self._newest = 0

    def ring(self) -> None:
        self._looked_at = -POLL_S
        super().ring()

    async def newest(self, database: Database) -> int:
        """The position behind which only what is still to come lies, as of a moment ago."""
        async with self._looking:
            now = time.monotonic()
            if now - self._looked_at >= POLL_S * 0.9:
                self._looked_at = now  # a ring while we look makes the next one look again
                async with database.read() as db:
                    self._newest = await feed.newest(db)
            return self._newest


_TAILS: WeakKeyDictionary[Database, Tail] = WeakKeyDictionary()


def feed_bell(database: Database) -> Tail:
    """The bell of a database in this process: ring it after every commit that has events."""
    return _TAILS.setdefault(database, Tail())


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """One event for a follower; `subjects` as the function of that name says."""

    position: int
    at: datetime
    kind: str
    subjects: Mapping[str, int]


async def follow(
    database: Database, kinds: Collection[str], *, after: int | None
) -> AsyncGenerator[Sequence[Happened], None]:
    """Events of some kinds as they are committed, in the order of their positions, for ever.

    Up to BATCH of them at once, and never none.

    after    the position to go on from; None: from now on

    Raises PositionTooOld where that is more than RESUME_MAX positions ago.
    """
    tail = feed_bell(database)
    begun_at = await tail.newest(database)
    at = begun_at if after is None else after
    if begun_at - at > RESUME_MAX:
        raise PositionTooOld
    while True:
        # Listening begins before looking, so that no ring falls in between.
        ringing = asyncio.ensure_future(tail.heard(POLL_S))
        try:
            newest = await tail.newest(database)
            rows: Sequence[Row] = []
            if newest > at:
                async with database.read() as db:
                    rows = await feed.after(db, at, limit=BATCH, kinds=kinds)
            if rows:
                yield [_happened(row) for row in rows]
                at = rows[-1]["id"]
            if len(rows) < BATCH:
                at = max(at, newest)  # of the wanted kinds nothing lies before it
                await ringing
        finally:
            ringing.cancel()


def subjects(event: Row) -> list[tuple[str, int]]:
    """What an event is about, closest first: providers know a need by its public copy alone."""
    found = [(str(event["entity"]), int(event["entity_id"]))]
    copy = event["data"].get("publishedNeedId")
    if copy is not None:
        found.append(("PublishedNeed", int(copy)))
    return found


def _happened(row: Row) -> Happened:
    return Happened(
        position=row["id"], at=row["at"], kind=row["kind"], subjects=dict(subjects(row))
    )
