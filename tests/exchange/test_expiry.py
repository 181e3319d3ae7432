"""What time ends by itself, and what it leaves alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from marketplace.domain.exchange.allocations import AllocationStatus
from marketplace.domain.exchange.needs import NeedStatus
from marketplace.domain.exchange.offers import OfferStatus
from marketplace.persistence.database import Database
from marketplace.persistence.tables import (
    allocations,
    consents,
    events,
    idempotency_keys,
    needs,
    offers,
    published_needs,
)
from marketplace.services.acting import once
from marketplace.services.chores import run_chores
from marketplace.services.exchange.expiry import Expired, expire, keep_expiring
from marketplace.services.exchange.offers import post
from marketplace.settings import Settings
from tests.fixtures.invariants import all_is_well
from tests.fixtures.market import (
    Market,
    a_consent,
    a_household,
    a_need,
    an_allocation,
    an_offer,
    rice,
)
from tests.planning.workers import a_plan, finished, until


async def test_needs_and_offers_expire_when_their_time_has_passed(market: Market) -> None:
    now = market.database.now()
    past, ahead = now - timedelta(seconds=1), now + timedelta(days=1)
    household_id = await a_household(market)
    await a_consent(market, household_id)
    late = {s: await a_need(market, household_id, status=s, deadline=past) for s in NeedStatus}
    in_time = await a_need(market, household_id, deadline=ahead)
    over = {s: await an_offer(market, status=s, expires_at=past) for s in OfferStatus}
    open_yet = await an_offer(market, expires_at=ahead)
    await an_allocation(market, late[NeedStatus.PUBLISHED], over[OfferStatus.OPEN], 5)

    done = [await expire(market.database), await expire(market.database)]

    assert done == [Expired(needs=4, offers=2), Expired()]
    gone = {"DRAFT", "REFERRED", "RETURNED", "PUBLISHED"}
    for status, need_id in late.items():
        row = await market.row(needs, need_id)
        assert row["status"] == ("EXPIRED" if status in gone else status)
    for before, offer_id in over.items():
        row = await market.row(offers, offer_id)
        assert row["status"] == ("EXPIRED" if before in {"OPEN", "PAUSED"} else before)
    assert (await market.row(needs, in_time))["status"] == "PUBLISHED"
    assert (await market.row(offers, open_yet))["status"] == "OPEN"
    assert await market.count(published_needs, published_needs.c.is_open) == 1
    # What is reserved stays reserved: it may be on its way.
    assert (await market.row(offers, over[OfferStatus.OPEN]))["reserved"] == 5
    assert await market.count(events, events.c.kind.in_(["need.expired", "offer.expired"])) == 6
    await all_is_well(market.database)


async def test_several_chores_at_once_end_each_thing_once(market: Market) -> None:
    past = market.database.now() - timedelta(seconds=1)
    household_id = await a_household(market)
    await a_consent(market, household_id)
    for _ in range(20):
        await a_need(market, household_id, deadline=past)
        await a_consent(market, await a_household(market), expires_at=past)
        await an_offer(market, expires_at=past)

    done = await asyncio.gather(*(expire(market.database) for _ in range(6)))

    assert sum(d.needs for d in done) == 20
    assert sum(d.consents for d in done) == 20
    assert sum(d.offers for d in done) == 20
    assert await market.count(events) == 60
    await all_is_well(market.database)


async def test_the_chore_runs_until_it_is_stopped(market: Market) -> None:
    past = market.database.now() - timedelta(seconds=1)
    offer_id = await an_offer(market, expires_at=past)
    stop = asyncio.Event()

    chore = asyncio.create_task(keep_expiring(market.database, stop=stop))
    async with asyncio.timeout(20):
        while (await market.row(offers, offer_id))["status"] == "OPEN":
            pass
        stop.set()
        await chore

    assert (await market.row(offers, offer_id))["status"] == "EXPIRED"


async def test_what_nobody_accepted_in_time_goes_back_to_offer_and_need(market: Market) -> None:
    past = market.database.now() - timedelta(seconds=1)
    household_id = await a_household(market)
    await a_consent(market, household_id)
    need_id = await a_need(market, household_id)
    offer_id = await an_offer(market)
    late = {
        status: await an_allocation(market, need_id, offer_id, 5, status, reserved_until=past)
        for status in ("RESERVED", "ACCEPTED", "DISPATCHED", "DELIVERED")
    }
    ahead = past + timedelta(days=1)
    in_time = await an_allocation(market, need_id, offer_id, 7, reserved_until=ahead)

    done = [await expire(market.database), await expire(market.database)]

    assert done == [Expired(allocations=1), Expired()]
    lapsed = await market.row(allocations, late.pop("RESERVED"))
    assert (lapsed["status"], lapsed["cancel_reason"]) == ("CANCELLED", "LAPSED")
    assert (lapsed["version"], lapsed["ended_at"] is not None) == (1, True)
    for status, key in late.items():
        assert (await market.row(allocations, key))["status"] == status
    assert (await market.row(allocations, in_time))["status"] == "RESERVED"
    assert (await market.row(needs, need_id))["covered"] == 5 * 3 + 7
    offer = await market.row(offers, offer_id)
    assert (offer["reserved"], offer["delivered"]) == (5 * 2 + 7, 5)
    assert await market.count(events, events.c.kind == "allocation.cancelled") == 1
    await all_is_well(market.database)


async def test_several_chores_at_once_give_each_reservation_back_once(market: Market) -> None:
    past = market.database.now() - timedelta(seconds=1)
    household_id = await a_household(market)
    await a_consent(market, household_id)
    need_ids = [await a_need(market, household_id) for _ in range(4)]
    offer_ids = [await an_offer(market) for _ in range(4)]
    for need_id in need_ids:
        for offer_id in offer_ids:
            await an_allocation(market, need_id, offer_id, 3, reserved_until=past)

    done = await asyncio.gather(*(expire(market.database) for _ in range(6)))

    assert sum(d.allocations for d in done) == 16
    assert await market.count(events, events.c.kind == "allocation.cancelled") == 16
    assert await market.count(needs, needs.c.covered > 0) == 0
    assert await market.count(offers, offers.c.reserved > 0) == 0
    await all_is_well(market.database)


async def a_broken_case(market: Market) -> int:
    """A lapsed consent with a lapsed reservation that the offer's counter knows nothing of."""
    past = market.database.now() - timedelta(seconds=1)
    household_id = await a_household(market)
    consent_id = await a_consent(market, household_id, expires_at=past)
    offer_id = await an_offer(market)
    need_id = await a_need(market, household_id)
    await an_allocation(market, need_id, offer_id, 5, reserved_until=past)
    async with market.database.write() as db:
        await db.execute(sa.update(offers).where(offers.c.id == offer_id).values(reserved=0))
    return consent_id


