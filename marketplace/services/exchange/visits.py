"""Visits: how many of them a service's days allow, for a pair, a need and an offer.

A weekly need gets at most as many visits from an offer as whole weeks lie within both their times
(one, where that is less than a week), and an offer gives at most visits_per_day x the days of its
whole weeks (its days, where those are fewer than seven). Then days can be found for all needs that
last as long as the offer does: see the offer's v visits a day as v columns for each weekday, W
weeks long, the weekdays from the last to the first, and fill them need by need, from the top. A
need has at most W visits, so it stands in one column, or ends in the next one above where it began.
Within a column its visits are seven days apart or more; the next column is of the same weekday or
of the one before it, so a visit higher up there in week k < w is 7 (w - k) or 7 (w - k) + 1 days
before the one in week w: never less than seven. Intervals other than seven days and deadlines
within the period can make days collide; then days are suggested for fewer visits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from marketplace.persistence.exchange.market import Market
from marketplace.services.exchange.groups import Groups, optional
from marketplace.services.exchange.numbers import UNLIMITED, IntArray, ints, rows_of
from marketplace.services.exchange.pairs import Pairs

WEEK_DAYS = 7
NEVER = 2**40  # a day after all others


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VisitsMax:
    """At most so many visits more: pair [P], need [G], offer [M]; UNLIMITED where no day counts."""

    pair: IntArray
    need: IntArray
    offer: IntArray


def visits_max(market: Market, groups: Groups, pairs: Pairs) -> VisitsMax:
    """What days allow beside the visits that are set aside already."""
    offers, groups_count = market.offers, len(groups.size)
    per_day = optional(offers, "visits_per_day")
    first, last = optional(offers, "first_day"), optional(offers, "last_day")
    service = last > 0
    days = np.maximum(0, last - first + 1)
    days = np.where(days >= WEEK_DAYS, days // WEEK_DAYS * WEEK_DAYS, days)
    aside = _set_aside(market, groups)
    offer = np.where(service & (per_day > 0), per_day * days - aside.offer, UNLIMITED)
    offer = np.where(service & (days == 0), 0, np.maximum(0, offer))

    every = optional(market.needs, "every_days")[groups.first]
    until = optional(market.needs, "last_day")[groups.first]
    until = np.where(until > 0, until, NEVER)
    end = np.minimum(last[pairs.offer], until[pairs.need])
    shared = np.maximum(0, end - first[pairs.offer] + 1)
    a_day = np.where(per_day > 0, per_day, UNLIMITED // NEVER)[pairs.offer]
    pair = np.where(
        every[pairs.need] > 0, _spans(shared, every[pairs.need], aside.need[pairs.need]), 0
    )
    pair = np.where(every[pairs.need] > 0, pair, a_day * np.minimum(shared, NEVER))
    pair = np.where(service[pairs.offer], pair, UNLIMITED)

    begin, finish = np.full(groups_count, NEVER), np.zeros(groups_count, np.int64)
    np.minimum.at(begin, pairs.need, np.where(service, first, 0)[pairs.offer])
    np.maximum.at(finish, pairs.need, np.where(service[pairs.offer], end, NEVER))
    need = _spans(np.maximum(0, finish - begin + 1), every, aside.need)
    need = np.where((every > 0) & (finish < NEVER), need, UNLIMITED)
    return VisitsMax(pair=pair, need=need, offer=offer)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _SetAside:
    need: IntArray
    offer: IntArray


def _set_aside(market: Market, groups: Groups) -> _SetAside:
    """Visits that are still to be made, by group and by offer."""
    of_row = _counted(market, "need", market.needs["id"])
    offer = _counted(market, "offer", market.offers["id"])
    need = np.zeros(len(groups.size), np.int64)
    np.add.at(need, groups.of_rows(len(of_row)), of_row)
    return _SetAside(need=need, offer=offer)


def _counted(market: Market, side: str, ids: list[object]) -> IntArray:
    counted = np.zeros(len(ids), np.int64)
    keys = ints(market.visits[side])
    known = np.isin(keys, ints(ids))
    np.add.at(counted, rows_of(ids, keys[known].tolist()), ints(market.visits["count"])[known])
    return counted


def _spans(days: IntArray, every: IntArray, taken: IntArray) -> IntArray:
    """Visits that so many days have room for, one in each interval, beside those taken."""
    whole = days // np.maximum(1, every)
    room: IntArray = np.maximum(0, np.where(days > 0, np.maximum(1, whole), 0) - taken)
    return room
