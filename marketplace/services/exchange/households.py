"""Households' limits: what an offer may still give to the household of a pair."""

from __future__ import annotations

import numpy as np

from marketplace.persistence.exchange.market import Market
from marketplace.services.exchange.groups import Groups
from marketplace.services.exchange.numbers import UNLIMITED, IntArray, ints
from marketplace.services.exchange.pairs import Pairs


def household_room(market: Market, groups: Groups, pairs: Pairs) -> IntArray:
    """What the household may still have of the offer, in the offer's unit: int64[P]."""
    limit = ints(market.offers["household_max"], none=UNLIMITED)
    offer_ids = ints(market.offers["id"])
    given = {name: ints(column) for name, column in market.given.items()}
    known = np.isin(given["offer"], offer_ids)
    row = np.searchsorted(offer_ids, given["offer"][known])
    household, units = given["household"][known], given["units"][known]
    of_pair = ints(market.needs["household"])[groups.first[pairs.need]]
    households = np.unique(np.concatenate((household, of_pair)))
    code = row * len(households) + np.searchsorted(households, household)
    order = np.argsort(code)
    code, units = code[order], units[order]
    wanted = pairs.offer * len(households) + np.searchsorted(households, of_pair)
    had = np.zeros(len(wanted), np.int64)
    if len(code):
        at = np.minimum(np.searchsorted(code, wanted), len(code) - 1)
        had = np.where(code[at] == wanted, units[at], 0)
    room: IntArray = np.where(
        limit[pairs.offer] == UNLIMITED, UNLIMITED, np.maximum(0, limit[pairs.offer] - had)
    )
    return room
