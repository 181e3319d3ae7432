"""Packs: which size of pack each need is served in, where offers come in several sizes.

A unit of the optimizer is one pack, so a need is served in one size only, its own. In each part of
the market that hangs together one of two ways is taken:

- smallest first: every need is served in the smallest size that reaches it and fits into it;
- one size first: the needs that the part's fullest size reaches and fits into are served in that
  size, the others in the smallest one, as above.

The second is taken only where it can serve more, as far as quantities alone tell. What holds: a
need that is too small for a pack is served as if the offer of such packs were not there, or with
fewer others beside it. Where the first way is taken, this holds for every need. What is left
below a pack, or where the packs run out, is planned in the other sizes after (see rounds); the
order of precedence is proven for the needs as they were given their sizes, not over all ways to
give them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

IntArray = npt.NDArray[np.int64]
RealArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """Pairs of N needs and M offers by quantity, all in real units.

    need, offer   [P] rows of the pair
    size          [M] pack size of the offer, >= 1
    supply        [M] what the offer has to give
    limit         [M] what it gives to one household at most
    fits          [P] what of the need comes to whole packs of the offer; 0 where none fits
    """

    need: IntArray
    offer: IntArray
    size: IntArray
    supply: IntArray
    limit: IntArray
    fits: IntArray


def sizes(packed: Packed, needs: int) -> IntArray:
    """The size of pack that each need is served in: int64[N]; 1 for needs without a pair."""
    smallest = _smallest(packed.need, packed.size[packed.offer], needs)
    fit = np.flatnonzero(packed.fits > 0)
    need, offer, fits = packed.need[fit], packed.offer[fit], packed.fits[fit]
    if not len(fit):
        return np.where(smallest == _NO_SIZE, 1, smallest)
    size = packed.size[offer]
    first = _smallest(need, size, needs)
    part = _parts(need, offer, needs, len(packed.size))
    fullest = _fullest(packed, need, offer, fits, part)
    preferred = first.copy()
    moved = size == fullest[part[need]]
    preferred[need[moved]] = size[moved]
    more = _servable(packed, need, offer, fits, preferred, part) > _servable(
        packed, need, offer, fits, first, part
    )
    chosen = np.where(more[part[:needs]], preferred, first)
    chosen = np.where(chosen == _NO_SIZE, smallest, chosen)
    return np.where(chosen == _NO_SIZE, 1, chosen)


_NO_SIZE = 2**62


def _smallest(need: IntArray, size: IntArray, needs: int) -> IntArray:
    found = np.full(needs, _NO_SIZE, np.int64)
    np.minimum.at(found, need, size)
    return found


def _parts(need: IntArray, offer: IntArray, n: int, m: int) -> IntArray:
    """The connected part that each need, then each offer, lies in: int64[n + m]."""
    links = sparse.coo_matrix(
        (np.ones(len(need), np.int8), (need, n + offer)), shape=(n + m, n + m)
    )
    part: IntArray = sparse.csgraph.connected_components(links, directed=False)[1]
    return part.astype(np.int64)


def _fullest(
    packed: Packed, need: IntArray, offer: IntArray, fits: IntArray, part: IntArray
) -> IntArray:
    """The size that alone could serve most in each part, the smaller of two equal ones."""
    size, at = np.unique(packed.size, return_inverse=True)
    key = part[need] * len(size) + at[offer]
    keys, which = np.unique(key, return_inverse=True)
    served = _bound(packed, need, offer, fits, which, len(keys))
    of_part, of_size = keys // len(size), size[keys % len(size)]
    order = np.lexsort((-of_size, served, of_part))  # the last one of a part stays
    fullest = np.zeros(int(part.max()) + 1, np.int64)
    fullest[of_part[order]] = of_size[order]
    return fullest


def _servable(
    packed: Packed,
    need: IntArray,
    offer: IntArray,
    fits: IntArray,
    chosen: IntArray,
    part: IntArray,
) -> RealArray:
    """At most so much is served in each part if every need is served in its chosen size."""
    same = np.flatnonzero(packed.size[offer] == chosen[need])
    need, offer, fits = need[same], offer[same], fits[same]
    keys, which = np.unique(np.stack((part[need], chosen[need])), axis=1, return_inverse=True)
    served = _bound(packed, need, offer, fits, which.reshape(-1), keys.shape[1])
    return np.bincount(keys[0], served, int(part.max()) + 1).astype(np.float64)


def _bound(
    packed: Packed,
    need: IntArray,
    offer: IntArray,
    fits: IntArray,
    which: IntArray,
    count: int,
) -> RealArray:
    """Supply or demand of each of `count` sets of pairs, whichever is less: float64[count].

    All pairs of an offer lie in one set; a need counts once in each. Floats, as sums may pass
    64 bits.
    """
    wanted = np.minimum(fits, packed.limit[offer]).astype(np.float64)
    reach = np.bincount(offer, weights=wanted, minlength=len(packed.size))
    offers, at = np.unique(offer, return_index=True)
    given = np.minimum(packed.supply[offers], reach[offers])
    supply = np.bincount(which[at], weights=given, minlength=count)
    pair = np.unique(need * count + which, return_index=True)[1]
    demand = np.bincount(which[pair], weights=fits[pair].astype(np.float64), minlength=count)
    return np.minimum(supply, demand)
