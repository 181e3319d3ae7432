"""Deliveries: checking in at the door, and confirming what was received, by somebody else."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.domain.checks import fault
from marketplace.domain.errors import Conflict, InvalidInput, NotFound
from marketplace.domain.exchange.allocations import (
    AllocationStatus,
    ConfirmedHow,
    Lot,
    delivers,
    shared_out,
    whole_packs,
)
from marketplace.domain.exchange.deliveries import (
    Carrier,
    CheckIn,
    check_in_faults,
    distance_faults,
    distance_m,
    is_far,
)
from marketplace.domain.messages import CodePurpose
from marketplace.domain.permissions import require
from marketplace.persistence.crypto import Sealer
from marketplace.persistence.database import Database, Row
from marketplace.persistence.exchange import allocations, deliveries, facts, needs
from marketplace.services import codes
from marketplace.services.acting import Act, Turn, once, record
from marketplace.services.exchange import results
from marketplace.services.exchange.handing_over import fulfil, locked_one, reaches


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckInDelivery:
    allocation_id: int
    said: CheckIn
    expected_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmAllocation:
    """code: the household's own; with it also whoever brought it may confirm."""

    allocation_id: int
    code: str | None = None
    expected_version: int | None = None


async def check_in(database: Database, act: Act, command: CheckInDelivery) -> int:
    """Put down that an allocation was brought to the door, or tried; the check-in's key.

    Where more follows on another day it stays on its way, and the last check-in closes it. Units
    that were not handed over open the need again; of those only what is returned goes back to the
    offer. Where nothing at all was handed over, all that waits until the charity desk settled it.

    Raises InvalidInput, Conflict (wrong state, stale version, FOUR_EYES, NOT_THE_DELIVERER),
    NotFound outside the viewer's scope.
    """
    async with once(database, act, "deliveryCheckIn") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["checkIn"]))
        row = await locked_one(
            turn, database, "deliveryCheckIn", command.allocation_id, command.expected_version
        )
        if not delivers(act.viewer.role, Carrier(row["carrier"])):
            raise Conflict.of(
                "id",
                "Someone else brings this: who does was agreed when it was accepted.",
                "该项由他人配送，配送方在接受时已确定。",
                code="NOT_THE_DELIVERER",
            )
        metres = _place(row, command.said)
        before = await deliveries.handed_over(turn.db, row["id"])
        _check(row, command.said, before, metres, database)
        check_in_id = await deliveries.add_check_in(
            turn.db, _check_in_row(turn, command, metres, database)
        )
        if command.said.ends(sent_of(row).served - before):
            await _deliver(turn, database, row, command.said, before)
        else:
            # The version counts up, so that whoever read it before is late.
            await allocations.change(turn.db, [row["id"]], {})
            units = command.said.handed_over
            await record(
                turn, database, "allocation.checked_in", "Allocation", row["id"], units=units
            )
        turn.outcome = {"checkIn": check_in_id}
        return check_in_id


async def confirm(database: Database, act: Act, sealer: Sealer, command: ConfirmAllocation) -> int:
    """Confirm that the household received what was handed over; the allocation's key.

    By another account than the one that delivered, or by the household's one-time code. The result
    goes to the desks; a need of which every unit is confirmed is fulfilled.

    Raises Conflict (wrong state, stale version, FOUR_EYES, CODE_INVALID, NOTHING_RECEIVED),
    NotFound outside the viewer's scope.
    """
    good = command.code is None or await _tried(database, act, sealer, command)
    async with once(database, act, "allocationConfirm") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["allocation"]))
        row = await locked_one(
            turn, database, "allocationConfirm", command.allocation_id, command.expected_version
        )
        if command.code is not None and not (good and await _used(turn, database, sealer, command)):
            raise Conflict.of(
                "code",
                "This code is not right, or no longer. After five tries another person must "
                "confirm.",
                "验证码不正确或已失效；错误满五次后须由他人确认。",
                code="CODE_INVALID",
            )
        mine = act.viewer.account_id
        brought = row["delivered_by"] == mine or await deliveries.brought_some(
            turn.db, row["id"], mine
        )
        _check_confirmation(row, command.code, brought=brought)
        how = ConfirmedHow.ACCOUNT if command.code is None else ConfirmedHow.CODE
        now = database.now()
        await allocations.change(
            turn.db,
            [row["id"]],
            {
                "status": AllocationStatus.CONFIRMED,
                "confirmed_by": act.viewer.account_id,
                "confirmed_at": now,
                "confirmed_how": how,
                "ended_at": now,
            },
        )
        await record(turn, database, "allocation.confirmed", "Allocation", row["id"], how=how)
        await results.send(turn, database, row["id"])
        await fulfil(turn, database, row["need_id"])
        turn.outcome = {"allocation": row["id"]}
        return command.allocation_id


