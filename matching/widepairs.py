"""The pairs to begin with: all of narrow offers, the near ones of wide offers, from columns."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from matching.arrays import IntArray, frozen
from matching.candidates import (
    CHUNK_CANDIDATES,
    UNKNOWN_DISTANCE_M,
    NeedColumns,
    OfferColumns,
    Pairs,
    Worth,
    candidate_slices,
    joined,
)

# An offer that may meet more needs than this is wide, and begins with so many of its pairs.
NEAR = 1_000
# All offers together begin with at most so many, if need be with fewer each: about 1.2 GB.
BEGIN_PAIRS = 10_000_000


@dataclass(frozen=True, slots=True, eq=False)
class NearPairs:
    """Pairs to begin with, and how many pairs each offer may have in all: reach_pairs int64[M]."""

    pairs: Pairs
    reach_pairs: IntArray
    near: int

    @property
    def is_wide(self) -> bool:
        """Whether any pair was left out."""
        return len(self.pairs.cost) < int(self.reach_pairs.sum())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AllPairs:
    """The columns of a market, as a reach for solve_wide: every pair that may meet, in slices."""

    needs: NeedColumns
    offers: OfferColumns
    forbidden: tuple[IntArray, IntArray] | None = None
    unknown_distance_m: int = UNKNOWN_DISTANCE_M
    chunk_pairs: int = CHUNK_CANDIDATES

    def __call__(self, worth: Worth | None = None) -> Iterator[Pairs]:
        return candidate_slices(
            self.needs,
            self.offers,
            forbidden=self.forbidden,
            unknown_distance_m=self.unknown_distance_m,
            chunk_pairs=self.chunk_pairs,
            worth=worth,
        )


def near_pairs(
    slices: Callable[[], Iterator[Pairs]],
    n_offers: int,
    *,
    near: int = NEAR,
    begin_pairs: int = BEGIN_PAIRS,
) -> NearPairs:
    """At most `near` pairs of each offer, the cheapest ones, and at most `begin_pairs` in all.

    slices   called twice: every pair that may meet, slice by slice
    """
    count = np.zeros(n_offers, np.int64)
    for part in slices():
        count += np.bincount(part.offer, minlength=n_offers)
    while near > 1 and int(np.minimum(count, near).sum()) > begin_pairs:
        near //= 2
    wide = count > near
    held: list[Pairs] = []
    loose: list[Pairs] = []
    size, limit = 0, max(CHUNK_CANDIDATES, 2 * near * int(wide.sum()))
    for part in slices():
        apart = wide[part.offer]
        held.append(_rows(part, np.flatnonzero(~apart)))
        loose.append(_rows(part, np.flatnonzero(apart)))
        size += len(loose[-1].cost)
        if size > limit:
            loose = [_nearest(joined(loose), near)]
            size = len(loose[0].cost)
    pairs = joined([*held, _nearest(joined(loose), near)])
    return NearPairs(pairs, frozen(count), near)


def _nearest(pairs: Pairs, near: int) -> Pairs:
    """The cheapest pairs of each offer; of equal ones those of the first needs."""
    order = np.lexsort((pairs.need, pairs.cost, pairs.offer))
    offer = pairs.offer[order]
    first = np.flatnonzero(np.diff(offer, prepend=-1))
    nth = np.arange(len(order)) - np.repeat(first, np.diff(first, append=len(order)))
    return _rows(pairs, np.sort(order[nth < near]))


def _rows(pairs: Pairs, rows: IntArray) -> Pairs:
    return Pairs(pairs.need[rows], pairs.offer[rows], pairs.cost[rows])
