"""Accepting: a provider takes on what was set aside, or declines it; the charity desk cancels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from marketplace.domain.checks import fault, text
from marketplace.domain.errors import Fault, InvalidInput
from marketplace.domain.exchange.allocations import (
    NOTE_LENGTH_MAX,
    OFFICER_REASONS,
    AllocationStatus,
    CancelReason,
    DeclineReason,
    check_acceptance,
)
from marketplace.domain.exchange.deliveries import Carrier
from marketplace.domain.registry.organizations import OrganizationStatus
from marketplace.domain.states import in_chinese
from marketplace.persistence.database import Database, Row, Values, Writing
from marketplace.persistence.exchange import allocations, needs, offers
from marketplace.services.acting import Act, once, record, record_each
from marketplace.services.exchange.handing_over import (
    Line,
    Moved,
    from_outcome,
    locked_one,
    not_open,
    ready_lines,
    to_outcome,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptAllocations:
    """carrier: who brings it; only a provider that does so itself will learn where to."""

    lines: tuple[Line, ...]
    carrier: Carrier = Carrier.GRID


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclineAllocations:
    lines: tuple[Line, ...]
    reason: DeclineReason
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelAllocation:
    allocation_id: int
    reason: CancelReason = CancelReason.OFFICER
    note: str | None = None
    expected_version: int | None = None


async def accept(database: Database, act: Act, command: AcceptAllocations) -> Moved:
    """Take on those allocations of a list that can be; the others are reported, each with why.

    A line is kept by RESERVATION_LAPSED, NEED_NOT_OPEN,
    ORGANIZATION_NOT_VERIFIED, CONFLICT, NOT_FOUND. Raises as `ready_lines`.
    """
    async with once(database, act, "allocationAccept") as turn:
        if turn.replay is not None:
            return from_outcome(turn.replay)
        now = database.now()
        ready = await ready_lines(
            turn,
            database,
            "allocationAccept",
            command.lines,
            lambda _, row: _keeps_acceptance(row, now),
        )
        await allocations.change(
            turn.db,
            ready.ids,
            {
                "status": AllocationStatus.ACCEPTED,
                "accepted_by": act.viewer.account_id,
                "accepted_at": now,
                "carrier": command.carrier,
            },
        )
        told = {key: {"carrier": command.carrier} for key in ready.ids}
        await record_each(turn, database, "allocation.accepted", "Allocation", told)
        turn.outcome = to_outcome(ready.moved())
        return ready.moved()


async def decline(database: Database, act: Act, command: DeclineAllocations) -> Moved:
    """Turn down those allocations of a list that can be; offer and need get everything back.

    Raises as `ready_lines`, and InvalidInput for a note that is too long.
    """
    async with once(database, act, "allocationDecline") as turn:
        if turn.replay is not None:
            return from_outcome(turn.replay)
        note = said("note", command.note)
        ready = await ready_lines(
            turn, database, "allocationDecline", command.lines, lambda _line, _row: None
        )
        values = {
            "status": AllocationStatus.DECLINED,
            "decline_reason": command.reason,
            "decline_note": note,
        }
        await _end(turn.db, [row for _, row in ready.rows], values, now=database.now())
        told = {
            row["id"]: {"reason": command.reason, "unitsDrawn": row["units_drawn"]}
            for _, row in ready.rows
        }
        await record_each(turn, database, "allocation.declined", "Allocation", told)
        turn.outcome = to_outcome(ready.moved())
        return ready.moved()


async def cancel(database: Database, act: Act, command: CancelAllocation) -> int:
    """Call back what is not on its way yet; offer and need get everything back.

    Raises Conflict (wrong state, stale version, FOUR_EYES), NotFound outside the viewer's scope,
    InvalidInput for a reason that is not an officer's to give.
    """
    async with once(database, act, "allocationCancel") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["allocation"]))
        note = said("note", command.note)
        if command.reason not in OFFICER_REASONS:
            raise InvalidInput(_not_an_officers())
        row = await locked_one(
            turn, database, "allocationCancel", command.allocation_id, command.expected_version
        )
        values = {
            "status": AllocationStatus.CANCELLED,
            "cancel_reason": command.reason,
            "cancel_note": note,
        }
        await _end(turn.db, [row], values, now=database.now())
        await record(
            turn,
            database,
            "allocation.cancelled",
            "Allocation",
            row["id"],
            reason=command.reason,
            unitsDrawn=row["units_drawn"],
        )
        turn.outcome = {"allocation": row["id"]}
        return command.allocation_id


def said(name: str, note: str | None) -> str | None:
    """A short note as it is kept; None where it is empty. Raises InvalidInput."""
    kept = (note or "").strip()
    faults = list(text(name, kept, 0, NOTE_LENGTH_MAX))
    if faults:
        raise InvalidInput(*faults)
    return kept or None


async def _end(db: Writing, rows: Sequence[Row], values: Values, *, now: datetime) -> None:
    """End locked allocations that nothing was sent of, and give back what they held."""
    await allocations.change(db, [row["id"] for row in rows], {**values, "ended_at": now})
    served: Counter[int] = Counter()
    drawn: Counter[int] = Counter()
    for row in rows:
        served[row["need_id"]] += row["units_served"]
        drawn[row["offer_id"]] += row["units_drawn"]
    await needs.uncover(db, served)
    await offers.give_back(db, drawn)


def _keeps_acceptance(row: Row, now: datetime) -> Fault | None:
    if row["organization_status"] != OrganizationStatus.VERIFIED:
        return fault(
            "",
            "ORGANIZATION_NOT_VERIFIED",
            f"Your organization is {row['organization_status']}: only a verified one can accept.",
            f"贵单位当前状态为{in_chinese(OrganizationStatus(row['organization_status']))}，"
            "仅已核验单位可以接受。",
        )
    return check_acceptance(reserved_until=row["reserved_until"], now=now) or not_open(row)


def _not_an_officers() -> Fault:
    listed = ", ".join(sorted(OFFICER_REASONS))
    return fault(
        "reason",
        "INVALID",
        f"Give one of {listed}; the others follow from what happens.",
        f"请选择 {listed} 之一；其余原因由系统产生。",
    )
