"""What is told of an impact: rounded, about nobody alone, and as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import numpy.typing as npt

from marketplace.domain.exchange.disclosure import (
    HOUSEHOLDS_MIN,
    rounded,
    rounded_amount,
    rounded_percent,
)
from marketplace.persistence.database import Row
from marketplace.persistence.exchange.market import Market
from marketplace.services.exchange.better import better_uses
from marketplace.services.exchange.impact import Base, Effect
from marketplace.services.exchange.standing import BANDS, FLOOR, REST, by_level, rows_by_id, totals

IntArray = npt.NDArray[np.int64]


class ToldPlace(TypedDict):
    region_id: int
    households: int


class ToldCategory(TypedDict):
    category_id: int
    units: int
    households: int


class ToldLevel(TypedDict):
    floor: bool
    band: str
    percent_before: int
    percent_after: int


class ToldUse(TypedDict):
    category_id: int
    region_id: int
    floor: bool
    band: str
    units: int
    households: int


class Told(TypedDict):
    """An impact as it may be shown; None: it concerns fewer than five households."""

    how: str
    offered: int
    drawn: int | None
    drawn_max: int | None
    unused_percent: int | None
    households: int | None
    gaining: int | None
    townships: list[ToldPlace]
    categories: list[ToldCategory]
    levels: list[ToldLevel]
    better: list[ToldUse]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Townships:
    """Townships by their place in the tree of regions; every array has one entry for each."""

    id: IntArray
    low: IntArray
    high: IntArray

    def of(self, region: IntArray) -> IntArray:
        """Index of the township that each place lies in; -1: in none."""
        at = np.searchsorted(self.low, region, side="right") - 1
        inside = (at >= 0) & (region <= self.high[np.maximum(at, 0)]) if len(self.low) else None
        return np.where(inside, at, -1) if inside is not None else np.full(len(region), -1)


def told(base: Base, effect: Effect, offered: Market, townships: Townships, worth: int) -> Told:
    """What may be said of an effect.

    worth   reference value of the whole offer in fen; 0: it has none
    """
    total = int(str(offered.offers["units"][0]))
    asked, market = base.asked, base.recorded.market
    row = rows_by_id(market.needs, list(effect.own("need_id")))
    group = asked.group[row]
    counted = _in_company(asked.household[group], townships.of(asked.region[group]))
    group, drawn = group[counted], effect.own("units_drawn")[counted]
    home, largest = _by(asked.household[group], drawn)
    reached = len(home)
    shown = rounded_amount(int(drawn.sum()), households=reached, largest=largest)
    shown = None if shown is None else min(shown, total)
    gains = np.flatnonzero(effect.served > base.served)
    gains = gains[_in_company(asked.household[gains], townships.of(asked.region[gains]))]
    return Told(
        how=effect.how,
        offered=total,
        drawn=shown,
        drawn_max=_most(base, effect, total),
        unused_percent=None if shown is None else rounded_percent(total - shown, total),
        households=rounded(reached),
        gaining=rounded(len(np.unique(asked.household[gains]))),
        townships=_townships(asked.household[group], townships.of(asked.region[group]), townships),
        categories=_categories(base, group, effect.own("units_served")[counted]),
        levels=levels_of(base, effect.served),
        better=better_uses(base, effect, townships, worth) if worth else [],
    )


def _in_company(household: IntArray, at: IntArray) -> npt.NDArray[np.bool_]:
    """Which rows are of townships with at least five of these households: others count nowhere."""
    kept = np.zeros(len(at), np.bool_)
    for which in np.unique(at).tolist():
        here = at == which
        kept |= here & (len(np.unique(household[here])) >= HOUSEHOLDS_MIN)
    return kept


def _most(base: Base, effect: Effect, total: int) -> int | None:
    """The bound, where the effect is not exact; rounded as what the crowd might draw."""
    if effect.how == "exact":
        return None
    shown = rounded_amount(effect.drawn_max, households=effect.crowd, largest=0)
    return None if shown is None else min(shown, total)


def _by(keys: IntArray, amounts: IntArray) -> tuple[IntArray, int]:
    """The distinct keys, and the largest sum of amounts that one of them has."""
    found, at = np.unique(keys, return_inverse=True)
    sums = np.zeros(len(found), np.int64)
    np.add.at(sums, at, amounts)
    return found, int(sums.max(initial=0))


def _townships(household: IntArray, at: IntArray, townships: Townships) -> list[ToldPlace]:
    found: list[ToldPlace] = []
    for which in np.unique(at[at >= 0]).tolist():
        count = rounded(len(np.unique(household[at == which])))
        if count is not None:
            found.append(ToldPlace(region_id=int(townships.id[which]), households=count))
    return found


def _categories(base: Base, group: IntArray, units: IntArray) -> list[ToldCategory]:
    found: list[ToldCategory] = []
    category = base.asked.category[group]
    for which in np.unique(category).tolist():
        mine = category == which
        home, largest = _by(base.asked.household[group[mine]], units[mine])
        said = rounded(len(home))
        amount = rounded_amount(int(units[mine].sum()), households=len(home), largest=largest)
        if said is not None and amount is not None:
            found.append(ToldCategory(category_id=which, units=amount, households=said))
    return found


def levels_of(base: Base, served: IntArray) -> list[ToldLevel]:
    """Share of value served at each level; a change that concerns few households is not shown."""
    asked = base.asked
    wanted = by_level(asked, asked.units)
    before, after = by_level(asked, base.served), by_level(asked, served)
    sums = [totals(asked, values) for values in (wanted, before, after)]
    levels: list[ToldLevel] = []
    for part in (FLOOR, REST):
        for band, name in enumerate(BANDS):
            at = part * len(BANDS) + band
            here = (asked.band == band) & (wanted[:, part] > 0)
            if len(np.unique(asked.household[here])) < HOUSEHOLDS_MIN:
                continue
            moved = here & (before[:, part] != after[:, part])
            few = len(np.unique(asked.household[moved])) < HOUSEHOLDS_MIN
            whole, was, is_now = (int(values[at]) for values in sums)
            percent = rounded_percent(was, whole)
            levels.append(
                ToldLevel(
                    floor=part == FLOOR,
                    band=name,
                    percent_before=percent,
                    percent_after=percent if few else rounded_percent(is_now, whole),
                )
            )
    return levels


def townships_of(rows: Sequence[Row]) -> Townships:
    """Townships from rows with id, tree_low and tree_high."""
    ordered = sorted(rows, key=lambda row: int(row["tree_low"]))
    columns = {
        name: np.array([row[name] for row in ordered], np.int64)
        for name in ("id", "tree_low", "tree_high")
    }
    return Townships(id=columns["id"], low=columns["tree_low"], high=columns["tree_high"])
