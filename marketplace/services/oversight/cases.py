"""Integrity cases: opening one, finding it true by two people, and restricting what follows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from marketplace.domain.errors import Conflict, InvalidInput, NotFound
from marketplace.domain.moves import check_version
from marketplace.domain.oversight.integrity import (
    NOUN,
    OF_HOUSEHOLDS,
    PEOPLE_TO_FIND,
    CaseKind,
    CaseStatus,
    EntryKind,
    OpenCase,
    check,
    check_end,
    check_finder,
    check_open,
    check_scope,
    desk_of,
    end_of,
    text_faults,
)
from marketplace.domain.permissions import Viewer
from marketplace.domain.restrictions import RestrictionScope
from marketplace.persistence.crypto import Sealer
from marketplace.persistence.database import Database, Reading, Row
from marketplace.persistence.exchange import facts
from marketplace.persistence.oversight import cases, restrictions
from marketplace.services.acting import Act, Turn, once, record
from marketplace.services.exchange.reach import in_scope
from marketplace.services.oversight import consequences, telling
from marketplace.services.registry.households import not_ones_own

TRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class FindCase:
    case_id: int
    finding: str
    expected_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RestrictCase:
    """What is halted, and until which day of the county's calendar, that day included."""

    case_id: int
    scope: RestrictionScope
    ends_on: date
    grounds: str
    expected_version: int | None = None


async def open_case(database: Database, act: Act, sealer: Sealer, command: OpenCase) -> int:
    """Write down what is alleged; the case's key. Nothing is halted by it yet.

    Raises InvalidInput, NotFound for whom the viewer may not see, Conflict (OWN_HOUSEHOLD).
    """
    async with once(database, act, "integrityCaseOpen") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["case"]))
        check_open(command, by=act.viewer.role)
        case_id = await cases.add(
            turn.db,
            sealer,
            command.allegation.strip(),
            {
                "kind": command.kind,
                "status": CaseStatus.OPEN,
                "household_id": command.household_id,
                "organization_id": command.organization_id,
                "region_id": await _region_of(turn.db, act.viewer, command),
                "allocation_id": command.allocation_id,
                "opened_by": act.viewer.account_id,
                "created_at": database.now(),
            },
        )
        told = {"caseKind": command.kind}
        await record(turn, database, "integrity_case.opened", "IntegrityCase", case_id, **told)
        turn.outcome = {"case": case_id}
        return case_id


async def find(database: Database, act: Act, sealer: Sealer, command: FindCase) -> int:
    """Say that it is true; the case's key. It is FOUND once two different people said so.

    Raises InvalidInput, NotFound, Conflict (wrong state, stale version, FOUR_EYES, OWN_HOUSEHOLD).
    """
    async with once(database, act, "integrityCaseFind") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["case"]))
        case = await for_move(turn, "integrityCaseFind", command.case_id, command.expected_version)
        if faults := list(text_faults("finding", command.finding)):
            raise InvalidInput(*faults)
        db, now, finder = turn.db, database.now(), account_of(act.viewer)
        before = await cases.finders(db, command.case_id)
        check_finder(finder, before)
        await cases.add_finding(
            db, sealer, command.case_id, command.finding.strip(), by=finder, now=now
        )
        found = len(before) + 1 >= PEOPLE_TO_FIND
        values = {"status": CaseStatus.FOUND, "found_at": now} if found else {}
        await cases.change(db, command.case_id, values)
        if found:
            await cases.enter(db, case, EntryKind.FOUND, now=now)
        kind = "integrity_case.found" if found else "integrity_case.seconded"
        await record(turn, database, kind, "IntegrityCase", command.case_id, people=len(before) + 1)
        turn.outcome = {"case": command.case_id}
        return command.case_id


