"""Many at once on the same rows: nothing is ever promised twice, and the counters always agree."""

from __future__ import annotations

import asyncio
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from marketplace.domain.errors import QuantityExceeded
from marketplace.persistence.database import Database, Writing
from marketplace.persistence.exchange import needs as need_rows
from marketplace.persistence.exchange import offers as offer_rows
from marketplace.persistence.exchange.invariants import broken
from marketplace.persistence.tables import allocations, consents, needs, offers, organizations
from marketplace.services.exchange.consents import WithdrawConsent, withdraw
from marketplace.services.exchange.offers import MoveOffer, UpdateOffer, close, update
from tests.fixtures.invariants import all_is_well
from tests.fixtures.market import Market, a_consent, a_household, a_need, an_allocation, an_offer

CLIENTS = 32


async def take(database: Database, need_id: int, offer_id: int, units: int) -> bool:
    """What a pledge or a plan line does: cover, reserve, and write the allocation, or nothing."""
    now = database.now()
    try:
        async with database.write() as db:
            covered = await need_rows.cover(db, need_id, units, now=now)
            if not covered or not await offer_rows.reserve(db, offer_id, units, now=now):
                raise QuantityExceeded
            await db.insert(allocations, allocation(database, need_id, offer_id, units))
    except QuantityExceeded:
        return False
    return True


def allocation(database: Database, need_id: int, offer_id: int, units: int) -> dict[str, Any]:
    return {
        "need_id": need_id,
        "offer_id": offer_id,
        "origin": "PLEDGE",
        "status": "RESERVED",
        "units_served": units,
        "units_drawn": units,
        "reserved_until": database.now() + timedelta(hours=48),
        "created_at": database.now(),
    }


async def take_all(db: Writing, database: Database, wanted: dict[tuple[int, int], int]) -> int:
    """What an approval does with many lines: lock, decide in memory, write once; lines kept."""
    now = database.now()
    open_needs = await need_rows.lock_in_market(db, [n for n, _ in wanted], now=now)
    open_offers = await offer_rows.lock_open(db, [o for _, o in wanted], now=now)
    kept = []
    covered: dict[int, int] = {}
    reserved: dict[int, int] = {}
    for (need_id, offer_id), units in wanted.items():
        if min(open_needs.get(need_id, 0), open_offers.get(offer_id, 0)) < units:
            continue
        open_needs[need_id] -= units
        open_offers[offer_id] -= units
        covered[need_id] = covered.get(need_id, 0) + units
        reserved[offer_id] = reserved.get(offer_id, 0) + units
        kept.append(allocation(database, need_id, offer_id, units))
    await need_rows.cover_many(db, covered)
    await offer_rows.reserve_many(db, reserved)
    await db.insert_many(allocations, kept)
    return len(kept)


async def test_thirty_two_clients_on_one_hot_offer_share_out_exactly_what_there_is(
    market: Market,
) -> None:
    offer_id = await an_offer(market, quantity=100)
    household_id = await a_household(market)
    await a_consent(market, household_id)
    need_ids = [await a_need(market, household_id) for _ in range(CLIENTS)]

    async def client(need_id: int) -> int:
        return sum([await take(market.database, need_id, offer_id, 3) for _ in range(5)])

    taken = await asyncio.gather(*(client(need_id) for need_id in need_ids))

    assert sum(taken) == 33  # of 160 asked for, three units each, from a hundred
    row = await market.row(offers, offer_id)
    assert (row["reserved"], row["quantity"]) == (99, 100)
    assert await market.count(allocations) == 33
    assert await market.value(sa.select(sa.func.sum(needs.c.covered))) == 99
    await all_is_well(market.database)


async def test_thirty_two_clients_on_one_hot_need_cover_it_exactly(market: Market) -> None:
    household_id = await a_household(market)
    await a_consent(market, household_id)
    need_id = await a_need(market, household_id)
    offer_ids = [await an_offer(market) for _ in range(CLIENTS)]

    taken = await asyncio.gather(*(take(market.database, need_id, o, 7) for o in offer_ids))

    assert sum(taken) == 14
    assert (await market.row(needs, need_id))["covered"] == 98
    assert await market.value(sa.select(sa.func.sum(offers.c.reserved))) == 98
    await all_is_well(market.database)


