"""What of the market becomes plain quantities, and what is left aside and said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from marketplace.persistence.database import Database
from marketplace.persistence.exchange import market as markets
from marketplace.persistence.tables import (
    allocations,
    categories,
    households,
    offer_regions,
    plans,
)
from marketplace.services.exchange.translation import QuantitiesTooLarge, translate
from tests.fixtures.market import (
    Market,
    a_household,
    a_market,
    a_need,
    an_allocation,
    an_offer,
)
from tests.planning.planned import a_consenting, planned, solved, units
from tests.planning.workers import a_proposed_plan

pytestmark = pytest.mark.one_database  # what is made of rows that both read alike


@pytest.fixture
async def market(database: Database) -> Market:
    return await a_market(database)


async def test_needs_of_one_household_in_one_category_are_one_and_the_graver_is_served_first(
    market: Market,
) -> None:
    home = await a_consenting(market)
    mild = await a_need(market, home, **units(10, severity=20))
    grave = await a_need(market, home, **units(10, severity=90))
    offer = await an_offer(market, quantity=13)

    lines, aside = await planned(market)

    assert lines == {(grave, offer, 10, 10), (mild, offer, 3, 3)}
    assert aside == []


async def test_cash_for_one_thing_buys_whole_units_at_the_reference_price(market: Market) -> None:
    need = await a_need(
        market, await a_consenting(market), category_id=market.category["quilt"], **units(5)
    )
    cash = await an_offer(
        market, kind="CASH", category_id=market.category["quilt"], quantity=40_000
    )

    lines, _ = await solved(market)

    assert lines == {(need, cash, 2, 30_000)}


async def test_cash_meets_a_need_of_cash_to_the_fen(market: Market) -> None:
    home = await a_consenting(market)
    need = await a_need(
        market, home, category_id=market.category["medical_cash"], **units(3_000_000_007)
    )
    cash = await an_offer(
        market, kind="CASH", category_id=market.category["cash"], quantity=9_999_999_999
    )

    lines, _ = await solved(market)

    assert lines == {(need, cash, 3_000_000_007, 3_000_000_007)}


async def test_goods_at_hand_go_before_money_is_spent(market: Market) -> None:
    need = await a_need(
        market, await a_consenting(market), category_id=market.category["rice"], **units(5)
    )
    await an_offer(market, kind="CASH", category_id=market.category["rice"], quantity=60_000)
    goods = await an_offer(market, quantity=5)

    lines, _ = await solved(market)

    assert lines == {(need, goods, 5, 5)}


@pytest.mark.both_databases
async def test_a_household_gets_no_more_than_the_offer_allows_counting_what_it_has(
    market: Market,
) -> None:
    home = await a_consenting(market)
    got = await a_need(market, home, **units(4))
    more = await a_need(market, home, category_id=market.category["rice"], **units(20))
    offer = await an_offer(market, household_max=10)
    await an_allocation(market, got, offer, 4)

    lines, _ = await solved(market)

    assert lines == {(more, offer, 6, 6)}


async def test_what_a_household_may_still_have_of_cash_is_spent_to_the_last_whole_unit(
    market: Market,
) -> None:
    home = await a_consenting(market)
    staple, rice = market.category["staple"], market.category["rice"]
    async with market.database.write() as db:
        price = sa.update(categories).where(categories.c.id == rice)
        await db.execute(price.values(reference_price_fen=300))
    got = await a_need(market, home, category_id=staple, **units(1))
    more = await a_need(market, home, category_id=rice, **units(9))
    cash = await an_offer(
        market, kind="CASH", category_id=rice, quantity=10_000, household_max=1_000
    )
    await an_allocation(market, got, cash, 1)
    async with market.database.write() as db:
        await db.execute(sa.update(allocations).values(units_drawn=100))

    lines, _ = await solved(market)

    assert lines == {(more, cash, 3, 900)}


async def test_a_household_that_had_all_it_may_have_gets_no_more_but_others_do(
    market: Market,
) -> None:
    full, other = await a_consenting(market), await a_consenting(market)
    got = await a_need(market, full, **units(30, severity=99))
    first = await a_need(market, other, **units(30))
    limited = await an_offer(market, household_max=10)
    await an_allocation(market, got, limited, 12)

    lines, _ = await solved(market)

    assert lines == {(first, limited, 10, 10)}


async def read(market: Market) -> markets.Market:
    async with market.database.snapshot() as db:
        return await markets.read(db, now=market.database.now(), region_id=None, category_id=None)


async def test_costs_and_values_of_large_packs_stop_at_the_highest_instead_of_wrapping(
    market: Market,
) -> None:
    size = 10**12
    home = await a_consenting(market, region="far_village")
    rice = market.category["rice"]
    await a_need(market, home, category_id=rice, **units(size))
    await an_offer(
        market,
        quantity=size,
        pack_size=size,
        latitude=27.0,
        longitude=90.0,  # 2,600 km away
    )
    async with market.database.write() as db:
        place = {"latitude": 27.92, "longitude": 116.75}
        await db.execute(sa.update(households).values(place))
        price = sa.update(categories).where(categories.c.id == rice)
        await db.execute(price.values(reference_price_fen=10**9))

    problem = translate(await read(market), pairs_max=9).problem

    assert problem.pair_cost.tolist() == [10**12]
    assert problem.need_value.tolist() == [10**12]


async def test_quantities_that_cannot_be_added_up_are_refused_by_name(market: Market) -> None:
    await a_need(market, await a_consenting(market), **units(10))
    await an_offer(market)
    seen = await read(market)
    needs = {name: column * 3 for name, column in seen.needs.items()}
    needs |= {"id": [1, 2, 3], "household": [1, 2, 3], "units": [10**18] * 3}

    with pytest.raises(QuantitiesTooLarge):
        translate(replace(seen, needs=needs), pairs_max=9)


async def test_a_mistake_of_ours_is_not_taken_for_too_large_quantities(market: Market) -> None:
    await a_need(market, await a_consenting(market), **units(10))
    await an_offer(market)
    seen = await read(market)

    with pytest.raises(ValueError, match=r"need_severity\[0\]"):
        translate(replace(seen, needs={**seen.needs, "severity": [0]}), pairs_max=9)


@pytest.mark.parametrize("limits", [{"delivery_min": 5}, {"deliveries_max": 1}])
async def test_rules_of_offers_that_nobody_needs_are_not_said(
    market: Market, limits: dict[str, Any]
) -> None:
    for _ in range(2):
        await a_need(
            market, await a_consenting(market), category_id=market.category["rice"], **units(10)
        )
    await an_offer(market, category_id=market.category["quilt"], **limits)

    assert (await solved(market))[1] == []


@pytest.mark.both_databases
async def test_what_is_allocated_already_is_neither_asked_nor_given_again(market: Market) -> None:
    need = await a_need(market, await a_consenting(market), **units(10))
    offer = await an_offer(market, quantity=12)
    await an_allocation(market, need, offer, 7, "DELIVERED")

    lines, _ = await solved(market)

    assert lines == {(need, offer, 3, 3)}


@pytest.mark.both_databases
async def test_an_offer_is_not_proposed_again_to_whom_its_provider_refused_it(
    market: Market,
) -> None:
    need = await a_need(market, await a_consenting(market), **units(10))
    refused = await an_offer(market, quantity=12)
    other = await an_offer(market, quantity=4)
    declined = await an_allocation(market, need, refused, 5)
    async with market.database.write() as db:
        await db.execute(
            sa.text("UPDATE allocations SET status = 'DECLINED' WHERE id = :id"), {"id": declined}
        )
        await db.execute(sa.text("UPDATE needs SET covered = 0"))
        await db.execute(sa.text("UPDATE offers SET reserved = 0"))

    lines, _ = await solved(market)

    assert lines == {(need, other, 4, 4)}


@pytest.mark.parametrize(
    "limits", [{"delivery_min": 5, "pack_size": 5}, {"deliveries_max": 2}, {"household_max": 10}]
)
async def test_a_rule_that_cannot_bind_is_none(market: Market, limits: dict[str, Any]) -> None:
    for _ in range(2):
        await a_need(market, await a_consenting(market), **units(10))
    await an_offer(market, **limits)

    lines, aside = await solved(market)

    assert sorted(line[2] for line in lines) == [10, 10]
    assert aside == []


async def test_only_who_is_in_the_market_is_planned(market: Market) -> None:
    now = market.database.now()
    home = await a_consenting(market)
    need = await a_need(market, home, **units(10))
    await a_need(market, home, **units(10, status="REFERRED"))
    await a_need(market, home, **units(10, deadline=now))
    await a_need(market, await a_household(market), **units(10))  # no consent
    await an_offer(market, status="PAUSED")
    await an_offer(market, expires_at=now)
    await an_offer(market, organization_id=market.organization["suspended"])
    groups = await an_offer(market, target_groups=2)  # the household is of group 1
    elsewhere = await an_offer(market)
    async with market.database.write() as db:
        values = {"offer_id": elsewhere, "region_id": market.region["huangtong"]}
        await db.execute(sa.insert(offer_regions).values(**values))

    lines, _ = await solved(market)
    assert lines == set()

    here = await an_offer(market, quantity=6)
    async with market.database.write() as db:
        values = {"offer_id": here, "region_id": market.region["xiugu"]}
        await db.execute(sa.insert(offer_regions).values(**values))
    lines, _ = await solved(market)
    assert lines == {(need, here, 6, 6)}
    assert groups


async def test_a_plan_is_of_its_region_and_category_alone(market: Market) -> None:
    home = await a_consenting(market)
    rice = await a_need(market, home, category_id=market.category["rice"], **units(10))
    await a_need(market, home, category_id=market.category["quilt"], **units(10))
    far = await a_consenting(market, region="far_village")
    far_rice = await a_need(
        market,
        far,
        category_id=market.category["rice"],
        region_id=market.region["far_village"],
        **units(10),
    )
    offer = await an_offer(market)
    await an_offer(market, category_id=market.category["quilt"])

    staple, _ = await solved(market, category_id=market.category["staple"])
    near, _ = await solved(
        market, category_id=market.category["staple"], region_id=market.region["xiugu"]
    )

    assert staple == {(rice, offer, 10, 10), (far_rice, offer, 10, 10)}
    assert near == {(rice, offer, 10, 10)}


async def test_an_empty_market_has_an_empty_plan_with_its_proof(market: Market) -> None:
    plan_id = await a_proposed_plan(market)

    plan = await market.row(plans, plan_id)
    assert (plan["need_count"], plan["units_served"], plan["cost"]) == (0, 0, 0)
    assert plan["proof"]["certificate"]["optimal"] is True
