"""What donors are told of where their donation went, so that it tells of no single household.

A cell is a category, a township and a month. It is told with how many households were helped in it
from the same source, by all donors together, if they are five at least; what is left of smaller
ones is put together by category, then into one rest of which only the amount is said.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from marketplace.domain.exchange.disclosure import HOUSEHOLDS_MIN, rounded, rounded_percent


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """Units of one donation that came to one household."""

    donation_id: int
    household_id: int
    category_id: int
    region_id: int | None
    month: str
    units: int
    is_confirmed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """households: rounded; None: fewer than five, and nothing is said of where."""

    donation_id: int
    category_id: int | None
    region_id: int | None
    month: str | None
    units: int
    percent_confirmed: int
    households: int | None


Cell = tuple[int | None, int | None, str | None]
REST: Cell = (None, None, None)


def outcomes(came: Sequence[Came]) -> list[Outcome]:
    """What is told of each donation of one source.

    >>> five = [Came(donation_id=1, household_id=h, category_id=7, region_id=3, month="2026-11",
    ...              units=10, is_confirmed=True) for h in range(5)]
    >>> [(o.category_id, o.units, o.households) for o in outcomes(five)]
    [(7, 50, 5)]
    >>> [(o.category_id, o.units, o.households) for o in outcomes(five[:4])]
    [(None, 40, None)]
    """
    cells = _widened(came)
    households: dict[Cell, set[int]] = defaultdict(set)
    units: dict[tuple[int, Cell], int] = defaultdict(int)
    confirmed: dict[Cell, int] = defaultdict(int)
    whole: dict[Cell, int] = defaultdict(int)
    for each, cell in cells:
        households[cell].add(each.household_id)
        units[each.donation_id, cell] += each.units
        confirmed[cell] += each.units if each.is_confirmed else 0
        whole[cell] += each.units
    return [
        Outcome(
            donation_id=donation_id,
            category_id=cell[0],
            region_id=cell[1],
            month=cell[2],
            units=amount,
            # Of the whole cell: a donor's own share could be one household's.
            percent_confirmed=rounded_percent(confirmed[cell], whole[cell]),
            households=None if cell == REST else rounded(len(households[cell])),
        )
        for (donation_id, cell), amount in sorted(
            units.items(), key=lambda item: (item[0][0], str(item[0][1]))
        )
    ]


def _widened(rows: Sequence[Came]) -> list[tuple[Came, Cell]]:
    """Each row with the narrowest cell in which five households are."""
    waiting = list(rows)
    found: list[tuple[Came, Cell]] = []
    for narrow in (
        lambda each: (each.category_id, each.region_id, each.month),
        lambda each: (each.category_id, None, None),
    ):
        cells: list[tuple[Came, Cell]] = [(each, narrow(each)) for each in waiting]
        many = _many(cells)
        found += [(each, cell) for each, cell in cells if many[cell]]
        waiting = [each for each, cell in cells if not many[cell]]
    return [*found, *((each, REST) for each in waiting)]


def _many(rows: Iterable[tuple[Came, Cell]]) -> Mapping[Cell, bool]:
    households: dict[Cell, set[int]] = defaultdict(set)
    for each, cell in rows:
        households[cell].add(each.household_id)
    return {cell: len(found) >= HOUSEHOLDS_MIN for cell, found in households.items()}
