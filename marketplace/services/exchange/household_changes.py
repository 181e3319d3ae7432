"""Households that move or end, with their needs: one transaction, one record, one event each."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from marketplace.domain.errors import Conflict, InvalidInput, NotFound
from marketplace.domain.exchange.allocations import CancelReason
from marketplace.domain.exchange.consents import ConsentStatus
from marketplace.domain.exchange.deliveries import distance_m
from marketplace.domain.ids import reference
from marketplace.domain.moves import check_version
from marketplace.domain.registry.household_changes import (
    NOUN,
    MoveHousehold,
    check_active,
    check_move_of,
)
from marketplace.domain.registry.households import HouseholdStatus
from marketplace.persistence.crypto import Sealer
from marketplace.persistence.database import Database, Reading, Row
from marketplace.persistence.exchange import consents, household_needs, withdrawals
from marketplace.persistence.exchange.withdrawals import Withdrawn
from marketplace.persistence.registry import duplicates, household_changes, households
from marketplace.services.acting import Act, Turn, once, record, record_each, record_many
from marketplace.services.registry.households import home_region, not_ones_own, within
from marketplace.services.registry.naming import names_somebody


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfitting:
    """An open allocation whose offer does not reach the household any more.

    why   REGION or RADIUS
    """

    allocation_id: int
    reference: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    household_id: int
    unfitting: tuple[Unfitting, ...]


async def move(database: Database, act: Act, sealer: Sealer, command: MoveHousehold) -> Moved:
    """Let a household live elsewhere; its needs and their public copies go with it.

    What is set aside stays set aside: what no longer reaches it is told, for the desks to decide.
    Raises NotFound outside the viewer's scope, Conflict (closed, stale, one's own), InvalidInput.
    """
    async with once(database, act, "householdMove") as turn:
        if turn.replay is not None:
            return await _moved(turn.db, int(str(turn.replay["household"])))
        db, now = turn.db, database.now()
        row = await opened(turn, command.household_id, command.expected_version)
        region = await home_region(db, act.viewer, command.region_id)
        check_move_of(command, today=now.date())
        await check_names_nobody(turn, sealer, [row["id"]], command.reason)
        if region["id"] == row["region_id"] and not command.address.strip():
            raise InvalidInput.of(
                "region_id",
                "It lives there already. Give another region, or another address.",
                "该家庭已在此区划，请填写新的区划或新的住址。",
            )
        await _write_move(turn, database, sealer, row, command)
        need_rows = await household_needs.lock_of(db, [row["id"]])
        await household_needs.rehome(db, [n["id"] for n in need_rows], {}, region["id"])
        await duplicates.note_households(db, [row["id"]], now)
        moved = await _moved(db, row["id"])
        told = {"from": row["region_id"], "to": region["id"], "needs": len(need_rows)}
        unfitting = [each.allocation_id for each in moved.unfitting]
        await record(
            turn,
            database,
            "household.moved",
            "Household",
            row["id"],
            **told,
            unfitting=unfitting,
        )
        turn.outcome = {"household": row["id"]}
        return moved


async def opened(turn: Turn, household_id: int, expected_version: int | None) -> Row:
    """A household that may be changed, locked, with its region's place in the tree.

    Raises NotFound outside the viewer's scope, Conflict for one's own, a stale or an ended one.
    """
    row = await households.lock(turn.db, household_id)
    if row is None or not within(turn.act.viewer, row["region_low"]):
        raise NotFound
    await not_ones_own(turn.db, turn.act.viewer, household_id)
    check_active(HouseholdStatus(row["status"]))
    check_version(NOUN, expected_version, row["version"])
    return row


async def check_names_nobody(
    turn: Turn, sealer: Sealer, household_ids: Collection[int], reason: str
) -> None:
    """Raise InvalidInput for a reason with a member's name in it: it is kept in the open."""
    for each in household_ids:
        if reason.strip() and await names_somebody(turn.db, sealer, each, reason):
            raise InvalidInput.of(
                "reason",
                "Leave names and numbers of persons out: this is kept in the open.",
                "请勿填写成员姓名、身份证号、电话等个人信息。",
                code="NAMES_SOMEBODY",
            )


