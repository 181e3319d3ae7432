"""Quantities that nobody can have meant: the rule by which files are looked through before use.

A quantity is implausible when it is

1. at least TIMES_MEDIAN times the median of its kind in the same file, and at least FLOOR; or
2. at least CEILING, whatever its kind.

The median, because a few absurd entries do not move it. The floor, because a large hospital does
ask for a thousand times what a doctor's surgery asks for. A kind with fewer than FEW entries says
little about itself and is measured by the median of the whole file. The rule only warns: what is
left out is said by a person.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median_low

TIMES_MEDIAN = 1_000
FLOOR = 1_000_000
CEILING = 1_000_000_000
FEW = 5


@dataclass(frozen=True, slots=True)
class Implausible:
    """The entry at `index` (0-based), and the median that it was measured by."""

    index: int
    quantity: int
    median: int


def implausible(
    quantities: Sequence[int], kinds: Sequence[str], *, ceiling: int = CEILING
) -> tuple[Implausible, ...]:
    """What the rule finds in a file's quantities, largest first; kinds[i] is that of entry i.

    >>> implausible([5, 8, 10, 12, 20, 3_000_000], ["masks"] * 6)
    (Implausible(index=5, quantity=3000000, median=10),)
    """
    if not quantities:
        return ()
    of_kind: defaultdict[str, list[int]] = defaultdict(list)
    for quantity, kind in zip(quantities, kinds, strict=True):
        of_kind[kind].append(quantity)
    whole = median_low(quantities)
    medians = {
        kind: median_low(entries) if len(entries) >= FEW else whole
        for kind, entries in of_kind.items()
    }
    found = [
        Implausible(index, quantity, medians[kind])
        for index, (quantity, kind) in enumerate(zip(quantities, kinds, strict=True))
        if quantity >= ceiling or (quantity >= FLOOR and quantity >= TIMES_MEDIAN * medians[kind])
    ]
    return tuple(sorted(found, key=lambda entry: (-entry.quantity, entry.index)))
