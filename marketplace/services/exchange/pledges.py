"""Pledges: a provider sets part of an own offer aside for one published need by itself."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta

from marketplace.domain.checks import QUANTITY_MAX, within
from marketplace.domain.days import first_day, last_day
from marketplace.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from marketplace.domain.exchange.allocations import AllocationOrigin, AllocationStatus
from marketplace.domain.exchange.offers import OfferStatus
from marketplace.domain.exchange.pledges import (
    OPEN_MAX,
    Interval,
    Pair,
    distance_m,
    faults_of,
)
from marketplace.domain.exchange.rota import Asked, rota
from marketplace.domain.permissions import may_touch
from marketplace.domain.registry.categories import CategoryKind
from marketplace.persistence.database import Database, Reading, Row
from marketplace.persistence.exchange import allocations, facts, needs, offers, pledges
from marketplace.services.acting import Act, Turn, once, record
from marketplace.services.exchange.pledge_tries import counted
from marketplace.services.exchange.visit_room import room_for


@dataclass(frozen=True, slots=True, kw_only=True)
class PledgeNeed:
    """So many units, in the need's unit, of one own offer for one published need."""

    offer_id: int
    published_need_id: int
    units: int


async def pledge(database: Database, act: Act, command: PledgeNeed, *, hours: int) -> int:
    """Set units aside for a need until they are accepted, for `hours` at most; the allocation.

    Raises InvalidInput (a quantity that the offer's terms or the published need rule out; all of
    what only the household's own circumstances rule out is NOT_SERVED), Conflict (need or offer no
    longer in the market, too many pledges waiting), Forbidden for another's offer, NotFound.
    """
    async with once(database, act, "needPledge") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["allocation"]))
        if wrong := list(within("units", command.units, 1, QUANTITY_MAX)):
            raise InvalidInput(*wrong)
        need_id = await _places(turn, command)
        pair = await _locked(turn, database, command, need_id)
        organization_id = act.viewer.organization_id
        assert organization_id is not None, "the offer is of the viewer's own organization"
        with counted(database, organization_id, now=database.now()):
            drawn = await _checked(turn, database, pair)
        await _reserve(turn, database, pair, drawn)
        days = await _days(turn.db, database, pair) if pair["is_visit"] else None
        values = {
            "need_id": need_id,
            "offer_id": command.offer_id,
            "origin": AllocationOrigin.PLEDGE,
            "status": AllocationStatus.RESERVED,
            "units_served": command.units,
            "units_drawn": drawn,
            "visit_days": days,
            "reserved_until": database.now() + timedelta(hours=hours),
            "created_at": database.now(),
        }
        (key,) = await allocations.add_many(turn.db, [values])
        await record(
            turn, database, "allocation.reserved", "Allocation", key, origin=AllocationOrigin.PLEDGE
        )
        turn.outcome = {"allocation": key}
        return key


async def _places(turn: Turn, command: PledgeNeed) -> int:
    """The need behind the public copy. Raises what keeps the viewer from pledging at all."""
    viewer = turn.act.viewer
    offer = await offers.find(turn.db, command.offer_id)
    if offer is None:
        raise NotFound
    if not may_touch(viewer, "needPledge", offer["organization_id"]):
        raise Forbidden if offer["status"] == OfferStatus.OPEN else NotFound
    need_id = await pledges.need_behind(turn.db, command.published_need_id)
    if need_id is None:
        raise NotFound
    if await pledges.waiting(turn.db, offer["organization_id"]) >= OPEN_MAX:
        raise Conflict.of(
            "",
            f"{OPEN_MAX} pledges of your organization wait to be accepted. Accept or decline some.",
            f"贵单位已有 {OPEN_MAX} 项认领待接受，请先接受或谢绝其中一部分。",
            code="TOO_MANY",
        )
    return need_id


