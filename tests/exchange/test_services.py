"""Services as a client knows them: visits of so many minutes, offered within a period."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from marketplace.domain.exchange.plans import ApprovalRules
from marketplace.domain.ids import opaque_id
from marketplace.persistence.tables import (
    allocations,
    consents,
    needs,
    offers,
    plan_lines,
)
from marketplace.services.exchange import plans
from marketplace.services.exchange.consents import WithdrawConsent, withdraw
from marketplace.services.exchange.plans import MovePlan
from tests.fixtures.asked import Asked, asked, give_keys
from tests.fixtures.invariants import all_is_well
from tests.fixtures.market import Market, a_consent, a_household, a_need, an_offer
from tests.planning.proposals import a_proposal
from tests.planning.workers import a_proposed_plan

OFFER = """
mutation ($input: OfferPostInput!) {
  offerPost(input: $input) {
    offer { id version visitsPerDay quantity { value unit } remaining { unit } }
    userErrors { field message code }
  }
}
"""
UPDATE = """
mutation ($input: OfferUpdateInput!) {
  offerUpdate(input: $input) {
    offer { visitsPerDay expiresAt }
    userErrors { field message code }
  }
}
"""
NEED = """
mutation ($input: NeedCreateInput!) {
  needCreate(input: $input) {
    need { visitMinutes everyDays quantity { value unit } }
    userErrors { field message code }
  }
}
"""
LINES = """
{ allocations(first: 10) { nodes { visits served { value unit } drawn { value unit } } }
  publishedNeeds(first: 10) { nodes { visitMinutes everyDays quantity { value unit } } } }
