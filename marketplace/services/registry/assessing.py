"""Assessing: what a household lives on, written down with all that its class is based on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from marketplace.domain.errors import Conflict, InvalidInput, NotFound, Text
from marketplace.domain.events import Event
from marketplace.domain.moves import check_move, check_version
from marketplace.domain.permissions import Viewer
from marketplace.domain.registry import assessments as domain
from marketplace.domain.registry.assessments import (
    Assessed,
    Circumstances,
    EligibilityClass,
    area_of,
)
from marketplace.domain.registry.household_changes import check_active
from marketplace.domain.registry.households import HouseholdStatus
from marketplace.domain.registry.overrides import MOVES, OverrideStatus
from marketplace.domain.registry.recognition import due_at, runs_out_at
from marketplace.persistence import events
from marketplace.persistence.database import Database, Row
from marketplace.persistence.registry import appeals, assessments, households
from marketplace.services.acting import Act, Turn, once, record
from marketplace.services.registry.households import not_ones_own, within
from marketplace.services.registry.lines import known_lines, lines_of

REASON_LENGTH_MIN, REASON_LENGTH_MAX = 4, 500
LAPSED_AT_ONCE_MAX = 500
OVERRIDE = Text("override", "调整意见")


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessHousehold:
    """What was found; heads and groups are the household's own.

    override   another class than the formula's, with the reason that makes it right; it counts
               once another person has approved it
    """

    household_id: int
    found: Circumstances
    override: EligibilityClass | None = None
    override_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideOverride:
    override_id: int
    reason: str | None = None
    expected_version: int | None = None


async def assess(database: Database, act: Act, command: AssessHousehold) -> int:
    """Write down an assessment, which stands until the next one; its key.

    Raises InvalidInput (among others POLICY_MISSING), NotFound outside the viewer's scope,
    Conflict for one's own household, or FOUR_EYES where an appeal against what the same person
    found was upheld.
    """
    async with once(database, act, "householdAssess") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["assessment"]))
        db = turn.db
        household = await _household(turn, command.household_id)
        upheld = await appeals.awaiting(db, command.household_id)
        _by_another(act.viewer, upheld)
        found, result = await _reckoned(turn, database, household, command.found)
        proposed = _proposed(command, result.eligibility_class)
        row = households.assessment_row(
            command.household_id,
            found,
            result,
            assessed_by=act.viewer.account_id,
            assessed_at=database.now(),
        )
        assessment_id = await assessments.add(db, row)
        told = {
            "severity": result.severity,
            "class": str(result.eligibility_class),
            "assessment": assessment_id,
        }
        await record(
            turn, database, "household.assessed", "Household", command.household_id, **told
        )
        if proposed is not None:
            await _propose(turn, database, assessment_id, proposed, result, command)
        if upheld is not None:
            await appeals.change(db, upheld["id"], {"new_assessment_id": assessment_id})
        turn.outcome = {"assessment": assessment_id}
        return assessment_id


async def approve_override(database: Database, act: Act, command: DecideOverride) -> int:
    """Let the class of an override count, by another person than who assessed; its key.

    Raises Conflict (wrong state, FOUR_EYES, SUPERSEDED by a later assessment, stale version),
    NotFound outside the viewer's scope.
    """
    return await _decide(database, act, command, "assessmentOverrideApprove")


async def reject_override(database: Database, act: Act, command: DecideOverride) -> int:
    """Leave the computed class as it stands, with a reason; the override's key.

    Raises as `approve_override`, and InvalidInput without a reason.
    """
    return await _decide(database, act, command, "assessmentOverrideReject")


async def lapse(database: Database) -> int:
    """Say of classes that have run out that they did; how many. A chore, not a request.

    Whoever reads a class looks at the time itself, so nothing counts longer than it should.
    """
    async with database.write() as db:
        now = database.now()
        rows = await assessments.lapse(db, now=now, limit=LAPSED_AT_ONCE_MAX)
        told = [
            Event(
                kind="household.class_lapsed",
                at=now,
                entity="Household",
                entity_id=row["household_id"],
                data={"assessment": row["id"]},
            )
            for row in rows
        ]
        await events.append_many(db, told)
        return len(rows)


async def _household(turn: Turn, household_id: int) -> Row:
    """A household that the viewer may assess, locked."""
    household = await households.lock(turn.db, household_id)
    if household is None or not within(turn.act.viewer, household["region_low"]):
        raise NotFound
    await not_ones_own(turn.db, turn.act.viewer, household_id)
    check_active(HouseholdStatus(household["status"]))
    return household


async def _reckoned(
    turn: Turn, database: Database, household: Row, found: Circumstances
) -> tuple[Circumstances, Assessed]:
    """What was found, with the household's own heads and groups, and what the lines make of it."""
    lines = lines_of(
        await households.county_code(turn.db, household["region_low"]),
        area_of(household["region_code"]),
        database.now().date(),
        await known_lines(turn.db),
    )
    found = replace(
        found,
        member_count=household["member_count"],
        target_groups=household["target_groups"],
    )
    return found, domain.assess(found, lines)


