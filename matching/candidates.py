"""Candidates: which offer may serve which need, from columns, without looking at every pair.

Distinct categories come first; an offer with a radius looks its needs up in a k-d tree; what
is left is filtered in chunks of bounded size.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias, cast

import numpy as np
from scipy.spatial import cKDTree

from matching.arrays import (
    BoolArray,
    FloatArray,
    IndexArray,
    IntArray,
    flags,
    frozen,
    reals,
    whole,
)
from matching.errors import TooManyPairs

EARTH_RADIUS_M = 6_371_008.8
CHUNK_CANDIDATES = 1_000_000
UNKNOWN_DISTANCE_M = 50_000
POSITION_MAX = 2**62

Worth: TypeAlias = Callable[[IntArray, IntArray], BoolArray]


# Single values that fill a column: __post_init__ makes every field the array it is declared as.
_ZERO = cast("IntArray", 0)
_MISSING = cast("IntArray", None)
_WITHOUT_LIMIT = cast("FloatArray", float("inf"))
_NO = cast("BoolArray", False)


def _none() -> IntArray:
    return np.empty(0, np.int64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NeedColumns:
    """What of N needs decides who may serve them.

        category_low, category_high   [N]  the category's subtree, both ends included (nested set)
        region                        [N]  position of the household's region
        latitude, longitude           [N]  degrees; NaN: unknown
        groups                        [N]  bit mask of the household's target groups

    Raises ValueError naming array and index.
    """

    category_low: IntArray
    category_high: IntArray
    region: IntArray
    latitude: FloatArray
    longitude: FloatArray
    groups: IntArray = _ZERO

    def __post_init__(self) -> None:
        low = whole("category_low", self.category_low, None, 0, POSITION_MAX)
        n = len(low)
        _set(self, "category_low", low)
        _set(self, "category_high", whole("category_high", self.category_high, n, 0, POSITION_MAX))
        _set(self, "region", whole("region", self.region, n, 0, POSITION_MAX))
        _set(self, "groups", whole("groups", self.groups, n, 0, 2**63 - 1))
        _refuse_reversed("category_high", self.category_low, self.category_high)
        _set(self, "latitude", reals("latitude", self.latitude, n, -90, 90))
        _set(self, "longitude", reals("longitude", self.longitude, n, -180, 180))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OfferColumns:
    """What of M offers decides whom they may serve.

        category_low, category_high   [M]  the category's subtree, both ends included
        by_purpose       bool         [M]  False: the offer's category lies in the need's subtree.
                                           True (cash): the need's lies in the offer's (its purpose)
        region_offsets   [M+1]  offer j serves the regions low <= position <= high of any interval
        region_low, region_high [R]   in region_offsets[j]:region_offsets[j+1]; none: everywhere
        latitude, longitude           [M]  degrees; NaN: unknown
        radius_km                     [M]  NaN or infinite: no limit. With a radius, a need is
                                           reached only where both coordinates are known
        groups                        [M]  0: anyone; else at least one bit in common

    Raises ValueError naming array and index.
    """

    category_low: IntArray
    category_high: IntArray
    region_offsets: IntArray = _MISSING
    region_low: IntArray = _MISSING
    region_high: IntArray = _MISSING
    latitude: FloatArray
    longitude: FloatArray
    radius_km: FloatArray = _WITHOUT_LIMIT
    groups: IntArray = _ZERO
    by_purpose: BoolArray = _NO

    def __post_init__(self) -> None:
        low = whole("category_low", self.category_low, None, 0, POSITION_MAX)
        m = len(low)
        _set(self, "category_low", low)
        _set(self, "category_high", whole("category_high", self.category_high, m, 0, POSITION_MAX))
        _set(self, "by_purpose", flags("by_purpose", self.by_purpose, m))
        _set(self, "groups", whole("groups", self.groups, m, 0, 2**63 - 1))
        _refuse_reversed("category_high", self.category_low, self.category_high)
        _set(self, "latitude", reals("latitude", self.latitude, m, -90, 90))
        _set(self, "longitude", reals("longitude", self.longitude, m, -180, 180))
        _set(self, "radius_km", reals("radius_km", self.radius_km, m, 0, float("inf")))
        self._check_regions(m)

    def _check_regions(self, m: int) -> None:
        for name, empty in (
            ("region_offsets", np.zeros(m + 1, np.int64)),
            ("region_low", _none()),
            ("region_high", _none()),
        ):
            if getattr(self, name) is _MISSING:
                _set(self, name, empty)
        starts = whole("region_offsets", self.region_offsets, m + 1, 0, POSITION_MAX)
        low = whole("region_low", self.region_low, None, 0, POSITION_MAX)
        high = whole("region_high", self.region_high, len(low), 0, POSITION_MAX)
        _refuse_reversed("region_high", low, high)
        falling = np.flatnonzero(np.diff(starts) < 0)
        if len(falling):
            raise ValueError(f"region_offsets[{falling[0] + 1}] is less than the one before.")
        if starts[0] != 0 or starts[-1] != len(low):
            raise ValueError(f"region_offsets[{m}] is {starts[-1]}; {len(low)} is where they end.")
        for name, values in (
            ("region_offsets", starts),
            ("region_low", low),
            ("region_high", high),
        ):
            _set(self, name, values)


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """P pairs that may meet, by need, then offer: need, offer int32[P], cost int64[P] in metres."""

    need: IndexArray
    offer: IndexArray
    cost: IntArray


def candidates(
    needs: NeedColumns,
    offers: OfferColumns,
    *,
    forbidden: tuple[IntArray, IntArray] | None = None,
    unknown_distance_m: int = UNKNOWN_DISTANCE_M,
    max_pairs: int | None = None,
    chunk_pairs: int = CHUNK_CANDIDATES,
) -> Pairs:
    """All pairs that may meet, with their great-circle distance in metres as cost.

    forbidden           (need [F], offer [F])   pairs that may never meet
    unknown_distance_m  cost where a coordinate is unknown
    max_pairs           TooManyPairs above it: nothing is ever left out silently
    chunk_pairs         pairs looked at together: bounds the memory, not the answer
    """
    found: list[Pairs] = []
    total = 0
    for part in candidate_slices(
        needs,
        offers,
        forbidden=forbidden,
        unknown_distance_m=unknown_distance_m,
        chunk_pairs=chunk_pairs,
    ):
        found.append(part)
        total += len(part.cost)
        if max_pairs is not None and total > max_pairs:
            raise TooManyPairs(f"More than {max_pairs} pairs may meet; raise max_pairs.")
    return joined(found)


def candidate_slices(
    needs: NeedColumns,
    offers: OfferColumns,
    *,
    forbidden: tuple[IntArray, IntArray] | None = None,
    unknown_distance_m: int = UNKNOWN_DISTANCE_M,
    chunk_pairs: int = CHUNK_CANDIDATES,
    worth: Worth | None = None,
) -> Iterator[Pairs]:
    """The same pairs slice by slice in no order, never all of them in memory: for wide offers.

    `worth(need, offer)`, both int64[K], may say bool[K] which pairs need no further look.
    """
    n, m = len(needs.category_low), len(offers.category_low)
    banned = _codes(forbidden, n, m)
    for need, offer in _in_category(needs, offers, chunk_pairs):
        if worth is not None:
            keep = worth(need, offer)
            need, offer = need[keep], offer[keep]
        keep = _allowed(needs, offers, need, offer)
        need, offer = need[keep], offer[keep]
        if len(banned):
            keep = ~np.isin(need * m + offer, banned)
            need, offer = need[keep], offer[keep]
        distance = _distances_m(needs, offers, need, offer)
        known = ~np.isnan(distance)
        limit = offers.radius_km[offer] * 1000.0
        keep = np.isnan(limit) | np.isinf(limit) | (known & (distance <= limit))
        cost = np.where(known, np.rint(distance), unknown_distance_m)[keep].astype(np.int64)
        if len(cost):
            yield Pairs(need[keep].astype(np.int32), offer[keep].astype(np.int32), cost)


def joined(parts: Sequence[Pairs]) -> Pairs:
    """Slices as one, sorted by need, then offer."""
    if not parts:
        return Pairs(frozen(np.empty(0, np.int32)), frozen(np.empty(0, np.int32)), frozen(_none()))
    need = np.concatenate([part.need for part in parts])
    offer = np.concatenate([part.offer for part in parts])
    cost = np.concatenate([part.cost for part in parts])
    order = np.lexsort((offer, need))
    return Pairs(frozen(need[order]), frozen(offer[order]), frozen(cost[order]))


def region_intervals(
    lists: Sequence[Sequence[tuple[int, int]]],
) -> tuple[IntArray, IntArray, IntArray]:
    """region_offsets, region_low, region_high from a list of intervals for each offer.

    >>> [column.tolist() for column in region_intervals([[(1, 5)], [], [(7, 7), (9, 12)]])]
    [[0, 1, 1, 3], [1, 7, 9], [5, 7, 12]]
    """
    starts = np.zeros(len(lists) + 1, np.int64)
    np.cumsum([len(one) for one in lists], out=starts[1:])
    flat = np.array([pair for one in lists for pair in one], np.int64).reshape(-1, 2)
    return starts, flat[:, 0].copy(), flat[:, 1].copy()


def cash_units(budget_fen: IntArray, price_fen: IntArray | int) -> IntArray:
    """Whole units that a single-purpose budget buys at a reference price.

    >>> cash_units(np.array([1000, 99]), 100).tolist()
    [10, 0]
    """
    budget = whole("budget_fen", budget_fen, None, 0, POSITION_MAX)
    price = whole("price_fen", np.asarray(price_fen), len(budget), 1, POSITION_MAX)
    units: IntArray = budget // price
    return units


def _in_category(
    needs: NeedColumns, offers: OfferColumns, chunk: int
) -> Iterator[tuple[IntArray, IntArray]]:
    """Chunks of (need, offer) whose categories fit and, for an offer with a radius, are near.

    Needs that share a category subtree form a class; the distinct classes and distinct offer
    categories are few, so who fits whom is decided between those.
    """
    need_kind, need_class = _classes(needs.category_low, needs.category_high)
    purpose = np.asarray(offers.by_purpose).astype(np.int64)
    offer_kind, offer_class = _classes(offers.category_low, offers.category_high, purpose)
    need_order = np.argsort(need_class, kind="stable")
    need_from = np.searchsorted(need_class[need_order], np.arange(len(need_kind[0]) + 1))
    offer_order = np.argsort(offer_class, kind="stable")
    offer_from = np.searchsorted(offer_class[offer_order], np.arange(len(offer_kind[0]) + 1))
    low, high = need_kind[0], need_kind[1]
    for c in range(len(offer_kind[0])):
        first, last, by_purpose = (int(column[c]) for column in offer_kind)
        fits = (low >= first) & (low <= last) if by_purpose else (low <= first) & (first <= high)
        rows = [need_order[need_from[k] : need_from[k + 1]] for k in np.flatnonzero(fits)]
        if rows:
            members = offer_order[offer_from[c] : offer_from[c + 1]]
            yield from _near(needs, offers, np.concatenate(rows), members, chunk)


def _near(
    needs: NeedColumns, offers: OfferColumns, rows: IntArray, members: IntArray, chunk: int
) -> Iterator[tuple[IntArray, IntArray]]:
    radius = offers.radius_km[members]
    limited = ~(np.isnan(radius) | np.isinf(radius))
    wide, narrow = members[~limited], members[limited]
    step = max(1, chunk // len(rows))
    for at in range(0, len(wide), step):
        part = wide[at : at + step]
        yield np.tile(rows, len(part)), np.repeat(part, len(rows))
    places, centres = (
        _unit(needs.latitude[rows], needs.longitude[rows]),
        _unit(offers.latitude[narrow], offers.longitude[narrow]),
    )
    known, sited = ~np.isnan(places[:, 0]), ~np.isnan(centres[:, 0])
    rows, narrow, centres = rows[known], narrow[sited], centres[sited]
    if not len(rows) or not len(narrow):
        return
    tree = cKDTree(places[known])
    angle = np.minimum(radius[limited][sited] * 1000.0 / EARTH_RADIUS_M, np.pi)
    chord = 2 * np.sin(angle / 2) * (1 + 1e-9) + 1e-9  # a hair wider; the exact test follows
    counts = tree.query_ball_point(centres, chord, return_length=True)
    part_of = (np.cumsum(counts) - counts) // chunk
    for part in np.unique(part_of):
        these = np.flatnonzero(part_of == part)
        balls = tree.query_ball_point(centres[these], chord[these])
        need = rows[np.concatenate([np.asarray(ball, np.int64) for ball in balls])]
        yield need, np.repeat(narrow[these], counts[these])


def _allowed(
    needs: NeedColumns, offers: OfferColumns, need: IntArray, offer: IntArray
) -> BoolArray:
    """Whether groups and regions fit, pair by pair."""
    mask = offers.groups[offer]
    fits: BoolArray = (mask == 0) | ((mask & needs.groups[need]) != 0)
    starts = offers.region_offsets
    count = np.diff(starts)[offer]
    rows = np.flatnonzero(fits & (count > 0))
    inside = np.zeros(len(rows), np.bool_)
    region, first, left = needs.region[need[rows]], starts[offer[rows]], count[rows]
    lows, highs = offers.region_low, offers.region_high
    for nth in range(int(left.max(initial=0))):  # few offers name many regions
        at = np.minimum(first + nth, len(lows) - 1)
        inside |= (nth < left) & (lows[at] <= region) & (region <= highs[at])
    fits[rows] = inside
    return fits


def _distances_m(
    needs: NeedColumns, offers: OfferColumns, need: IntArray, offer: IntArray
) -> FloatArray:
    """Great-circle distance (haversine), NaN where a coordinate is unknown."""
    here, there = np.radians(needs.latitude)[need], np.radians(offers.latitude)[offer]
    turn = np.radians(needs.longitude)[need] - np.radians(offers.longitude)[offer]
    half = np.sin((here - there) / 2) ** 2
    half += np.cos(here) * np.cos(there) * np.sin(turn / 2) ** 2
    distance: FloatArray = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(half, 0, 1)))
    return distance


def _unit(latitude: FloatArray, longitude: FloatArray) -> FloatArray:
    """Points on the unit sphere, [.., 3]."""
    up, round_ = np.radians(latitude), np.radians(longitude)
    ring = np.cos(up)
    return np.stack([ring * np.cos(round_), ring * np.sin(round_), np.sin(up)], axis=1)


def _classes(*columns: IntArray) -> tuple[IntArray, IntArray]:
    """Distinct rows of columns [columns, classes], and the class of each row."""
    kinds, member = np.unique(np.stack(columns), axis=1, return_inverse=True)
    return kinds, member.ravel()


def _codes(forbidden: tuple[IntArray, IntArray] | None, n: int, m: int) -> IntArray:
    if forbidden is None:
        return _none()
    need = whole("forbidden need", forbidden[0], None, 0, n - 1)
    offer = whole("forbidden offer", forbidden[1], len(need), 0, m - 1)
    return np.unique(need * m + offer)


def _set(columns: object, name: str, values: object) -> None:
    object.__setattr__(columns, name, values)


def _refuse_reversed(name: str, low: IntArray, high: IntArray) -> None:
    index = np.flatnonzero(high < low)
    if len(index):
        raise ValueError(f"{name}[{index[0]}] is {high[index[0]]}, below its low end.")
