"""Standing: how far a plan serves every need of its market, and how much of that is urgent.

Needs of one household in one category are one, as everywhere in planning. What is measured is
counted in reference value, so that kilograms and pieces can be added up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from marketplace.domain.exchange.publishing import SEVERITY_BANDS
from marketplace.persistence.exchange.market import Columns, Market
from marketplace.services.exchange.numbers import ints
from marketplace.services.exchange.parts import asked_together

IntArray = npt.NDArray[np.int64]
RealArray = npt.NDArray[np.float64]

BANDS = tuple(name for _, name in SEVERITY_BANDS)
FLOOR, REST = 0, 1
LEVELS = 2 * len(BANDS)  # floor of each severity band, then the rest of each
BAND_ENDS = np.array([least for least, _ in SEVERITY_BANDS], np.int64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Asked:
    """Needs as they are planned: G groups of needs of one household in one category.

    group                [needs]  group of every need
    first                [G]  row of a need of it
    units, severity      [G]  open units of all its needs; of the gravest
    value                [G]  reference value of a unit in fen; 0: its category has none
    household, category  [G]
    region               [G]  place of the household in the tree of regions
    band                 [G]  index in BANDS
    floor                [G]  units that come first by the policy's floor share
    """

    group: IntArray
    first: IntArray
    units: IntArray
    severity: IntArray
    value: IntArray
    household: IntArray
    category: IntArray
    region: IntArray
    band: IntArray
    floor: IntArray


def asked_of(market: Market, *, floor_share_percent: int) -> Asked:
    """The needs of a market, grouped."""
    needs = market.needs
    group = asked_together(needs)
    count = int(group.max(initial=-1)) + 1
    units, severity = np.zeros(count, np.int64), np.zeros(count, np.int64)
    np.add.at(units, group, ints(needs["units"]))
    np.maximum.at(severity, group, ints(needs["severity"]))
    first = np.zeros(count, np.int64)
    first[group[::-1]] = np.arange(len(group))[::-1]
    is_cash = np.array([needs["kind"][row] == "CASH" for row in first.tolist()], np.bool_)
    price, percent = ints(needs["price"])[first], floor_share_percent
    return Asked(
        group=group,
        first=first,
        units=units,
        severity=severity,
        value=np.where(is_cash, 1, price),
        household=ints(needs["household"])[first],
        category=ints(needs["category"])[first],
        region=ints(needs["region"])[first],
        band=np.searchsorted(-BAND_ENDS, -severity).astype(np.int64),
        floor=units // 100 * percent - (-(units % 100) * percent // 100),
    )


def served_of(asked: Asked, market: Market, lines: Columns) -> IntArray:
    """Units that the lines of a plan serve to each group: int64[G]."""
    served = np.zeros(len(asked.units), np.int64)
    row = rows_by_id(market.needs, lines["need_id"])
    np.add.at(served, asked.group[row], ints(lines["units_served"]))
    return served


def rows_by_id(columns: Columns, ids: list[object]) -> IntArray:
    """Where the given ids stand; all of them must be there, and the column is sorted."""
    return np.searchsorted(ints(columns["id"]), ints(ids)).astype(np.int64)


def by_level(asked: Asked, units: IntArray) -> RealArray:
    """Reference value of so many units of each group, in fen: float64[G, 2], floor and rest."""
    value = np.maximum(1, asked.value).astype(np.float64)
    floor = np.minimum(units, asked.floor)
    return np.stack((floor * value, (units - floor) * value), axis=1)


def totals(asked: Asked, values: RealArray) -> RealArray:
    """Values of groups added up by level, in the order of LEVELS: float64[LEVELS]."""
    by_part = [np.bincount(asked.band, values[:, part], len(BANDS)) for part in (FLOOR, REST)]
    return np.concatenate(by_part)
