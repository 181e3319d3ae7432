"""What a plan leaves open where, and why its lines are there, as desks and donors are told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from marketplace.domain.ids import opaque_id
from marketplace.persistence.database import Database
from marketplace.persistence.tables import plans
from tests.fixtures.asked import give_keys
from tests.fixtures.market import Market, a_need, an_offer
from tests.planning.explained import (
    Asking,
    a_computed_plan,
    a_named_market,
    asked_over_http,
    plan_key,
)
from tests.planning.planned import a_consenting, units
from tests.planning.proposals import a_proposal
from tests.readgraph.asking import ask, counted

pytestmark = pytest.mark.one_database  # told of what is kept with the plan

SHORT = """query Short($region: ID, $category: ID, $plan: ID, $first: Int! = 100) {
  shortages(regionId: $region, categoryId: $category, plan: $plan, first: $first) {
    planId total shortages { regionLabel isRest categoryLabel short { value unit } households
      marginal { isFloor severityBand level value { amount } estimate } sentence } } }"""
WHY = """query Lines($plan: ID!) { node(id: $plan) { ... on Plan { lines(first: 50) { nodes {
  need { id } offer { id } served { value } reason { code rank offers floor { value }
  beyond { value } firstLevel { position isFloor severityBand } lastLevel { position }
  sentence } } } } } }"""
PLACES = {"xiugu": "village", "huangtong": "far_village"}


@pytest.fixture
async def market(database: Database) -> Market:
    market = await a_named_market(database)
    await give_keys(market)
    return market


@pytest.fixture
def asking(market: Market, database_url: str, tmp_path: Path) -> Iterator[Asking]:
    with asked_over_http(market, database_url, tmp_path) as asking:
        yield asking


async def needs_of(
    market: Market, what: str, where: str, homes: int, count: int, **changes: Any
) -> list[int]:
    """One need of so many units for each of so many households."""
    return [
        await a_need(
            market,
            await a_consenting(market, region=PLACES[where]),
            category_id=market.category[what],
            region_id=market.region[PLACES[where]],
            **units(count, **changes),
        )
        for _ in range(homes)
    ]


async def offered(market: Market, what: str, count: int, **changes: Any) -> int:
    return await an_offer(market, category_id=market.category[what], quantity=count, **changes)


def short(
    asking: Asking, who: str, language: str = "en", **given: Any
) -> dict[tuple[str, str], Any]:
    """Shortages by place and thing."""
    found = asking.data(who, SHORT, language, **given)["shortages"]
    return {(each["regionLabel"], each["categoryLabel"]): each for each in found["shortages"]}


async def test_what_a_plan_leaves_open_is_told_by_thing_and_township_most_useful_first(
    market: Market, asking: Asking
) -> None:
    await needs_of(market, "oil", "xiugu", 10, 10, severity=85)
    await needs_of(market, "oil", "huangtong", 5, 20, severity=85)
    await needs_of(market, "flour", "xiugu", 20, 5, severity=50)
    await offered(market, "flour", 40)
    plan_id = await a_computed_plan(market)

    found = asking.data("provider", SHORT)["shortages"]

    assert found["planId"] == plan_key(plan_id)
    order = [(each["regionLabel"], each["categoryLabel"]) for each in found["shortages"]]
    assert order == [
        ("Heyuan", "Cooking oil"),
        ("Huangtong", "Cooking oil"),
        ("Heyuan", "Flour"),
    ]
    sums = [int(each["short"]["value"]) for each in found["shortages"]]
    plan = await market.row(plans, plan_id)
    assert sums == [100, 100, 60]
    assert sum(sums) == plan["units_asked"] - plan["units_served"]
    oil, flour = found["shortages"][0], found["shortages"][2]
    assert (oil["households"], oil["marginal"]["isFloor"]) == (10, True)
    assert oil["marginal"] == {
        "isFloor": True,
        "severityBand": "CRITICAL",
        "level": None,  # for the desks only
        "value": {"amount": "1200"},
        "estimate": False,
    }
    assert oil["sentence"] == (
        "Heyuan: about 100 litre of cooking oil short for about 10 households. 1 litre more would "
        "serve the floor share of a need of critical severity, worth CNY 12.00."
    )
    assert flour["marginal"]["isFloor"] is False


async def test_townships_with_few_such_households_are_told_as_the_rest_of_their_county(
    market: Market, asking: Asking
) -> None:
    await needs_of(market, "oil", "xiugu", 3, 10)
    await needs_of(market, "oil", "huangtong", 3, 10)
    await needs_of(market, "salt", "xiugu", 4, 10)
    await needs_of(market, "coal", "xiugu", 7, 10)
    await needs_of(market, "coal", "huangtong", 4, 10)
    await a_computed_plan(market)

    desk, donor = short(asking, "assistance"), short(asking, "provider")

    assert set(desk) == set(donor) == {("county", "Cooking oil"), ("Heyuan", "Heating coal")}
    rest = desk["county", "Cooking oil"]
    assert (rest["isRest"], rest["households"]) == (True, 5)
    assert rest["sentence"].startswith("county, elsewhere: about ")
    assert desk["Heyuan", "Heating coal"]["households"] == 5
    assert isinstance(rest["marginal"]["level"], int)
    here = opaque_id("Region", market.region["xiugu"])
    assert set(short(asking, "provider", region=here)) == {("Heyuan", "Heating coal")}


async def test_no_severity_is_named_that_fewer_than_five_households_share(
    market: Market, asking: Asking
) -> None:
    await needs_of(market, "oil", "xiugu", 4, 10, severity=95)
    await needs_of(market, "oil", "xiugu", 5, 10, severity=20)
    await needs_of(market, "salt", "xiugu", 5, 10, severity=95)
    await needs_of(market, "salt", "xiugu", 4, 10, severity=20)
    await a_computed_plan(market)

    found = short(asking, "provider")

    assert found["Heyuan", "Cooking oil"]["marginal"]["severityBand"] == "LOW"
    assert found["Heyuan", "Salt"]["marginal"]["severityBand"] == "CRITICAL"


async def test_one_household_more_or_less_changes_no_figure_by_what_is_its_own(
    market: Market, asking: Asking
) -> None:
    await needs_of(market, "oil", "xiugu", 11, 10)
    first = short(asking, "provider", plan=plan_key(await a_computed_plan(market)))
    await needs_of(market, "oil", "xiugu", 1, 13)
    second = short(asking, "provider", plan=plan_key(await a_computed_plan(market)))

    for name in ("short", "households"):
        assert first["Heyuan", "Cooking oil"][name] == second["Heyuan", "Cooking oil"][name]


async def test_it_is_asked_for_by_region_and_by_category(market: Market, asking: Asking) -> None:
    await needs_of(market, "rice", "xiugu", 5, 10)
    await needs_of(market, "rice", "huangtong", 5, 10)
    await needs_of(market, "oil", "xiugu", 5, 10)
    await a_computed_plan(market)
    village = opaque_id("Region", market.region["village"])
    goods = opaque_id("Category", market.category["goods"])

    assert set(short(asking, "provider", category=goods)) == {
        ("Heyuan", "rice"),
        ("Huangtong", "rice"),
    }
    assert set(short(asking, "provider", region=village)) == {
        ("Heyuan", "rice"),
        ("Heyuan", "Cooking oil"),
    }
    found = asking.data("assistance", SHORT, first=1)["shortages"]
    assert (found["total"], len(found["shortages"])) == (3, 1)


async def test_officers_are_told_of_their_own_region_and_the_public_of_none(
    market: Market, asking: Asking
) -> None:
    await needs_of(market, "oil", "xiugu", 5, 10)
    await needs_of(market, "oil", "huangtong", 5, 10)
    await a_computed_plan(market)
    county = opaque_id("Region", market.region["county"])
    nowhere = opaque_id("Region", 10**9)

    assert set(short(asking, "township")) == {("Heyuan", "Cooking oil")}
    assert set(short(asking, "grid")) == {("Heyuan", "Cooking oil")}
    assert set(short(asking, "other_township")) == {("Huangtong", "Cooking oil")}
    for who, given, code in (
        ("township", {"region": county}, "FORBIDDEN"),
        ("applicant", {}, "FORBIDDEN"),
        (None, {}, "UNAUTHENTICATED"),
        ("provider", {"region": county[:-1] + "!"}, "INVALID_ID"),
        ("provider", {"region": nowhere}, "NOT_FOUND"),
        ("provider", {"first": 501}, "TOO_LARGE"),
    ):
        answer = asking.ask(who, SHORT, **given)
        assert answer["data"] == {"shortages": None}
        assert codes_of(answer) == [code]


def codes_of(answer: Any) -> list[str]:
    return [error["extensions"]["code"] for error in answer["errors"]]


async def test_without_a_plan_that_says_anything_the_answer_is_null(
    market: Market, asking: Asking
) -> None:
    (need,) = await needs_of(market, "salt", "xiugu", 1, 10)
    offer = await offered(market, "salt", 4)
    old = await a_proposal(market, [(need, offer, 4)])

    assert asking.data("provider", SHORT) == {"shortages": None}
    assert asking.data("assistance", SHORT, plan=plan_key(old)) == {"shortages": None}
    (line,) = asking.data("assistance", WHY, plan=plan_key(old))["node"]["lines"]["nodes"]
    assert line["reason"] is None


async def test_shortages_are_said_in_chinese_with_money_in_yuan(
    market: Market, asking: Asking
) -> None:
    await needs_of(market, "medical_cash", "xiugu", 5, 100_000, severity=60)
    await a_computed_plan(market)

    (found,) = short(asking, "provider", "zh-CN").values()

    assert found["sentence"] == (
        "何源镇：约 5 户家庭共缺medical_cash约 5,000.00 元。"
        "每增加 0.01 元，可满足紧急需求的保底部分。"
    )


async def test_each_line_says_which_units_it_serves_and_how_near_its_offer_is(
    market: Market, asking: Asking
) -> None:
    (high,) = await needs_of(market, "salt", "xiugu", 1, 100, severity=90)
    (low,) = await needs_of(market, "salt", "huangtong", 1, 100, severity=40)
    near = await offered(market, "salt", 60, latitude=27.90, longitude=116.76)
    far = await offered(market, "salt", 50, latitude=28.9, longitude=116.76)
    lone = await needs_of(market, "oil", "xiugu", 1, 8)
    await offered(market, "oil", 2)
    plan = plan_key(await a_computed_plan(market))

    english = reasons(asking, plan, "en")
    chinese = reasons(asking, plan, "zh-CN")

    assert sum(int(line["served"]["value"]) for line in english.values()) == 112
    first = english[key_of(high, near)]
    assert first["reason"]["code"] == "NEAREST"
    assert first["reason"]["firstLevel"] == {
        "position": 0,
        "isFloor": True,
        "severityBand": "CRITICAL",
    }
    assert first["reason"]["floor"] == {"value": "25"}
    assert first["reason"]["sentence"].startswith(
        "It serves the floor share of a need of critical severity, and more beyond it. It is the "
        "nearest of 2 offers that could."
    )
    (single,) = (line for (need, _), line in english.items() if need == opaque_id("Need", lone[0]))
    assert single["reason"]["sentence"] == (
        "It serves the floor share of a need of high severity. It is the only offer that could."
    )
    assert chinese[key_of(high, near)]["reason"]["sentence"] == (
        "用于特急需求的保底部分及保底以外部分。在 2 项可用供给中距离最近。"
    )
    assert key_of(low, near) in english or key_of(low, far) in english


def key_of(need: int, offer: int) -> tuple[str, str]:
    return opaque_id("Need", need), opaque_id("Offer", offer)


def reasons(asking: Asking, plan: str, language: str) -> dict[tuple[str, str], Any]:
    nodes = asking.data("assistance", WHY, language, plan=plan)["node"]["lines"]["nodes"]
    return {(line["need"]["id"], line["offer"]["id"]): line for line in nodes}


async def test_all_lines_of_a_plan_ask_for_their_reasons_once(market: Market) -> None:
    await needs_of(market, "salt", "xiugu", 20, 10)
    await offered(market, "salt", 200)
    plan = plan_key(await a_computed_plan(market))

    with counted(market.database) as sent:
        data = await ask(market.database, market.viewer["assistance"], WHY, {"plan": plan})

    lines = data["node"]["lines"]["nodes"]
    assert {line["reason"]["code"] for line in lines} == {"ONLY"}
    assert (len(lines), len(sent)) == (20, 2)
