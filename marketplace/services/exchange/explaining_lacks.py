"""What needs lack that no offer may meet: an offer at all, one that goes there, one for them.

Who may meet whom is decided by category, place and target group before any rule is looked at. A
need without a pair is asked these questions again one by one; what a pair was dropped for after
that is told from the offers that might have met it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

import matching
from marketplace.domain.exchange.explained import LACKS, ShortfallLacking
from marketplace.persistence.exchange.market import Market
from marketplace.services.exchange.numbers import BoolArray, IntArray, ints
from marketplace.services.exchange.pairs import need_columns, offer_columns
from marketplace.services.exchange.parts import asked_together

NONE = -1
ROWS_AT_ONCE = 20_000
PAIRS_AT_ONCE = 5_000_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lacks:
    """Of S needs without a pair: code in LACKS, or -1 where an offer might have met it; and that
    offer, a row of the market's, the first that no provider declined; -1 where there is none."""

    code: IntArray
    offer: IntArray


def lacks_of(market: Market, rows: IntArray) -> Lacks:
    """What the needs in these rows of the market lack."""
    needs, offers = need_columns(market.needs, rows), offer_columns(market)
    code = np.full(len(rows), LACKS.index(ShortfallLacking.NO_OFFER), np.int64)
    met = np.full(len(rows), NONE, np.int64)
    fits, declined = _Fits(market), _Declined(market)
    for members in _alike(market, rows):
        kind = rows[members[0]]
        possible, unpriced = fits.of(kind)
        if not bool(possible.any()):
            code[members] = LACKS.index(
                ShortfallLacking.NO_PRICE if unpriced else ShortfallLacking.NO_OFFER
            )
            continue
        reached = _in_regions(offers, np.flatnonzero(possible), needs.region[members])
        code[members] = LACKS.index(ShortfallLacking.NOT_IN_REGION)
        members = members[reached]
        for a in range(0, len(members), ROWS_AT_ONCE):
            part = members[a : a + ROWS_AT_ONCE]
            code[part], met[part] = _nearer(declined, needs, offers, rows, part, possible)
    return Lacks(code=code, offer=met)


class _Fits:
    """Which offers a kind of need may be met by, whatever the place."""

    def __init__(self, market: Market) -> None:
        self.needs = market.needs
        self.low, self.high = (
            ints(market.offers["category_low"]),
            ints(market.offers["category_high"]),
        )
        self.is_cash = np.array(market.offers["is_cash"], np.bool_)

    def of(self, row: int) -> tuple[BoolArray, bool]:
        """Offers as bool[M]; and whether there is cash that the need has no price for."""
        low, high = (int(str(self.needs[f"category_{end}"][row])) for end in ("low", "high"))
        goods = ~self.is_cash & (self.low >= low) & (self.low <= high)
        cash = self.is_cash & (self.low <= low) & (low <= self.high)
        if self.needs["kind"][row] == "CASH":
            return cash, False
        if self.needs["price"][row]:
            return goods | cash, False
        return goods, bool(cash.any())


def _alike(market: Market, rows: IntArray) -> Iterator[IntArray]:
    """Positions in `rows` of needs in one category: what can be given to one can to all."""
    category = ints(market.needs["category"])[rows]
    order = np.argsort(category, kind="stable")
    starts = np.flatnonzero(np.diff(category[order], prepend=-1))
    if len(order):
        yield from np.split(order, starts[1:])


def _in_regions(offers: matching.OfferColumns, which: IntArray, region: IntArray) -> BoolArray:
    """Whether any of these offers may go to each region, by its position: bool[S]."""
    count = np.diff(offers.region_offsets)[which]
    if bool((count == 0).any()):
        return np.ones(len(region), np.bool_)
    rows = np.repeat(offers.region_offsets[which], count)
    rows = rows + np.arange(len(rows)) - np.repeat(np.cumsum(count) - count, count)
    low, high = offers.region_low[rows], offers.region_high[rows]
    order = np.argsort(low)
    furthest = np.maximum.accumulate(high[order])
    at = np.searchsorted(low[order], region, "right") - 1
    inside: BoolArray = (at >= 0) & (furthest[np.maximum(at, 0)] >= region)
    return inside


