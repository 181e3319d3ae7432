"""Two at once on the same allocation: it ends as if one had come after the other, to the unit."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from marketplace.domain.errors import DomainError
from marketplace.domain.exchange.allocations import CancelReason, DisputeReason, Settlement
from marketplace.domain.exchange.deliveries import CheckIn
from marketplace.persistence.crypto import Sealer
from marketplace.persistence.tables import allocations, check_ins, deliveries, events, results
from marketplace.services.exchange import accepting, dispatching, disputes
from marketplace.services.exchange import deliveries as doors
from marketplace.services.exchange.accepting import (
    AcceptAllocations,
    CancelAllocation,
    DeclineAllocations,
    DeclineReason,
)
from marketplace.services.exchange.consents import WithdrawConsent, withdraw
from marketplace.services.exchange.deliveries import CheckInDelivery, ConfirmAllocation
from marketplace.services.exchange.dispatching import DispatchAllocations
from marketplace.services.exchange.disputes import DisputeAllocation, SettleAllocation
from marketplace.services.exchange.expiry import expire
from marketplace.services.exchange.handing_over import Line
from marketplace.services.registry.sealing import sealer_of
from tests.fixtures.delivering import DOOR, Lot, a_lot, counters, row_of
from tests.fixtures.invariants import all_is_well
from tests.fixtures.market import Market
from tests.fixtures.served import settings_for

TIMES = 6  # pairs at once: both orders come up


@pytest.fixture
def sealer(database_url: str, tmp_path: Path) -> Sealer:
    return sealer_of(settings_for(database_url, tmp_path))


async def both(*doing: Awaitable[object]) -> list[bool]:
    """Whether each was done; a refusal is none, and anything else is a bug."""
    done = await asyncio.gather(*doing, return_exceptions=True)
    for each in done:
        if isinstance(each, BaseException) and not isinstance(each, DomainError):
            raise each
    return [not isinstance(each, DomainError) for each in done]


def accept(market: Market, lot: Lot, who: str = "provider") -> Awaitable[object]:
    command = AcceptAllocations(lines=(Line(allocation_id=lot.allocation_id),))
    return accepting.accept(market.database, market.act(who), command)


def cancel(market: Market, lot: Lot) -> Awaitable[object]:
    command = CancelAllocation(allocation_id=lot.allocation_id)
    return accepting.cancel(market.database, market.act("reviewer"), command)


def decline(market: Market, lot: Lot) -> Awaitable[object]:
    lines = (Line(allocation_id=lot.allocation_id),)
    command = DeclineAllocations(lines=lines, reason=DeclineReason.OTHER)
    return accepting.decline(market.database, market.act("federation"), command)


def dispatch(market: Market, sealer: Sealer, *lots: Lot) -> Awaitable[object]:
    lines = tuple(Line(allocation_id=lot.allocation_id, units=30) for lot in lots)
    command = DispatchAllocations(lines=lines)
    return dispatching.dispatch(market.database, market.act("provider"), sealer, command)


def check_in(market: Market, lot: Lot, who: str, units: int) -> Awaitable[object]:
    said = CheckIn(latitude=DOOR[0], longitude=DOOR[1], handed_over=units, returned=0)
    command = CheckInDelivery(allocation_id=lot.allocation_id, said=said)
    return doors.check_in(market.database, market.act(who), command)


def confirm(market: Market, sealer: Sealer, lot: Lot, who: str) -> Awaitable[object]:
    command = ConfirmAllocation(allocation_id=lot.allocation_id)
    return doors.confirm(market.database, market.act(who), sealer, command)


def dispute(market: Market, lot: Lot) -> Awaitable[object]:
    command = DisputeAllocation(allocation_id=lot.allocation_id, reason=DisputeReason.OTHER)
    return disputes.dispute(market.database, market.act("township"), command)


def settle(market: Market, lot: Lot, who: str, received: int) -> Awaitable[object]:
    command = SettleAllocation(
        allocation_id=lot.allocation_id,
        settlement=Settlement.CONFIRMED,
        note="Counted.",
        units_received=received,
    )
    return disputes.settle(market.database, market.act(who), command)


async def told(market: Market, kind: str) -> int:
    return await market.count(events, events.c.kind == kind)


async def lots(market: Market, status: str = "RESERVED", **changes: Any) -> list[Lot]:
    return [await a_lot(market, status=status, **changes) for _ in range(TIMES)]


async def test_of_two_who_accept_one_is_told_that_it_is_late(market: Market) -> None:
    each = await lots(market)

    done = [both(accept(market, lot), accept(market, lot, "federation")) for lot in each]

    assert [sum(pair) for pair in await asyncio.gather(*done)] == [1] * TIMES
    assert await told(market, "allocation.accepted") == TIMES
    await all_is_well(market.database)


async def test_consent_that_is_withdrawn_meanwhile_ends_what_is_accepted(market: Market) -> None:
    each = await lots(market)

    async def race(lot: Lot) -> bool:
        async with market.database.read() as db:
            of_it = sa.text("SELECT id FROM consents WHERE household_id = :key")
            consent_id = int(str(await db.scalar(of_it.bindparams(key=lot.household_id))))
        taken_back = withdraw(
            market.database, market.act("township"), WithdrawConsent(consent_id=consent_id)
        )
        accepted, withdrawn = await both(accept(market, lot), taken_back)
        assert withdrawn
        return accepted

    accepted = await asyncio.gather(*(race(lot) for lot in each))

    for lot in each:
        assert (await row_of(market, lot))["cancel_reason"] == CancelReason.CONSENT
        assert await counters(market, lot) == {
            "need": "WITHDRAWN",
            "covered": 0,
            "reserved": 0,
            "delivered": 0,
        }
    assert await told(market, "allocation.accepted") == sum(accepted)
    await all_is_well(market.database)


async def test_what_is_cancelled_is_not_sent_and_what_is_sent_is_not_cancelled(
    market: Market, sealer: Sealer
) -> None:
    each = await lots(market, "ACCEPTED")

    done = [both(cancel(market, lot), dispatch(market, sealer, lot)) for lot in each]
    pairs = await asyncio.gather(*done)

    for lot, (cancelled, sent) in zip(each, pairs, strict=True):
        assert cancelled != sent
        units = 30 if sent else 0
        assert await counters(market, lot) == {
            "need": "PUBLISHED",
            "covered": units,
            "reserved": units,
            "delivered": 0,
        }
    await all_is_well(market.database)


async def test_batches_of_one_van_are_one_however_many_send_at_once(
    market: Market, sealer: Sealer
) -> None:
    each = await lots(market, "ACCEPTED")

    done = await both(*(dispatch(market, sealer, lot) for lot in each))

    assert all(done)
    assert await market.count(deliveries) == 1
    await all_is_well(market.database)


async def test_nothing_is_handed_over_twice_or_confirmed_twice(
    market: Market, sealer: Sealer
) -> None:
    each = await lots(market, "DISPATCHED", carrier="PROVIDER")

    async def race(lot: Lot) -> None:
        brought = (check_in(market, lot, "provider", 40), check_in(market, lot, "federation", 25))
        assert sum(await both(*brought)) == 1
        confirmed = (confirm(market, sealer, lot, who) for who in ("township", "grid"))
        assert sum(await both(*confirmed)) == 1

    await asyncio.gather(*(race(lot) for lot in each))

    assert await market.count(check_ins) == TIMES
    assert await market.count(results) == TIMES
    for lot in each:
        units = (await row_of(market, lot))["received_served"]
        assert units in (25, 40)
        assert await counters(market, lot) == {
            "need": "FULFILLED" if units == 40 else "PUBLISHED",
            "covered": units,
            "reserved": 0,
            "delivered": 40,
        }
    await all_is_well(market.database)


async def test_a_confirmation_and_a_dispute_exclude_each_other_and_two_settlements_too(
    market: Market, sealer: Sealer
) -> None:
    each = await lots(market, "DELIVERED")

    async def race(lot: Lot) -> None:
        confirmed, disputed = await both(
            confirm(market, sealer, lot, "township"), dispute(market, lot)
        )
        assert confirmed != disputed
        if disputed:
            settled = both(
                settle(market, lot, "reviewer", 10), settle(market, lot, "reviewer_2", 20)
            )
            assert sum(await settled) == 1

    await asyncio.gather(*(race(lot) for lot in each))

    assert await market.count(allocations, allocations.c.status == "CONFIRMED") == TIMES
    assert await market.count(results) == TIMES
    await all_is_well(market.database)


async def test_a_reservation_that_is_declined_as_it_lapses_goes_back_once(market: Market) -> None:
    offer = (await a_lot(market)).offer_id
    now = market.database.now()
    each = await lots(market, offer_id=offer, reserved_until=now)

    await asyncio.gather(expire(market.database), *(both(decline(market, lot)) for lot in each))

    declined, lapsed = [
        await told(market, f"allocation.{kind}") for kind in ("declined", "cancelled")
    ]
    assert declined + lapsed == TIMES
    assert (await counters(market, each[0]))["reserved"] == 40
    await all_is_well(market.database)