"""


@pytest.fixture
async def asking(market: Market, database_url: str, tmp_path: Path) -> AsyncIterator[Asked]:
    await give_keys(market)
    with asked(market, database_url, tmp_path) as served:
        yield served


def haircuts(market: Market, **changes: Any) -> dict[str, Any]:
    ends = market.database.now() + timedelta(days=29)
    return {
        "kind": "SERVICE",
        "categoryId": opaque_id("Category", market.category["haircut"]),
        "quantity": "1200",
        "visitsPerDay": 2,
        "expiresAt": ends.isoformat(),
    } | changes


async def test_a_service_is_offered_in_minutes_with_so_many_visits_a_day(asking: Asked) -> None:
    market = asking.market

    posted = asking.do("provider", OFFER, haircuts(market))

    offer = posted["offer"]
    assert posted["userErrors"] == []
    assert offer["visitsPerDay"] == 2
    assert offer["quantity"] == {"value": "1200", "unit": "minute"}
    assert offer["remaining"] == {"unit": "minute"}
    here = {"id": offer["id"], "expectedVersion": offer["version"]}
    endless = asking.do("provider", UPDATE, here | {"expiresAt": None})
    assert [(e["field"], e["code"]) for e in endless["userErrors"]] == [
        (["input", "expiresAt"], "REQUIRED")
    ]
    freed = asking.do("provider", UPDATE, here | {"visitsPerDay": None})
    assert (freed["offer"]["visitsPerDay"], freed["userErrors"]) == (None, [])


async def test_what_no_service_can_be_is_refused_by_field_in_both_languages(
    asking: Asked,
) -> None:
    market = asking.market
    soon = (market.database.now() + timedelta(minutes=1)).isoformat()
    rice = {
        "kind": "GOODS",
        "categoryId": opaque_id("Category", market.category["rice"]),
        "quantity": "5",
        "expiresAt": None,
    }
    cases = (
        (rice | {"visitsPerDay": 1}, "visitsPerDay", "INVALID"),
        ({"expiresAt": None}, "expiresAt", "REQUIRED"),
        ({"expiresAt": soon}, "expiresAt", "TOO_SOON"),
        ({"visitsPerDay": 0}, "visitsPerDay", "TOO_SMALL"),
        ({"quantity": "100000"}, "quantity", "TOO_LARGE"),
        ({"packSize": "2"}, "packSize", "INVALID"),
    )
    for changes, field, code in cases:
        given = haircuts(market, **changes)
        refused = asking.do("provider", OFFER, given)
        chinese = asking.do("provider", OFFER, given, Accept_Language="zh-CN")
        assert [(e["field"][-1], e["code"]) for e in refused["userErrors"]] == [(field, code)]
        assert refused["userErrors"][0]["message"] != chinese["userErrors"][0]["message"]
    assert await market.count(offers) == 0


async def test_a_need_of_a_service_is_visits_of_an_hour_unless_said(asking: Asked) -> None:
    market = asking.market
    household = await a_household(market)
    asks = {
        "householdId": opaque_id("Household", household),
        "categoryId": opaque_id("Category", market.category["haircut"]),
        "quantityAsked": "4",
    }
    quantity = {"value": "4", "unit": "visit"}

    plain = asking.do("township", NEED, asks)
    weekly = asking.do("township", NEED, asks | {"visitMinutes": 30, "everyDays": 7})

    assert plain["need"] == {"visitMinutes": 60, "everyDays": None, "quantity": quantity}
    assert weekly["need"] == {"visitMinutes": 30, "everyDays": 7, "quantity": quantity}
    soon = (market.database.now() + timedelta(days=10)).isoformat()
    staple = opaque_id("Category", market.category["staple"])
    cases = (
        ({"categoryId": staple, "visitMinutes": 30}, "visitMinutes", "INVALID"),
        ({"categoryId": staple, "everyDays": 7}, "everyDays", "INVALID"),
        ({"visitMinutes": 1441}, "visitMinutes", "TOO_LARGE"),
        ({"everyDays": 0}, "everyDays", "TOO_SMALL"),
        ({"everyDays": 7, "deadline": soon}, "deadline", "TOO_SOON"),
    )
    for changes, field, code in cases:
        refused = asking.do("township", NEED, asks | changes)
        assert [(e["field"][-1], e["code"]) for e in refused["userErrors"]] == [(field, code)]


async def a_weekly_need(market: Market, visits: int, **changes: Any) -> int:
    household = await a_household(market)
    await a_consent(market, household)
    values = {
        "category_id": market.category["haircut"],
        "quantity_asked": visits,
        "quantity": visits,
        "visit_minutes": 30,
        "every_days": 7,
    }
    return await a_need(market, household, **values | changes)


async def a_service(market: Market, **changes: Any) -> int:
    values = {
        "category_id": market.category["haircut"],
        "kind": "SERVICE",
        "quantity": 3_000,
        "visits_per_day": 1,
        "expires_at": market.database.now() + timedelta(days=29),
    }
    return await an_offer(market, **values | changes)


async def approved(market: Market, lines: list[tuple[int, int, int]]) -> None:
    plan_id = await a_proposal(market, lines)
    async with market.database.write() as db:
        await db.execute(
            sa.update(plan_lines)
            .where(plan_lines.c.plan_id == plan_id)
            .values(units_drawn=plan_lines.c.units_served * 30)
        )
    act = market.act("reviewer_2")
    await plans.approve(market.database, act, MovePlan(plan_id=plan_id), ApprovalRules())


async def the_days(market: Market) -> list[list[date]]:
    async with market.database.read() as db:
        rows = await db.rows(sa.select(allocations.c.visit_days).order_by(allocations.c.id))
    return [[date.fromisoformat(day) for day in row["visit_days"]] for row in rows]


async def test_plans_give_no_day_of_a_service_away_twice(market: Market) -> None:
    offer = await a_service(market)
    one, two, three = [await a_weekly_need(market, 4) for _ in range(3)]

    await approved(market, [(one, offer, 3), (two, offer, 4)])
    await approved(market, [(three, offer, 4)])

    days = await the_days(market)
    assert [len(found) for found in days] == [3, 4, 4]
    every = [day for found in days for day in found]
    assert len(set(every)) == len(every)
    assert min(every) > market.database.now().date() - timedelta(days=1)
    for found in days:
        weeks = {day.isocalendar()[:2] for day in found}
        assert len(weeks) == len(found)
    row = await market.row(offers, offer)
    assert row["reserved"] == 11 * 30
    await all_is_well(market.database)


async def test_two_offers_do_not_visit_a_weekly_need_in_one_week(market: Market) -> None:
    need = await a_weekly_need(market, 4)
    one, two = await a_service(market), await a_service(market)

    await approved(market, [(need, one, 2), (need, two, 2)])

    weeks = [day.isocalendar()[:2] for found in await the_days(market) for day in found]
    assert len(weeks) == len(set(weeks)) == 4


async def test_visits_and_minutes_are_shown_and_given_back_when_consent_ends(
    asking: Asked,
) -> None:
    market = asking.market
    need, offer = await a_weekly_need(market, 4), await a_service(market)
    await approved(market, [(need, offer, 3)])

    answer = asking.server.ask(LINES, key="key-of-reviewer").json()["data"]

    (line,) = answer["allocations"]["nodes"]
    assert (line["served"], line["drawn"]) == (
        {"value": "3", "unit": "visit"},
        {"value": "90", "unit": "minute"},
    )
    assert [[date.fromisoformat(day) for day in line["visits"]]] == await the_days(market)
    consent = await market.value(sa.select(sa.func.max(consents.c.id)))
    command = WithdrawConsent(consent_id=consent)
    await withdraw(market.database, market.act("township"), command)
    assert (await market.row(needs, need))["covered"] == 0
    assert (await market.row(offers, offer))["reserved"] == 0
    await all_is_well(market.database)


async def test_a_plan_suggests_a_day_for_every_visit_before_it_is_approved(
    asking: Asked,
) -> None:
    market = asking.market
    need, offer = await a_weekly_need(market, 3), await a_service(market)
    assert need
    assert offer

    await a_proposed_plan(market)

    document = (
        "{ plans(first: 1) { nodes { lines(first: 9) { nodes { visits drawn { value } } } } } }"
    )
    answer = asking.server.ask(document, key="key-of-reviewer").json()["data"]
    (line,) = answer["plans"]["nodes"][0]["lines"]["nodes"]
    assert line["drawn"] == {"value": "90"}
    weeks = {date.fromisoformat(day).isocalendar()[:2] for day in line["visits"]}
    assert len(weeks) == 3
