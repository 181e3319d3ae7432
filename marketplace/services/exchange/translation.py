"""Translation: a market's rows as the optimizer's arrays, pure where that changes nothing.

Some rules of the market are not plain quantities. Those that can be made so without changing what
is best are; what cannot is left aside, counted, and said in the plan:

- Several needs of one household in one category are one need; its units go to the more severe.
- Cash that can only buy things of one price is units: floor(budget / price). For a need of cash a
  unit is one fen. Cash that might buy things of different prices is left aside.
- A unit is a pack, and a need is served in packs of one size (see packs). Where offers of other
  sizes might have served it too, they are left aside for this need, and said, even if they serve
  others.
- A household's limit is a plain quantity; what it already got of the offer counts.
- A smallest delivery that one unit reaches is no rule; others are left aside. So are limits on the
  number of deliveries that might bind, and needs of use only from two units on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

import matching
from marketplace.domain.exchange.plans import LeftAsideReason
from marketplace.domain.ids import reference
from marketplace.persistence.exchange.market import Columns, Market
from marketplace.services.exchange import packs
from matching.problem import COST_SUM_MAX, UNITS_MAX, UNITS_SUM_MAX

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

FEN_PER_CASH_UNIT = 1
CASH_FOR_GOODS_M = 50_000  # what is there goes before what must first be bought
UNLIMITED = 2**62
COST_MAX = 10**12  # as the optimizer allows; a cost so high is the highest anyway
REFERENCES_MAX = 20  # named in the plan for each reason; the rest are counted


class QuantitiesTooLarge(Exception):
    """The units of this market cannot be added up in the optimizer's 64 bits."""


@dataclass(slots=True)
class Aside:
    """What took no part, by kind and reason."""

    found: list[dict[str, object]] = field(default_factory=list)

    def add(self, of: str, reason: LeftAsideReason, rows: Columns, index: IntArray) -> None:
        if len(index) == 0:
            return
        named = [
            reference(of[0], int(str(rows["year"][i])), int(str(rows["id"][i])))
            for i in index[:REFERENCES_MAX].tolist()
        ]
        self.found.append(
            {"of": of, "reason": reason.value, "count": len(index), "references": named}
        )


@dataclass(slots=True, kw_only=True)
class Groups:
    """Needs of one household in one category, as one: G groups over sorted rows.

    row     [R] row of the market's needs, group by group, the most severe first
    start   [G+1] where each group begins in `row`
    """

    row: IntArray
    start: IntArray

    @property
    def first(self) -> IntArray:
        return self.row[self.start[:-1]]

    @property
    def size(self) -> IntArray:
        return np.diff(self.start)


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """The problem, and what its rows and units stand for.

    need_group     [N] group of need i          offer_row    [M] row of the market's offers
    need_scale     [N] real units in one unit   offer_step   [M] the offer's units in one unit
    pair_cost_m    [P] metres for one real unit
    """

    problem: matching.Problem
    groups: Groups
    need_group: IntArray
    need_scale: IntArray
    offer_row: IntArray
    offer_step: IntArray
    pair_cost_m: IntArray
    left_aside: list[dict[str, object]]


def translate(market: Market, *, pairs_max: int) -> Translation:
    """The market as a problem. Raises TooManyPairs or QuantitiesTooLarge."""
    draft = _Draft(market)
    draft.leave_needs_aside()
    draft.pair(pairs_max)
    draft.price()
    draft.limit_deliveries()
    draft.leave_offers_aside()
    draft.choose_packs()
    draft.limit_units()
    return draft.translated()


