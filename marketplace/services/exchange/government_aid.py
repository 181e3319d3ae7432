"""Government aid: what the assistance desk decides, before charity is asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from marketplace.domain.errors import InvalidInput, NotFound, Text
from marketplace.domain.exchange.conflicts import check_not_given_twice
from marketplace.domain.exchange.government_aid import (
    DecideAid,
    check_aid,
    check_end,
)
from marketplace.domain.exchange.residuals import Aid
from marketplace.domain.moves import check_version, stale
from marketplace.domain.registry.household_changes import check_active
from marketplace.domain.registry.households import HouseholdStatus
from marketplace.persistence.database import Database, Row
from marketplace.persistence.exchange import facts, government_aid, residuals
from marketplace.persistence.registry import assessments, households
from marketplace.services.acting import Act, Turn, once, record
from marketplace.services.exchange.residuals import settle
from marketplace.services.exchange.restricted import may_be_granted
from marketplace.services.registry.households import not_ones_own, within

DECISION = Text("decision", "救助决定")


@dataclass(frozen=True, slots=True, kw_only=True)
class EndAid:
    """Aid that ends before its time.

    ends_on           the last day on which it counts; the day before its first: it never began
    covers_quantity   units that were really given by then; needs are reckoned with these from now
    """

    aid_id: int
    reason: str
    covers_quantity: int = 0
    ends_on: date | None = None
    expected_version: int | None = None


async def decide(database: Database, act: Act, command: DecideAid) -> int:
    """Write a decision down with what it was based on; its key.

    The household's needs are reckoned anew in the same transaction. Raises InvalidInput, NotFound
    outside the viewer's scope, Conflict for one's own household, or CHARITY_GIVES where it would
    give what charity has accepted or given for the same time.
    """
    async with once(database, act, "governmentAidDecide") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["aid"]))
        household = await _household(turn, command.household_id)
        check_active(HouseholdStatus(household["status"]))
        check_aid(command)
        if command.granted:
            await may_be_granted(turn.db, command.household_id, now=database.now())
        await _not_twice(turn, database, command)
        by, now = act.viewer.account_id, database.now()
        row = government_aid.aid_row(command, decided_by=by, now=now)
        row["snapshot"] = await _basis(turn, database, command.household_id)
        aid_id = await government_aid.add(turn.db, row)
        told = {
            "aidKind": command.kind,
            "granted": command.granted,
            "household": command.household_id,
        }
        await record(turn, database, "government_aid.decided", "GovernmentAid", aid_id, **told)
        await settle(turn, database, command.household_id)
        turn.outcome = {"aid": aid_id}
        return aid_id


async def end(database: Database, act: Act, command: EndAid) -> int:
    """End aid before its time; its key. What it gives no more, needs ask for again.

    Raises Conflict (wrong state, stale version, own household), InvalidInput, NotFound outside
    the viewer's scope.
    """
    async with once(database, act, "governmentAidEnd") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["aid"]))
        row = await _decision(turn, command)
        household_id, now = row["household_id"], database.now()
        ends_on = _last_day(row, command, now.date())
        values = {
            "ends_on": ends_on,
            "covers_quantity": command.covers_quantity,
            "ended_by": act.viewer.account_id,
            "ended_at": now,
            "end_reason": command.reason.strip(),
        }
        await government_aid.change(turn.db, command.aid_id, values)
        told = {
            "household": household_id,
            "covered": row["covers_quantity"],
            "covers": command.covers_quantity,
            "endsOn": ends_on.isoformat(),
        }
        await record(
            turn, database, "government_aid.ended", "GovernmentAid", command.aid_id, **told
        )
        await settle(turn, database, household_id)
        turn.outcome = {"aid": command.aid_id}
        return command.aid_id


async def _decision(turn: Turn, command: EndAid) -> Row:
    """The decision, locked after its household."""
    household_id = await government_aid.household_of(turn.db, command.aid_id)
    if household_id is None:
        raise NotFound
    await _household(turn, household_id)
    row = await government_aid.lock(turn.db, command.aid_id)
    assert row is not None, "its household was found by it"
    # A household that was merged meanwhile has handed its aid over to one that is not locked.
    if row["household_id"] != household_id:
        raise stale(DECISION, row["version"])
    check_version(DECISION, command.expected_version, row["version"])
    return row


def _last_day(row: Row, command: EndAid, today: date) -> date:
    """The day with which a decision in force ends, once it was looked at."""
    ends_on = command.ends_on or max(today, row["starts_on"] - timedelta(days=1))
    check_end(
        granted=row["granted"],
        has_ended=row["ended_at"] is not None,
        starts_on=row["starts_on"],
        ends_on_before=row["ends_on"],
        covers_before=row["covers_quantity"],
        ends_on=ends_on,
        covers=command.covers_quantity,
        reason=command.reason,
    )
    return ends_on


async def _household(turn: Turn, household_id: int) -> Row:
    """The household, locked: whoever decides on it or writes down its needs takes turns."""
    household = await households.lock(turn.db, household_id)
    if household is None or not within(turn.act.viewer, household["region_low"]):
        raise NotFound
    await not_ones_own(turn.db, turn.act.viewer, household_id)
    return household


async def _not_twice(turn: Turn, database: Database, command: DecideAid) -> None:
    """Refuse a category that cannot be covered, and what charity gives already."""
    category_id = command.covers_category_id
    if category_id is None:
        return
    category = await facts.category(turn.db, category_id)
    if category is None or category.unit is None:
        raise InvalidInput.of(
            "covers_category_id",
            "Choose a category that there is and that has a unit.",
            "请选择存在且有计量单位的类别。",
            code="NOT_FOUND" if category is None else "CATEGORY_TOO_WIDE",
        )
    if not command.granted or command.covers_quantity == 0:
        return
    aid = Aid(
        id=0,
        kind=command.kind,
        category_low=category.tree_low,
        category_high=category.tree_high,
        units=command.covers_quantity,
        starts_on=command.starts_on,
        ends_on=command.ends_on,
    )
    rows = await residuals.lock_needs(turn.db, command.household_id)
    given = await residuals.in_hand(turn.db, command.household_id, database.now().date())
    check_not_given_twice(aid, [residuals.asked_of(row) for row in rows], given)


async def _basis(turn: Turn, database: Database, household_id: int) -> dict[str, object]:
    """What the decision is based on, frozen: the assessment that stands, and aid and needs so far.

    It names nobody. A household may be helped before it was ever assessed: then it says only that.
    """
    latest = await assessments.latest(turn.db, household_id, database.now())
    based: dict[str, object] = {}
    if latest is not None:
        based = dict(latest["snapshot"] or {})
        based |= {
            "assessment": latest["id"],
            "assessedAt": latest["assessed_at"].isoformat(),
            "eligibilityClass": latest["standing_class"],
            "severity": latest["severity"],
            "policyVersion": latest["policy_version"],
        }
    based["aids"] = await government_aid.so_far(turn.db, household_id)
    based["needs"] = [
        {
            "need": row["id"],
            "category": row["code"],
            "asked": row["quantity_asked"],
            "byGovernment": row["quantity_by_government"] + row["overlap"],
            "covered": row["covered"],
            "status": row["status"],
        }
        for row in await residuals.lock_needs(turn.db, household_id)
    ]
    return based
