"""A rota: a day for every visit of a service, so that no day and no week is given away twice."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What one need is to get of an offer.

    visits       how many
    every_days   at most one visit in each span of so many days; none: on any days. Spans are
                 counted by the calendar, so that those of seven days are weeks from Monday on
    last         the last day that still helps
    taken        days of visits that others make for the same need
    """

    visits: int
    every_days: int | None = None
    last: date | None = None
    taken: frozenset[date] = frozenset()


def rota(
    asked: Sequence[Asked],
    *,
    first: date,
    last: date,
    visits_per_day: int | None = None,
    booked: Mapping[date, int] | None = None,
) -> list[list[date]]:
    """Days from first to last for the visits of every need, in order, spread over the period.

    booked   visits that are promised on a day already

    As many visits get a day as can: a visit that finds none free makes others move, along a
    shortest augmenting path, so that the answer is a maximum flow from needs over their spans to
    days. What gets no day is left out of its need's list.

    All visits get one where nothing is booked or taken, no need ends before `last`, each need asks
    for at most D / every_days visits of a period of D days, and all together for at most D *
    visits_per_day. For let each need spread its visits evenly, visits / D on every day: a day then
    holds sum(visits) / D <= visits_per_day, a span at most every_days * visits / D <= 1. That is
    a fractional flow with whole capacities which moves every visit; so there is a whole one.
    """
    days = (last - first).days + 1
    if days <= 0:
        return [[] for _ in asked]
    board = _Board(
        asked=asked,
        first=first.toordinal(),
        days=days,
        free=[_free(first + timedelta(days=d), visits_per_day, booked or {}) for d in range(days)],
    )
    for number in range(len(asked)):
        board.place_all(number)
    return [
        sorted(date.fromordinal(board.first + day) for day in board.days_of[number].elements())
        for number in range(len(asked))
    ]


UNLIMITED = 2**31


def _free(day: date, visits_per_day: int | None, booked: Mapping[date, int]) -> int:
    if visits_per_day is None:
        return UNLIMITED
    return max(0, visits_per_day - booked.get(day, 0))


@dataclass(slots=True, kw_only=True)
class _Board:
    """Visits on days, which are numbered from 0; `free` is what each day still has room for."""

    asked: Sequence[Asked]
    first: int
    days: int
    free: list[int]
    days_of: list[Counter[int]] = field(init=False)
    needs_on: list[set[int]] = field(init=False)
    spans: list[set[int]] = field(init=False)
    ends: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self.days_of = [Counter() for _ in self.asked]
        self.needs_on = [set() for _ in range(self.days)]
        self.spans = [
            {self._span(number, day.toordinal() - self.first) for day in need.taken}
            for number, need in enumerate(self.asked)
        ]
        self.ends = [
            self.days if need.last is None else need.last.toordinal() - self.first + 1
            for need in self.asked
        ]
        self.ends = [max(0, min(end, self.days)) for end in self.ends]

    def place_all(self, number: int) -> None:
        need, end = self.asked[number], self.ends[number]
        for visit in range(need.visits):
            # Evenly, each need beginning a day after the one before it.
            step = max(1, end // need.visits)
            wanted = visit * end // need.visits + number % step
            day = self._nearest(number, min(wanted, end - 1))
            if day is not None:
                self._put(number, day)
            elif not self._move_others(number):
                return

    def _nearest(self, number: int, wanted: int) -> int | None:
        """The open day next to the wanted one that has room."""
        end = self.ends[number]
        for away in range(end):
            for day in (wanted + away, wanted - away):
                if 0 <= day < end and self.free[day] > 0 and self._is_open(number, day):
                    return day
        return None

    def _move_others(self, number: int) -> bool:
        """Place one visit where others have to move for it; False if there is no way to."""
        came: dict[int, tuple[int | None, int]] = {}  # day: from which day, whose visit
        queue: deque[int] = deque()
        for day in range(self.ends[number]):
            if self._is_open(number, day):
                came[day] = (None, number)
                queue.append(day)
        while queue:
            day = queue.popleft()
            if self.free[day] > 0:
                self._follow(came, day)
                return True
            for other in sorted(self.needs_on[day]):
                for target in self._targets(other, day):
                    if target not in came:
                        came[target] = (day, other)
                        queue.append(target)
        return False

    def _targets(self, number: int, day: int) -> Iterator[int]:
        """Where a need's visit of one day may move to: within its span, or to an open one."""
        span = self._span(number, day)
        for target in range(self.ends[number]):
            if target != day and (
                self._span(number, target) == span or self._is_open(number, target)
            ):
                yield target

    def _follow(self, came: Mapping[int, tuple[int | None, int]], day: int) -> None:
        """Move each visit on the way, the last one first, so that no day is ever too full."""
        at: int | None = day
        while at is not None:
            before, number = came[at]
            if before is not None:
                self._take(number, before)
            self._put(number, at)
            at = before

    def _put(self, number: int, day: int) -> None:
        self.free[day] -= 1
        self.days_of[number][day] += 1
        self.needs_on[day].add(number)
        if self.asked[number].every_days is not None:
            self.spans[number].add(self._span(number, day))

    def _take(self, number: int, day: int) -> None:
        self.free[day] += 1
        self.days_of[number][day] -= 1
        if self.days_of[number][day] == 0:
            del self.days_of[number][day]
            self.needs_on[day].discard(number)
        self.spans[number].discard(self._span(number, day))

    def _is_open(self, number: int, day: int) -> bool:
        """Whether another visit of this need may be in this day's span."""
        return self.asked[number].every_days is None or (
            self._span(number, day) not in self.spans[number]
        )

    def _span(self, number: int, day: int) -> int:
        return (self.first + day - 1) // (self.asked[number].every_days or 1)