async def test_approvals_of_many_lines_at_once_neither_lock_each_other_out_nor_take_too_much(
    market: Market,
) -> None:
    household_id = await a_household(market)
    await a_consent(market, household_id)
    need_ids = [await a_need(market, household_id) for _ in range(8)]
    offer_ids = [await an_offer(market, quantity=40) for _ in range(4)]
    pairs = [(n, o) for n in need_ids for o in offer_ids]

    # Each in another order: the rows must still be locked in one.
    kept = await approve_at_once(market, [pairs[k:] + pairs[:k] for k in range(0, 32, 2)])

    assert kept == 16  # four times nine from each of four offers
    assert {r["reserved"] for r in [await market.row(offers, o) for o in offer_ids]} == {36}
    await all_is_well(market.database)


async def test_approvals_that_share_only_offers_or_only_needs_take_turns_all_the_same(
    market: Market,
) -> None:
    household_id = await a_household(market)
    await a_consent(market, household_id)
    need_ids = [await a_need(market, household_id) for _ in range(CLIENTS)]
    hot_offer = await an_offer(market, quantity=40)
    hot_need = await a_need(market, household_id, quantity=40, quantity_asked=40)
    offer_ids = [await an_offer(market) for _ in range(CLIENTS)]

    by_offer = await approve_at_once(market, [[(n, hot_offer)] for n in need_ids])
    by_need = await approve_at_once(market, [[(hot_need, o)] for o in offer_ids])

    assert (by_offer, by_need) == (4, 4)
    await all_is_well(market.database)


async def approve_at_once(market: Market, plans: list[list[tuple[int, int]]]) -> int:
    """Approve all plans at the same time, nine units a line; lines kept in all."""

    async def approve(pairs: list[tuple[int, int]]) -> int:
        async with market.database.write() as db:
            return await take_all(db, market.database, dict.fromkeys(pairs, 9))

    return sum(await asyncio.gather(*(approve(pairs) for pairs in plans)))


async def test_a_batch_that_asks_for_more_than_is_left_leaves_nothing(market: Market) -> None:
    first, second = await an_offer(market, quantity=10), await an_offer(market, quantity=10)

    with pytest.raises(QuantityExceeded):
        async with market.database.write() as db:
            await offer_rows.reserve_many(db, {first: 10, second: 11})
    with pytest.raises(QuantityExceeded):
        async with market.database.write() as db:
            await offer_rows.give_back(db, {first: 1})
    with pytest.raises(ValueError, match="above zero"):
        async with market.database.write() as db:
            await offer_rows.reserve(db, first, -5, now=market.database.now())

    assert {(await market.row(offers, o))["reserved"] for o in (first, second)} == {0}


async def test_only_offers_in_the_market_can_be_reserved(market: Market) -> None:
    database, now = market.database, market.database.now()
    later, before = now.replace(year=now.year + 1), now.replace(year=now.year - 1)
    outside = [
        await an_offer(market, status="DRAFT"),
        await an_offer(market, status="PAUSED"),
        await an_offer(market, status="CLOSED"),
        await an_offer(market, status="EXPIRED"),
        await an_offer(market, starts_at=later),
        await an_offer(market, expires_at=before),
        await an_offer(market, reserved=600, delivered=400),
        await an_offer(market, organization_id=market.organization["new"]),
        await an_offer(market, organization_id=market.organization["suspended"]),
    ]
    inside = await an_offer(market, expires_at=later, reserved=600, delivered=399)

    async with database.write() as db:
        assert await offer_rows.lock_open(db, [*outside, inside], now=now) == {inside: 1}
        for offer_id in outside:
            assert not await offer_rows.reserve(db, offer_id, 1, now=now)
        assert not await offer_rows.reserve(db, inside, 2, now=now)
        assert await offer_rows.reserve(db, inside, 1, now=now)


async def test_only_needs_in_the_market_can_be_covered(market: Market) -> None:
    database, now = market.database, market.database.now()
    later, before = now.replace(year=now.year + 1), now.replace(year=now.year - 1)
    with_consent, without, ended, lapsed = [await a_household(market) for _ in range(4)]
    await a_consent(market, with_consent)
    await a_consent(market, ended, status="WITHDRAWN")
    await a_consent(market, lapsed, expires_at=before)
    outside = [await a_need(market, h) for h in (without, ended, lapsed)]
    outside += [
        await a_need(market, with_consent, status=status)
        for status in ("DRAFT", "REFERRED", "RETURNED", "SUSPENDED", "WITHDRAWN", "FULFILLED")
    ]
    outside.append(await a_need(market, with_consent, deadline=before))
    outside.append(await a_need(market, with_consent, covered=100))
    inside = await a_need(market, with_consent, deadline=later, covered=99)

    async with database.write() as db:
        assert await need_rows.lock_in_market(db, [*outside, inside], now=now) == {inside: 1}
        for need_id in outside:
            assert not await need_rows.cover(db, need_id, 1, now=now)
        assert not await need_rows.cover(db, inside, 2, now=now)
        assert await need_rows.cover(db, inside, 1, now=now)


