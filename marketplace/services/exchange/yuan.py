"""Whole yuan: where money that a rule touches can be shared in yuan instead of fen.

A mixed-integer program over fen has ranges of millions, which only makes it slow. In whole yuan
nothing is lost as long as every amount and price of a part of the market is in whole yuan.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from marketplace.services.exchange.numbers import BoolArray
from marketplace.services.exchange.pairs import Pairs

FEN = 100


def fits(
    pairs: Pairs, *, need_ruled: BoolArray, offer_ruled: BoolArray, pair_odd: BoolArray
) -> BoolArray:
    """Which groups lie in a part that a rule touches and where no pair has odd fen: bool[G]."""
    n, m = len(need_ruled), len(offer_ruled)
    links = sparse.coo_matrix(
        (np.ones(len(pairs.need), np.int8), (pairs.need, n + pairs.offer)), shape=(n + m, n + m)
    )
    count, part = sparse.csgraph.connected_components(links, directed=False)
    ruled, odd = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
    ruled[part[np.flatnonzero(np.concatenate((need_ruled, offer_ruled)))]] = True
    odd[part[pairs.need[pair_odd]]] = True
    chosen: BoolArray = (ruled & ~odd)[part[:n]]
    return chosen
