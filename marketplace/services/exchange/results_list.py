"""A desk's list of results for a span of days: who may have it, its link, and its rows."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from marketplace.domain.days import county_day
from marketplace.domain.errors import Forbidden, Unauthenticated
from marketplace.domain.exchange.helped_lists import check_span, moments
from marketplace.domain.exchange.results import DESK_OF, Desk
from marketplace.domain.permissions import Role, Viewer
from marketplace.persistence.crypto import Sealer
from marketplace.persistence.database import Database, Row
from marketplace.persistence.exchange import results_list

ROWS_MAX = 1_000
GOOD_FOR = timedelta(minutes=30)
PLACE = "results.print_link"
PATH = "/results/print"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultsAsked:
    """Which list; both days are included, by the county's calendar."""

    starts_on: date
    ends_on: date
    only_waiting: bool = False

    def query(self) -> dict[str, str]:
        """As it stands in the address."""
        waiting = {"waiting": "1"} if self.only_waiting else {}
        return {"from": self.starts_on.isoformat(), "to": self.ends_on.isoformat()} | waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultsList:
    """What is printed. `cut`: there are more than these rows."""

    desk: Desk
    asked: ResultsAsked
    rows: Sequence[Row]
    cut: bool
    printed_at: datetime


def desk_of(viewer: Viewer) -> Desk:
    """Whose copies a viewer may have printed. Raises Unauthenticated or Forbidden."""
    desk = DESK_OF.get(viewer.role)
    if desk is None:
        raise Unauthenticated if viewer.role is Role.PUBLIC else Forbidden
    return desk


def check_asked(database: Database, viewer: Viewer, asked: ResultsAsked) -> None:
    """Raise what `printed` would raise for this list."""
    desk_of(viewer)
    check_span(asked.starts_on, asked.ends_on, today=county_day(database.now()))


async def printed(database: Database, viewer: Viewer, asked: ResultsAsked) -> ResultsList:
    """The copies of the viewer's own desk in the viewer's region.

    Raises Unauthenticated, Forbidden, InvalidInput for days that no list can be of.
    """
    check_asked(database, viewer, asked)
    desk = desk_of(viewer)
    start, end = moments(asked.starts_on, asked.ends_on)
    async with database.read() as db:
        rows = await results_list.rows(
            db,
            desk,
            within=(viewer.region_low, viewer.region_high),
            start=start,
            end=end,
            only_waiting=asked.only_waiting,
            limit=ROWS_MAX + 1,
        )
    return ResultsList(
        desk=desk,
        asked=asked,
        rows=rows[:ROWS_MAX],
        cut=len(rows) > ROWS_MAX,
        printed_at=database.now(),
    )


def link(
    sealer: Sealer, asked: ResultsAsked, *, account_id: int, key_digest: str, now: datetime
) -> str:
    """Path and query of the list, for the holder of one key; it ends with the key, or in time."""
    until = int((now + GOOD_FOR).timestamp())
    signed = _signature(sealer, asked, account_id, until, key_digest)
    return f"{PATH}?{urlencode(asked.query() | {'pass': f'{account_id}.{until}.{signed}'})}"


def key_of_pass(
    sealer: Sealer, passed: str, asked: ResultsAsked, *, digests: Iterable[str]
) -> str | None:
    """The digest, among those of the account's keys, that the pass was made for this list with."""
    account_id, until, signed = passed.split(".")
    found = None
    for digest in digests:
        expected = _signature(sealer, asked, int(account_id), int(until), digest)
        if hmac.compare_digest(expected.encode(), signed.encode()):
            found = digest
    return found


def _signature(
    sealer: Sealer, asked: ResultsAsked, account_id: int, until: int, key_digest: str
) -> str:
    # By ordinals: what is indexed loses its hyphens, and dates without them could run together.
    which = f"{asked.starts_on.toordinal()}/{asked.ends_on.toordinal()}/{int(asked.only_waiting)}"
    return sealer.blind_index(f"{which}/{account_id}/{until}/{key_digest}", place=PLACE)
