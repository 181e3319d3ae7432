"""Offers in packs: whole ones only, one size to a need, and never at the cost of small needs."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from marketplace.persistence.database import Database
from marketplace.persistence.tables import plans
from schema.context import Context
from schema.exchange.plans_proof import proof_of
from tests.fixtures.market import Market, a_market, a_need, an_offer
from tests.planning.planned import (
    a_consenting,
    a_reference,
    an_aside,
    planned,
    rounds_of,
    solved,
    units,
)
from tests.planning.workers import a_proposed_plan

pytestmark = pytest.mark.one_database  # what is made of rows that both read alike

VIEWED = SimpleNamespace(language="en")  # all that the proof asks of its context


@pytest.fixture
async def market(database: Database) -> Market:
    return await a_market(database)


async def test_packs_of_one_size_are_handed_out_whole(market: Market) -> None:
    first = await a_need(market, await a_consenting(market), **units(12, severity=90))
    second = await a_need(market, await a_consenting(market), **units(9, severity=50))
    small = await a_need(market, await a_consenting(market), **units(4, severity=99))
    offer = await an_offer(market, quantity=30, pack_size=5)

    lines, aside = await planned(market)

    assert lines == {(first, offer, 10, 10), (second, offer, 5, 5)}
    assert aside == [an_aside("NEED", "LESS_THAN_ONE_PACK", 1, a_reference(market, "N", small))]


@pytest.mark.parametrize(
    ("loose_kg", "served_loose"),
    [(11, True), (10, True), (9, False)],  # packs serve 10 of 12
)
async def test_of_pack_sizes_that_compete_for_a_need_the_one_that_serves_more_is_planned_first(
    market: Market, loose_kg: int, served_loose: bool
) -> None:
    need = await a_need(market, await a_consenting(market), **units(12))
    bags = await an_offer(market, quantity=30, pack_size=5)
    loose = await an_offer(market, quantity=loose_kg)

    lines, aside = await solved(market)

    in_bags = {(need, bags, 10, 10), (need, loose, 2, 2)}
    assert lines == ({(need, loose, loose_kg, loose_kg)} if served_loose else in_bags)
    other = bags if served_loose else loose
    assert aside == [an_aside("OFFER", "PACKS_MIXED", 1, a_reference(market, "O", other))]


async def test_one_huge_offer_in_packs_takes_nothing_from_needs_smaller_than_a_pack(
    market: Market,
) -> None:
    small = await a_need(market, await a_consenting(market), **units(10))
    large = await a_need(market, await a_consenting(market), **units(2_500, severity=99))
    loose = await an_offer(market, quantity=15)
    huge = await an_offer(market, quantity=10**9, pack_size=1_000)

    lines, aside = await solved(market)

    assert lines == {
        (small, loose, 10, 10),
        (large, huge, 2_000, 2_000),
        (large, loose, 5, 5),  # what is left of it, in a second round
    }
    assert aside == [an_aside("OFFER", "PACKS_MIXED", 1, a_reference(market, "O", loose))]


async def test_packs_of_which_each_household_may_have_few_do_not_push_loose_goods_out(
    market: Market,
) -> None:
    needs = [await a_need(market, await a_consenting(market), **units(100)) for _ in range(2)]
    loose = await an_offer(market, quantity=150)
    bags = await an_offer(market, quantity=10**9, pack_size=50, household_max=50)

    lines, aside = await solved(market)

    assert sum(served for _, _, served, _ in lines) == 150
    assert {(need, offer) for need, offer, _, _ in lines} == {(need, loose) for need in needs}
    assert aside == [an_aside("OFFER", "PACKS_MIXED", 1, a_reference(market, "O", bags))]


async def test_packs_in_one_part_of_the_market_leave_the_rest_loose(market: Market) -> None:
    home = await a_consenting(market)
    rice = await a_need(market, home, category_id=market.category["rice"], **units(7))
    quilts = await a_need(market, home, category_id=market.category["quilt"], **units(3))
    bags = await an_offer(market, quantity=30, pack_size=5)
    quilt = await an_offer(market, category_id=market.category["quilt"], quantity=3)

    lines, aside = await solved(market)

    assert lines == {(rice, bags, 5, 5), (quilts, quilt, 3, 3)}
    assert aside == []


async def test_what_packs_leave_open_is_given_in_ever_smaller_ones(market: Market) -> None:
    needs = [
        await a_need(market, await a_consenting(market), **units(18, severity=severity))
        for severity in (90, 50)
    ]
    sacks = await an_offer(market, quantity=100, pack_size=10)
    bags = await an_offer(market, quantity=10, pack_size=5)
    loose = await an_offer(market, quantity=4)

    found = await rounds_of(market)

    given = {(need, sacks, 10) for need in needs} | {(need, bags, 5) for need in needs}
    columns = (found.lines[name] for name in ("need_id", "offer_id", "units_served"))
    lines = set(zip(*columns, strict=True))
    assert given <= lines
    assert sum(units for _, offer, units in lines if offer == loose) == 4
    assert [plan.certificate.optimal for plan in found.plans] == [True, True, True]


@pytest.mark.both_databases
async def test_the_rounds_of_a_plan_keep_to_a_household_s_limit_and_count_deliveries(
    market: Market,
) -> None:
    need = await a_need(market, await a_consenting(market), **units(19))
    other = await a_need(market, await a_consenting(market), **units(9, severity=5))
    sacks = await an_offer(market, quantity=10, pack_size=10)
    loose = await an_offer(market, quantity=100, household_max=6, deliveries_max=1)

    lines, _ = await solved(market)

    assert (need, sacks, 10, 10) in lines
    (second,) = lines - {(need, sacks, 10, 10)}
    assert second in {(need, loose, 6, 6), (other, loose, 6, 6)}


async def test_a_plan_of_several_rounds_says_so_and_that_each_is_proven(market: Market) -> None:
    await a_need(market, await a_consenting(market), **units(12))
    await an_offer(market, quantity=30, pack_size=5)
    await an_offer(market, quantity=9)

    plan = await market.row(plans, await a_proposed_plan(market))

    proof = proof_of(cast("Context", VIEWED), plan["proof"], plan["left_aside"])
    assert proof is not None
    assert (proof.rounds, proof.optimal) == (2, True)
    assert "in 2 rounds" in proof.sentence
    assert "left aside" not in proof.sentence
