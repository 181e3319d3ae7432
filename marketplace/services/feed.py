"""Following the events: a bell that rings after a commit, and who may see what happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol
from weakref import WeakKeyDictionary

from marketplace.domain.permissions import Viewer
from marketplace.persistence.database import Database, Row
from marketplace.services.jobs import Bell


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


def subjects(event: Row) -> list[tuple[str, int]]:
    """What an event is about, closest first: providers know a need by its public copy alone."""
    found = [(str(event["entity"]), int(event["entity_id"]))]
    copy = event["data"].get("publishedNeedId")
    if copy is not None:
        found.append(("PublishedNeed", int(copy)))
    return found
