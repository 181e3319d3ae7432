"""Centres: an offer that is only asked about is measured to townships, never to a household.

Who asks chooses place, radius and regions freely and may ask again and again. So households stand
where their township does: a radius takes all of a township or nothing of it, and who is nearest
says nothing of where anybody lives. Regions in which few are reached are reached not at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from marketplace.domain.exchange.disclosure import HOUSEHOLDS_MIN
from marketplace.persistence.database import Row
from marketplace.persistence.exchange.market import Market
from marketplace.services.exchange.groups import Groups
from marketplace.services.exchange.numbers import ints, reals
from marketplace.services.exchange.pairs import Pairs
from marketplace.services.exchange.parts import Parts, reached_by

IntArray = npt.NDArray[np.int64]
RealArray = npt.NDArray[np.float64]

EARTH_RADIUS_M = 6_371_008.8
UNKNOWN_M = 50_000  # as where a household's place is not known
NOWHERE = 2**62  # no place in the tree of regions


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Centres:
    """Townships by their place in the tree of regions; T entries in each.

    latitude, longitude   degrees; NaN: not known, and within no radius
    """

    low: IntArray
    high: IntArray
    latitude: RealArray
    longitude: RealArray

    def placed(self, offered: Market) -> Market:
        """The one offer of a market with the townships within its radius instead of the radius."""
        radius, latitude, longitude = (
            reals(offered.offers[name])[0] for name in ("radius", "latitude", "longitude")
        )
        if np.isnan(radius):
            return offered
        here, there = np.array([latitude]), np.array([longitude])
        within = distances_m(here, there, self.latitude, self.longitude) <= 1000 * radius
        places = list(zip(self.low[within].tolist(), self.high[within].tolist(), strict=True))
        named = _outer(offered)
        if named:
            places = [
                (max(low, a), min(high, b))
                for low, high in places
                for a, b in named
                if max(low, a) <= min(high, b)
            ]
        return _restricted(without_radius(offered), places)

    def measured(self, market: Market, groups: Groups, pairs: Pairs) -> Pairs:
        """The same pairs, their metres measured to the township of the household."""
        region = ints(market.needs["region"])[groups.first][pairs.need]
        at = np.searchsorted(self.low, region, side="right") - 1
        known = at >= 0
        at = np.maximum(at, 0)
        if not len(self.low):
            return replace(pairs, cost=np.full(len(pairs.cost), UNKNOWN_M, np.int64))
        known &= region <= self.high[at]
        distance = distances_m(
            reals(market.offers["latitude"])[pairs.offer],
            reals(market.offers["longitude"])[pairs.offer],
            np.where(known, self.latitude[at], np.nan),
            np.where(known, self.longitude[at], np.nan),
        )
        cost = np.where(np.isnan(distance), UNKNOWN_M, np.rint(distance)).astype(np.int64)
        return replace(pairs, cost=cost)


def centres_of(rows: Sequence[Row]) -> Centres:
    """Centres from rows with tree_low, tree_high, latitude and longitude."""
    ordered = sorted(rows, key=lambda row: int(row["tree_low"]))
    return Centres(
        low=ints([row["tree_low"] for row in ordered]),
        high=ints([row["tree_high"] for row in ordered]),
        latitude=reals([row["latitude"] for row in ordered]),
        longitude=reals([row["longitude"] for row in ordered]),
    )


def without_radius(offered: Market) -> Market:
    """The same offer, as far as it may go."""
    return replace(offered, offers={**offered.offers, "radius": [None]})


def without_few(parts: Parts, market: Market, offered: Market) -> Market:
    """The offer without those of its regions in which fewer than five households are reached."""
    places = _outer(offered)
    if not places:
        return offered
    rows = reached_by(parts, offered)
    region, home = ints(market.needs["region"])[rows], ints(market.needs["household"])[rows]
    kept = [
        (low, high)
        for low, high in places
        if len(np.unique(home[(low <= region) & (region <= high)])) >= HOUSEHOLDS_MIN
    ]
    return _restricted(offered, kept)


def distances_m(
    latitude: RealArray, longitude: RealArray, to_latitude: RealArray, to_longitude: RealArray
) -> RealArray:
    """Great-circle distances (haversine) of places in degrees; NaN where one is not known."""
    a, b, c, d = (np.radians(x) for x in (latitude, longitude, to_latitude, to_longitude))
    half = np.sin((c - a) / 2) ** 2 + np.cos(a) * np.cos(c) * np.sin((d - b) / 2) ** 2
    found: RealArray = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(half, 0, 1)))
    return found


def _outer(offered: Market) -> list[tuple[int, int]]:
    """The regions that an offer names, without those that lie in others of them."""
    lows, highs = ints(offered.regions["low"]).tolist(), ints(offered.regions["high"]).tolist()
    found: list[tuple[int, int]] = []
    for low, high in sorted(zip(lows, highs, strict=True), key=lambda at: (at[0], -at[1])):
        if not found or low > found[-1][1]:
            found.append((low, high))
    return found


def _restricted(offered: Market, places: list[tuple[int, int]]) -> Market:
    places = places or [(NOWHERE, NOWHERE)]  # an offer without regions goes everywhere
    return replace(
        offered,
        regions={
            "offer": [offered.offers["id"][0]] * len(places),
            "low": [low for low, _ in places],
            "high": [high for _, high in places],
        },
    )
