"""Figures of a plan: what share groups of needs get, who gives to where, and what stays short.

Pure functions over columns. They count exactly; what may be said of few households is decided
where it is said, by `marketplace.domain.exchange.disclosure`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

import matching
from marketplace.domain.exchange.publishing import SEVERITY_BANDS
from marketplace.domain.registry.households import GROUPS
from marketplace.persistence.exchange.market import Columns, Market

IntArray = npt.NDArray[np.int64]
NOWHERE = -1  # the key of needs that belong to no group


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What each of N needs asks for and gets.

    household   [N] equal for needs of one household
    severity    [N] 1..100
    asked       [N] units that were open, > 0, in the need's own unit
    served      [N] units that the plan gives, 0..asked
    """

    household: IntArray
    severity: IntArray
    asked: IntArray
    served: IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What a group of needs gets. Needs count alike, whatever their units: they cannot be added.

    full, partly, none   needs that get all, some or nothing of what they ask
    mean                 the mean over needs of the share that each gets, 0..1
    """

    needs: int
    households: int
    full: int
    partly: int
    none: int
    mean: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortage:
    """What needs of one kind in one place still lack, in their own unit.

    most        what one household lacks at most
    next_need   row of the need that one unit more would serve first, by the policy's order
    """

    category: int
    place: int
    households: int
    asked: int
    short: int
    most: int
    next_need: int


def served_of(market: Market, lines: Columns) -> Served:
    """The needs of a plan's market with what the plan's lines give them."""
    ids = _ints(market.needs["id"])
    asked = _ints(market.needs["units"])
    served = np.zeros(len(ids), np.int64)
    np.add.at(served, np.searchsorted(ids, _ints(lines["need_id"])), _ints(lines["units_served"]))
    return Served(
        household=_ints(market.needs["household"]),
        severity=_ints(market.needs["severity"]),
        asked=asked,
        served=served,
    )


def share(needs: Served, rows: IntArray) -> Share:
    """The share of the needs in these rows."""
    asked, served = needs.asked[rows], needs.served[rows]
    full = int((served == asked).sum())
    none = int((served == 0).sum())
    return Share(
        needs=len(rows),
        households=len(np.unique(needs.household[rows])),
        full=full,
        partly=len(rows) - full - none,
        none=none,
        mean=float(np.mean(served / asked)) if len(rows) else 0.0,
    )


def total(needs: Served) -> Share:
    """All needs as one group."""
    return share(needs, np.arange(len(needs.asked)))


def by_key(needs: Served, key: IntArray) -> dict[int, Share]:
    """Shares by a key of each need (its place, its category), keys rising; NOWHERE is a key."""
    order = np.argsort(key, kind="stable")
    found, start = np.unique(key[order], return_index=True)
    rows = np.split(order, start[1:]) if len(found) else []
    return {k: share(needs, of) for k, of in zip(found.tolist(), rows, strict=True)}


def by_severity_band(needs: Served) -> dict[str, Share]:
    """Shares by band of severity, the most severe first; bands without needs are left out."""
    least = np.array([low for low, _ in reversed(SEVERITY_BANDS)], np.int64)
    band = np.searchsorted(least, needs.severity, side="right") - 1
    names = [name for _, name in reversed(SEVERITY_BANDS)]
    found = by_key(needs, band.astype(np.int64))
    return {names[position]: of for position, of in sorted(found.items(), reverse=True)}


def by_mask(needs: Served, groups: IntArray, count: int = len(GROUPS)) -> dict[int, Share]:
    """Shares by the bit of each group in a mask; a household of two groups counts in both."""
    rows = {bit: np.flatnonzero(groups >> bit & 1) for bit in range(count)}
    return {bit: share(needs, of) for bit, of in rows.items() if len(of)}


def flows(household: IntArray, source: IntArray, target: IntArray) -> dict[tuple[int, int], int]:
    """How many households each source reaches at each target, from columns of a plan's lines."""
    if not len(household):
        return {}
    triples = np.unique(np.stack((source, target, household)), axis=1)
    pairs, count = np.unique(triples[:2], axis=1, return_counts=True)
    return {
        (int(one), int(other)): int(many)
        for one, other, many in zip(pairs[0], pairs[1], count, strict=True)
    }


def shortages(
    needs: Served, category: IntArray, place: IntArray, policy: matching.Policy
) -> list[Shortage]:
    """What stays short, by category and place; what one unit more would serve first comes first.

    One unit more, of an offer that reaches these needs, serves `next_need` or, by re-assignment, a
    need that comes before it: so this is the least that it does.
    """
    short = needs.asked - needs.served
    level = _next_level(needs, policy)
    rows = np.flatnonzero(short > 0)
    order = rows[np.lexsort((rows, level[rows], place[rows], category[rows]))]
    code = np.stack((category[order], place[order]))
    new = np.ones(len(order), np.bool_)
    new[1:] = (code[:, 1:] != code[:, :-1]).any(axis=0)
    groups = np.split(order, np.flatnonzero(new)[1:]) if len(order) else []
    found = [_shortage(needs, short, category, place, of) for of in groups]
    return sorted(found, key=lambda one: (int(level[one.next_need]), -one.households))


def _shortage(
    needs: Served, short: IntArray, category: IntArray, place: IntArray, rows: IntArray
) -> Shortage:
    first = int(rows[0])
    everyone = (category == category[first]) & (place == place[first])
    households, at = np.unique(needs.household[rows], return_inverse=True)
    lacks = [0] * len(households)
    for which, units in zip(at.tolist(), short[rows].tolist(), strict=True):
        lacks[which] += units
    return Shortage(
        category=int(category[first]),
        place=int(place[first]),
        households=len(households),
        asked=sum(needs.asked[everyone].tolist()),
        short=sum(lacks),
        most=max(lacks),
        next_need=first,
    )


def _next_level(needs: Served, policy: matching.Policy) -> IntArray:
    """The level of each need's first unit that is not served: int64[N]; past all where none is."""
    if not len(needs.asked):
        return np.zeros(0, np.int64)
    tranches = matching.tranches(needs.asked, needs.severity, policy)
    open_ = tranches.served(needs.served) < tranches.units
    level = np.full(len(needs.asked), tranches.n_levels, np.int64)
    np.minimum.at(level, tranches.need[open_], tranches.level[open_])
    return level


def _ints(values: Sequence[object]) -> IntArray:
    return np.array(values, np.int64)
