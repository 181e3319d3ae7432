"""救助人员名单: the list of those whom the federation helped, reported to the charity desk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from marketplace.domain.checks import fault
from marketplace.domain.days import COUNTY_TIME
from marketplace.domain.errors import Conflict, Fault, InvalidInput, Text
from marketplace.domain.moves import Move, check_move, moves_from
from marketplace.domain.permissions import Viewer

DAYS_MAX = 366
LINES_MAX = 1_000
NOUN = Text("list", "名单")


class HelpedListStatus(StrEnum):
    REPORTED = "REPORTED"
    RECEIVED = "RECEIVED"


class LineState(StrEnum):
    """Of one delivery, as the federation sees it."""

    NOT_REPORTED = "NOT_REPORTED"
    REPORTED = "REPORTED"
    RECEIVED = "RECEIVED"


MOVES: Mapping[str, Move[HelpedListStatus]] = {
    "helpedListReceive": Move(
        before=frozenset({HelpedListStatus.REPORTED}), after=HelpedListStatus.RECEIVED
    ),
}


def check_span(starts_on: date, ends_on: date, *, today: date) -> None:
    """Raise InvalidInput for days that no list can be of."""
    faults = list(_span_faults(starts_on, ends_on, today))
    if faults:
        raise InvalidInput(*faults)


def moments(starts_on: date, ends_on: date) -> tuple[datetime, datetime]:
    """From the first moment of the first day to the first after the last, in the county's time."""
    first = datetime.combine(starts_on, time(), COUNTY_TIME)
    return first, datetime.combine(ends_on + timedelta(days=1), time(), COUNTY_TIME)


def check_receive(status: HelpedListStatus) -> None:
    check_move(MOVES, "helpedListReceive", status, NOUN)


def allowed_moves(viewer: Viewer, status: HelpedListStatus) -> tuple[str, ...]:
    return moves_from(MOVES, viewer, status)


def nothing_to_report() -> Conflict:
    return Conflict.of(
        "",
        "Nothing of these days is left to report: no delivery was confirmed, or all are reported.",
        "该时段没有待上报的记录：没有已确认的发放，或均已上报。",
        code="NOTHING_TO_REPORT",
    )


def _span_faults(starts_on: date, ends_on: date, today: date) -> Iterator[Fault]:
    if ends_on < starts_on:
        yield fault("to", "INVALID", "The last day comes first.", "截止日期早于起始日期。")
    elif (ends_on - starts_on).days >= DAYS_MAX:
        yield fault("to", "TOO_LARGE", f"At most {DAYS_MAX} days.", f"最多 {DAYS_MAX} 天。")
    if ends_on > today:
        yield fault("to", "INVALID", "The last day is yet to come.", "截止日期尚未到来。")
