"""Comparing a simulation with its base: who gains and who loses, rounded, as plain values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from marketplace.domain.exchange.disclosure import rounded, rounded_amount
from marketplace.domain.registry.households import GROUPS
from marketplace.services.exchange.impact import base_of
from marketplace.services.exchange.impact_told import Townships, levels_of
from marketplace.services.exchange.numbers import ints
from marketplace.services.exchange.plan_records import Recorded
from marketplace.services.exchange.standing import BANDS, Asked, by_level, served_of

IntArray = npt.NDArray[np.int64]
Lines = Mapping[str, Sequence[int]]


def compared(recorded: Recorded, lines: Lines, townships: Townships) -> dict[str, object]:
    """How lines over the recorded plan's needs differ from the recorded ones."""
    base = base_of(recorded, with_parts=False)
    asked = base.asked
    served = served_of(asked, recorded.market, {name: list(lines[name]) for name in lines})
    slices = [
        _slice(asked, base.served, served, members) | {"by": by, "key": key}
        for by, key, members in _slices(asked, recorded, townships)
    ]
    everyone = np.ones(len(asked.units), np.bool_)
    return {
        # Who reads a comparison may read all lines, so of the whole nothing need be rounded.
        "unchanged": bool((served == base.served).all()),
        "value_difference": _exact(asked, served) - _exact(asked, base.served),
        "all": _slice(asked, base.served, served, everyone),
        "slices": [found for found in slices if found["households"] is not None],
        "levels": levels_of(base, served),
    }


def _slices(
    asked: Asked, recorded: Recorded, townships: Townships
) -> Iterator[tuple[str, int | str, npt.NDArray[np.bool_]]]:
    place = townships.of(asked.region)
    for which in np.unique(place[place >= 0]).tolist():
        yield "TOWNSHIP", int(townships.id[which]), place == which
    groups = ints(recorded.market.needs["groups"])[asked.first]
    for bit, group in enumerate(GROUPS):
        yield "TARGET_GROUP", str(group), (groups >> bit) & 1 == 1
    for band, name in enumerate(BANDS):
        yield "SEVERITY", name, asked.band == band
    for category in np.unique(asked.category).tolist():
        yield "CATEGORY", category, asked.category == category


def _slice(
    asked: Asked, before: IntArray, after: IntArray, members: npt.NDArray[np.bool_]
) -> dict[str, object]:
    """Households that gain and lose within a slice, and the value that is served to it."""
    homes, at = np.unique(asked.household[members], return_inverse=True)
    was = _of_homes(by_level(asked, before)[members].sum(axis=1), at, len(homes))
    now = _of_homes(by_level(asked, after)[members].sum(axis=1), at, len(homes))
    return {
        "households": rounded(len(homes)),
        "gaining": rounded(int((now > was).sum())),
        "losing": rounded(int((now < was).sum())),
        "value_before": _value(was),
        "value_after": _value(now),
    }


def _exact(asked: Asked, served: IntArray) -> int:
    return int(by_level(asked, served).sum())


def _of_homes(values: npt.NDArray[np.float64], at: IntArray, count: int) -> IntArray:
    return np.bincount(at, values, count).astype(np.int64) if count else np.zeros(0, np.int64)


def _value(of_homes: IntArray) -> int | None:
    served = of_homes[of_homes > 0]
    largest = int(served.max(initial=0))
    return rounded_amount(int(served.sum()), households=len(served), largest=largest)
