"""Disputes: receipt is put in question, and the charity desk settles what was received."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.domain.checks import fault
from marketplace.domain.errors import Fault, InvalidInput, QuantityExceeded
from marketplace.domain.exchange.allocations import (
    AllocationStatus,
    CancelReason,
    ConfirmedHow,
    DisputeReason,
    Lot,
    Settlement,
    Shared,
    shared_out,
    whole_packs,
)
from marketplace.persistence.database import Database, Row
from marketplace.persistence.exchange import allocations, needs
from marketplace.services.acting import Act, Turn, once, record
from marketplace.services.exchange import results
from marketplace.services.exchange.accepting import said
from marketplace.services.exchange.deliveries import sent_of
from marketplace.services.exchange.handing_over import fulfil, locked_one


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeAllocation:
    """units_received: of the need, as whoever disputes says; None: not said."""

    allocation_id: int
    reason: DisputeReason
    units_received: int | None = None
    note: str | None = None
    expected_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleAllocation:
    """units_received, units_returned: of the need; nothing was received of what is cancelled."""

    allocation_id: int
    settlement: Settlement
    note: str
    units_received: int | None = None
    units_returned: int = 0
    expected_version: int | None = None


async def dispute(database: Database, act: Act, command: DisputeAllocation) -> int:
    """Put in question what was handed over; the counters wait for the settlement.

    Raises Conflict (wrong state, stale version, FOUR_EYES), InvalidInput, NotFound outside the
    viewer's scope.
    """
    async with once(database, act, "allocationDispute") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["allocation"]))
        note = said("note", command.note)
        row = await locked_one(
            turn, database, "allocationDispute", command.allocation_id, command.expected_version
        )
        units = command.units_received
        if units is not None and not 0 <= units <= sent_of(row).served:
            raise InvalidInput(_of_sent("units_received", units, sent_of(row)))
        await allocations.change(
            turn.db,
            [row["id"]],
            {
                "status": AllocationStatus.DISPUTED,
                "disputed_by": act.viewer.account_id,
                "disputed_at": database.now(),
                "dispute_reason": command.reason,
                "dispute_note": note,
                "claimed_served": units,
            },
        )
        await record(
            turn,
            database,
            "allocation.disputed",
            "Allocation",
            row["id"],
            reason=command.reason,
        )
        turn.outcome = {"allocation": row["id"]}
        return command.allocation_id


async def settle(database: Database, act: Act, command: SettleAllocation) -> int:
    """End a dispute: confirmed with what was received, or cancelled; the allocation's key.

    A shortfall opens the need again, and only what was really returned goes back to the offer.
    Raises Conflict (wrong state, stale version, FOUR_EYES, QUANTITY_EXCEEDED), InvalidInput,
    NotFound outside the viewer's scope.
    """
    async with once(database, act, "allocationSettle") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["allocation"]))
        row = await locked_one(
            turn, database, "allocationSettle", command.allocation_id, command.expected_version
        )
        shared = _shared(command, row)
        _check_room(row, shared.received.served)
        await _write(turn, database, row, command, shared)
        await _move_counters(turn, row, command.settlement, shared)
        await record(
            turn,
            database,
            "allocation.settled",
            "Allocation",
            row["id"],
            settlement=command.settlement,
            units=shared.received.served,
            returned=shared.returned.served,
        )
        if command.settlement is Settlement.CONFIRMED:
            await results.send(turn, database, row["id"])
            await fulfil(turn, database, row["need_id"])
        turn.outcome = {"allocation": row["id"]}
        return command.allocation_id


async def _write(
    turn: Turn, database: Database, row: Row, command: SettleAllocation, shared: Shared
) -> None:
    now, account_id = database.now(), turn.act.viewer.account_id
    values: dict[str, object] = {
        "status": AllocationStatus(command.settlement.value),
        "settled_by": account_id,
        "settled_at": now,
        "settle_note": command.note.strip(),
        "ended_at": now,
        "received_served": shared.received.served,
        "received_drawn": shared.received.drawn,
        "returned_served": shared.returned.served,
        "returned_drawn": shared.returned.drawn,
        "lost_drawn": shared.lost_drawn,
    }
    if command.settlement is Settlement.CONFIRMED:
        values |= {
            "confirmed_by": account_id,
            "confirmed_at": now,
            "confirmed_how": ConfirmedHow.SETTLED,
            "units_served": shared.received.served,
            "units_drawn": shared.received.drawn,
        }
    else:
        values |= {"cancel_reason": CancelReason.OFFICER}
    if row["sent_served"] is None:  # delivered before this was kept
        values |= {
            f"{step}_{side}": row[f"units_{side}"]
            for step in ("reserved", "sent")
            for side in ("served", "drawn")
        }
    await allocations.change(turn.db, [row["id"]], values)


async def _move_counters(turn: Turn, row: Row, settlement: Settlement, shared: Shared) -> None:
    """From what the allocation counted as to what it counts as now."""
    more_covered = shared.received.served - row["units_served"]
    if more_covered > 0:
        await needs.cover_many(turn.db, {row["need_id"]: more_covered})
    elif more_covered < 0:
        await needs.uncover(turn.db, {row["need_id"]: -more_covered})
    given = shared.received.drawn + shared.lost_drawn
    more_given = given - row["units_drawn"] - row["lost_drawn"]
    if more_given:
        await allocations.shift(turn.db, row["offer_id"], reserved=0, delivered=more_given)


def _shared(command: SettleAllocation, row: Row) -> Shared:
    """What the desk found. Raises InvalidInput where that cannot be."""
    sent, returned = sent_of(row), command.units_returned
    if said("note", command.note) is None:
        raise InvalidInput.of(
            "note",
            "Say how this was found; the provider and the offices read it.",
            "请说明处理依据，供给方与各部门可查看。",
            code="REQUIRED",
        )
    confirmed = command.settlement is Settlement.CONFIRMED
    received = command.units_received if confirmed else command.units_received or 0
    if received is None:
        raise InvalidInput.of(
            "units_received",
            "Say how many units the household received.",
            "请填写该户实际收到的数量。",
            code="REQUIRED",
        )
    if received < 0 or (received > 0) != confirmed:
        raise InvalidInput.of(
            "units_received",
            "What is confirmed was received in part at least; what is cancelled, not at all.",
            "确认的至少须收到一部分；取消的则未收到任何部分。",
        )
    if returned < 0 or received + returned > sent.served:
        raise InvalidInput(_of_sent("units_returned", returned, sent))
    shared = shared_out(sent, received=received, returned=returned)
    broken = whole_packs("units_returned", shared.returned.drawn, row["pack_size"])
    if broken:
        raise InvalidInput(broken)
    return shared


def _check_room(row: Row, received: int) -> None:
    """More than was said at the door counts only as far as nothing else covers it by now."""
    if received - row["units_served"] > row["need_left"]:
        most = row["units_served"] + row["need_left"]
        raise QuantityExceeded.of(
            "units_received",
            f"Of the need {most} are not covered otherwise. Cancel what was promised for the rest "
            "first.",
            f"该需求仅有 {most} 未由其他供给覆盖，请先取消为其余部分所作的预留。",
        )


def _of_sent(name: str, units: int, sent: Lot) -> Fault:
    return fault(
        name,
        "TOO_SMALL" if units < 0 else "TOO_LARGE",
        f"{sent.served} were sent: received and returned are parts of that.",
        f"共发出 {sent.served}，收到与退回数量均须在此范围内。",
    )