class _Draft:
    """The translation while it is made: pairs are dropped step by step, with reasons."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.aside = Aside()
        needs, offers = market.needs, market.offers
        self.open = ints(needs["units"])
        self.is_cash_need = np.array([kind == "CASH" for kind in needs["kind"]], np.bool_)
        self.is_cash = np.array(offers["is_cash"], np.bool_)
        self.left = ints(offers["units"])
        self.pack = np.where(self.is_cash, 1, ints(offers["pack"]))
        self.step = self.pack.copy()
        self.alive = np.ones(len(self.left), np.bool_)

    def leave_needs_aside(self) -> None:
        needs = self.market.needs
        missing = ints(needs["quantity_min"]) - ints(needs["covered"])
        ruled = missing > 1  # one unit more, and any quantity is of use
        self.aside.add("NEED", LeftAsideReason.QUANTITY_MIN, needs, np.flatnonzero(ruled))
        self.groups = _grouped(needs, np.flatnonzero(~ruled))

    def pair(self, pairs_max: int) -> None:
        """Which groups and offers may meet at all."""
        needs, first = self.market.needs, self.groups.first
        pairs = matching.candidates(
            matching.NeedColumns(
                category_low=ints(needs["category_low"])[first],
                category_high=ints(needs["category_high"])[first],
                region=ints(needs["region"])[first],
                latitude=reals(needs["latitude"])[first],
                longitude=reals(needs["longitude"])[first],
                groups=ints(needs["groups"])[first],
            ),
            _offer_columns(self.market),
            forbidden=self._declined(),
            max_pairs=pairs_max,
        )
        self.need = pairs.need.astype(np.int64)
        self.offer = pairs.offer.astype(np.int64)
        self.cost = pairs.cost

    def price(self) -> None:
        """Cash as units of the one thing it can buy."""
        first = self.groups.first
        price = np.where(self.is_cash_need, FEN_PER_CASH_UNIT, ints(self.market.needs["price"]))
        of_pair, for_cash = price[first][self.need], self.is_cash_need[first][self.need]
        self._keep(np.where(self.is_cash[self.offer], of_pair > 0, ~for_cash))
        of_pair, for_cash = price[first][self.need], self.is_cash_need[first][self.need]
        low, high = np.full(len(self.left), 2**62), np.zeros(len(self.left), np.int64)
        np.minimum.at(low, self.offer, of_pair)
        np.maximum.at(high, self.offer, of_pair)
        self.step = np.where(self.is_cash & (high > 0), low, self.step)
        of_cash = self.is_cash[self.offer]
        self.cost = np.where(of_cash, np.where(for_cash, 0, CASH_FOR_GOODS_M), self.cost)
        self.drop_offers(LeftAsideReason.SEVERAL_PRICES, self.is_cash & (low < high))

    def limit_deliveries(self) -> None:
        """A limit that cannot bind is none; others need a rule."""
        offers = self.market.offers
        ruled = ints(offers["delivery_min"]) > self.step
        self.drop_offers(LeftAsideReason.DELIVERY_MIN, ruled & self.paired())
        most = ints(offers["deliveries_max"], none=-1)
        used = np.zeros(len(most), np.int64)
        used[_rows(offers["id"], self.market.deliveries["offer"])] = ints(
            self.market.deliveries["count"]
        )
        possible = np.zeros(len(most), np.int64)
        np.add.at(possible, self.offer, self.groups.size[self.need])
        possible = np.minimum(possible, self.left // self.step)
        binds = (most >= 0) & (possible > most - used)
        self.drop_offers(LeftAsideReason.DELIVERIES_MAX, binds & self.paired())

    def leave_offers_aside(self) -> None:
        """Offers that come to nothing in whole units; before packs, which count on offers."""
        limit = ints(self.market.offers["household_max"], none=-1)
        self.household_max = np.where(limit < 0, 0, limit // self.step)
        nothing = (self.left < self.step) | ((limit >= 0) & (limit < self.step))
        self.drop_offers(LeftAsideReason.LESS_THAN_ONE_UNIT, nothing)

    def choose_packs(self) -> None:
        """One pack size for each need; it is the unit there."""
        self.scale = np.ones(len(self.groups.size), np.int64)
        if bool((self.pack[self.offer] == 1).all()):
            return
        step, limit = self.step, self.household_max
        packed = packs.Packed(
            need=self.need,
            offer=self.offer,
            size=self.pack,
            supply=self.left // step * self.pack,
            limit=np.where(limit > 0, limit * self.pack, UNLIMITED),
            fits=self._whole_packs(),
        )
        self.scale = packs.sizes(packed, len(self.scale))
        other = self.pack[self.offer] != self.scale[self.need]
        mixed = np.zeros(len(self.left), np.bool_)
        mixed[self.offer[other & (packed.fits > 0)]] = True
        self.say(LeftAsideReason.PACKS_MIXED, mixed)
        self._keep(~other)

    def _whole_packs(self) -> IntArray:
        """What of each pair's needs comes to whole packs of its offer, in real units: int64[P]."""
        size, many = self.pack[self.offer], self.groups.size[self.need]
        fits = self.open[self.groups.first[self.need]] // size * size
        for member in range(1, int(many.max(initial=0))):
            more = np.flatnonzero(many > member)
            row = self.groups.row[self.groups.start[self.need[more]] + member]
            fits[more] += self.open[row] // size[more] * size[more]
        return fits

    def limit_units(self) -> None:
        """Needs that come to nothing in whole units take no part."""
        of_row = np.ones(len(self.open), np.int64)
        of_row[self.groups.row] = np.repeat(self.scale, self.groups.size)
        self.whole = self.open // of_row
        small = self.groups.row[self.whole[self.groups.row] == 0]
        self.aside.add("NEED", LeftAsideReason.LESS_THAN_ONE_PACK, self.market.needs, small)
        self.units = (
            np.add.reduceat(np.append(self.whole[self.groups.row], 0), self.groups.start[:-1])
            if len(self.groups.size)
            else np.zeros(0, np.int64)
        )
        self._keep(self.units[self.need] > 0)

    def paired(self) -> BoolArray:
        """Which offers might still meet some need: bool[M]."""
        paired = np.zeros(len(self.left), np.bool_)
        paired[self.offer] = True
        return paired

    def say(self, reason: LeftAsideReason, which: BoolArray) -> None:
        self.aside.add("OFFER", reason, self.market.offers, np.flatnonzero(which))

    def drop_offers(self, reason: LeftAsideReason, which: BoolArray) -> None:
        self.say(reason, which & self.alive)
        self.alive &= ~which
        self._keep(self.alive[self.offer])

    def translated(self) -> Translation:
        needs = np.flatnonzero(self.units > 0)
        offers = np.unique(self.offer)
        need_at = np.zeros(len(self.units), np.int64)
        need_at[needs] = np.arange(len(needs))
        first = self.groups.first[needs]
        columns, scale, step = self.market.needs, self.scale[needs], self.step[offers]
        cost, offered = _times(self.cost, self.scale[self.need]), self.left[offers] // step
        most = np.minimum(self.units[self.need], (self.left // self.step)[self.offer])
        nodes = len(needs) + len(offers) + 2
        nodes += len(self.need) if self.household_max[offers].any() else 0
        _refuse_too_large(self.units, most, nodes * int(cost.max(initial=0)))
        problem = matching.Problem(
            need_units=self.units[needs],
            need_severity=ints(columns["severity"])[first],
            need_value=_times(np.maximum(1, ints(columns["price"])[first]), scale),
            need_household=np.unique(ints(columns["household"])[first], return_inverse=True)[1],
            offer_units=offered,
            offer_household_max=self.household_max[offers],
            pair_need=need_at[self.need],
            pair_offer=np.searchsorted(offers, self.offer),
            pair_cost=cost,
            pair_committed=self._committed(),
        )
        return Translation(
            problem=problem,
            groups=self.groups,
            need_group=needs,
            need_scale=scale,
            offer_row=offers,
            offer_step=step,
            pair_cost_m=self.cost,
            left_aside=self.aside.found,
        )

    def _committed(self) -> IntArray:
        """What a household already has of a limited offer, on one of their pairs: int64[P]."""
        committed = np.zeros(len(self.need), np.int64)
        offer_ids = ints(self.market.offers["id"])
        given = {name: ints(column) for name, column in self.market.given.items()}
        known = np.isin(given["offer"], offer_ids)
        row = np.searchsorted(offer_ids, given["offer"][known])
        household, units = given["household"][known], given["units"][known]
        concerned = np.zeros(len(offer_ids), np.bool_)
        concerned[row] = True
        pair = np.flatnonzero(concerned[self.offer])
        of_pair = ints(self.market.needs["household"])[self.groups.first[self.need[pair]]]
        households = np.unique(np.concatenate((household, of_pair)))
        code = self.offer[pair] * len(households) + np.searchsorted(households, of_pair)
        codes, at = np.unique(code, return_index=True)
        wanted = row * len(households) + np.searchsorted(households, household)
        met = np.isin(wanted, codes)
        row, units = row[met], units[met]
        limit = ints(self.market.offers["household_max"])[row]
        # What is left to a household is whole units; so what it has is the rest of the limit.
        left = np.maximum(0, limit - units) // self.step[row]
        committed[pair[at[np.searchsorted(codes, wanted[met])]]] = limit // self.step[row] - left
        return committed

    def _declined(self) -> tuple[IntArray, IntArray] | None:
        declined = self.market.declined
        if not declined["need"]:
            return None
        group_of = np.full(len(self.open), -1, np.int64)
        group_of[self.groups.row] = np.repeat(np.arange(len(self.groups.size)), self.groups.size)
        row_of = {key: row for row, key in enumerate(self.market.needs["id"])}
        offer_of = {key: row for row, key in enumerate(self.market.offers["id"])}
        known = {
            (int(group_of[row_of[need]]), offer_of[offer])
            for need, offer in zip(declined["need"], declined["offer"], strict=True)
            if need in row_of and offer in offer_of and group_of[row_of[need]] >= 0
        }
        pairs = np.array(sorted(known), np.int64).reshape(-1, 2)
        return pairs[:, 0], pairs[:, 1]

    def _keep(self, mask: BoolArray) -> None:
        self.need, self.offer, self.cost = self.need[mask], self.offer[mask], self.cost[mask]


def ints(values: Iterable[object], none: int = 0) -> IntArray:
    return np.array([none if value is None else value for value in values], np.int64)


def reals(values: Iterable[object]) -> npt.NDArray[np.float64]:
    return np.array([np.nan if value is None else value for value in values], np.float64)


def _grouped(needs: Columns, usable: IntArray) -> Groups:
    household, category = ints(needs["household"])[usable], ints(needs["category"])[usable]
    order = np.lexsort((usable, -ints(needs["severity"])[usable], category, household))
    household, category = household[order], category[order]
    new = np.ones(len(order), np.bool_)
    new[1:] = (household[1:] != household[:-1]) | (category[1:] != category[:-1])
    return Groups(row=usable[order], start=np.append(np.flatnonzero(new), len(order)))


def _offer_columns(market: Market) -> matching.OfferColumns:
    offers, regions = market.offers, market.regions
    row = _rows(offers["id"], regions["offer"])
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


def _rows(ids: list[object], wanted: list[object]) -> IntArray:
    """Where the wanted ids stand in a sorted column."""
    return np.searchsorted(ints(ids), ints(wanted)).astype(np.int64)


def _times(values: IntArray, scale: IntArray) -> IntArray:
    """Values for one real unit as values for `scale` of them, capped before they overflow."""
    product: IntArray = np.minimum(values, COST_MAX // scale) * scale
    return product


def _refuse_too_large(units: IntArray, most: IntArray, cost: int) -> None:
    """The sums that the optimizer refuses by a bare ValueError, as it would a mistake of ours."""
    sums = max(_total(units), _total(most))
    if int(units.max(initial=0)) > UNITS_MAX or sums > UNITS_SUM_MAX or cost > COST_SUM_MAX:
        raise QuantitiesTooLarge


def _total(values: IntArray) -> int:
    """A sum that may pass 64 bits."""
    return (int((values >> 32).sum()) << 32) + int((values & 0xFFFFFFFF).sum())
