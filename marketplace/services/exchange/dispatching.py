"""Dispatching: a provider sends what it accepted, in batches by township, day and carrier."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from marketplace.domain.checks import fault, text
from marketplace.domain.days import county_day
from marketplace.domain.errors import Fault, InvalidInput, Text
from marketplace.domain.exchange.allocations import AllocationStatus, Lot, whole_packs
from marketplace.domain.exchange.deliveries import LABEL_LENGTH_MAX
from marketplace.domain.ids import reference
from marketplace.domain.messages import CodePurpose
from marketplace.persistence.crypto import Sealer
from marketplace.persistence.database import Database, Row
from marketplace.persistence.exchange import allocations, deliveries, needs, published_needs
from marketplace.services import codes, messages
from marketplace.services.acting import Act, Turn, once, record_each
from marketplace.services.exchange.handing_over import (
    Line,
    Moved,
    from_outcome,
    not_open,
    ready_lines,
    to_outcome,
)

AHEAD_MAX = timedelta(days=366)
CODE_VALID_FOR = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchAllocations:
    """planned_on: the day on which it is brought, by the county's calendar; none: today."""

    lines: tuple[Line, ...]
    planned_on: date | None = None
    label: str = ""


async def dispatch(
    database: Database, act: Act, sealer: Sealer, command: DispatchAllocations
) -> Moved:
    """Send those allocations of a list that can be sent; the others are reported, each with why.

    What is not sent goes back to offer and need. The household gets a one-time code, by which it
    confirms what it received. Raises as `ready_lines`, and InvalidInput for day and label.
    """
    async with once(database, act, "allocationDispatch") as turn:
        if turn.replay is not None:
            return from_outcome(turn.replay)
        day = _day(command, database.now())
        ready = await ready_lines(
            turn, database, "allocationDispatch", command.lines, _keeps_dispatch
        )
        told: dict[int, dict[str, object]] = {}
        batches: dict[tuple[int, str], int] = {}  # a batch is of one township and carrier
        for line, row in ready.rows:
            place = (row["need_region_id"], row["carrier"])
            if place not in batches:
                batches[place] = await _batch(turn, database, row, day, command.label.strip())
            batch = batches[place]
            sent = _sent(line, row)
            await _send(turn, database, row, sent, batch)
            await _tell_household(turn, database, sealer, row)
            told[row["id"]] = {"deliveryId": batch, "units": sent.served}
        await record_each(turn, database, "allocation.dispatched", "Allocation", told)
        turn.outcome = to_outcome(ready.moved())
        return ready.moved()


async def _send(turn: Turn, database: Database, row: Row, sent: Lot, batch: int) -> None:
    unsent_served, unsent_drawn = row["units_served"] - sent.served, row["units_drawn"] - sent.drawn
    await allocations.change(
        turn.db,
        [row["id"]],
        {
            "status": AllocationStatus.DISPATCHED,
            "dispatched_by": turn.act.viewer.account_id,
            "dispatched_at": database.now(),
            "delivery_id": batch,
            "reserved_served": row["units_served"],
            "reserved_drawn": row["units_drawn"],
            "sent_served": sent.served,
            "sent_drawn": sent.drawn,
            "units_served": sent.served,
            "units_drawn": sent.drawn,
        },
    )
    if unsent_served > 0:
        await needs.uncover(turn.db, {row["need_id"]: unsent_served})
    if unsent_drawn > 0:
        await allocations.shift(turn.db, row["offer_id"], reserved=-unsent_drawn, delivered=0)


async def _batch(turn: Turn, database: Database, row: Row, day: date, label: str) -> int:
    account_id = turn.act.viewer.account_id
    assert account_id is not None, "the matrix lets nobody without an account send"
    return await deliveries.batch(
        turn.db,
        {
            "organization_id": row["organization_id"],
            "region_id": await published_needs.township_of(turn.db, row["need_region_id"]),
            "carrier": row["carrier"],
            "planned_on": day,
            "label": label,
            "created_by": account_id,
            "created_at": database.now(),
        },
    )


async def _tell_household(turn: Turn, database: Database, sealer: Sealer, row: Row) -> None:
    now = database.now()
    code = await codes.issue(
        turn.db,
        sealer,
        purpose=CodePurpose.DELIVERY_CONFIRM,
        subject_id=row["id"],
        now=now,
        valid_for=CODE_VALID_FOR,
    )
    number = reference("A", row["created_at"].year, row["id"])
    said = Text(
        f"{number} is on its way to you. Once you have received it, give the code {code} to "
        "whoever brought it; to nobody before.",
        f"{number} 已发出。收到后请将验证码 {code} 告知送达人员，收到前请勿告知任何人。",
    )
    await messages.to_household(
        turn.db,
        sealer,
        household_id=row["household_id"],
        text=said,
        kind="delivery.code",
        now=now,
    )


def _sent(line: Line, row: Row) -> Lot:
    whole = Lot(served=row["units_served"], drawn=row["units_drawn"])
    return whole if line.units is None else whole.part(line.units)


def _keeps_dispatch(line: Line, row: Row) -> Fault | None:
    units = line.units
    if units is not None and not 1 <= units <= row["units_served"]:
        most = row["units_served"]
        return fault(
            "units_sent",
            "TOO_SMALL" if units < 1 else "TOO_LARGE",
            f"Between 1 and {most}, which were set aside.",
            f"须在 1 至 {most}（已预留数量）之间。",
        )
    sent = _sent(line, row).drawn
    broken = None if units is None else whole_packs("units_sent", sent, row["pack_size"])
    return broken or not_open(row)


def _day(command: DispatchAllocations, now: datetime) -> date:
    today = county_day(now)
    faults = list(text("label", command.label.strip(), 0, LABEL_LENGTH_MAX))
    day = command.planned_on or today
    if not today <= day <= today + AHEAD_MAX:
        faults.append(
            fault(
                "planned_on",
                "INVALID",
                "The day lies between today and a year from now.",
                "配送日期须在今天起一年之内。",
            )
        )
    if faults:
        raise InvalidInput(*faults)
    return day
