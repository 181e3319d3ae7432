"""Bands: levels next to each other that are decided together where rules break the plain order.

With rules no single flow is best at every level at once. So the levels of a component are joined
to at most BANDS bands, decided one after the other. Within a band a unit counts its reference
value, times a small weight that falls with its level. A block that a need takes as a whole or not
at all has the precedence of its last unit.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from matching.arrays import FloatArray, IntArray, exact_dot

BANDS = 8
WEIGHTS = 8  # the first level of a band weighs at most so many times its last


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Levels first..last of one component: value asked, served, and the most that is possible.

    A value is the sum of units x need_value x weight. `bound` holds for plans that serve as much
    in every band before: no such plan serves more in this one. `proven` says that `served` is the
    most in that sense: bound == served. Where an earlier band is not proven, its slack may be what
    lets a later one seem far away; see gap_of_bands for the share that is open in all.
    """

    first: int
    last: int
    asked: int
    served: int
    bound: int
    proven: bool

    def to_json(self) -> dict[str, object]:
        """Plain values; sums beyond 2^53 stay exact as text does not lose digits."""
        return {
            "first": self.first,
            "last": self.last,
            "asked": self.asked,
            "served": self.served,
            "bound": self.bound,
            "proven": self.proven,
        }


def gap_of_bands(bands: Sequence[Band]) -> float:
    """Most that a better plan could win, as a share of the value up to the band where it wins it.

    A plan that comes before this one in the order serves as much in every band up to a first one,
    and there more, `bound` at most. The gap is the largest such gain, over the bands not proven, by
    the value served before plus that bound.

    >>> one = Band(first=0, last=0, asked=99, served=99, bound=99, proven=True)
    >>> gap_of_bands([one, Band(first=1, last=1, asked=9, served=0, bound=1, proven=False)])
    0.01
    """
    gap, before = 0.0, 0
    for band in bands:
        if not band.proven:
            gap = max(gap, (band.bound - band.served) / (before + band.bound))
        before += band.served
    return gap


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """S steps of needs in the order in which a need takes them, blocks joined, sorted by need.

    need, units, before, level, band, coef   [S]   coef: value of one unit
    first, last                              [B]   levels of each band
    """

    need: IntArray
    units: IntArray
    before: IntArray
    level: IntArray
    band: IntArray
    coef: IntArray
    first: IntArray
    last: IntArray

    @property
    def n_bands(self) -> int:
        return len(self.first)

    def served(self, need_served: IntArray) -> IntArray:
        """Units served in each step: int64[S]."""
        part: IntArray = np.clip(need_served[self.need] - self.before, 0, self.units)
        return part

    def values(self, step_units: IntArray) -> list[int]:
        """Value of each band, exactly."""
        return [
            exact_dot(step_units[self.band == b], self.coef[self.band == b])
            for b in range(self.n_bands)
        ]


def steps_of(
    need: IntArray,
    units: IntArray,
    before: IntArray,
    level: IntArray,
    tier: IntArray,
    least: IntArray,
    value: IntArray,
) -> Steps:
    """Steps of tranches [T] (tier: levels that no band may mix) of needs [n] that take at least
    `least` units, each worth `value`.

    >>> one = np.array([5])
    >>> s = steps_of(*map(np.array, ([0, 0], [2, 2], [0, 2], [0, 1], [0, 1])), one * 0 + 3, one)
    >>> s.units.tolist(), s.level.tolist()
    ([4], [1])
    """
    end, block = before + units, least[need]
    kept = end >= block
    joined = (before < block)[kept]
    start = np.where(joined, 0, before[kept])
    need, end, level, tier = need[kept], end[kept], level[kept], tier[kept]
    names, at = np.unique(level, return_inverse=True)
    tiers = np.zeros(len(names), np.int64)
    tiers[at] = tier
    asked = np.zeros(len(names), np.float64)
    np.add.at(asked, at, (end - start) * value[need].astype(np.float64))
    band_of = band_of_level(tiers, asked)
    n_bands = int(band_of[-1]) + 1 if len(band_of) else 0
    ends = np.searchsorted(band_of, np.arange(n_bands + 1))
    width = np.diff(ends)[band_of]
    place = np.arange(len(names)) - ends[:-1][band_of]
    heaviest = np.minimum(width, WEIGHTS)
    weight = 1 + (width - 1 - place) * (heaviest - 1) // np.maximum(width - 1, 1)
    return Steps(
        need=need,
        units=end - start,
        before=start,
        level=level,
        band=band_of[at],
        coef=value[need] * weight[at],
        first=names[ends[:-1]],
        last=names[ends[1:] - 1],
    )


def band_of_level(tier: IntArray, asked: FloatArray) -> IntArray:
    """Band of each level: one each where there are few, else parts of about equal value, a tier
    never mixed with another and never with less than its share of bands.

    >>> band_of_level(np.array([0, 0, 1, 1]), np.ones(4)).tolist()
    [0, 1, 2, 3]
    """
    sizes = np.bincount(np.searchsorted(np.unique(tier), tier))
    shares = _shares(sizes.tolist())
    band, start, first = np.zeros(len(tier), np.int64), 0, 0
    for size, share in zip(sizes.tolist(), shares, strict=True):
        rows = slice(start, start + size)
        band[rows] = first + _cut(asked[rows], share)
        start, first = start + size, first + share
    return band


def _shares(sizes: list[int]) -> list[int]:
    """How many bands each tier gets: equal parts, what a small one does not need to the others."""
    shares, left = [0] * len(sizes), BANDS
    for rank, at in enumerate(sorted(range(len(sizes)), key=sizes.__getitem__)):
        shares[at] = max(1, min(sizes[at], left // (len(sizes) - rank)))
        left -= shares[at]
    return shares


def _cut(asked: FloatArray, parts: int) -> IntArray:
    """Part of each level, none empty, about equal in value."""
    size = len(asked)
    if size <= parts:
        return np.arange(size)
    total = np.cumsum(asked)
    wanted = ((total - asked / 2) * parts / max(total[-1], 1.0)).astype(np.int64)
    part = np.zeros(size, np.int64)
    for at in range(1, size):  # every part in its turn, with enough levels for the rest
        part[at] = min(max(wanted[at], part[at - 1], parts - (size - at)), part[at - 1] + 1)
    return np.minimum(part, parts - 1)
