"""Posing the problem: offers counted in what their units have in common, and limits in numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from marketplace.services.exchange.numbers import UNLIMITED, BoolArray, IntArray, total
from marketplace.services.exchange.pairs import Pairs
from matching.problem import COST_SUM_MAX, UNITS_MAX, UNITS_SUM_MAX


class QuantitiesTooLarge(Exception):
    """The units of this market cannot be added up in the optimizer's 64 bits."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Counted:
    """Offers in numbers: unit [M] how much of the offer's own unit one is; units [M] of them.

    draw [P] so many for one unit of the need
    """

    unit: IntArray
    units: IntArray
    draw: IntArray


def counted(pairs: Pairs, step: IntArray, left: IntArray, visits: IntArray) -> Counted:
    """Offers counted in the greatest amount that divides all they may give, which loses nothing.

    step [P] drawn by one unit, left [M], visits [M] at most so many units altogether. Where units
    draw differently and more than `visits` of the smallest would fit, each draws an even share at
    least of what is left, so that no more than `visits` of them do. That is exact where visits are
    what runs out; where minutes may run out first, some are not given.
    """
    unit = np.zeros(len(left), np.int64)
    np.gcd.at(unit, pairs.offer, step)
    unit = np.maximum(1, unit)
    units, draw = left // unit, step // unit[pairs.offer]
    largest = np.ones(len(left), np.int64)
    np.maximum.at(largest, pairs.offer, draw)
    alike = largest == 1
    smallest = np.full(len(left), UNITS_MAX, np.int64)
    np.minimum.at(smallest, pairs.offer, draw)
    bind = ~alike & (units // smallest > visits)
    least = np.where(bind, units // np.maximum(1, visits), 0)
    units = np.where(alike, np.minimum(units, visits), units)
    units = np.where(least > 0, least * visits, units)
    return Counted(unit=unit, units=units, draw=np.maximum(draw, least[pairs.offer]))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HouseholdRules:
    """pair_max and pair_committed in units [P], and the pairs to leave out."""

    most: IntArray
    committed: IntArray
    kept: BoolArray


def household_rules(
    pairs: Pairs,
    household: IntArray,
    *,
    step: IntArray,
    room: IntArray,
    limit: IntArray,
    severity: IntArray,
    plain: BoolArray,
) -> HouseholdRules:
    """What a household already has of a limited offer, so that the rest is kept to.

    household, step, room, severity [P]; limit [P] of the offer for one household
    plain [P]   the offer draws the same for every unit, and has no rule of its own

    Where the household meets the offer with one need, `room` is the most along that pair. With
    several, what it has is committed on the first pair of a plain offer; of others only the
    pair of the gravest need is kept, since a commitment would count as a delivery.
    """
    most = np.where(room < UNLIMITED, np.minimum(room // step, UNITS_MAX), UNITS_MAX)
    committed = np.zeros(len(room), np.int64)
    kept = np.ones(len(room), np.bool_)
    used = np.flatnonzero((limit < UNLIMITED) & (room < limit))
    if not len(used):
        return HouseholdRules(most=most, committed=committed, kept=kept)
    used = used[np.lexsort((used, -severity[used]))]
    code = np.stack((pairs.offer[used], household[used]))
    _, first, number, many = np.unique(
        code, axis=1, return_index=True, return_inverse=True, return_counts=True
    )
    number = number.reshape(-1)
    several = many[number] > 1
    is_first = np.zeros(len(used), np.bool_)
    is_first[first] = True
    kept[used] = ~several | is_first | plain[used]
    shared = used[several & plain[used]]
    most[shared] = UNITS_MAX
    at = used[several & is_first & plain[used]]
    committed[at] = limit[at] // step[at] - room[at] // step[at]
    return HouseholdRules(most=most, committed=committed, kept=kept)


def refuse_too_large(units: IntArray, most: IntArray, cost: int) -> None:
    """The sums that the optimizer refuses by a bare ValueError, as it would a mistake of ours."""
    sums = max(total(units), total(most))
    if int(units.max(initial=0)) > UNITS_MAX or sums > UNITS_SUM_MAX or cost > COST_SUM_MAX:
        raise QuantitiesTooLarge
