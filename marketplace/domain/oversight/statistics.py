"""Figures of the loop: which there are, of which spans, and which may be said to whom."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from marketplace.domain.days import COUNTY_TIME
from marketplace.domain.errors import InvalidInput
from marketplace.domain.exchange.disclosure import HOUSEHOLDS_MIN

YEARS_MAX = 10


class Figure(StrEnum):
    """What is counted; of all but the visits without a household, by people of households."""

    CHECKED = "CHECKED"
    ENROLLED = "ENROLLED"
    TEMPORARY = "TEMPORARY"
    HELPED = "HELPED"
    VISITS = "VISITS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Days of the county's calendar, both included."""

    first: date
    last: date

    @property
    def start(self) -> datetime:
        return midnight(self.first)

    @property
    def end(self) -> datetime:
        """The moment when the last day is over."""
        return midnight(self.last + timedelta(days=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One figure in one part of the whole: a township in a quarter, or all at once.

    inside    whether the part lies in what was asked for, or beside it
    """

    figure: Figure
    inside: bool
    persons: int
    households: int


def check_span(span: Span) -> None:
    """Raise InvalidInput for days that are no span, or more than ten years of them."""
    if span.last < span.first:
        raise InvalidInput.of(
            "to", "The last day comes before the first.", "截止日早于起始日，请更正。"
        )
    if (span.last - span.first).days > YEARS_MAX * 366:
        raise InvalidInput.of(
            "to", f"At most {YEARS_MAX} years at once.", f"一次最多查询 {YEARS_MAX} 年。"
        )


def quarters(span: Span) -> list[datetime]:
    """When each quarter of a span begins. Raises InvalidInput unless it is whole quarters.

    >>> nine_months = Span(first=date(2023, 1, 1), last=date(2023, 9, 30))
    >>> [at.date().isoformat() for at in quarters(nine_months)]
    ['2023-01-01', '2023-04-01', '2023-07-01']
    """
    after = span.last + timedelta(days=1)
    for name, day in (("from", span.first), ("to", after)):
        if day.day != 1 or day.month % 3 != 1:
            raise InvalidInput.of(
                name,
                "Of a township, figures are told by whole quarters: begin on the first day of "
                "January, April, July or October, and end on the last day of a quarter.",
                "乡镇数据按完整季度公布，请选择季度首日至季度末日。",
                code="WHOLE_QUARTERS",
            )
    begins, day = [], span.first
    while day < after:
        begins.append(midnight(day))
        day = date(day.year + day.month // 12, day.month % 12 + 3 if day.month < 10 else 1, 1)
    return begins


def midnight(day: date) -> datetime:
    """When a day begins in the county."""
    return datetime.combine(day, time(), COUNTY_TIME)


def totals(cells: Iterable[Cell]) -> dict[Figure, int]:
    """Every figure over the parts that were asked for."""
    found = dict.fromkeys(Figure, 0)
    for cell in cells:
        if cell.inside:
            found[cell.figure] += cell.persons
    return found


def told(cells: Sequence[Cell]) -> dict[Figure, int | None]:
    """As `totals`, for who may not know of few: None where any part is of one to four households.

    Every answer is a sum of the same parts, so no difference of two answers is of fewer.
    """
    few = {cell.figure for cell in cells if 0 < cell.households < HOUSEHOLDS_MIN}
    return {figure: None if figure in few else count for figure, count in totals(cells).items()}
