"""Synthetic markets as columns, before pairs are looked for: one region, or counties apart."""

from dataclasses import dataclass

import numpy as np

from benchmarks.matching.peers import Floats, Ints
from matching import NeedColumns, OfferColumns, Pairs, Problem, candidates

KM_PER_DEGREE = 111.0
CATEGORIES = 20
GROUPS = 8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Market:
    """Who asks and who gives; `problem` finds the pairs."""

    needs: NeedColumns
    offers: OfferColumns
    units: Ints
    severity: Ints
    supply: Ints

    def problem(self) -> Problem:
        return self.with_pairs(candidates(self.needs, self.offers))

    def with_pairs(self, pairs: Pairs) -> Problem:
        return Problem(
            need_units=self.units,
            need_severity=self.severity,
            offer_units=self.supply,
            pair_need=pairs.need,
            pair_offer=pairs.offer,
            pair_cost=pairs.cost,
        )


def region(needs: int, *, radius_km: float = 22.0, seed: int = 1) -> Market:
    """One need a square kilometre round clustered towns, offers with a radius for some groups."""
    return _market(needs, 1, radius_km, CATEGORIES, seed)


def counties(
    needs: int, parts: int, *, categories: int = 1, radius_km: float = 50.0, seed: int = 1
) -> Market:
    """Counties whose offers stay inside: with one category each is a component or a few."""
    return _market(needs, parts, radius_km, categories, seed)


def _market(needs: int, parts: int, radius_km: float, categories: int, seed: int) -> Market:
    r = np.random.default_rng(seed)
    n, m = needs, max(categories * parts, needs // 10)
    home, store = np.sort(r.integers(0, parts, n)), np.arange(m) * parts // m
    side = float(np.sqrt(n / parts))
    towns = r.uniform(0, side, (parts, max(4, n // parts // 500), 2))
    units = r.integers(1, 13, n)
    supply = r.lognormal(0, 0.8, m)
    supply = np.maximum(1, supply / supply.sum() * 0.7 * units.sum())
    asked, given = r.integers(0, categories, n), r.integers(0, categories, m)
    homes, stores = _places(r, towns, home, side), _places(r, towns, store, side)
    return Market(
        needs=NeedColumns(
            category_low=asked,
            category_high=asked,
            region=home,
            latitude=homes[0],
            longitude=homes[1],
            groups=1 << r.integers(0, GROUPS, n),
        ),
        offers=OfferColumns(
            category_low=given,
            category_high=given,
            region_offsets=np.arange(m + 1),
            region_low=store,
            region_high=store,
            latitude=stores[0],
            longitude=stores[1],
            radius_km=r.lognormal(np.log(radius_km), 0.6, m),
            groups=np.where(r.random(m) < 0.3, r.integers(1, 1 << GROUPS, m), 0),
        ),
        units=units,
        severity=r.integers(1, 101, n),
        supply=supply.astype(np.int64),
    )


def _places(
    r: np.random.Generator, towns: Floats, part: Ints, side: float
) -> tuple[Floats, Floats]:
    """Latitude and longitude near a town of one's county; counties lie on a grid, wide apart."""
    town = r.integers(0, towns.shape[1], len(part))
    at = (towns[part, town] + r.normal(0, side / 40 + 2, (len(part), 2))) / KM_PER_DEGREE
    rows = int(np.ceil(np.sqrt(len(towns))))
    north, east = (part // rows) / rows - 0.5, (part % rows) / rows - 0.5
    return 100.0 * north + at[:, 0], 340.0 * east + at[:, 1]
