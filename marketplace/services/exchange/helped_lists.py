"""Lists of those helped: what the federation gave and brought, reported to the charity desk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from marketplace.domain.days import county_day
from marketplace.domain.errors import Forbidden, NotFound
from marketplace.domain.exchange.helped_lists import (
    LINES_MAX,
    HelpedListStatus,
    check_receive,
    check_span,
    moments,
    nothing_to_report,
)
from marketplace.domain.permissions import Viewer, require
from marketplace.persistence.database import Database, Row
from marketplace.persistence.exchange import helped_lists
from marketplace.services.acting import Act, once, record
from marketplace.services.exchange.reach import in_scope

__all__ = ["ReceiveHelpedList", "ReportHelped", "Row", "lines", "receive", "report"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportHelped:
    """Both days are included, by the county's calendar."""

    starts_on: date
    ends_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveHelpedList:
    list_id: int


async def report(database: Database, act: Act, command: ReportHelped) -> int:
    """Report what one's organization gave or brought in these days and did not report yet; its key.

    At most LINES_MAX deliveries, the oldest first: report again for the rest. Raises InvalidInput,
    Conflict where nothing is left to report.
    """
    async with once(database, act, "helpedListReport") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["list"]))
        now, organization_id = database.now(), _organization(act.viewer)
        check_span(command.starts_on, command.ends_on, today=county_day(now))
        start, end = moments(command.starts_on, command.ends_on)
        place = await helped_lists.organization(turn.db, organization_id)
        if place is None:
            raise Forbidden
        rows = await helped_lists.unreported(
            turn.db, organization_id, start=start, end=end, limit=LINES_MAX
        )
        if not rows:
            raise nothing_to_report()
        counts = {
            "line_count": len(rows),
            "household_count": len({row["household_id"] for row in rows}),
        }
        values = {
            "organization_id": organization_id,
            "region_id": place["region_id"],
            "starts_on": command.starts_on,
            "ends_on": command.ends_on,
            "reported_by": act.viewer.account_id,
            "reported_at": now,
        } | counts
        list_id = await helped_lists.add(turn.db, values, [row["id"] for row in rows])
        told = {"lines": counts["line_count"], "households": counts["household_count"]}
        await record(turn, database, "helpedList.reported", "HelpedList", list_id, **told)
        turn.outcome = {"list": list_id}
        return list_id


async def receive(database: Database, act: Act, command: ReceiveHelpedList) -> int:
    """Say that the charity desk has a list; its key. Raises Conflict, NotFound out of scope."""
    async with once(database, act, "helpedListReceive") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["list"]))
        row = await helped_lists.lock(turn.db, command.list_id)
        if row is None or not in_scope(act.viewer, row["tree_low"]):
            raise NotFound
        check_receive(HelpedListStatus(row["status"]))
        values = {
            "status": HelpedListStatus.RECEIVED,
            "received_by": act.viewer.account_id,
            "received_at": database.now(),
        }
        await helped_lists.receive(turn.db, command.list_id, values)
        await record(turn, database, "helpedList.received", "HelpedList", command.list_id)
        turn.outcome = {"list": command.list_id}
        return command.list_id


async def lines(
    database: Database, viewer: Viewer, command: ReportHelped, *, organization_id: int | None
) -> Sequence[Row]:
    """What would stand in a list of these days, and what does already, latest first.

    organization_id    whose, for the charity desk and supervision; the federation sees its own

    Raises Unauthenticated, Forbidden, InvalidInput, NotFound for an organization out of scope.
    """
    require(viewer, "federationList")
    today = county_day(database.now())
    check_span(command.starts_on, command.ends_on, today=today)
    start, end = moments(command.starts_on, command.ends_on)
    async with database.read() as db:
        if viewer.organization_id is not None:
            if organization_id not in (None, viewer.organization_id):
                raise NotFound
            whose = viewer.organization_id
        else:
            if organization_id is None:
                raise NotFound
            place = await helped_lists.organization(db, organization_id)
            if place is None or not in_scope(viewer, place["tree_low"]):
                raise NotFound
            whose = organization_id
        return await helped_lists.lines(db, whose, start=start, end=end, limit=LINES_MAX)


def _organization(viewer: Viewer) -> int:
    if viewer.organization_id is None:
        raise Forbidden
    return viewer.organization_id
