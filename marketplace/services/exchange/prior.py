"""The earlier proposal as units of a new one's pairs, so that no more changes than must."""

from __future__ import annotations

import numpy as np

from marketplace.persistence.exchange.market import Market
from marketplace.services.exchange.groups import Groups
from marketplace.services.exchange.numbers import IntArray, ints, rows_of
from marketplace.services.exchange.pairs import Pairs


def prior_units(market: Market, groups: Groups, pairs: Pairs, scale: IntArray) -> IntArray:
    """Units that the latest proposal of the same scope gives along each pair: int64[P].

    scale [G] real units in one unit
    """
    prior = {name: ints(column) for name, column in market.prior.items()}
    known = np.isin(prior["need"], ints(market.needs["id"]))
    known &= np.isin(prior["offer"], ints(market.offers["id"]))
    row = rows_of(market.needs["id"], prior["need"][known].tolist())
    offer = rows_of(market.offers["id"], prior["offer"][known].tolist())
    count = max(1, len(market.offers["id"]))
    code = groups.of_rows(len(market.needs["id"]))[row] * count + offer
    proposed = np.zeros(len(pairs.need), np.int64)
    wanted = pairs.need * count + pairs.offer  # sorted, as pairs are
    at = np.searchsorted(wanted, code)
    met = np.flatnonzero(at < len(wanted))
    met = met[wanted[at[met]] == code[met]]
    np.add.at(proposed, at[met], prior["units"][known][met])
    return proposed // scale[pairs.need]
