"""Following the events: a bell that rings after a commit, and who may see what happened."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from weakref import WeakKeyDictionary

from marketplace.domain.permissions import Viewer
from marketplace.persistence import feed
from marketplace.persistence.database import Database, Row
from marketplace.services.jobs import Bell

POLL_S = 1.0  # how often to look for what other processes wrote
BATCH = 100


class Sight(Protocol):
    """Which of some rows a viewer may see, and by what reference: the rules of the read graph.

    The graph stands a floor above and is handed in from there, so that there is one set of rules.
    An entity that the graph does not know is seen by nobody.
    """

    async def __call__(
        self, database: Database, viewer: Viewer, entity: str, keys: Sequence[int]
    ) -> Mapping[int, str]: ...


_BELLS: WeakKeyDictionary[Database, Bell] = WeakKeyDictionary()


def feed_bell(database: Database) -> Bell:
    """Rings in this process after every act; what other processes do is looked for in between."""
    return _BELLS.setdefault(database, Bell())


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """One event for a follower; `subjects` as the function of that name says."""

    position: int
    at: datetime
    kind: str
    subjects: Mapping[str, int]


async def follow(
    database: Database, kinds: Collection[str], *, after: int | None
) -> AsyncGenerator[Happened, None]:
    """Events of some kinds as they are committed, in the order of their positions, for ever.

    after    the position to go on from; None: from now on
    """
    bell = feed_bell(database)
    if after is None:
        async with database.read() as db:
            after = await feed.newest(db)
    while True:
        # Listening begins before looking, so that no ring falls in between.
        ringing = asyncio.ensure_future(bell.heard(POLL_S))
        try:
            async with database.read() as db:
                rows = await feed.after(db, after, limit=BATCH, kinds=kinds)
            for row in rows:
                yield Happened(
                    position=row["id"],
                    at=row["at"],
                    kind=row["kind"],
                    subjects=dict(subjects(row)),
                )
                after = row["id"]
            if not rows:
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
