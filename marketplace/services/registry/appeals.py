"""Appeals: a household's objection to its class, decided by somebody who had no hand in it."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.domain.errors import NotFound, Text
from marketplace.domain.moves import check_move, check_version
from marketplace.domain.permissions import Role
from marketplace.domain.registry.appeals import (
    AFTER,
    DECIDED_WITHIN,
    MOVES,
    AppealDecision,
    AppealStatus,
    FileAppeal,
    check_appeal,
    check_decision,
)
from marketplace.domain.registry.household_changes import check_active
from marketplace.domain.registry.households import HouseholdStatus
from marketplace.persistence.database import Database, Row
from marketplace.persistence.registry import appeals, assessments, households
from marketplace.services.acting import Act, Turn, once, record
from marketplace.services.registry.households import not_ones_own, within

APPEAL = Text("appeal", "申诉")


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideAppeal:
    appeal_id: int
    decision: AppealDecision
    reason: str
    expected_version: int | None = None


async def file(database: Database, act: Act, command: FileAppeal) -> int:
    """File an appeal against the household's latest assessment; its key.

    By the household itself, or by an officer of its region with evidence. Raises InvalidInput,
    Conflict (ASSESSMENT_REQUIRED, ALREADY_FILED, DEADLINE_PASSED, OWN_HOUSEHOLD), NotFound.
    """
    async with once(database, act, "appealFile") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["appeal"]))
        db, now = turn.db, database.now()
        household = await _reach(turn, command.household_id)
        check_active(HouseholdStatus(household["status"]))
        latest = await assessments.latest(db, command.household_id, now)
        check_appeal(
            command,
            by=act.viewer.role,
            assessed_at=None if latest is None else latest["assessed_at"],
            is_open=await appeals.is_open(db, command.household_id),
            was_appealed=latest is not None and await appeals.against(db, latest["id"]),
            now=now,
        )
        assert latest is not None, "it was checked that there is one"
        values = {
            "household_id": command.household_id,
            "assessment_id": latest["id"],
            "reason": command.reason.strip(),
            "evidence_reference": (command.evidence_reference or "").strip() or None,
            "filed_by": act.viewer.account_id,
            "filed_at": now,
            "due_at": now + DECIDED_WITHIN,
        }
        appeal_id = await appeals.add(db, values)
        told = {"household": command.household_id, "assessment": latest["id"]}
        await record(turn, database, "appeal.filed", "Appeal", appeal_id, **told)
        turn.outcome = {"appeal": appeal_id}
        return appeal_id


async def decide(database: Database, act: Act, command: DecideAppeal) -> int:
    """Decide on an appeal, by somebody who neither assessed, approved nor filed; its key.

    One that is upheld makes a new assessment due at once, by another person than before. Raises
    Conflict (wrong state, stale version, FOUR_EYES, own household), InvalidInput, NotFound.
    """
    async with once(database, act, "appealDecide") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["appeal"]))
        row = await _locked(turn, command)
        check_move(MOVES, "appealDecide", AppealStatus(row["status"]), APPEAL)
        check_decision(
            command.reason,
            decided_by=act.viewer.account_id,
            not_by=await appeals.had_a_hand(turn.db, row["assessment_id"]) | {row["filed_by"]},
        )
        status = AFTER[command.decision]
        values = {
            "status": status,
            "decided_by": act.viewer.account_id,
            "decided_at": database.now(),
            "decision_reason": command.reason.strip(),
        }
        await appeals.change(turn.db, command.appeal_id, values)
        told = {"household": row["household_id"], "assessment": row["assessment_id"]}
        await record(
            turn, database, f"appeal.{status.lower()}", "Appeal", command.appeal_id, **told
        )
        turn.outcome = {"appeal": command.appeal_id}
        return command.appeal_id


async def _locked(turn: Turn, command: DecideAppeal) -> Row:
    household_id = await appeals.household_of(turn.db, command.appeal_id)
    if household_id is None:
        raise NotFound
    await _reach(turn, household_id)
    row = await appeals.lock(turn.db, command.appeal_id)
    assert row is not None, "its household was found by it"
    check_version(APPEAL, command.expected_version, row["version"])
    return row


async def _reach(turn: Turn, household_id: int) -> Row:
    """Lock a household that is the viewer's own to speak for, or of the viewer's region."""
    viewer = turn.act.viewer
    household = await households.lock(turn.db, household_id)
    if household is None:
        raise NotFound
    if viewer.role is Role.APPLICANT:
        if await households.household_of_account(turn.db, viewer.account_id) != household_id:
            raise NotFound
        return household
    if not within(viewer, household["region_low"]):
        raise NotFound
    await not_ones_own(turn.db, viewer, household_id)
    return household
