"""Shortages of a plan by category and township: what lacks, for how many, and what a unit would do.

A township where fewer than five households lack something is not told apart: it is merged into its
county. So whatever region is asked about, the same figures are shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from marketplace.domain.exchange.disclosure import HOUSEHOLDS_MIN
from marketplace.domain.registry.regions import RegionLevel
from marketplace.persistence.database import Row
from marketplace.persistence.exchange.market import Market
from marketplace.services.exchange.explaining_needs import Short
from marketplace.services.exchange.numbers import IntArray, ints

NOWHERE = 0  # the key of a place that lies in no known region
NONE = -1
ABOVE = (RegionLevel.PROVINCE, RegionLevel.PREFECTURE, RegionLevel.COUNTY)
COLUMNS = (
    "category",
    "region",
    "merged",
    "units",
    "households",
    "largest",
    "level",
    "value",
    "estimate",
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Places:
    """Regions by level, each with key, low and high by position in the tree of regions."""

    of: Mapping[str, tuple[IntArray, IntArray, IntArray]]

    def at(self, level: str, position: IntArray) -> IntArray:
        """The region of a level that each position lies in; NOWHERE: in none."""
        key, low, high = self.of[level]
        if not len(key):
            return np.full(len(position), NOWHERE, np.int64)
        which = np.maximum(np.searchsorted(low, position, "right") - 1, 0)
        inside = (low[which] <= position) & (position <= high[which])
        return np.where(inside, key[which], NOWHERE)

    def lowest(self, levels: Sequence[str], position: IntArray) -> IntArray:
        """The region of the last of these levels that has one."""
        found = np.full(len(position), NOWHERE, np.int64)
        for level in levels:
            here = self.at(level, position)
            found = np.where(here == NOWHERE, found, here)
        return found


def places_of(rows: Sequence[Row]) -> Places:
    """Places from rows with id, level, tree_low and tree_high, top to bottom."""
    levels = (*ABOVE, RegionLevel.TOWNSHIP)
    return Places(
        of={
            level: (
                ints([row["id"] for row in rows if row["level"] == level]),
                ints([row["tree_low"] for row in rows if row["level"] == level]),
                ints([row["tree_high"] for row in rows if row["level"] == level]),
            )
            for level in levels
        }
    )


def cell_columns(market: Market, short: Short, places: Places) -> dict[str, list[int]]:
    """Columns by category and place, what serves the highest precedence first; see COLUMNS."""
    position = ints(market.needs["region"])[short.row]
    above = places.lowest(ABOVE, position)
    town = places.at(RegionLevel.TOWNSHIP, position)
    place = np.where(town == NOWHERE, above, town)
    category = ints(market.needs["category"])[short.row]
    household = ints(market.needs["household"])[short.row]
    homes = _households(_joined(category, place), household)
    merged = homes < HOUSEHOLDS_MIN
    place = np.where(merged, above, place)
    cell = _joined(_joined(category, place), merged.astype(np.int64))
    few = _households(cell, household) < HOUSEHOLDS_MIN
    keep = np.flatnonzero(~few & (place != NOWHERE))
    _, first, cell = np.unique(cell[keep], return_index=True, return_inverse=True)
    columns = _counted(market, short, keep, cell, len(first), household[keep])
    kinds = {"category": category, "region": place, "merged": merged.astype(np.int64)}
    columns |= {name: column[keep][first] for name, column in kinds.items()}
    last = np.where(columns["level"] == NONE, 2**62, columns["level"])
    order = np.lexsort((columns["category"], -columns["households"], -columns["value"], last))
    return {name: columns[name][order].tolist() for name in COLUMNS}


def _joined(one: IntArray, other: IntArray) -> IntArray:
    """A number for each pair of values, the same for the same pair; faster than rows of two."""
    _, a = np.unique(one, return_inverse=True)
    others, b = np.unique(other, return_inverse=True)
    code: IntArray = a * max(1, len(others)) + b
    return code


def _households(cell: IntArray, household: IntArray) -> IntArray:
    """How many households lack something in the cell of each row."""
    kinds, at = np.unique(cell, return_inverse=True)
    _, first = np.unique(_joined(at, household), return_index=True)
    count: IntArray = np.bincount(at[first], minlength=len(kinds))[at]
    return count


def _counted(
    market: Market, short: Short, keep: IntArray, cell: IntArray, size: int, household: IntArray
) -> dict[str, IntArray]:
    units, homes = np.zeros(size, np.int64), np.zeros(size, np.int64)
    np.add.at(units, cell, short.units[keep])
    if not len(keep):
        return dict.fromkeys(
            ("units", "households", "largest", "level", "value", "estimate"), units
        )
    pair, first, at = np.unique(_joined(cell, household), return_index=True, return_inverse=True)
    lacks, largest = np.zeros(len(pair), np.int64), np.zeros(size, np.int64)
    np.add.at(lacks, at, short.units[keep])
    np.maximum.at(largest, cell[first], lacks)
    np.add.at(homes, cell[first], 1)
    gain = np.where(short.gain_level[keep] == NONE, 2**62, short.gain_level[keep])
    level = _shared_level(cell[first], at, gain, size)
    estimate, value = np.zeros(size, np.int64), np.zeros(size, np.int64)
    np.maximum.at(estimate, cell, short.estimate[keep])
    price = ints(market.needs["price"])
    price = np.where([kind == "CASH" for kind in market.needs["kind"]], 1, price)
    np.maximum.at(value, cell, price[short.row[keep]])
    return {
        "units": units,
        "households": homes,
        "largest": largest,
        "level": np.where(level == 2**62, NONE, level),
        "value": value,
        "estimate": estimate,
    }


def _shared_level(cell_of_pair: IntArray, pair: IntArray, gain: IntArray, size: int) -> IntArray:
    """The first level at which, or before, five households of each cell would be served next.

    A level tells the severity of whom it serves, so none is told that fewer than five share.
    """
    least = np.full(len(cell_of_pair), 2**62, np.int64)
    np.minimum.at(least, pair, gain)
    order = np.lexsort((least, cell_of_pair))
    begins = np.searchsorted(cell_of_pair[order], np.arange(size))
    level: IntArray = least[order][begins + HOUSEHOLDS_MIN - 1]
    return level