async def restrict(database: Database, act: Act, sealer: Sealer, command: RestrictCase) -> int:
    """Halt what a found case asks for, all in one transaction; the case's key.

    A household's needs are suspended, what was set aside for them goes back, and nothing is passed
    on, planned, pledged or granted in the scope until the end. A provider's offers are paused, the
    provider is suspended, and what was set aside of its offers is cancelled. What is on its way
    stays on its way. Raises InvalidInput, NotFound, Conflict as `find`.
    """
    for _ in range(TRIES):
        try:
            return await _restrict(database, act, sealer, command)
        except consequences.Moved:
            continue
    raise Conflict.of(
        "",
        "Plans are being approved on this provider's offers right now. Try again.",
        "该供给方的供给正在被批准匹配，请稍后重试。",
    )


async def _restrict(database: Database, act: Act, sealer: Sealer, command: RestrictCase) -> int:
    async with once(database, act, "integrityCaseRestrict") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["case"]))
        move = "integrityCaseRestrict"
        case = await for_move(turn, move, command.case_id, command.expected_version)
        of_provider, now = case["organization_id"] is not None, database.now()
        faults = [
            *check_scope(command.scope, of_provider=of_provider),
            *check_end(command.ends_on, now),
            *text_faults("grounds", command.grounds),
        ]
        if faults:
            raise InvalidInput(*faults)
        values = {
            "case_id": command.case_id,
            "household_id": case["household_id"],
            "organization_id": case["organization_id"],
            "scope": command.scope,
            "ordered_by": account_of(act.viewer),
            "starts_at": now,
            "ends_at": end_of(command.ends_on),
        }
        db = turn.db
        if of_provider:
            values["organization_from"] = await consequences.suspend_organization(
                db, case["organization_id"]
            )
        else:
            await facts.lock_household(db, case["household_id"])
        key = await restrictions.add(db, sealer, command.grounds.strip(), values)
        await consequences.halt(turn, database, case, key, command.scope)
        await cases.change(db, command.case_id, {"status": CaseStatus.RESTRICTED})
        await cases.enter(db, case, EntryKind.RESTRICTED, now=now)
        await telling.tell(db, database, sealer, case, telling.RESTRICTED, command.ends_on)
        told = {"scope": command.scope, "endsOn": command.ends_on.isoformat()}
        await record(
            turn, database, "integrity_case.restricted", "IntegrityCase", command.case_id, **told
        )
        turn.outcome = {"case": command.case_id}
        return command.case_id


async def for_move(turn: Turn, move: str, case_id: int, expected_version: int | None) -> Row:
    """A case locked for a move of the viewer's desk.

    Raises NotFound where the viewer may not handle it, Conflict for the own household, from a
    wrong state, and for a stale version.
    """
    viewer = turn.act.viewer
    case = await cases.lock(turn.db, case_id)
    if case is None or viewer.role is not desk_of(CaseKind(case["kind"])):
        raise NotFound
    if case["household_id"] is not None:
        if not in_scope(viewer, case["tree_low"]):
            raise NotFound
        await not_ones_own(turn.db, viewer, case["household_id"], "")
    check(move, CaseStatus(case["status"]))
    check_version(NOUN, expected_version, case["version"])
    return case


def account_of(viewer: Viewer) -> int:
    assert viewer.account_id is not None, "who may act has an account"
    return viewer.account_id


async def _region_of(db: Reading, viewer: Viewer, command: OpenCase) -> int:
    """Where it is seated whom the case is about, once the viewer may handle it."""
    if command.kind in OF_HOUSEHOLDS:
        assert command.household_id is not None, "check_open asks for it"
        place = await cases.household(db, command.household_id)
        if place is None or not in_scope(viewer, place["tree_low"]):
            raise NotFound
        await not_ones_own(db, viewer, command.household_id, "")
        return int(place["region_id"])
    assert command.organization_id is not None, "check_open asks for it"
    organization = await cases.organization(db, command.organization_id)
    if organization is None:
        raise NotFound
    named = command.allocation_id
    if named is not None and not await cases.is_of_organization(db, named, organization["id"]):
        raise InvalidInput.of(
            "allocation_id",
            "This is no allocation of the provider's.",
            "该匹配记录不属于此供给方。",
            code="NOT_FOUND",
        )
    return int(organization["region_id"])
