"""What time ends by itself, and what it leaves alone."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from marketplace.domain.exchange.needs import NeedStatus
from marketplace.domain.exchange.offers import OfferStatus
from marketplace.persistence.tables import events, needs, offers, published_needs
from marketplace.services.exchange.expiry import Expired, expire, keep_expiring
from tests.fixtures.invariants import all_is_well
from tests.fixtures.market import (
    Market,
    a_consent,
    a_household,
    a_need,
    an_allocation,
    an_offer,
)


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

    assert done == [Expired(consents=0, needs=4, offers=2), Expired(consents=0, needs=0, offers=0)]
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
