"""Better uses: where an offer of the same worth would serve what comes first and is still open.

Every township and category is looked at by what the plan leaves open there. An offer made for it
could serve at least that, in the plan's order of precedence; so what is named is never too good.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from marketplace.domain.exchange.disclosure import (
    HOUSEHOLDS_MIN,
    rounded,
    rounded_amount,
    shared,
)
from marketplace.services.exchange.impact import Base, Effect
from marketplace.services.exchange.standing import BANDS, FLOOR, LEVELS, REST, by_level, totals

if TYPE_CHECKING:
    from marketplace.services.exchange.impact_told import ToldUse, Townships

IntArray = npt.NDArray[np.int64]
RealArray = npt.NDArray[np.float64]

USES_MAX = 3
CLEARLY = 0.05  # of the worth: less is no better use, only another one


def better_uses(base: Base, effect: Effect, townships: Townships, worth: int) -> list[ToldUse]:
    """At most three uses that beat the offer's own by precedence, the best first."""
    asked = base.asked
    order = _order(str(base.recorded.policy["order"]))
    short = asked.units - effect.served
    open_value = by_level(asked, asked.units) - by_level(asked, effect.served)
    gained = totals(asked, by_level(asked, effect.served) - by_level(asked, base.served))
    at = townships.of(asked.region)
    usable = np.flatnonzero((short > 0) & (at >= 0) & (asked.value > 0))
    cells, cell = np.unique(
        np.stack((asked.category[usable], at[usable])), axis=1, return_inverse=True
    )
    cell = cell.reshape(-1)
    homes = [
        len(np.unique(asked.household[usable[cell == which]])) for which in range(cells.shape[1])
    ]
    good = np.zeros((cells.shape[1], LEVELS))
    for part in (FLOOR, REST):
        column = part * len(BANDS) + asked.band[usable]
        np.add.at(good, (cell, column), open_value[usable, part])
    good = _filled(good[:, order], float(worth))
    own = np.minimum(gained[order], float(worth))
    found: list[ToldUse] = []
    for which in sorted(range(len(good)), key=lambda row: tuple(-good[row]))[: 4 * USES_MAX]:
        members = usable[cell == which]
        if homes[which] < HOUSEHOLDS_MIN or not _beats(good[which], own, worth):
            continue
        use = _use(base, members, good[which], order, short)
        if use is not None:
            category, place = (int(part) for part in cells[:, which])
            use["category_id"], use["region_id"] = category, int(townships.id[place])
            found.append(use)
    return found[:USES_MAX]


def _order(policy: str) -> IntArray:
    """Levels in the plan's order: everyone's floor first, or band by band."""
    levels = np.arange(LEVELS).reshape(2, len(BANDS))
    return levels.T.reshape(-1) if policy == "SEVERITY" else levels.reshape(-1)


def _filled(open_value: RealArray, worth: float) -> RealArray:
    """The worth laid out over what is open, level by level."""
    till = np.minimum(np.cumsum(open_value, axis=1), worth)
    return np.diff(till, axis=1, prepend=0.0)


def _beats(good: RealArray, own: RealArray, worth: int) -> bool:
    """Whether the first level at which they clearly differ is served better."""
    differs = np.flatnonzero(np.abs(np.cumsum(good) - np.cumsum(own)) > CLEARLY * worth)
    return bool(len(differs)) and bool(np.cumsum(good)[differs[0]] > np.cumsum(own)[differs[0]])


def _use(
    base: Base, members: IntArray, good: RealArray, order: IntArray, short: IntArray
) -> ToldUse | None:
    """The use as it may be told: of all who are short there, not only of whom it would reach."""
    asked = base.asked
    level = int(order[int(np.argmax(good > 0))])
    band = shared(asked.band[members], asked.household[members])
    if band is None:
        return None
    units = int(short[members].sum())
    _, at = np.unique(asked.household[members], return_inverse=True)
    of_home = np.zeros(int(at.max()) + 1, np.int64)
    np.add.at(of_home, at, short[members])
    said = rounded_amount(units, households=len(of_home), largest=int(of_home.max()))
    homes = rounded(len(of_home))
    if said is None or homes is None:
        return None
    return {
        "category_id": 0,
        "region_id": 0,
        "floor": level < len(BANDS),
        "band": BANDS[max(level % len(BANDS), band)],
        "units": said,
        "households": homes,
    }
