"""Routes: what is still to be brought by a day, by township and batch, in driving order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from operator import itemgetter

from marketplace.domain.errors import Text
from marketplace.domain.exchange.deliveries import Carrier, Place, distance_m, in_driving_order
from marketplace.domain.ids import reference
from marketplace.domain.permissions import PROVIDERS, SUPERVISION, Viewer, require
from marketplace.persistence.database import Database, Row
from marketplace.persistence.exchange import deliveries

STOPS_MAX = 2_000
LEG_STEP_M = 100  # no finer: legs of several routes would tell where a door is


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """One thing to hand over; nothing in it says who lives there.

    leg_m    from the stop before, or from the township's centre, in steps; None: not known
    """

    allocation_id: int
    reference: str
    category: Text
    units: int
    unit: str | None
    region_id: int
    region: Text
    leg_m: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The stops that are left of one batch."""

    delivery_id: int
    reference: str
    carrier: Carrier
    planned_on: date
    label: str
    organization: str
    township_id: int
    township: Text
    stops: tuple[Stop, ...]


async def ask(
    database: Database, viewer: Viewer, *, until: date, region_id: int | None = None
) -> list[Route]:
    """The routes that are open by a day, those that are late first.

    Officers are told of the households of their region, providers of what they bring themselves.
    Raises Unauthenticated or Forbidden by role.
    """
    require(viewer, "deliveryRoutes")
    everywhere = viewer.role in PROVIDERS | SUPERVISION
    async with database.read() as db:
        rows = await deliveries.stops(
            db,
            until=until,
            tree=None if everywhere else (viewer.region_low, viewer.region_high),
            region_id=region_id,
            organization_id=viewer.organization_id or 0 if viewer.role in PROVIDERS else None,
            limit=STOPS_MAX,
        )
    return [_route(list(of_batch)) for _, of_batch in groupby(rows, itemgetter("delivery_id"))]


def _route(rows: Sequence[Row]) -> Route:
    first = rows[0]
    places = [_place(row["latitude"], row["longitude"]) for row in rows]
    here = _place(first["centre_latitude"], first["centre_longitude"])
    stops = []
    for index in in_driving_order(here, places):
        stops.append(_stop(rows[index], _leg(here, places[index])))
        here = places[index] or here
    return Route(
        delivery_id=first["delivery_id"],
        reference=_reference("D", first["begun_at"], first["delivery_id"]),
        carrier=Carrier(first["carrier"]),
        planned_on=first["planned_on"],
        label=first["label"],
        organization=first["organization"],
        township_id=first["township_id"],
        township=Text(first["township_en"] or first["township_zh"], first["township_zh"]),
        stops=tuple(stops),
    )


def _stop(row: Row, leg_m: int | None) -> Stop:
    return Stop(
        allocation_id=row["allocation_id"],
        reference=_reference("A", row["created_at"], row["allocation_id"]),
        category=Text(row["label_en"] or row["label_zh"], row["label_zh"]),
        units=row["units_served"],
        unit=row["unit"],
        region_id=row["region_id"],
        region=Text(row["name_en"] or row["name_zh"], row["name_zh"]),
        leg_m=leg_m,
    )


def _leg(here: Place | None, there: Place | None) -> int | None:
    if here is None or there is None:
        return None
    return round(distance_m(here, there) / LEG_STEP_M) * LEG_STEP_M


def _place(latitude: float | None, longitude: float | None) -> Place | None:
    return None if latitude is None or longitude is None else (latitude, longitude)


def _reference(letter: str, at: datetime, key: int) -> str:
    return reference(letter, at.year, key)