async def _locked(turn: Turn, database: Database, command: PledgeNeed, need_id: int) -> Row:
    """Need and offer with what the rules ask of them, their rows locked in the house's order."""
    now = database.now()
    if need_id not in await needs.lock_in_market(turn.db, [need_id], now=now):
        raise Conflict.of(
            "published_need_id",
            "This need is no longer open. Look for another one.",
            "该需求已不在匹配范围内，请另选。",
            code="NEED_NOT_IN_MARKET",
        )
    if command.offer_id not in await offers.lock_open(turn.db, [command.offer_id], now=now):
        raise Conflict.of(
            "offer_id",
            "This offer is not in the market: it must be open, begun, not over, and have something "
            "left.",
            "该供给不在匹配范围内：须为开放状态、已开始、未截止且有余量。",
            code="OFFER_NOT_IN_MARKET",
        )
    pair = await pledges.pair(
        turn.db, need_id=need_id, offer_id=command.offer_id, units=command.units, now=now
    )
    assert pair is not None, "both rows are locked"
    return pair


async def _checked(turn: Turn, database: Database, row: Row) -> int:
    """What the offer gives for it, in its own unit. Raises InvalidInput with what keeps it."""
    own = await facts.household_of(turn.db, turn.act.viewer.account_id)
    room = await room_for(turn.db, [row], now=database.now())
    cash_need = row["need_kind"] == CategoryKind.CASH
    pair = Pair(
        served=row["units_served"],
        need_kind=CategoryKind(row["need_kind"]),
        need_category=Interval(low=row["need_low"], high=row["need_high"]),
        need_left=row["need_left"],
        missing=row["missing"],
        price_fen=1 if cash_need else row["reference_price_fen"],
        visit_minutes=row["visit_minutes"],
        offer_kind=CategoryKind(row["offer_kind"]),
        offer_category=Interval(low=row["offer_low"], high=row["offer_high"]),
        offer_left=row["offer_left"],
        pack_size=row["pack_size"],
        household_max=row["household_max"],
        delivery_min=row["delivery_min"],
        deliveries_max=row["deliveries_max"],
        deliveries=row["deliveries"],
        given=int(row["given"]),
        in_region=bool(row["in_region"]),
        in_groups=not row["target_groups"] or bool(row["target_groups"] & row["household_groups"]),
        radius_m=None if row["radius_km"] is None else row["radius_km"] * 1_000,
        distance_m=distance_m(
            (row["latitude"], row["longitude"]), (row["from_latitude"], row["from_longitude"])
        ),
        own_household=own is not None and own == row["household_id"],
        visits_fit=room.holds(row),
    )
    if wrong := faults_of(pair):
        raise InvalidInput(*wrong)
    return pair.drawn


async def _reserve(turn: Turn, database: Database, pair: Row, drawn: int) -> None:
    """Count both sides by the guarded updates of the market."""
    now = database.now()
    covered = await needs.cover(turn.db, pair["need_id"], pair["units_served"], now=now)
    reserved = covered and await offers.reserve(turn.db, pair["offer_id"], drawn, now=now)
    assert reserved, "both rows are locked and were checked"


async def _days(db: Reading, database: Database, pair: Row) -> list[str]:
    """Suggested days of the visits, beside those that are promised already."""
    booked: Counter[date] = Counter()
    taken: set[date] = set()
    promised = await pledges.promised(db, need_id=pair["need_id"], offer_id=pair["offer_id"])
    for row in promised:
        there = [date.fromisoformat(day) for day in row["visit_days"]]
        if row["offer_id"] == pair["offer_id"]:
            booked.update(there)
        if row["need_id"] == pair["need_id"]:
            taken.update(there)
    (days,) = rota(
        [
            Asked(
                visits=pair["units_served"],
                every_days=pair["every_days"],
                last=None if pair["deadline"] is None else last_day(pair["deadline"]),
                taken=frozenset(taken),
            )
        ],
        first=first_day(max(pair["starts_at"], database.now())),
        last=last_day(pair["expires_at"]),
        visits_per_day=pair["visits_per_day"],
        booked=booked,
    )
    return [day.isoformat() for day in days]