async def test_a_withdrawal_amid_reservations_leaves_no_unit_behind(market: Market) -> None:
    for _ in range(5):
        household_id = await a_household(market)
        consent_id = await a_consent(market, household_id)
        need_ids = [await a_need(market, household_id) for _ in range(4)]
        offer_ids = [await an_offer(market) for _ in range(3)]
        for need_id in need_ids:
            await an_allocation(market, need_id, offer_ids[0], 5)

        await asyncio.gather(
            *(take(market.database, n, o, 4) for n in need_ids for o in offer_ids),
            withdraw(
                market.database, market.act("township"), WithdrawConsent(consent_id=consent_id)
            ),
            *(take(market.database, n, o, 4) for o in offer_ids for n in need_ids),
        )

        for need_id in need_ids:
            row = await market.row(needs, need_id)
            assert (row["status"], row["covered"]) == ("WITHDRAWN", 0)
        for offer_id in offer_ids:
            assert (await market.row(offers, offer_id))["reserved"] == 0
        await all_is_well(market.database)


async def test_shrinking_or_closing_an_offer_amid_reservations_breaks_no_promise(
    market: Market,
) -> None:
    household_id = await a_household(market)
    await a_consent(market, household_id)
    need_ids = [await a_need(market, household_id) for _ in range(12)]
    offer_id = await an_offer(market, quantity=100)
    shrink = UpdateOffer(offer_id=offer_id, expected_version=0, patch={"quantity": 50})

    await asyncio.gather(
        *(take(market.database, n, offer_id, 5) for n in need_ids),
        update(market.database, market.act("provider"), shrink),
        *(take(market.database, n, offer_id, 5) for n in need_ids),
        return_exceptions=True,
    )
    await asyncio.gather(
        close(market.database, market.act("provider"), MoveOffer(offer_id=offer_id)),
        *(take(market.database, n, offer_id, 1) for n in need_ids),
    )

    row = await market.row(offers, offer_id)
    assert row["reserved"] <= row["quantity"]
    assert row["status"] == "CLOSED"
    await all_is_well(market.database)


async def test_every_broken_fact_is_found(market: Market) -> None:
    household_id = await a_household(market)
    await a_consent(market, household_id)
    need_id = await a_need(market, household_id)
    offer_id = await an_offer(market)
    await an_allocation(market, need_id, offer_id, 5)
    await all_is_well(market.database)

    async with market.database.write() as db:
        await db.execute(sa.update(offers).values(reserved=6, delivered=1))
        await db.execute(sa.update(needs).values(covered=4))
        await db.execute(sa.update(consents).values(status="WITHDRAWN"))
    async with market.database.snapshot() as db:
        found = {(b.fact, b.row_id, b.says, b.should) for b in await broken(db)}

    allocation_id = await market.value(sa.select(allocations.c.id))
    assert found == {
        ("offer_reserved", offer_id, 6, 5),
        ("offer_delivered", offer_id, 1, 0),
        ("need_covered", need_id, 4, 5),
        ("published_only_with_consent", need_id, 1, 0),
        ("nothing_reserved_without_consent", allocation_id, 1, 0),
    }


def _client_process(url: str, offer_id: int, need_ids: list[int]) -> int:
    async def main() -> int:
        database = Database(url)
        try:
            return sum([await take(database, n, offer_id, 3) for n in need_ids])
        finally:
            await database.close()

    return asyncio.run(main())


async def test_clients_in_processes_of_their_own_share_out_exactly_what_there_is(
    market: Market, database_url: str
) -> None:
    offer_id = await an_offer(market, quantity=100)
    household_id = await a_household(market)
    await a_consent(market, household_id)
    need_ids = [await a_need(market, household_id) for _ in range(20)]
    loop = asyncio.get_running_loop()
    spawn = multiprocessing.get_context("spawn")

    with ProcessPoolExecutor(4, mp_context=spawn) as pool:
        taken = await asyncio.gather(
            *(
                loop.run_in_executor(pool, _client_process, database_url, offer_id, need_ids)
                for _ in range(4)
            )
        )

    assert sum(taken) == 33
    assert (await market.row(offers, offer_id))["reserved"] == 99
    await all_is_well(market.database)


async def test_an_offer_of_an_organization_suspended_meanwhile_is_out_of_the_market(
    market: Market,
) -> None:
    offer_id = await an_offer(market)
    async with market.database.write() as db:
        await db.execute(sa.update(organizations).values(status="SUSPENDED"))
        assert await offer_rows.lock_open(db, [offer_id], now=market.database.now()) == {}