async def _decide(database: Database, act: Act, command: DecideOverride, move: str) -> int:
    async with once(database, act, move) as turn:
        if turn.replay is not None:
            return int(str(turn.replay["override"]))
        after = MOVES[move].after
        assert after is not None, "both moves of an override lead to one state"
        row = await _override(turn, command, database.now())
        check_move(MOVES, move, OverrideStatus(row["status"]), OVERRIDE)
        _second_person(act.viewer, row)
        reason = _reason(command.reason, needed=after is OverrideStatus.REJECTED)
        values = {
            "status": after,
            "decided_by": act.viewer.account_id,
            "decided_at": database.now(),
            "decision_reason": reason,
        }
        await assessments.change_override(turn.db, command.override_id, values)
        await record(
            turn,
            database,
            f"assessment.override_{after.lower()}",
            "Household",
            row["household_id"],
            assessment=row["assessment_id"],
            **{"class": row["eligibility_class"]},
        )
        turn.outcome = {"override": command.override_id}
        return command.override_id


async def _override(turn: Turn, command: DecideOverride, now: datetime) -> Row:
    """The override with its household locked first, so that nobody assesses it meanwhile."""
    household_id = await assessments.override_household(turn.db, command.override_id)
    household = None if household_id is None else await households.lock(turn.db, household_id)
    if household is None or not within(turn.act.viewer, household["region_low"]):
        raise NotFound
    await not_ones_own(turn.db, turn.act.viewer, household["id"])
    row = await assessments.lock_override(turn.db, command.override_id)
    assert row is not None, "its household was found by it"
    check_version(OVERRIDE, command.expected_version, row["version"])
    latest = await assessments.latest(turn.db, household["id"], now)
    if latest is not None and latest["id"] != row["assessment_id"]:
        raise Conflict.of(
            "id",
            "The household was assessed again since; this override is of an earlier assessment.",
            "该家庭此后已重新核对，此调整意见针对的是之前的核对结果。",
            code="SUPERSEDED",
        )
    return row


async def _propose(
    turn: Turn,
    database: Database,
    assessment_id: int,
    proposed: EligibilityClass,
    result: Assessed,
    command: AssessHousehold,
) -> None:
    now = database.now()
    values = {
        "assessment_id": assessment_id,
        "eligibility_class": proposed,
        "reason": _reason(command.override_reason, needed=True, name="override_reason"),
        "proposed_by": turn.act.viewer.account_id,
        "proposed_at": now,
        "valid_until": runs_out_at(proposed, now, result.lines),
        "due_at": due_at(proposed, now, result.lines),
    }
    override_id = await assessments.add_override(turn.db, values)
    told = {"override": override_id, "class": str(proposed)}
    await record(
        turn,
        database,
        "assessment.override_proposed",
        "Household",
        command.household_id,
        assessment=assessment_id,
        **told,
    )


def _proposed(command: AssessHousehold, computed: EligibilityClass) -> EligibilityClass | None:
    if command.override is None or command.override is computed:
        return None
    _reason(command.override_reason, needed=True, name="override_reason")
    return command.override


def _reason(reason: str | None, *, needed: bool, name: str = "reason") -> str | None:
    said = (reason or "").strip()
    if len(said) < REASON_LENGTH_MIN and (needed or said):
        raise InvalidInput.of(
            name,
            "Say why: another class than the computed one, or none, needs a reason that a third "
            "person understands.",
            "请说明理由：认定结果与测算不一致或不予认可时，须填写他人能看懂的理由。",
            code="REQUIRED",
        )
    if len(said) > REASON_LENGTH_MAX:
        raise InvalidInput.of(
            name,
            f"At most {REASON_LENGTH_MAX} characters.",
            f"最多 {REASON_LENGTH_MAX} 个字符。",
            code="TOO_LARGE",
        )
    return said or None


def _second_person(viewer: Viewer, row: Row) -> None:
    if viewer.account_id in (row["proposed_by"], row["assessed_by"]):
        raise Conflict.of(
            "",
            "You assessed this household yourself; another person must decide on the override.",
            "您本人核对了该家庭，调整意见须由他人审定。",
            code="FOUR_EYES",
        )


def _by_another(viewer: Viewer, upheld: Row | None) -> None:
    """After an appeal was upheld, someone else than who was found wrong assesses anew."""
    if upheld is not None and upheld["assessed_by"] == viewer.account_id:
        raise Conflict.of(
            "household_id",
            "An appeal against your assessment of this household was upheld; another person must "
            "assess it anew.",
            "针对您对该家庭核对结果的申诉已获支持，须由他人重新核对。",
            code="FOUR_EYES",
        )
