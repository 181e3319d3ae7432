"""Disclosure: how figures about households are said, so that one answer tells of no single one.

Nothing is said about fewer than five households, and everything else is rounded to what five of
them make out. So two answers about groups that differ by one household are the same, or one step
apart. That they are a step apart tells that the household is there: rounding alone protects nobody
from whoever may choose the groups freely. Whoever answers chosen questions must keep the choice
coarse (see services.exchange.centres) and bounded in number.
"""

from __future__ import annotations

from collections.abc import Iterable

HOUSEHOLDS_MIN = 5
LADDER = (1, 2, 5)


def rounded(households: int) -> int | None:
    """A number of households as it may be said; None: fewer than five, perhaps none.

    >>> [rounded(count) for count in (0, 4, 5, 7, 8, 12, 13)]
    [None, None, 5, 5, 10, 10, 15]
    """
    if households < HOUSEHOLDS_MIN:
        return None
    return _nearest(households, HOUSEHOLDS_MIN)


def rounded_amount(amount: int, *, households: int, largest: int) -> int | None:
    """An amount that so many households share, as it may be said; None: fewer than five.

    largest    what one of them has at most: no step is finer, else it would be seen to be there

    >>> rounded_amount(1_234, households=100, largest=30)
    1200
    >>> rounded_amount(1_234, households=4, largest=400)
    """
    if households < HOUSEHOLDS_MIN:
        return None
    of_five = -(-amount * HOUSEHOLDS_MIN // households)
    return _nearest(amount, _step(max(1, largest, of_five)))


def shared(ranks: Iterable[int], households: Iterable[int]) -> int | None:
    """The least rank that five households have or come before: one that may be named.

    ranks       of each row, 0 the first; households of each row; the least of a household counts

    >>> shared([0, 3, 1, 1, 2, 2, 3], [1, 1, 2, 3, 4, 5, 6])
    2
    >>> shared([0, 0, 0, 0], [1, 2, 3, 4])
    """
    least: dict[int, int] = {}
    for rank, household in zip(ranks, households, strict=True):
        least[int(household)] = min(int(rank), least.get(int(household), int(rank)))
    order = sorted(least.values())
    return order[HOUSEHOLDS_MIN - 1] if len(order) >= HOUSEHOLDS_MIN else None


def rounded_percent(part: int, whole: int) -> int:
    """A share in whole percent; nothing of nothing is 100.

    >>> rounded_percent(1, 8), rounded_percent(0, 0)
    (13, 100)
    """
    return 100 if whole <= 0 else (200 * part + whole) // (2 * whole)


def _step(least: int) -> int:
    """The least of 1, 2, 5, 10, 20, 50, … that is not below `least`."""
    power = 1
    while True:
        for digit in LADDER:
            if digit * power >= least:
                return digit * power
        power *= 10


def _nearest(value: int, step: int) -> int:
    return (2 * value + step) // (2 * step) * step
