"""Parts of a market that nothing connects: what happens in one changes nothing in another.

Two needs lie in one part if an offer may serve both, or if one household asks for one category
with both. That is drawn before any rule is applied, so whatever a rule couples (packs, prices,
limits of a household) lies within a part.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt
from scipy import sparse

import matching
from marketplace.persistence.exchange.market import Columns, Market
from marketplace.services.exchange.numbers import ints, reals

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parts:
    """Which part every need and offer lies in.

    need, offer   [rows of the market's needs, of its offers]   number of the part
    pairs         [parts]   pairs that may meet
    columns       what of the needs decides who may serve them
    """

    need: IntArray
    offer: IntArray
    pairs: IntArray
    columns: matching.NeedColumns


def parts_of(market: Market, *, pairs_max: int) -> Parts:
    """The parts of a market. Raises TooManyPairs."""
    columns = _need_columns(market.needs)
    n, m = len(market.needs["id"]), len(market.offers["id"])
    pairs = matching.candidates(columns, _offer_columns(market), max_pairs=pairs_max)
    asked = asked_together(market.needs)
    groups = int(asked.max(initial=-1)) + 1
    rows = np.concatenate((pairs.need.astype(np.int64), np.arange(n)))
    others = np.concatenate((n + pairs.offer.astype(np.int64), n + m + asked))
    size = n + m + groups
    links = sparse.coo_matrix((np.ones(len(rows), np.int8), (rows, others)), shape=(size, size))
    count, part = sparse.csgraph.connected_components(links, directed=False)
    part = part.astype(np.int64)
    return Parts(
        need=part[:n],
        offer=part[n : n + m],
        pairs=np.bincount(part[pairs.need], minlength=count).astype(np.int64),
        columns=columns,
    )


def asked_together(needs: Columns) -> IntArray:
    """A number for every need, the same for needs of one household in one category."""
    if not needs["id"]:
        return np.zeros(0, np.int64)
    asked = np.stack((ints(needs["household"]), ints(needs["category"])))
    return np.unique(asked, axis=1, return_inverse=True)[1].reshape(-1).astype(np.int64)


def reached_by(parts: Parts, offers: Market) -> IntArray:
    """Rows of the needs that the offers of another market may serve, rules aside."""
    most = max(1, len(parts.need) * len(offers.offers["id"]))
    pairs = matching.candidates(parts.columns, _offer_columns(offers), max_pairs=most)
    return np.unique(pairs.need).astype(np.int64)


def rows_of(parts: Parts, touched: IntArray) -> tuple[IntArray, IntArray]:
    """Rows of the needs and of the offers that lie in the given parts."""
    inside = np.zeros(len(parts.pairs), np.bool_)
    inside[touched] = True
    return np.flatnonzero(inside[parts.need]), np.flatnonzero(inside[parts.offer])


def cut(market: Market, needs: IntArray, offers: IntArray) -> Market:
    """The market with these rows of needs and offers, and what else is said of them alone."""
    kept = {
        "needs": _taken(market.needs, needs.tolist()),
        "offers": _taken(market.offers, offers.tolist()),
    }
    need_ids, offer_ids = set(kept["needs"]["id"]), set(kept["offers"]["id"])
    for item in fields(market):
        if item.name not in kept:
            kept[item.name] = _of(getattr(market, item.name), need_ids, offer_ids)
    return replace(market, **kept)


def joined(market: Market, added: Market) -> Market:
    """Both markets as one; the offers of the second follow by id, and it has no needs."""
    return replace(
        market,
        offers=_appended(market.offers, added.offers),
        regions=_appended(market.regions, added.regions),
    )


def _appended(first: Columns, second: Columns) -> Columns:
    return {name: [*column, *second[name]] for name, column in first.items()}


def _taken(columns: Columns, rows: list[int]) -> Columns:
    return {name: [column[row] for row in rows] for name, column in columns.items()}


def _of(columns: Columns, need_ids: set[object], offer_ids: set[object]) -> Columns:
    """Rows that name a need or an offer that is kept: either may be bound by them."""
    size = len(next(iter(columns.values()), []))
    kept = np.zeros(size, np.bool_)
    for name, ids in (("need", need_ids), ("offer", offer_ids)):
        if name in columns:
            kept |= np.fromiter((key in ids for key in columns[name]), np.bool_, size)
    return _taken(columns, np.flatnonzero(kept).tolist())


def _need_columns(needs: Columns) -> matching.NeedColumns:
    return matching.NeedColumns(
        category_low=ints(needs["category_low"]),
        category_high=ints(needs["category_high"]),
        region=ints(needs["region"]),
        latitude=reals(needs["latitude"]),
        longitude=reals(needs["longitude"]),
        groups=ints(needs["groups"]),
    )


def _offer_columns(market: Market) -> matching.OfferColumns:
    offers, regions = market.offers, market.regions
    row = np.searchsorted(ints(offers["id"]), ints(regions["offer"]))
    counts = np.bincount(row, minlength=len(offers["id"]))
    return matching.OfferColumns(
        category_low=ints(offers["category_low"]),
        category_high=ints(offers["category_high"]),
        by_purpose=np.array(offers["is_cash"], np.bool_),
        region_offsets=np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
        region_low=ints(regions["low"]),
        region_high=ints(regions["high"]),
        latitude=reals(offers["latitude"]),
        longitude=reals(offers["longitude"]),
        radius_km=reals(offers["radius"]),
        groups=ints(offers["groups"]),
    )