def _nearer(
    declined: _Declined,
    needs: matching.NeedColumns,
    offers: matching.OfferColumns,
    rows: IntArray,
    part: IntArray,
    possible: BoolArray,
) -> tuple[IntArray, IntArray]:
    """Codes and offers of needs that some offer goes to: too far, for others, or declined."""
    some, which = _rows(needs, part), np.flatnonzero(possible)
    chosen = _offers(offers, which)
    code = np.full(len(part), LACKS.index(ShortfallLacking.TOO_FAR), np.int64)
    met = np.full(len(part), NONE, np.int64)
    try:
        anyone = replace(chosen, groups=np.zeros(len(which), np.int64))
        near = matching.candidates(some, anyone, max_pairs=PAIRS_AT_ONCE).need
        code[near] = LACKS.index(ShortfallLacking.OTHER_GROUPS)
        pairs = matching.candidates(some, chosen, max_pairs=PAIRS_AT_ONCE)
    except matching.TooManyPairs:  # so many are near; they are for others
        code[:] = LACKS.index(ShortfallLacking.OTHER_GROUPS)
        return code, met
    need, offer = pairs.need.astype(np.int64), which[pairs.offer]
    code[need] = LACKS.index(ShortfallLacking.DECLINED)
    asked = declined.left(rows[part][need], offer)
    need, offer = need[asked][::-1], offer[asked][::-1]
    code[need] = NONE
    met[need] = offer  # the last write wins: the first offer of each need
    return code, met


class _Declined:
    """Pairs whose provider has said no to a need of the household in that category."""

    def __init__(self, market: Market) -> None:
        declined, self.width = market.declined, len(market.offers["id"])
        self.codes = np.zeros(0, np.int64)
        if not declined["need"]:
            return
        self.group = asked_together(market.needs)
        row_of = {key: at for at, key in enumerate(market.needs["id"])}
        offer_of = {key: at for at, key in enumerate(market.offers["id"])}
        codes = [
            int(self.group[row_of[need]]) * self.width + offer_of[each]
            for need, each in zip(declined["need"], declined["offer"], strict=True)
            if need in row_of and each in offer_of
        ]
        self.codes = np.array(codes, np.int64)

    def left(self, row: IntArray, offer: IntArray) -> BoolArray:
        """Of pairs of market rows, those that are not declined: bool[K]."""
        if not len(self.codes):
            return np.ones(len(row), np.bool_)
        return ~np.isin(self.group[row] * self.width + offer, self.codes)


def _rows(needs: matching.NeedColumns, rows: IntArray) -> matching.NeedColumns:
    return matching.NeedColumns(
        category_low=needs.category_low[rows],
        category_high=needs.category_high[rows],
        region=needs.region[rows],
        latitude=needs.latitude[rows],
        longitude=needs.longitude[rows],
        groups=needs.groups[rows],
    )


def _offers(offers: matching.OfferColumns, rows: IntArray) -> matching.OfferColumns:
    lists = [
        list(zip(offers.region_low[a:b].tolist(), offers.region_high[a:b].tolist(), strict=True))
        for a, b in zip(
            offers.region_offsets[rows].tolist(),
            offers.region_offsets[rows + 1].tolist(),
            strict=True,
        )
    ]
    offsets, low, high = matching.region_intervals(lists)
    return matching.OfferColumns(
        category_low=offers.category_low[rows],
        category_high=offers.category_high[rows],
        by_purpose=offers.by_purpose[rows],
        region_offsets=offsets,
        region_low=low,
        region_high=high,
        latitude=offers.latitude[rows],
        longitude=offers.longitude[rows],
        radius_km=offers.radius_km[rows],
        groups=offers.groups[rows],
    )
