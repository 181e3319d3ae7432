"""Translation: a market's rows as the optimizer's arrays, pure where that changes nothing.

- Several needs of one household in one category are one need; its units go to the more severe.
  Where a rule speaks of single needs (least useful quantities, deliveries), each is its own.
- A unit of a need is one real unit, or one pack: a need is served in packs of one size (see packs)
  and, where those leave something open, in the other sizes after (see rounds). Money that a rule
  touches is shared in whole yuan where all of it is in whole yuan, else in fen.
- A unit draws its price from cash, its minutes from a service, itself from goods. Where all that an
  offer may give draws the same, the offer is counted in that and stays a plain quantity.
- Least useful quantities, smallest deliveries, limits on deliveries and on households are rules of
  the problem where they might bind; what they make impossible is left aside, counted and said.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import matching
from marketplace.domain.exchange.plans import LeftAsideReason
from marketplace.persistence.exchange.market import Market
from marketplace.services.exchange import packs, yuan
from marketplace.services.exchange.asides import Aside
from marketplace.services.exchange.groups import Groups, optional, parted
from marketplace.services.exchange.households import household_room
from marketplace.services.exchange.numbers import (
    UNLIMITED,
    BoolArray,
    IntArray,
    rows_of,
    times,
    up,
)
from marketplace.services.exchange.numbers import ints as ints
from marketplace.services.exchange.numbers import reals as reals
from marketplace.services.exchange.pairs import Pairs, groups_of, pairs_of
from marketplace.services.exchange.posing import (
    HouseholdRules,
    counted,
    household_rules,
    refuse_too_large,
)
from marketplace.services.exchange.posing import QuantitiesTooLarge as QuantitiesTooLarge
from marketplace.services.exchange.prior import prior_units
from marketplace.services.exchange.visits import visits_max

FEN_PER_CASH_UNIT = 1
CASH_FOR_GOODS_M = 50_000  # what is there goes before what must first be bought


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Translation:
    """The problem, and what its rows and units stand for.

    need_group     [N] group of need i          offer_row    [M] row of the market's offers
    need_scale     [N] real units in one unit   pair_step    [P] the offer's units in one unit
    pair_cost_m    [P] metres for one real unit
    mixed          pairs that took no part, since their need is served in packs of another size
    rows_aside     rows of NEEDs or OFFERs of the market that took no part, by reason
    """

    problem: matching.Problem
    groups: Groups
    need_group: IntArray
    need_scale: IntArray
    offer_row: IntArray
    pair_step: IntArray
    pair_cost_m: IntArray
    mixed: Pairs
    left_aside: list[dict[str, object]]
    rows_aside: list[tuple[str, LeftAsideReason, IntArray]]


def translate(market: Market, *, pairs_max: int) -> Translation:
    """The market as a problem. Raises TooManyPairs or QuantitiesTooLarge."""
    groups = groups_of(market)
    return translated(market, groups, pairs_of(market, groups, pairs_max=pairs_max))


def translated(market: Market, groups: Groups, pairs: Pairs) -> Translation:
    """The same for pairs that are known. Raises QuantitiesTooLarge."""
    draft = _Draft(market, groups, pairs)
    draft.price()
    draft.leave_offers_aside()
    draft.take_groups_apart()
    draft.choose_packs()
    draft.choose_yuan()
    draft.limit_needs()
    draft.limit_deliveries()
    return draft.translation()


class _Draft:
    """The translation while it is made: pairs are dropped step by step, with reasons."""

    def __init__(self, market: Market, groups: Groups, pairs: Pairs) -> None:
        self.market, self.groups, self.pairs = market, groups, pairs
        self.aside = Aside()
        needs, offers = market.needs, market.offers
        self.open = ints(needs["units"])
        self.missing = ints(needs["quantity_min"]) - ints(needs["covered"])
        self.is_cash_need = np.array([kind == "CASH" for kind in needs["kind"]], np.bool_)
        self.price_of = np.where(self.is_cash_need, FEN_PER_CASH_UNIT, ints(needs["price"]))
        self.minutes = np.maximum(1, optional(needs, "visit_minutes"))
        self.is_cash = np.array(offers["is_cash"], np.bool_)
        self.is_service = optional(offers, "is_service") > 0
        self.left = ints(offers["units"])
        self.pack = np.where(self.is_cash, 1, ints(offers["pack"]))
        self.limit = ints(offers["household_max"], none=UNLIMITED)
        self.delivery_min = ints(offers["delivery_min"])
        most = ints(offers["deliveries_max"], none=UNLIMITED)
        used = np.zeros(len(most), np.int64)
        used[rows_of(offers["id"], market.deliveries["offer"])] = ints(market.deliveries["count"])
        self.deliveries_left = np.where(most == UNLIMITED, most, np.maximum(0, most - used))
        self.scale = np.ones(len(groups.size), np.int64)
        self.room = self.days_most = np.full(len(pairs.need), UNLIMITED)

    def price(self) -> None:
        """Cash buys what has a price; what is there goes before."""
        row, of_cash = self.rows, self.is_cash[self.pairs.offer]
        self._keep(np.where(of_cash, self.price_of[row] > 0, ~self.is_cash_need[row]))
        row, of_cash = self.rows, self.is_cash[self.pairs.offer]
        for_cash = np.where(self.is_cash_need[row], 0, CASH_FOR_GOODS_M)
        self.pairs = Pairs(
            need=self.pairs.need,
            offer=self.pairs.offer,
            cost=np.where(of_cash, for_cash, self.pairs.cost),
        )

    def leave_offers_aside(self) -> None:
        """Offers that come to nothing in whole units; before packs, which count on offers."""
        paired = self.paired()
        self.say(LeftAsideReason.DELIVERIES_MAX, paired & (self.deliveries_left == 0))
        self._keep(self.deliveries_left[self.pairs.offer] > 0)
        paired = self.paired()
        least = self.least_step()
        limit = self.limit
        self._keep(np.minimum(self.left, limit)[self.pairs.offer] >= least)
        small = np.minimum(self.left, limit) < np.where(self.is_cash, 1, self.pack)
        self.say(LeftAsideReason.LESS_THAN_ONE_UNIT, small | (paired & ~self.paired()))
        days = visits_max(self.market, self.groups, self.pairs)
        self.offer_visits = days.offer
        self._keep(np.minimum(days.pair, days.offer[self.pairs.offer]) > 0)

    def take_groups_apart(self) -> None:
        """Groups that an offer reaches whose deliveries are counted, or may not be too small."""
        least, offer = self.least_step(), self.pairs.offer
        possible = np.zeros(len(self.left), np.int64)
        np.add.at(possible, offer, self.groups.size[self.pairs.need])
        counted = possible > self.deliveries_left
        ruled = counted[offer] | (self.delivery_min[offer] > least)
        touched = np.zeros(len(self.groups.size), np.bool_)
        touched[self.pairs.need[ruled]] = True
        if bool((touched & (self.groups.size > 1)).any()):
            self.groups, former = parted(self.groups, touched)
            self.pairs = self.pairs.among(former)
            self.room = self.days_most = np.full(len(self.pairs.need), UNLIMITED)
            self.scale = np.ones(len(former), np.int64)

    def choose_packs(self) -> None:
        """One pack size for each need; it is the unit there."""
        need, offer = self.pairs.need, self.pairs.offer
        self.mixed = self.pairs.only(np.zeros(len(need), np.bool_))
        if bool((self.pack[offer] == 1).all()):
            return
        least = np.full(len(self.left), UNLIMITED)
        np.minimum.at(least, offer, self.least_step())
        limit = self.limit
        packed = packs.Packed(
            need=need,
            offer=offer,
            size=self.pack,
            supply=self.left // least * self.pack,
            limit=np.where(limit < UNLIMITED, limit // least * self.pack, UNLIMITED),
            fits=self._whole_packs(),
        )
        self.scale = packs.sizes(packed, len(self.groups.size))
        other = self.pack[offer] != self.scale[need]
        self.mixed = self.pairs.only(other & (packed.fits > 0))
        mixed = np.zeros(len(self.left), np.bool_)
        mixed[self.mixed.offer] = True
        self.say(LeftAsideReason.PACKS_MIXED, mixed)
        self._keep(~other)

    def _whole_packs(self) -> IntArray:
        """What of each pair's needs comes to whole packs of its offer, in real units: int64[P].

        Nothing where whole packs do not reach what the need must have at least.
        """
        size, many = self.pack[self.pairs.offer], self.groups.size[self.pairs.need]
        fits = self.open[self.rows] // size * size
        fits = np.where(fits < self.missing[self.rows], 0, fits)
        for member in range(1, int(many.max(initial=0))):
            more = np.flatnonzero(many > member)
            row = self.groups.row[self.groups.start[self.pairs.need[more]] + member]
            fits[more] += self.open[row] // size[more] * size[more]
        return fits

    def choose_yuan(self) -> None:
        """Whole yuan where a rule touches money and nothing of it is odd."""
        cash = self.is_cash_need[self.groups.first]
        if not bool(cash[self.pairs.need].any()):
            return
        steps, offer = self.least_step(), self.pairs.offer
        missing = self.missing[self.groups.first]
        room = household_room(self.market, self.groups, self.pairs)
        low, high = np.full(len(self.left), UNLIMITED), np.zeros(len(self.left), np.int64)
        np.minimum.at(low, offer, steps)
        np.maximum.at(high, offer, steps)
        ruled = (low < high) | (self.delivery_min > low)
        ruled |= np.bincount(offer, minlength=len(ruled)) > self.deliveries_left
        members = np.add.reduceat(self.open[self.groups.row] % yuan.FEN, self.groups.start[:-1])
        odd = (self.left[offer] % yuan.FEN > 0) | ((room < UNLIMITED) & (room % yuan.FEN > 0))
        odd |= (members > 0)[self.pairs.need]
        odd = np.where(cash[self.pairs.need], odd, self.is_cash[offer] & (steps % yuan.FEN > 0))
        fits = yuan.fits(self.pairs, need_ruled=missing > 1, offer_ruled=ruled, pair_odd=odd)
        self.scale = np.where(cash & fits, yuan.FEN, self.scale)

    def limit_needs(self) -> None:
        """Needs that come to nothing in whole units, or to less than is of use, take no part."""
        of_row = self.scale[self.groups.of_rows(len(self.open))]
        whole = self.open // of_row
        small = self.groups.row[whole[self.groups.row] == 0]
        self.aside.add("NEED", LeftAsideReason.LESS_THAN_ONE_PACK, self.market.needs, small)
        days = visits_max(self.market, self.groups, self.pairs)
        self.days_most = days.pair
        self.room = household_room(self.market, self.groups, self.pairs)
        self.units = np.zeros(0, np.int64)
        if len(self.groups.size):
            self.units = np.add.reduceat(whole[self.groups.row], self.groups.start[:-1])
        self.units = np.minimum(self.units, days.need)
        least = up(self.missing[self.groups.first], self.scale)
        self.least = np.where(self.groups.size == 1, np.maximum(1, least), 1)
        self._leave_needs_aside(self.units < self.least)
        self._keep((self.units[self.pairs.need] > 0) & (self.most() > 0))

    def limit_deliveries(self) -> None:
        """Pairs that come to no delivery of the smallest size are none."""
        paired = self.paired()
        lot = up(self.delivery_min[self.pairs.offer], self.step())
        self._keep(lot <= self.most())
        # One lot an offer, in units: where prices differ, the largest keeps to what is asked
        # along every pair, and more than that along some.
        fits = self._lots()[self.pairs.offer] <= self.most()
        lost = np.zeros(len(self.left), np.bool_)
        lost[self.pairs.offer[~fits]] = True
        self._keep(fits)
        self.say(LeftAsideReason.DELIVERY_MIN, (paired & ~self.paired()) | lost)
        reach = np.zeros(len(self.units))
        np.add.at(reach, self.pairs.need, np.minimum(self.most(), self.least[self.pairs.need]))
        # In floats, so with a margin: the optimizer looks again.
        beyond = (self.least > 1) & (reach < self.least * (1 - 1e-9))
        self._leave_needs_aside(beyond & (self.units > 0))
        self._keep(self.units[self.pairs.need] > 0)

    def _leave_needs_aside(self, which: BoolArray) -> None:
        which = which & (self.least > 1)
        rows = np.sort(self.groups.first[which])
        self.aside.add("NEED", LeftAsideReason.QUANTITY_MIN, self.market.needs, rows)
        self.units = np.where(which, 0, self.units)

    @property
    def rows(self) -> IntArray:
        """The row of each pair's need (the first of its group)."""
        return self.groups.first[self.pairs.need]

    def real_step(self) -> IntArray:
        """What one real unit draws from the offer of each pair."""
        of_cash, of_service = self.is_cash[self.pairs.offer], self.is_service[self.pairs.offer]
        bought = np.where(of_cash, self.price_of[self.rows], 1)
        return np.where(of_service, self.minutes[self.rows], bought)

    def least_step(self) -> IntArray:
        """The least that each pair can draw, before packs are chosen."""
        return self.real_step() * self.pack[self.pairs.offer]

    def step(self) -> IntArray:
        """What one unit draws from the offer of each pair."""
        return self.real_step() * self.scale[self.pairs.need]

    def most(self) -> IntArray:
        """The most units along each pair by quantities, households and days."""
        step, offer = self.step(), self.pairs.offer
        given = np.minimum(self.left[offer], self.room) // step
        days = np.minimum(self.days_most, self.offer_visits[offer])
        most: IntArray = np.minimum(np.minimum(given, days), self.units[self.pairs.need])
        return most

    def paired(self) -> BoolArray:
        """Which offers might still meet some need: bool[M]."""
        paired = np.zeros(len(self.left), np.bool_)
        paired[self.pairs.offer] = True
        return paired

    def say(self, reason: LeftAsideReason, which: BoolArray) -> None:
        self.aside.add("OFFER", reason, self.market.offers, np.flatnonzero(which))

    def _keep(self, mask: BoolArray) -> None:
        self.pairs = self.pairs.only(mask)
        self.room, self.days_most = self.room[mask], self.days_most[mask]

    def _lots(self) -> IntArray:
        """The smallest delivery of each offer in units of the needs it may serve: int64[M]."""
        lots = np.ones(len(self.left), np.int64)
        np.maximum.at(lots, self.pairs.offer, up(self.delivery_min[self.pairs.offer], self.step()))
        return lots

    def _deliveries_max(self) -> IntArray:
        """So many needs at most, where more pairs could be used: int64[M]; 0 no limit."""
        possible = np.bincount(self.pairs.offer, minlength=len(self.left))
        return np.where(possible > self.deliveries_left, self.deliveries_left, 0)

    def _household_rules(self) -> HouseholdRules:
        offer, step = self.pairs.offer, self.step()
        low, high = np.full(len(self.left), UNLIMITED), np.zeros(len(self.left), np.int64)
        np.minimum.at(low, offer, step)
        np.maximum.at(high, offer, step)
        plain = (low >= high) & (self._lots() == 1) & (self._deliveries_max() == 0)
        return household_rules(
            self.pairs,
            ints(self.market.needs["household"])[self.rows],
            step=step,
            room=self.room,
            limit=self.limit[offer],
            severity=ints(self.market.needs["severity"])[self.rows],
            plain=plain[offer],
        )

    def translation(self) -> Translation:
        """The problem of what is left."""
        limit, rules = self.limit, self._household_rules()
        left_out = np.zeros(len(self.left), np.bool_)
        left_out[self.pairs.offer[~rules.kept]] = True
        self.say(LeftAsideReason.HOUSEHOLD_MAX, left_out)
        self._keep(rules.kept)
        most = np.minimum(rules.most[rules.kept], self.days_most)
        step, pairs = self.step(), self.pairs
        numbers = counted(pairs, step, self.left, self.offer_visits)
        lot = self._lots()
        needs, offers = np.flatnonzero(self.units > 0), np.unique(pairs.offer)
        first, scale = self.groups.first[needs], self.scale[needs]
        need_at = np.zeros(len(self.units), np.int64)
        need_at[needs] = np.arange(len(needs))
        cost, columns = times(pairs.cost, self.scale[pairs.need]), self.market.needs
        reach = np.minimum(np.minimum(self.units[pairs.need], numbers.units[pairs.offer]), most)
        nodes = len(needs) + len(offers) + 2
        nodes += len(pairs.need) if (limit[offers] < UNLIMITED).any() else 0
        refuse_too_large(self.units, reach, nodes * int(cost.max(initial=0)))
        household_max = np.where(limit < UNLIMITED, limit // numbers.unit, 0)
        problem = matching.Problem(
            need_units=self.units[needs],
            need_severity=ints(columns["severity"])[first],
            need_value=times(np.maximum(1, self.price_of[first]), scale),
            need_household=np.unique(ints(columns["household"])[first], return_inverse=True)[1],
            need_min=self.least[needs],
            offer_units=numbers.units[offers],
            offer_household_max=household_max[offers],
            offer_min_lot=lot[offers],
            offer_max_needs=self._deliveries_max()[offers],
            pair_need=need_at[pairs.need],
            pair_offer=np.searchsorted(offers, pairs.offer),
            pair_cost=cost,
            pair_draw=numbers.draw,
            pair_max=most,
            pair_committed=rules.committed[rules.kept],
            pair_prior=prior_units(self.market, self.groups, pairs, self.scale),
        )
        return Translation(
            problem=problem,
            groups=self.groups,
            need_group=needs,
            need_scale=scale,
            offer_row=offers,
            pair_step=step,
            pair_cost_m=pairs.cost,
            mixed=self.mixed,
            left_aside=self.aside.found,
            rows_aside=self.aside.rows,
        )