async def close(turn: Turn, database: Database, household_id: int) -> None:
    """End a household that has nobody left: its consents, its needs, what is set aside for them.

    What is on its way already stays on its way.
    """
    db, now = turn.db, database.now()
    standing = await household_needs.consents_of(db, [household_id])
    ended = await consents.end(db, [c["id"] for c in standing], ConsentStatus.LAPSED, now=now)
    reason = CancelReason.NEED_WITHDRAWN
    gone = await withdrawals.withdraw_needs_of(db, [household_id], reason, now=now)
    rest = await household_needs.lock_of(db, [household_id])
    suspended = await household_needs.withdraw(db, [n["id"] for n in rest])
    await household_changes.change(
        db, household_id, {"status": HouseholdStatus.CLOSED, "ended_at": now}
    )
    lapsed = [row["id"] for row in ended]
    await record_many(turn, database, "consent.lapsed", "Consent", lapsed)
    await tell_withdrawn(turn, database, gone, reason)
    await record_many(turn, database, "need.withdrawn", "Need", suspended)
    await record(
        turn,
        database,
        "household.closed",
        "Household",
        household_id,
        needs=len(gone.need_ids) + len(suspended),
    )


async def tell_withdrawn(
    turn: Turn, database: Database, gone: Withdrawn, reason: CancelReason
) -> None:
    """The events of needs that left the market and of what was freed by it."""
    await record_many(turn, database, "need.withdrawn", "Need", gone.need_ids, reason=reason)
    drawn = {
        row["id"]: {"reason": reason, "unitsDrawn": row["units_drawn"]} for row in gone.allocations
    }
    await record_each(turn, database, "allocation.cancelled", "Allocation", drawn)


async def _write_move(
    turn: Turn, database: Database, sealer: Sealer, row: Row, command: MoveHousehold
) -> None:
    address = command.address.strip()
    sealed = sealer.seal(address, place=households.ADDRESS, seal_id=row["seal_id"])
    values = {
        "region_id": command.region_id,
        "latitude": command.latitude,
        "longitude": command.longitude,
        "address_sealed": sealed if address else None,
    }
    await household_changes.change(turn.db, row["id"], values)
    await household_changes.add_move(
        turn.db,
        {
            "household_id": row["id"],
            "from_region_id": row["region_id"],
            "to_region_id": command.region_id,
            "moved_on": command.moved_on,
            "reason": command.reason.strip(),
            "recorded_by": turn.act.viewer.account_id,
            "recorded_at": database.now(),
        },
    )


async def _moved(db: Reading, household_id: int) -> Moved:
    rows = await household_needs.reaches(db, household_id)
    found = [(row, why) for row in rows if (why := _why_not(row)) is not None]
    return Moved(
        household_id=household_id,
        unfitting=tuple(
            Unfitting(
                allocation_id=row["id"],
                reference=reference("A", row["created_at"].year, row["id"]),
                why=why,
            )
            for row, why in found
        ),
    )


def _why_not(row: Row) -> str | None:
    """What keeps an offer from reaching the household, by what its terms say of places."""
    if not row["is_in_regions"]:
        return "REGION"
    offer = (row["latitude"], row["longitude"])
    home = (row["home_latitude"], row["home_longitude"])
    if row["radius_km"] is None or None in offer or None in home:
        return None
    return "RADIUS" if distance_m(home, offer) > row["radius_km"] * 1_000 else None


def under_restriction() -> Conflict:
    """The refusal to mix a household up with another while something stands against it."""
    return Conflict.of(
        "household_id",
        "A restriction or a case of integrity stands against one of them. End it first.",
        "其中一户存在限制措施或未结诚信案件，请先办结。",
        code="RESTRICTED",
    )
