"""The public copy of a need is open exactly while the need asks for something."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from marketplace.persistence.exchange import needs as need_rows
from marketplace.persistence.exchange.invariants import broken
from marketplace.persistence.tables import needs, published_needs
from tests.fixtures.market import Market, a_consent, a_household, a_need


async def _need(market: Market) -> int:
    """A published need of 100 kg with consent."""
    home = await a_household(market)
    await a_consent(market, home)
    return await a_need(market, home)


async def _is_open(market: Market, need_id: int) -> bool:
    copy = sa.select(published_needs.c.is_open).where(published_needs.c.need_id == need_id)
    return bool(await market.value(copy))


async def _broken_copies(market: Market) -> list[str]:
    async with market.database.snapshot() as db:
        return [each.fact for each in await broken(db) if "copy" in each.fact]


async def test_a_need_leaves_the_market_when_it_is_covered_and_comes_back_when_it_is_not(
    market: Market,
) -> None:
    first, other = await _need(market), await _need(market)

    async def cover(units: int) -> list[bool]:
        async with market.database.write() as db:
            if units > 0:
                await need_rows.cover_many(db, {first: units})
            else:
                await need_rows.uncover(db, {first: -units})
        assert await _broken_copies(market) == []
        return [await _is_open(market, first), await _is_open(market, other)]

    assert await cover(99) == [True, True]
    assert await cover(1) == [False, True]
    assert await cover(-1) == [True, True]


async def test_the_last_unit_of_one_need_closes_its_copy(market: Market) -> None:
    need_id = await _need(market)

    async with market.database.write() as db:
        assert await need_rows.cover(db, need_id, 100, now=market.database.now())

    assert not await _is_open(market, need_id)
    assert await _broken_copies(market) == []


@pytest.mark.parametrize("status", ["WITHDRAWN", "SUSPENDED", "EXPIRED"])
async def test_what_left_the_market_stays_out_when_units_come_back(
    market: Market, status: str
) -> None:
    need_id = await _need(market)
    async with market.database.write() as db:
        await need_rows.cover_many(db, {need_id: 100})
        await db.execute(sa.update(needs).where(needs.c.id == need_id).values(status=status))
        await need_rows.uncover(db, {need_id: 100})

    assert not await _is_open(market, need_id)


async def test_an_open_copy_of_a_covered_need_is_found_by_the_invariants(market: Market) -> None:
    need_id = await _need(market)
    async with market.database.write() as db:
        await need_rows.cover_many(db, {need_id: 100})
        await db.execute(sa.update(published_needs).values(is_open=True))

    assert await _broken_copies(market) == ["no_open_copy_of_covered"]
