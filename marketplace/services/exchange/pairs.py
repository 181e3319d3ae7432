"""Pairs: which groups of needs and which offers may meet, before any quantity is looked at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import matching
from marketplace.persistence.exchange.market import Columns, Market
from marketplace.services.exchange.groups import Groups, grouped, parted
from marketplace.services.exchange.numbers import BoolArray, IntArray, ints, reals, rows_of


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pairs:
    """P pairs by group, then offer.

    need    [P] group of the pair           offer   [P] row of the market's offers
    cost    [P] metres for one real unit
    """

    need: IntArray
    offer: IntArray
    cost: IntArray

    def only(self, mask: BoolArray) -> Pairs:
        return Pairs(need=self.need[mask], offer=self.offer[mask], cost=self.cost[mask])

    def among(self, former: IntArray) -> Pairs:
        """The same for groups that were taken apart; `former` is the group each comes from."""
        many = np.bincount(former)[self.need] if len(former) else np.zeros(0, np.int64)
        pair = np.repeat(np.arange(len(self.need)), many)
        within = np.arange(len(pair)) - np.repeat(np.cumsum(many) - many, many)
        need = np.searchsorted(former, self.need)[pair] + within
        order = np.lexsort((self.offer[pair], need))
        pair = pair[order]
        return Pairs(need=need[order], offer=self.offer[pair], cost=self.cost[pair])


def groups_of(market: Market) -> Groups:
    """The needs of a market in their groups; a need with a forbidden pair is one of its own."""
    groups = grouped(market.needs)
    if not market.forbidden["need"]:
        return groups
    touched = np.isin(ints(market.needs["id"]), ints(market.forbidden["need"]))
    which = np.zeros(len(groups.size), np.bool_)
    which[groups.of_rows(len(touched))[touched]] = True
    return parted(groups, which)[0]


def pairs_of(market: Market, groups: Groups, *, pairs_max: int) -> Pairs:
    """All pairs by category, place and target group. Raises TooManyPairs."""
    found = matching.candidates(
        need_columns(market.needs, groups.first),
        offer_columns(market),
        forbidden=declined(market, groups),
        max_pairs=pairs_max,
    )
    return Pairs(
        need=found.need.astype(np.int64), offer=found.offer.astype(np.int64), cost=found.cost
    )


def need_columns(needs: Columns, rows: IntArray) -> matching.NeedColumns:
    """What of the needs in these rows decides who may serve them."""
    return matching.NeedColumns(
        category_low=ints(needs["category_low"])[rows],
        category_high=ints(needs["category_high"])[rows],
        region=ints(needs["region"])[rows],
        latitude=reals(needs["latitude"])[rows],
        longitude=reals(needs["longitude"])[rows],
        groups=ints(needs["groups"])[rows],
    )


def offer_columns(market: Market) -> matching.OfferColumns:
    """What of the offers decides whom they may serve."""
    offers, regions = market.offers, market.regions
    row = rows_of(offers["id"], regions["offer"])
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


def declined(market: Market, groups: Groups) -> tuple[IntArray, IntArray] | None:
    """A provider that refused one need of a group refused its household; and what is forbidden."""
    columns = (market.declined, market.forbidden)
    if not any(each["need"] for each in columns):
        return None
    group_of = groups.of_rows(len(market.needs["id"]))
    row_of = {key: row for row, key in enumerate(market.needs["id"])}
    offer_of = {key: row for row, key in enumerate(market.offers["id"])}
    known = {
        (int(group_of[row_of[need]]), offer_of[offer])
        for each in columns
        for need, offer in zip(each["need"], each["offer"], strict=True)
        if need in row_of and offer in offer_of
    }
    pairs = np.array(sorted(known), np.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]