async def test_one_household_that_cannot_be_ended_holds_up_no_other(
    market: Market, caplog: pytest.LogCaptureFixture
) -> None:
    past = market.database.now() - timedelta(seconds=1)
    broken = await a_broken_case(market)
    other = await a_household(market)
    ended = await a_consent(market, other, expires_at=past)
    third = await a_household(market)
    await a_consent(market, third)
    late = await an_allocation(
        market, await a_need(market, third), await an_offer(market), 5, reserved_until=past
    )
    over = await an_offer(market, expires_at=past)

    done = await expire(market.database)

    assert done == Expired(consents=1, offers=1, allocations=1)
    assert (await market.row(consents, broken))["status"] == "GIVEN"
    assert (await market.row(consents, ended))["status"] == "LAPSED"
    assert (await market.row(allocations, late))["status"] == AllocationStatus.CANCELLED
    assert (await market.row(offers, over))["status"] == "EXPIRED"
    assert "cannot be ended" in caplog.text


def failing_at_first(times: int) -> Callable[[], datetime]:
    """A clock that raises what nobody expects so many times, and then tells the time."""
    left = iter(range(times))

    def now() -> datetime:
        if next(left, None) is not None:
            raise ZeroDivisionError
        return datetime.now(UTC)

    return now


async def test_the_chore_outlives_errors_that_nobody_expects(
    market: Market, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    offer_id = await an_offer(market, expires_at=market.database.now() - timedelta(seconds=1))
    database = Database(database_url, clock=failing_at_first(7))
    stop = asyncio.Event()

    chore = asyncio.create_task(keep_expiring(database, stop=stop, every_s=0.01))

    async def expired() -> bool:
        return bool((await market.row(offers, offer_id))["status"] == "EXPIRED")

    await until(expired)
    stop.set()
    await chore

    assert "ZeroDivisionError" in caplog.text
    await database.close()


async def test_plans_are_made_whatever_befalls_expiring(
    market: Market, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    database = Database(database_url, clock=failing_at_first(3))
    stop = asyncio.Event()

    chores = asyncio.create_task(run_chores(database, Settings(), stop=stop))

    async def failed() -> bool:
        return "ZeroDivisionError" in caplog.text

    await until(failed)
    plan_id = await a_plan(market)
    assert await finished(market.database, plan_id) == "PROPOSED"
    stop.set()
    await chores
    await database.close()


async def test_old_idempotency_keys_are_forgotten_by_the_chore_and_count_no_more(
    market: Market,
) -> None:
    act, terms = market.act("provider", key="k", digest="d"), rice(market)
    first = await post(market.database, act, terms)
    assert await post(market.database, act, terms) == first
    other = market.act("other_provider", key="k", digest="d")
    await post(market.database, other, terms)
    async with market.database.write() as db:
        old = market.database.now() - timedelta(hours=24, seconds=1)
        await db.execute(sa.update(idempotency_keys).values(created_at=old))

    anew = await post(market.database, market.act("provider", key="k", digest="e"), terms)

    assert anew != first
    assert await post(market.database, market.act("provider", key="k", digest="e"), terms) == anew
    assert await market.count(idempotency_keys) == 2  # another's old key is not touched by it
    assert await expire(market.database) == Expired(idempotency_keys=1)
    assert await market.count(idempotency_keys) == 1


async def test_old_keys_of_others_hold_up_nobody(market: Market) -> None:
    if market.database.dialect == "sqlite":
        pytest.skip("one writer at a time, by nature")
    terms = rice(market)
    await post(market.database, market.act("other_provider", key="k", digest="d"), terms)
    old = market.database.now() - timedelta(days=2)
    async with market.database.write() as db:
        await db.execute(sa.update(idempotency_keys).values(created_at=old))

    async with once(market.database, market.act("other_provider", key="k"), "offerPost"):
        async with asyncio.timeout(10):
            await post(market.database, market.act("provider", key="k"), terms)
