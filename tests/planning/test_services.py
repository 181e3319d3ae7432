"""Services in a plan: whole visits of given minutes, from offers of minutes with days."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

import pytest

from marketplace.domain.days import COUNTY_TIME, county_day
from marketplace.persistence.database import Database
from tests.fixtures.market import Market, a_market, a_need, an_allocation, an_offer
from tests.planning.planned import a_consenting, planned, solved, units

pytestmark = pytest.mark.one_database  # what is made of rows that both read alike


@pytest.fixture
async def market(database: Database) -> Market:
    return await a_market(database)


async def visits(market: Market, count: int, minutes: int = 60, **changes: Any) -> int:
    return await a_need(
        market,
        await a_consenting(market),
        category_id=market.category["haircut"],
        visit_minutes=minutes,
        **units(count, **changes),
    )


async def hours(market: Market, minutes: int, days: int = 30, **changes: Any) -> int:
    """An offer of minutes within so many whole days from tomorrow on."""
    values = {
        "kind": "SERVICE",
        "category_id": market.category["haircut"],
        "quantity": minutes,
        "expires_at": market.database.now() + timedelta(days=days),
    }
    return await an_offer(market, **values | changes)


async def test_a_plan_gives_whole_visits_that_draw_their_minutes(market: Market) -> None:
    long, short = await visits(market, 3, 90, severity=90), await visits(market, 5, 40)
    offer = await hours(market, 400)

    lines, aside = await planned(market)

    assert lines == {(long, offer, 3, 270), (short, offer, 3, 120)}
    assert aside == []


@pytest.mark.parametrize(("days", "served"), [(30, 4), (14, 2), (13, 1), (3, 1)])
async def test_a_weekly_need_gets_one_visit_in_each_whole_week(
    market: Market, days: int, served: int
) -> None:
    need = await visits(market, 10, every_days=7)
    offer = await hours(market, 10_000, days)

    lines, _ = await solved(market)

    assert lines == {(need, offer, served, served * 60)}


async def test_a_weekly_need_is_not_served_more_often_by_several_volunteers(
    market: Market,
) -> None:
    need = await visits(market, 10, every_days=7)
    for _ in range(3):
        await hours(market, 120, 21)

    lines, _ = await solved(market)

    assert sum(served for _, _, served, _ in lines) == 3
    assert {line[0] for line in lines} == {need}


@pytest.mark.both_databases
async def test_visits_that_are_set_aside_take_their_weeks(market: Market) -> None:
    need = await visits(market, 10, every_days=7)
    offer = await hours(market, 10_000, 28)
    await an_allocation(market, need, offer, 3)

    lines, _ = await solved(market)

    assert lines == {(need, offer, 1, 60)}


@pytest.mark.parametrize("minutes", [60, 45])
async def test_an_offer_makes_no_more_visits_than_its_days_hold(
    market: Market, minutes: int
) -> None:
    await visits(market, 100, severity=90)
    await visits(market, 100, minutes)
    await hours(market, 10_000, 9, visits_per_day=2)

    lines, _ = await solved(market)

    assert sum(served for _, _, served, _ in lines) == 14  # two on each day of one whole week


async def test_a_need_that_ends_before_the_offer_begins_gets_nothing(market: Market) -> None:
    tomorrow = county_day(market.database.now()) + timedelta(days=1)
    await visits(market, 3, deadline=datetime.combine(tomorrow, time(), COUNTY_TIME))
    need = await visits(market, 3, deadline=market.database.now() + timedelta(days=3))
    offer = await hours(market, 10_000)

    lines, _ = await solved(market)

    assert lines == {(need, offer, 3, 180)}


async def test_needs_of_visits_of_different_length_are_not_one(market: Market) -> None:
    home = await a_consenting(market)
    of_home = {"category_id": market.category["haircut"]}
    long = await a_need(market, home, visit_minutes=90, **of_home, **units(2))
    short = await a_need(market, home, visit_minutes=30, **of_home, **units(2))
    offer = await hours(market, 1_000, household_max=200)

    lines, _ = await solved(market)

    assert {line[:2] for line in lines} == {(long, offer), (short, offer)}
    assert all(drawn == served * {long: 90, short: 30}[need] for need, _, served, drawn in lines)
    assert sum(drawn for *_, drawn in lines) <= 200


async def test_where_minutes_run_out_before_visits_all_of_them_are_given(market: Market) -> None:
    long = await visits(market, 2, 90, severity=90)
    short = await visits(market, 7, 60)
    offer = await hours(market, 600, 7, visits_per_day=2)

    lines, aside = await planned(market)

    assert lines == {(long, offer, 2, 180), (short, offer, 7, 420)}
    assert aside == []
