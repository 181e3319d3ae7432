"""应知尽知: recording that a household was told; and deciding that two households are two."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from marketplace.domain.errors import Conflict, InvalidInput, NotFound
from marketplace.domain.registry.household_changes import (
    DuplicateStatus,
    HowTold,
    check_active,
    check_reason,
    day_faults,
)
from marketplace.domain.registry.households import HouseholdStatus
from marketplace.persistence.database import Database
from marketplace.persistence.registry import duplicates, household_changes, households
from marketplace.services.acting import Act, once, record
from marketplace.services.registry.households import not_ones_own, within


@dataclass(frozen=True, slots=True, kw_only=True)
class TellHousehold:
    household_id: int
    how: HowTold
    told_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class DismissDuplicate:
    duplicate_id: int
    reason: str


async def tell(database: Database, act: Act, command: TellHousehold) -> int:
    """Record that a household was told what its latest assessment entitles it to; its key.

    Raises NotFound outside the viewer's scope, Conflict (closed, one's own, never assessed),
    InvalidInput for a day that has not come or lies before the assessment.
    """
    async with once(database, act, "householdTell") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["household"]))
        db, now = turn.db, database.now()
        row = await households.lock(db, command.household_id)
        if row is None or not within(act.viewer, row["region_low"]):
            raise NotFound
        await not_ones_own(db, act.viewer, command.household_id)
        check_active(HouseholdStatus(row["status"]))
        latest = await household_changes.latest_assessment(db, command.household_id)
        if latest is None:
            raise Conflict.of(
                "household_id",
                "It was never assessed, so nothing is known that it could be told.",
                "该家庭尚未进行经济状况核对，暂无可告知的结果。",
                code="ASSESSMENT_REQUIRED",
            )
        since = latest["assessed_at"].date()
        if faults := list(day_faults("told_on", command.told_on, today=now.date(), since=since)):
            raise InvalidInput(*faults)
        values = {
            "household_id": command.household_id,
            "assessment_id": latest["id"],
            "how": command.how,
            "told_on": command.told_on,
            "recorded_by": act.viewer.account_id,
            "recorded_at": now,
        }
        await household_changes.add_telling(db, values)
        told = {"how": command.how, "assessment": latest["id"]}
        await record(turn, database, "household.told", "Household", command.household_id, **told)
        turn.outcome = {"household": command.household_id}
        return command.household_id


async def dismiss(database: Database, act: Act, command: DismissDuplicate) -> int:
    """Decide that two households that look alike are two, from both sides; the duplicate's key.

    Raises NotFound outside the viewer's scope, Conflict where it was decided, InvalidInput.
    """
    async with once(database, act, "householdDuplicateDismiss") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["duplicate"]))
        db = turn.db
        pair = await duplicates.lock_pair(db, command.duplicate_id)
        row = None if pair is None else await households.located(db, pair["household_id"])
        if pair is None or row is None or not within(act.viewer, row["region_low"]):
            raise NotFound
        for side in (pair["household_id"], pair["other_id"]):
            await not_ones_own(db, act.viewer, side)
        if pair["status"] != DuplicateStatus.OPEN:
            raise Conflict.of(
                "id",
                f"This was decided already: {pair['status']}.",
                f"该项已处理：{pair['status']}。",
            )
        check_reason(command.reason)
        values = {
            "decided_by": act.viewer.account_id,
            "decided_at": database.now(),
            "reason": command.reason.strip(),
        }
        both = duplicates.of_pair(pair["household_id"], pair["other_id"])
        await duplicates.decide(db, both, DuplicateStatus.DISMISSED, values)
        await record(
            turn,
            database,
            "household.duplicateDismissed",
            "Household",
            pair["household_id"],
            other=pair["other_id"],
        )
        turn.outcome = {"duplicate": command.duplicate_id}
        return command.duplicate_id
