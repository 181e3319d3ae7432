"""Visits: checking in where one was and whom one reached, one or a whole clinic day at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from marketplace.domain.checks import fault
from marketplace.domain.errors import Fault, InvalidInput, NotFound
from marketplace.domain.exchange.deliveries import distance_m
from marketplace.domain.fieldwork.visits import AT_ONCE_MAX, Visit, is_flagged, visit_faults
from marketplace.domain.own_household import ones_own
from marketplace.domain.permissions import Viewer
from marketplace.persistence.crypto import Sealer
from marketplace.persistence.database import Database, Row, Writing
from marketplace.persistence.exchange import facts
from marketplace.persistence.fieldwork import visits
from marketplace.services.acting import Act, once, record_many
from marketplace.services.exchange.reach import in_scope


async def check_in(
    database: Database, act: Act, sealer: Sealer, command: Sequence[Visit]
) -> list[int]:
    """Write visits down, all or none; their keys in the order given.

    Each says how far from the door it was checked in, as far as both places are known, and is
    flagged where that is too far. Raises InvalidInput with what is wrong by place in the list:
    NOT_FOUND outside the viewer's scope, OWN_HOUSEHOLD.
    """
    async with once(database, act, "visitCheckIn") as turn:
        if turn.replay is not None:
            return keys_of(turn.replay["visits"])
        check_count("visits", len(command))
        db, now = turn.db, database.now()
        found = await _places(db, command)
        own = await facts.household_of(db, act.viewer.account_id)
        faults = []
        for number, visit in enumerate(command):
            wrong = [*visit_faults(visit, now=now)] or [
                *reach_faults(act.viewer, _of(found, visit), own, _name(visit))
            ]
            faults += [at(("visits", str(number)), each) for each in wrong]
        if faults:
            raise InvalidInput(*faults)
        rows = [(_row(visit, _of(found, visit), act, database), visit.note) for visit in command]
        ids = await visits.add_many(db, sealer, rows)
        await record_many(turn, database, "visit.checked_in", "Visit", ids)
        turn.outcome = {"visits": ids}
        return ids


def check_count(name: str, count: int) -> None:
    if not 1 <= count <= AT_ONCE_MAX:
        raise InvalidInput.of(
            name,
            f"Between 1 and {AT_ONCE_MAX} at once.",
            f"一次须为 1 至 {AT_ONCE_MAX} 项。",
            code="TOO_MANY" if count else "REQUIRED",
        )


def reach_faults(
    viewer: Viewer, place: Row | None, own_household: int | None, name: str
) -> Iterator[Fault]:
    """What keeps the viewer from working there; `name` is the input's field that says where."""
    if place is None or not in_scope(viewer, place["tree_low"]):
        yield fault(name, "NOT_FOUND", NotFound.text.en, NotFound.text.zh)
    elif name == "household_id" and own_household == place["id"]:
        yield ones_own(name)


def at(path: tuple[str, ...], found: Fault) -> Fault:
    """A fault of one entry of a list, with its place."""
    return Fault((*path, *found.field), found.code, found.text)


def keys_of(outcome: object) -> list[int]:
    assert isinstance(outcome, list), "an outcome keeps keys"
    return [int(key) for key in outcome]


async def _places(
    db: Writing, command: Sequence[Visit]
) -> tuple[Mapping[int, Row], Mapping[int, Row]]:
    """Households and regions of the visits, by id."""
    household_ids = {visit.household_id for visit in command if visit.household_id is not None}
    region_ids = {visit.region_id for visit in command if visit.region_id is not None}
    return await visits.homes(db, household_ids), await visits.places(db, region_ids)


def _of(found: tuple[Mapping[int, Row], Mapping[int, Row]], visit: Visit) -> Row | None:
    homes, places = found
    if visit.household_id is not None:
        return homes.get(visit.household_id)
    return None if visit.region_id is None else places.get(visit.region_id)


def _name(visit: Visit) -> str:
    return "region_id" if visit.household_id is None else "household_id"


def _row(visit: Visit, place: Row | None, act: Act, database: Database) -> dict[str, object]:
    assert place is not None, "what is not there was refused"
    metres = _metres(visit, place)
    return {
        "kind": visit.kind,
        "household_id": visit.household_id,
        "region_id": place["region_id"],
        "visited_by": act.viewer.account_id,
        "visited_at": visit.visited_at or database.now(),
        "latitude": visit.latitude,
        "longitude": visit.longitude,
        "distance_m": metres,
        "is_far": is_flagged(visit.kind, metres),
        "persons_reached": visit.persons_reached,
        "created_at": database.now(),
    }


def _metres(visit: Visit, place: Row) -> int | None:
    if visit.latitude is None or visit.longitude is None:
        return None
    if place["latitude"] is None or place["longitude"] is None:
        return None
    here = (visit.latitude, visit.longitude)
    return distance_m(here, (place["latitude"], place["longitude"]))
