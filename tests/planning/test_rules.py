"""Rules of needs and offers in a plan: least useful quantities, deliveries, and what cash buys."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from marketplace.domain.registry.categories import CategoryKind
from marketplace.persistence.database import Database
from marketplace.persistence.tables import allocations, plans
from marketplace.services.exchange.offers import post
from tests.fixtures.market import Market, a_market, a_need, an_allocation, an_offer, rice
from tests.planning.planned import (
    a_consenting,
    a_reference,
    an_aside,
    planned,
    rounds_of,
    solved,
    units,
)
from tests.planning.proposals import a_proposal
from tests.planning.workers import a_proposed_plan

pytestmark = pytest.mark.one_database  # what is made of rows that both read alike


@pytest.fixture
async def market(database: Database) -> Market:
    return await a_market(database)


async def test_a_need_of_all_or_nothing_gets_all_and_another_gets_nothing(market: Market) -> None:
    whole = await a_need(market, await a_consenting(market), **units(7, quantity_min=7))
    await a_need(market, await a_consenting(market), **units(9, quantity_min=9, severity=60))
    offer = await an_offer(market, quantity=10)

    lines, aside = await planned(market)

    assert lines == {(whole, offer, 7, 7)}
    assert aside == []


async def test_cash_posted_for_all_goods_buys_what_is_most_urgent_of_each_kind(
    market: Market,
) -> None:
    category = market.category
    grave = await a_need(
        market,
        await a_consenting(market),
        **units(2, severity=90, category_id=category["quilt"]),
    )
    mild = await a_need(
        market,
        await a_consenting(market),
        **units(100, severity=20, category_id=category["rice"]),
    )
    terms = rice(market, kind=CategoryKind.CASH, category_id=category["goods"], quantity=48_000)
    cash = await post(market.database, market.act("federation"), terms)

    lines, aside = await solved(market)

    assert lines == {(grave, cash, 2, 30_000), (mild, cash, 30, 18_000)}
    assert aside == []


async def test_needs_of_one_household_reach_their_least_one_by_one(market: Market) -> None:
    home = await a_consenting(market)
    least = await a_need(market, home, **units(6, quantity_min=6, severity=90))
    plain = await a_need(market, home, **units(6, severity=20))
    offer = await an_offer(market, quantity=5)

    lines, _ = await solved(market)

    assert lines == {(plain, offer, 5, 5)}
    assert least


async def test_what_a_need_has_counts_to_its_least(market: Market) -> None:
    need = await a_need(market, await a_consenting(market), **units(10, quantity_min=6))
    await an_allocation(market, need, await an_offer(market, quantity=3), 3)
    rest = await an_offer(market, quantity=3)

    lines, _ = await solved(market)

    assert lines == {(need, rest, 3, 3)}


async def test_a_need_whose_least_nobody_has_is_left_aside_and_said(market: Market) -> None:
    need = await a_need(market, await a_consenting(market), **units(10, quantity_min=8))
    await an_offer(market, quantity=7)

    lines, aside = await solved(market)

    assert lines == set()
    assert aside == [an_aside("NEED", "QUANTITY_MIN", 1, a_reference(market, "N", need))]


async def test_cash_over_several_prices_goes_where_it_does_most_good_and_is_never_over_spent(
    market: Market,
) -> None:
    rice = await a_need(
        market,
        await a_consenting(market),
        category_id=market.category["rice"],
        **units(40, severity=90),
    )
    quilts = await a_need(
        market,
        await a_consenting(market),
        category_id=market.category["quilt"],
        **units(4, severity=50),
    )
    cash = await an_offer(
        market, kind="CASH", category_id=market.category["goods"], quantity=45_500
    )

    lines, aside = await solved(market)

    # A quarter of each comes first (10 kg, 1 quilt: 210 yuan), then the graver (30 kg: 180 yuan);
    # 65 yuan are less than another quilt.
    assert lines == {(rice, cash, 40, 24_000), (quilts, cash, 1, 15_000)}
    remainder = an_aside("OFFER", "CASH_REMAINDER", 1, a_reference(market, "O", cash))
    assert aside == [remainder | {"units": 6_500}]


async def test_goods_and_cash_over_several_prices_are_planned_together(market: Market) -> None:
    homes = [await a_consenting(market) for _ in range(2)]
    rice = await a_need(market, homes[0], category_id=market.category["rice"], **units(10))
    quilt = await a_need(market, homes[1], category_id=market.category["quilt"], **units(1))
    bags = await an_offer(market, quantity=10)
    cash = await an_offer(
        market, kind="CASH", category_id=market.category["goods"], quantity=15_000
    )

    lines, aside = await solved(market)

    assert lines == {(rice, bags, 10, 10), (quilt, cash, 1, 15_000)}
    assert aside == []


async def test_a_need_of_cash_of_all_or_nothing_is_shared_in_whole_yuan(market: Market) -> None:
    medical = market.category["medical_cash"]
    whole = await a_need(
        market,
        await a_consenting(market),
        category_id=medical,
        **units(500_000, quantity_min=500_000, severity=99),
    )
    part = await a_need(
        market, await a_consenting(market), category_id=medical, **units(300_000, severity=10)
    )
    cash = await an_offer(market, kind="CASH", category_id=medical, quantity=600_000)

    found = await rounds_of(market)

    lines = dict(zip(found.lines["need_id"], found.lines["units_drawn"], strict=True))
    assert lines == {whole: 500_000, part: 100_000}
    assert sum(found.plans[0].level_asked.tolist()) == 8_000  # yuan, not fen
    assert cash


async def test_odd_fen_are_shared_to_the_fen_even_under_a_rule(market: Market) -> None:
    medical = market.category["medical_cash"]
    whole = await a_need(
        market, await a_consenting(market), category_id=medical, **units(50_001, quantity_min=9)
    )
    cash = await an_offer(market, kind="CASH", category_id=medical, quantity=60_000)

    lines, _ = await solved(market)

    assert lines == {(whole, cash, 50_001, 50_001)}


@pytest.mark.parametrize(("delivery_min", "served"), [(5, {5, 10}), (6, {10})])
async def test_a_delivery_is_no_smaller_than_the_offer_says(
    market: Market, delivery_min: int, served: set[int]
) -> None:
    await a_need(market, await a_consenting(market), **units(10))
    await a_need(market, await a_consenting(market), **units(5))
    await an_offer(market, quantity=100, delivery_min=delivery_min)

    lines, _ = await solved(market)

    assert {line[2] for line in lines} == served


async def test_small_needs_of_one_household_are_no_delivery_together(market: Market) -> None:
    home = await a_consenting(market)
    for _ in range(2):
        await a_need(market, home, **units(3))
    offer = await an_offer(market, quantity=100, delivery_min=5)

    lines, aside = await solved(market)

    assert lines == set()
    assert aside == [an_aside("OFFER", "DELIVERY_MIN", 1, a_reference(market, "O", offer))]


@pytest.mark.both_databases
async def test_an_offer_makes_so_many_deliveries_and_no_more_counting_those_made(
    market: Market,
) -> None:
    had = await a_need(market, await a_consenting(market), **units(10))
    grave, _ = [
        await a_need(market, await a_consenting(market), **units(10, severity=severity))
        for severity in (90, 30)
    ]
    offer = await an_offer(market, deliveries_max=2)
    await an_allocation(market, had, offer, 10)

    lines, aside = await solved(market)

    assert lines == {(grave, offer, 10, 10)}
    assert aside == []


async def test_an_offer_whose_deliveries_are_made_takes_no_part_and_that_is_said(
    market: Market,
) -> None:
    had = await a_need(market, await a_consenting(market), **units(10))
    offer = await an_offer(market, deliveries_max=1)
    await an_allocation(market, had, offer, 4)

    lines, aside = await solved(market)

    assert lines == set()
    assert aside == [an_aside("OFFER", "DELIVERIES_MAX", 1, a_reference(market, "O", offer))]


@pytest.mark.both_databases
async def test_a_second_plan_keeps_to_the_first_where_that_is_as_good(market: Market) -> None:
    need = await a_need(market, await a_consenting(market), **units(10))
    offers = [await an_offer(market, quantity=10) for _ in range(2)]
    for offer in offers:
        await a_proposal(market, [(need, offer, 10)])

        lines, _ = await planned(market)

        assert lines == {(need, offer, 10, 10)}
        async with market.database.write() as db:
            await db.execute(sa.update(plans).values(status="DISCARDED"))


@pytest.mark.slow
async def test_plans_of_a_market_that_stays_as_it_is_are_the_same(market: Market) -> None:
    for severity in (40, 60):
        await a_need(market, await a_consenting(market), **units(10, severity=severity))
        await an_offer(market, quantity=7, pack_size=severity // 40)
    first, again = await planned(market), await planned(market)

    assert first == again
    assert await a_proposed_plan(market)


async def test_of_cash_that_a_household_has_part_of_its_gravest_need_gets_the_rest_and_it_is_said(
    market: Market,
) -> None:
    category, home = market.category, await a_consenting(market)
    had = await a_need(market, home, **units(1, category_id=category["quilt"]))
    await a_need(market, home, **units(10, severity=20, category_id=category["rice"]))
    grave = await a_need(market, home, **units(1, severity=90, category_id=category["quilt"]))
    cash = await an_offer(
        market, kind="CASH", category_id=category["goods"], quantity=90_000, household_max=40_000
    )
    await an_allocation(market, had, cash, 1)
    async with market.database.write() as db:
        await db.execute(sa.update(allocations).values(units_drawn=15_000))

    lines, aside = await solved(market)

    assert lines == {(grave, cash, 1, 15_000)}
    assert an_aside("OFFER", "HOUSEHOLD_MAX", 1, a_reference(market, "O", cash)) in aside


async def test_cash_over_two_prices_keeps_to_its_smallest_delivery_along_both(
    market: Market,
) -> None:
    category, offered = market.category, {"kind": "CASH", "quantity": 100_000}
    home = [await a_consenting(market) for _ in range(3)]
    rice = await a_need(market, home[0], **units(80, severity=90, category_id=category["rice"]))
    quilts = await a_need(market, home[1], **units(60, severity=20, category_id=category["quilt"]))
    few = await a_need(market, home[2], **units(3, severity=95, category_id=category["quilt"]))
    cash = await an_offer(market, delivery_min=30_000, category_id=category["goods"], **offered)

    lines, aside = await solved(market)

    assert lines == {(rice, cash, 80, 48_000)}
    assert {quilts, few}.isdisjoint(line[0] for line in lines)
    # Sixty quilts might be fifty, three cannot be: it is said that the offer takes part in part.
    assert aside == [an_aside("OFFER", "DELIVERY_MIN", 1, a_reference(market, "O", cash))]
