"""Why a need is short in a plan, as its officers are told over HTTP, in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from graphql import parse

from marketplace.domain.exchange.explained import PlanLineCode, ShortfallLacking, ShortfallRule
from marketplace.domain.exchange.plans import LeftAsideReason
from marketplace.domain.ids import opaque_id
from marketplace.persistence.database import Database
from marketplace.persistence.tables import offer_regions
from marketplace.services.exchange import explained_sentence
from schema.cost import cost_of
from tests.fixtures.asked import give_keys
from tests.fixtures.market import Market, a_need, an_allocation, an_offer
from tests.planning.explained import (
    Asking,
    a_computed_plan,
    a_named_market,
    asked_over_http,
    plan_key,
)
from tests.planning.planned import a_consenting, units
from tests.planning.proposals import a_proposal
from tests.readgraph.asking import ask, counted, schema

pytestmark = pytest.mark.one_database  # told of what is kept with the plan

WHY = """query Why($plan: ID) { needs(first: 50) { nodes { id shortfall(plan: $plan) {
  kind complete short { value unit } lacking rules leftAside offers outrankingNeeds tiedNeeds
  estimate level { position isFloor severityBand } sentence } } } }"""
REACH = "可送达何源镇的"


@pytest.fixture
async def market(database: Database) -> Market:
    market = await a_named_market(database)
    await give_keys(market)
    return market


@pytest.fixture
def asking(market: Market, database_url: str, tmp_path: Path) -> Iterator[Asking]:
    with asked_over_http(market, database_url, tmp_path) as asking:
        yield asking


async def a_need_of(market: Market, what: str, count: int, **changes: Any) -> int:
    return await a_need(
        market,
        await a_consenting(market, region="village"),
        category_id=market.category[what],
        region_id=market.region["village"],
        **units(count, **changes),
    )


async def an_offer_of(market: Market, what: str, count: int, **changes: Any) -> int:
    return await an_offer(market, category_id=market.category[what], quantity=count, **changes)


def told(asking: Asking, who: str, plan_id: int | None, language: str = "en") -> dict[str, Any]:
    """What is told of each need that the viewer sees, by its id."""
    plan = None if plan_id is None else plan_key(plan_id)
    nodes = asking.data(who, WHY, language, plan=plan)["needs"]["nodes"]
    return {node["id"]: node["shortfall"] for node in nodes}


# thing: what there is beside one need of 10; how the shortfall reads
async def _nothing(market: Market, need: int) -> None:
    pass


async def _elsewhere(market: Market, need: int) -> None:
    offer = await an_offer_of(market, "coal", 100)
    async with market.database.write() as db:
        await db.insert_many(
            offer_regions, [{"offer_id": offer, "region_id": market.region["huangtong"]}]
        )


async def _far(market: Market, need: int) -> None:
    await an_offer_of(market, "coat", 100, latitude=30.0, longitude=116.0, radius_km=5)


async def _for_others(market: Market, need: int) -> None:
    await an_offer_of(market, "milk", 100, target_groups=2)


async def _declined(market: Market, need: int) -> None:
    offer = await an_offer_of(market, "bed", 100)
    await an_allocation(market, need, offer, 1, "DECLINED")


CASES: dict[str, tuple[Any, str, str, str]] = {
    "oil": (
        _nothing,
        "NO_OFFER",
        "Nothing eligible: there is no offer of cooking oil in the market.",
        "无可匹配供给：市场上没有食用油类供给。",
    ),
    "coal": (
        _elsewhere,
        "NOT_IN_REGION",
        "Nothing eligible: no offer of heating coal goes to Heyuan.",
        "无可匹配供给：没有可送达何源镇的取暖煤供给。",
    ),
    "coat": (
        _far,
        "TOO_FAR",
        "Nothing eligible: the household is beyond the service radius of every winter coat offer "
        "that goes to Heyuan.",
        "无可匹配供给：该户不在任何可送达何源镇的棉衣供给的服务半径内。",
    ),
    "milk": (
        _for_others,
        "OTHER_GROUPS",
        "Nothing eligible: the milk powder offers that reach Heyuan are restricted to other "
        "target groups.",
        "无可匹配供给：可送达何源镇的奶粉供给仅限其他对象类别。",
    ),
}


async def test_a_need_that_nothing_may_meet_says_what_there_is_not(
    market: Market, asking: Asking
) -> None:
    needs = {}
    for what, (beside, *_) in CASES.items():
        needs[what] = await a_need_of(market, what, 10)
        await beside(market, needs[what])
    await an_offer_of(market, "rice", 5)  # so that there is something to plan at all
    plan_id = await a_computed_plan(market)

    english = told(asking, "assistance", plan_id)
    chinese = told(asking, "assistance", plan_id, "zh-CN")

    for what, (_, lacking, en, zh) in CASES.items():
        key = opaque_id("Need", needs[what])
        assert (english[key]["kind"], english[key]["lacking"]) == ("NOTHING_ELIGIBLE", lacking)
        assert (english[key]["sentence"], chinese[key]["sentence"]) == (en, zh)
        assert english[key]["short"]["value"] == "10"
        assert (english[key]["offers"], english[key]["estimate"]) == (0, False)


async def test_a_need_that_offers_have_something_for_says_what_stands_in_the_way(
    market: Market, asking: Asking
) -> None:
    limited = await a_need_of(market, "flour", 50)
    await an_offer_of(market, "flour", 100, household_max=10)
    alone = await a_need_of(market, "salt", 10)
    await an_offer_of(market, "salt", 4)
    served = await a_need_of(market, "soap", 10)
    await an_offer_of(market, "soap", 40)
    packed = await a_need_of(market, "stove", 4)
    await an_offer_of(market, "stove", 30, pack_size=5)
    least = await a_need_of(market, "bed", 10, quantity_min=10)
    await an_offer_of(market, "bed", 4)
    unpriced = await a_need_of(market, "book", 3)
    await an_offer_of(market, "book", 9_000, kind="CASH")
    plan_id = await a_computed_plan(market)

    english = told(asking, "assistance", plan_id)
    chinese = told(asking, "assistance", plan_id, "zh-CN")

    expected = {
        limited: (
            "RULE",
            "40",
            "A rule stands in the way: the flour offers that reach Heyuan give no more to one "
            "household.",
            f"受规则限制：{REACH}面粉供给已达每户上限。",
        ),
        alone: (
            "CAPACITY",
            "6",
            "Used up: the salt offers that reach Heyuan have nothing left, and what they give "
            "serves nothing of higher precedence.",
            f"供给不足：{REACH}食盐供给已全部用完，且未用于优先级更高的需求。",
        ),
        served: (
            "COMPLETE",
            "0",
            "Complete: the plan serves all that was open.",
            "已满足：方案满足了全部未满足部分。",
        ),
        packed: (
            "LEFT_ASIDE",
            "4",
            "Left aside: what is open is less than one pack of the stove offers that reach Heyuan.",
            f"未参与计算：未满足部分少于{REACH}炉具供给的一个包装。",
        ),
        least: (
            "LEFT_ASIDE",
            "10",
            "Left aside: what the care bed offers that reach Heyuan could give is less than is of "
            "use to it.",
            f"未参与计算：{REACH}护理床供给所能提供的少于其最低有效数量。",
        ),
        unpriced: (
            "NOTHING_ELIGIBLE",
            "3",
            "Nothing eligible: only cash is there for book, which has no reference price to buy "
            "at.",
            "无可匹配供给：仅有资金可用，而图书没有可供采购的参考价。",
        ),
    }
    for need, (kind, short, en, zh) in expected.items():
        key = opaque_id("Need", need)
        assert (english[key]["kind"], english[key]["short"]["value"]) == (kind, short)
        assert (english[key]["sentence"], chinese[key]["sentence"]) == (en, zh)
        assert english[key]["complete"] is (kind == "COMPLETE")
    assert english[opaque_id("Need", limited)]["rules"] == ["HOUSEHOLD_MAX"]
    assert english[opaque_id("Need", packed)]["leftAside"] == "LESS_THAN_ONE_PACK"


async def test_a_need_that_was_declined_says_so(market: Market, asking: Asking) -> None:
    need = await a_need_of(market, "bed", 10)
    await _declined(market, need)
    plan_id = await a_computed_plan(market)

    shortfall = told(asking, "assistance", plan_id)[opaque_id("Need", need)]

    assert shortfall["lacking"] == "DECLINED"
    assert shortfall["sentence"] == (
        "Nothing eligible: the providers of the care bed offers that reach Heyuan have declined "
        "this need."
    )


async def test_needs_that_come_before_are_counted_to_the_nearest_five_and_few_of_them_not_at_all(
    market: Market, asking: Asking
) -> None:
    few = [await a_need_of(market, "salt", 10, severity=40 + k) for k in range(4)]
    await an_offer_of(market, "salt", 30)
    many = [await a_need_of(market, "oil", 10, severity=40 + k) for k in range(9)]
    await an_offer_of(market, "oil", 70)
    plan_id = await a_computed_plan(market)

    english = told(asking, "assistance", plan_id)
    chinese = told(asking, "assistance", plan_id, "zh-CN")

    last, lowest = opaque_id("Need", few[0]), opaque_id("Need", many[0])
    assert (english[last]["kind"], english[last]["outrankingNeeds"]) == ("OUTRANKED", None)
    assert english[last]["sentence"] == (
        "Outranked: the salt offers that reach Heyuan serve needs of higher precedence."
    )
    assert (english[lowest]["kind"], english[lowest]["outrankingNeeds"]) == ("OUTRANKED", 10)
    assert english[lowest]["sentence"] == (
        "Outranked: the cooking oil offers that reach Heyuan serve about 10 needs of higher "
        "precedence."
    )
    assert chinese[lowest]["sentence"] == (
        f"优先级不足：{REACH}食用油供给用于约 10 项优先级更高的需求。"
    )
    assert english[lowest]["level"]["isFloor"] is False
    assert english[lowest]["level"]["severityBand"] == "MEDIUM"


async def test_everyone_is_told_of_the_needs_they_see_and_of_no_others(
    market: Market, asking: Asking
) -> None:
    here = await a_need_of(market, "salt", 10)
    there = await a_need(
        market,
        await a_consenting(market, region="far_village"),
        category_id=market.category["salt"],
        region_id=market.region["far_village"],
        **units(10),
    )
    await an_offer_of(market, "salt", 4)
    plan_id = await a_computed_plan(market)

    of_here = told(asking, "township", None)
    of_there = told(asking, "other_township", plan_id)

    assert list(of_here) == [opaque_id("Need", here)]
    assert of_here[opaque_id("Need", here)]["kind"] in ("OUTRANKED", "CAPACITY")
    assert list(of_there) == [opaque_id("Need", there)]
    assert told(asking, "reviewer", plan_id) == {}  # neither was referred to the charity desk


async def test_only_the_desks_are_told_of_plans_that_do_not_stand(
    market: Market, asking: Asking
) -> None:
    need = opaque_id("Need", await a_need_of(market, "salt", 10))
    await an_offer_of(market, "salt", 4)
    plan_id = await a_computed_plan(market, kind="SIMULATION")

    assert told(asking, "assistance", plan_id)[need]["kind"] == "CAPACITY"
    assert told(asking, "township", plan_id) == {need: None}
    assert told(asking, "township", None) == {need: None}


async def test_what_is_no_plan_is_an_error_of_the_field_and_an_old_plan_says_nothing(
    market: Market, asking: Asking
) -> None:
    need = await a_need_of(market, "salt", 10)
    offer = await an_offer_of(market, "salt", 4)
    old = await a_proposal(market, [(need, offer, 4)])

    assert told(asking, "assistance", old) == {opaque_id("Need", need): None}
    answer = asking.ask("assistance", WHY, plan=opaque_id("Need", need))
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["INVALID_ID"]
    assert answer["data"]["needs"]["nodes"][0]["shortfall"] is None


async def test_a_need_that_came_after_the_plan_is_not_in_it(market: Market, asking: Asking) -> None:
    await an_offer_of(market, "salt", 4)
    plan_id = await a_computed_plan(market)
    need = await a_need_of(market, "salt", 10)

    assert told(asking, "assistance", plan_id) == {opaque_id("Need", need): None}


async def test_a_hundred_needs_ask_the_plan_once(market: Market) -> None:
    for k in range(20):
        await a_need_of(market, "salt", 10, severity=40 + k)
    await an_offer_of(market, "salt", 70)
    plan = plan_key(await a_computed_plan(market))
    viewer = market.viewer["assistance"]

    with counted(market.database) as first:
        data = await ask(market.database, viewer, WHY, {"plan": plan})
    with counted(market.database) as again:
        await ask(market.database, viewer, WHY, {"plan": plan})

    assert len(data["needs"]["nodes"]) == 20
    assert len(first) == 3  # the needs, who may be told of the plan, what was kept with it
    assert len(again) == 2


def test_every_explanation_costs_a_point() -> None:
    def cost(document: str) -> int:
        return cost_of(schema()._schema, parse(document), None, {})

    plain = cost("{ needs(first: 50) { nodes { id } } }")
    assert cost("{ needs(first: 50) { nodes { id shortfall { sentence } } } }") == plain + 50
    assert cost("{ shortages { total } }") == 50


def test_everything_that_can_be_told_has_a_sentence() -> None:
    assert set(explained_sentence.LACKS) == set(ShortfallLacking)
    assert set(explained_sentence.RULES) == set(ShortfallRule)
    assert set(explained_sentence.ASIDE) == set(LeftAsideReason)
    assert set(explained_sentence.LINES) == set(PlanLineCode)
