"""A visit: who was where, when, how far from the door, and how many people it reached."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from marketplace.domain.checks import fault, within
from marketplace.domain.errors import Fault
from marketplace.domain.exchange.deliveries import POLICY, is_far

NEAR_M = POLICY.near_m  # as of deliveries: one rule for every doorstep
LATE_MAX = timedelta(days=60)  # written down after the fact, as from a paper list
AHEAD_MAX = timedelta(minutes=5)  # a telephone's clock
PERSONS_MAX = 200
NOTE_LENGTH_MAX = 1_000
AT_ONCE_MAX = 100


class VisitKind(StrEnum):
    HOME_VISIT = "HOME_VISIT"
    FREE_CLINIC = "FREE_CLINIC"
    DOORSTEP_HAIRCUT = "DOORSTEP_HAIRCUT"
    WISH_TRIP = "WISH_TRIP"


# Made at a household's own door; clinics and trips gather people elsewhere.
AT_A_DOOR = frozenset({VisitKind.HOME_VISIT, VisitKind.DOORSTEP_HAIRCUT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One visit as it is checked in.

    household_id       whom it was made to; a clinic or a trip may name only the region instead
    persons_reached    person-times; 0: nobody was met
    """

    kind: VisitKind
    household_id: int | None = None
    region_id: int | None = None
    visited_at: datetime | None = None  # none: now
    latitude: float | None = None
    longitude: float | None = None
    persons_reached: int = 1
    note: str | None = None


def visit_faults(visit: Visit, *, now: datetime) -> Iterator[Fault]:
    """Everything that keeps this from being a visit."""
    if (visit.household_id is None) == (visit.region_id is None):
        yield fault(
            "household_id",
            "REQUIRED",
            "Name the household, or of a clinic or a trip the region: one of the two.",
            "请填写家庭；义诊或心愿出行可改填区划，二者选一。",
        )
    elif visit.household_id is None and visit.kind in AT_A_DOOR:
        yield fault(
            "household_id", "REQUIRED", "Whose door was it? Name it.", "上门服务须填写家庭。"
        )
    yield from within("persons_reached", visit.persons_reached, 0, PERSONS_MAX)
    yield from place_faults(visit.latitude, visit.longitude)
    yield from _time_faults(visit.visited_at, now)
    if visit.note is not None and len(visit.note) > NOTE_LENGTH_MAX:
        yield fault(
            "note",
            "TOO_LARGE",
            f"At most {NOTE_LENGTH_MAX} characters.",
            f"最多 {NOTE_LENGTH_MAX} 个字符。",
        )


def place_faults(latitude: float | None, longitude: float | None) -> Iterator[Fault]:
    if (latitude is None) != (longitude is None):
        yield fault(
            "latitude" if latitude is None else "longitude",
            "REQUIRED",
            "Give latitude and longitude together, or neither.",
            "纬度与经度须同时填写或同时留空。",
        )
    for name, degrees, most in (("latitude", latitude, 90), ("longitude", longitude, 180)):
        if degrees is not None and not -most <= degrees <= most:  # also refuses NaN
            yield fault(
                name,
                "INVALID",
                f"Degrees lie between -{most} and {most}.",
                f"度数须在 -{most} 至 {most} 之间。",
            )


def is_flagged(kind: VisitKind, distance_m: int | None) -> bool:
    """Whether someone should look at a visit: a door's, checked in beyond `NEAR_M` from it.

    >>> [is_flagged(VisitKind.HOME_VISIT, metres) for metres in (None, 500, 501)]
    [False, False, True]
    >>> is_flagged(VisitKind.FREE_CLINIC, 9_000)
    False
    """
    return kind in AT_A_DOOR and is_far(distance_m)


def _time_faults(visited_at: datetime | None, now: datetime) -> Iterator[Fault]:
    if visited_at is not None and not now - LATE_MAX <= visited_at <= now + AHEAD_MAX:
        yield fault(
            "visited_at",
            "INVALID",
            f"A visit is checked in within {LATE_MAX.days} days, and not before it was made.",
            f"探访须在 {LATE_MAX.days} 日内登记，且不得早于实际发生。",
        )