async def _deliver(turn: Turn, database: Database, row: Row, said: CheckIn, before: int) -> None:
    """Close a delivery of which so many units were handed over before."""
    sent, taken = sent_of(row), before + said.handed_over
    shared = shared_out(sent, received=taken, returned=said.returned or 0)
    values: dict[str, object] = {
        "status": AllocationStatus.DELIVERED,
        "delivered_by": turn.act.viewer.account_id,
        "delivered_at": said.checked_in_at or database.now(),
        "received_served": shared.received.served,
        "received_drawn": shared.received.drawn,
        "returned_served": shared.returned.served,
        "returned_drawn": shared.returned.drawn,
    }
    given = sent.drawn
    if taken:
        # Of a lot of which nothing came, the counters keep everything until it is settled.
        values |= {
            "units_served": shared.received.served,
            "units_drawn": shared.received.drawn,
            "lost_drawn": shared.lost_drawn,
        }
        given -= shared.returned.drawn
        if shared.received.served < sent.served:
            short = sent.served - shared.received.served
            await needs.uncover(turn.db, {row["need_id"]: short})
    await allocations.change(turn.db, [row["id"]], values)
    await allocations.shift(turn.db, row["offer_id"], reserved=-sent.drawn, delivered=given)
    await record(
        turn,
        database,
        "allocation.delivered",
        "Allocation",
        row["id"],
        units=shared.received.served,
        returned=shared.returned.served,
    )


def sent_of(row: Row) -> Lot:
    """What was sent of an allocation; of one of before this was kept, all that counts."""
    served, drawn = row["sent_served"], row["sent_drawn"]
    if served is None:
        return Lot(served=row["units_served"], drawn=row["units_drawn"])
    return Lot(served=served, drawn=drawn)


def _check(row: Row, said: CheckIn, before: int, metres: int | None, database: Database) -> None:
    sent = sent_of(row)
    faults = list(
        check_in_faults(
            said,
            left=sent.served - before,
            dispatched_at=row["dispatched_at"] or row["created_at"],
            now=database.now(),
        )
    )
    faults += distance_faults(metres)
    if not faults and said.returned:
        taken = before + said.handed_over
        back = shared_out(sent, received=taken, returned=said.returned).returned
        broken = whole_packs("units_returned", back.drawn, row["pack_size"])
        faults += [broken] if broken else []
    if faults:
        raise InvalidInput(*faults)


def _place(row: Row, said: CheckIn) -> int | None:
    """Metres to the household; None where one of the places is not known."""
    latitude, longitude = row["household_latitude"], row["household_longitude"]
    on_earth = -90 <= said.latitude <= 90 and -180 <= said.longitude <= 180
    if latitude is None or longitude is None or not on_earth:
        return None
    return distance_m((said.latitude, said.longitude), (latitude, longitude))


def _check_in_row(
    turn: Turn, command: CheckInDelivery, metres: int | None, database: Database
) -> dict[str, object]:
    said, now = command.said, database.now()
    return {
        "allocation_id": command.allocation_id,
        "account_id": turn.act.viewer.account_id,
        "checked_in_at": said.checked_in_at or now,
        "recorded_at": now,
        "latitude": said.latitude,
        "longitude": said.longitude,
        "distance_m": metres,
        "is_far": is_far(metres),
        "evidence_reference": said.evidence_reference,
        "handed_over": said.handed_over,
    }


async def _tried(database: Database, act: Act, sealer: Sealer, command: ConfirmAllocation) -> bool:
    """Whether the code is right; only those who may confirm at all use up its tries."""
    require(act.viewer, "allocationConfirm")
    async with database.read() as db:
        row = await allocations.find(db, command.allocation_id, now=database.now())
        own = await facts.household_of(db, act.viewer.account_id)
    if row is None or not reaches(act.viewer, row, own):
        raise NotFound
    return await codes.attempt(
        database,
        sealer,
        purpose=CodePurpose.DELIVERY_CONFIRM,
        subject_id=command.allocation_id,
        code=command.code or "",
    )


async def _used(turn: Turn, database: Database, sealer: Sealer, command: ConfirmAllocation) -> bool:
    return await codes.use(
        turn.db,
        sealer,
        purpose=CodePurpose.DELIVERY_CONFIRM,
        subject_id=command.allocation_id,
        code=command.code or "",
        now=database.now(),
    )


def _check_confirmation(row: Row, code: str | None, *, brought: bool) -> None:
    if code is None and brought:
        raise Conflict(
            fault(
                "",
                "FOUR_EYES",
                "You delivered this yourself: another person confirms it, or the household by "
                "its code.",
                "该项由您本人送达，须由他人确认，或凭该户验证码确认。",
            )
        )
    if row["received_served"] == 0:
        raise Conflict(
            fault(
                "id",
                "NOTHING_RECEIVED",
                "Nothing was handed over, so nothing can be confirmed. Dispute it, so that the "
                "charity desk settles it.",
                "未交付任何物品，无法确认；请提出异议，由慈善口处理。",
            )
        )
