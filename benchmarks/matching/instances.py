"""A synthetic county: clustered towns, categories, target groups, offers with a radius."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from matching import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What an instance looks like; the defaults are those of the measured design report."""

    needs: int = 10_000
    categories: int = 20
    pairs_each: int = 12  # nearest eligible offers of a need
    units_max: int = 12
    supply_share: float = 0.7
    radius_km: float = 30.0
    nationwide_share: float = 0.02
    seed: int = 1


def county(shape: Shape) -> Problem:
    """One need a square kilometre, one offer for ten needs, costs in metres.

    >>> county(Shape(needs=500, categories=4)).n_needs
    500
    """
    r = np.random.default_rng(shape.seed)
    n, m = shape.needs, max(shape.categories, shape.needs // 10)
    side = np.sqrt(n)
    towns = r.uniform(0, side, (max(4, n // 500), 2))
    home = towns[r.integers(0, len(towns), n)] + r.normal(0, side / 40 + 2, (n, 2))
    store = towns[r.integers(0, len(towns), m)] + r.normal(0, side / 40 + 2, (m, 2))
    asked, given = r.integers(0, shape.categories, n), r.integers(0, shape.categories, m)
    units = r.integers(1, shape.units_max + 1, n)
    group = 1 << r.integers(0, 8, n)
    mask = np.where(r.random(m) < 0.3, r.integers(1, 256, m), 255)
    radius = r.lognormal(np.log(shape.radius_km), 0.6, m)
    radius[r.random(m) < shape.nationwide_share] = np.inf
    supply = r.lognormal(0, 0.8, m)
    supply = np.maximum(1, supply / supply.sum() * shape.supply_share * units.sum())
    columns = [
        _nearest(
            shape,
            np.flatnonzero(asked == c),
            np.flatnonzero(given == c),
            home,
            store,
            radius,
            group,
            mask,
        )
        for c in range(shape.categories)
    ]
    need, offer, cost = (np.concatenate(column) for column in zip(*columns, strict=True))
    return Problem(
        need_units=units,
        need_severity=r.integers(1, 101, n),
        offer_units=supply.astype(np.int64),
        pair_need=need,
        pair_offer=offer,
        pair_cost=cost,
    )


Rows = npt.NDArray[np.int64]
Points = npt.NDArray[np.float64]


def _nearest(
    shape: Shape,
    needs: Rows,
    offers: Rows,
    home: Points,
    store: Points,
    radius: Points,
    group: Rows,
    mask: Rows,
) -> tuple[Rows, Rows, Rows]:
    """The nearest eligible offers of each need of one category, a few thousand needs at a time."""
    need: list[Rows] = []
    offer: list[Rows] = []
    cost: list[Rows] = []
    for at in range(0, len(needs), 2000):
        part = needs[at : at + 2000]
        if not len(offers):
            break
        distance = np.hypot(*(home[part][:, None] - store[offers][None]).transpose(2, 0, 1))
        fits = (distance <= radius[offers]) & ((group[part][:, None] & mask[offers]) != 0)
        distance = np.where(fits, distance, np.inf)
        first = np.argsort(distance, axis=1)[:, : shape.pairs_each]
        near = np.take_along_axis(distance, first, axis=1)
        row, nth = np.nonzero(np.isfinite(near))
        need.append(part[row])
        offer.append(offers[first[row, nth]])
        cost.append((near[row, nth] * 1000).astype(np.int64))
    empty = [np.empty(0, np.int64)]
    return (
        np.concatenate(need or empty),
        np.concatenate(offer or empty),
        np.concatenate(cost or empty),
    )
