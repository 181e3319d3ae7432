"""A delivery: who brings it, how near the door it was checked in, and in which order to drive."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from marketplace.domain.checks import fault, text
from marketplace.domain.errors import Fault

EARTH_RADIUS_M = 6_371_008.8
EVIDENCE_LENGTH_MAX = 120
LABEL_LENGTH_MAX = 40
LATE_MAX = timedelta(days=7)  # a worker without network records it later
AHEAD_MAX = timedelta(minutes=5)  # clocks of phones

Place = tuple[float, float]  # degrees north, degrees east


class Carrier(StrEnum):
    """Who brings it to the door; whoever does not never learns where that is."""

    GRID = "GRID"
    PROVIDER = "PROVIDER"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacePolicy:
    """How far from the household a check-in may be.

    near_m    up to here it was at the door; beyond, it is kept and marked for someone to look at
    far_m     beyond here it was somewhere else, and is refused
    """

    near_m: int = 500  # a phone between houses is off by up to a hundred; villages are surveyed so
    far_m: int = 5_000


POLICY = PlacePolicy()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckIn:
    """What the deliverer says at the door.

    handed_over    units of the need, now; 0: nobody could take it
    returned       units of the need that come back to the provider; None: it is tried again (only
                   where nothing was handed over now), else nothing comes back
    continues      more of it follows on another day, such as the other visits of a service
    """

    latitude: float
    longitude: float
    handed_over: int
    returned: int | None = None
    evidence_reference: str | None = None
    checked_in_at: datetime | None = None
    continues: bool = False

    def ends(self, left: int) -> bool:
        """Whether this is the end of a delivery of which so much was left before.

        >>> said = CheckIn(latitude=27.9, longitude=116.75, handed_over=1, continues=True)
        >>> said.ends(2), said.ends(1)
        (False, True)
        """
        if self.handed_over == left:
            return True
        return not self.continues and (self.handed_over > 0 or self.returned is not None)


def check_in_faults(
    said: CheckIn, *, left: int, dispatched_at: datetime, now: datetime
) -> Iterator[Fault]:
    """Everything in a check-in that cannot be, whatever place it is of.

    left    units of the need that were sent and not handed over before
    """
    for name, degrees, most in (
        ("latitude", said.latitude, 90),
        ("longitude", said.longitude, 180),
    ):
        if not -most <= degrees <= most:  # also refuses NaN
            yield fault(
                name,
                "INVALID",
                f"Degrees lie between -{most} and {most}.",
                f"度数须在 -{most} 至 {most} 之间。",
            )
    yield from _unit_faults(said, left)
    if said.evidence_reference is not None:
        yield from text("evidence_reference", said.evidence_reference, 1, EVIDENCE_LENGTH_MAX)
    at = said.checked_in_at
    if at is not None and not max(now - LATE_MAX, dispatched_at) <= at <= now + AHEAD_MAX:
        yield fault(
            "checked_in_at",
            "INVALID",
            f"A check-in is of the last {LATE_MAX.days} days, after it was sent, and not ahead.",
            f"打卡时间须在最近 {LATE_MAX.days} 日内、发出之后，且不得晚于现在。",
        )


def distance_faults(distance_m: int | None, policy: PlacePolicy = POLICY) -> Iterator[Fault]:
    """What keeps a check-in of so many metres from the household; None: its place is not known."""
    if distance_m is not None and distance_m > policy.far_m:
        yield fault(
            "latitude",
            "TOO_FAR",
            f"This is more than {policy.far_m} m from the household. Check in at its door.",
            f"当前位置距该户超过 {policy.far_m} 米，请到户后再打卡。",
        )


def is_far(distance_m: int | None, policy: PlacePolicy = POLICY) -> bool:
    """Whether someone should look at the place of a check-in; an unknown one cannot be judged.

    >>> [is_far(metres) for metres in (None, 500, 501)]
    [False, False, True]
    """
    return distance_m is not None and distance_m > policy.near_m


def distance_m(here: Place, there: Place) -> int:
    """Metres along the ground.

    >>> distance_m((27.9, 116.75), (27.9, 116.75)), distance_m((27.9, 116.75), (27.91, 116.75))
    (0, 1112)
    """
    north, south = math.radians(here[0]), math.radians(there[0])
    half = math.sin((south - north) / 2) ** 2
    east = math.sin(math.radians(there[1] - here[1]) / 2) ** 2
    share = min(1.0, half + math.cos(north) * math.cos(south) * east)
    return round(2 * EARTH_RADIUS_M * math.asin(math.sqrt(share)))


def in_driving_order(start: Place | None, stops: Sequence[Place | None]) -> list[int]:
    """Indexes of stops, always the nearest one next, those without a place last.

    >>> in_driving_order((0.0, 0.0), [(0.0, 3.0), None, (0.0, 1.0), (0.0, 2.0)])
    [2, 3, 0, 1]
    """
    places = {index: stop for index, stop in enumerate(stops) if stop is not None}
    order: list[int] = []
    here = start
    while places:
        at = here if here is not None else next(iter(places.values()))
        near = min(places, key=lambda index: (distance_m(at, places[index]), index))
        order.append(near)
        here = places.pop(near)
    return order + [index for index, stop in enumerate(stops) if stop is None]


def _unit_faults(said: CheckIn, left: int) -> Iterator[Fault]:
    returned = said.returned or 0
    if said.handed_over < 0 or returned < 0:
        name = "units_handed_over" if said.handed_over < 0 else "units_returned"
        yield fault(name, "TOO_SMALL", "At least 0.", "不得小于 0。")
    elif said.handed_over + returned > left:
        yield fault(
            "units_handed_over",
            "TOO_LARGE",
            f"{left} are left of what was sent: no more can be handed over and returned.",
            f"已发出而尚未交付的为 {left}，交付与退回之和不得超过此数。",
        )
    elif said.continues and said.returned is not None:
        yield fault(
            "units_returned",
            "INVALID",
            "What comes back is said at the end, when nothing more follows.",
            "退回数量须在全部交付结束时填写。",
        )
