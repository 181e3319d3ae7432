"""offerImpact over HTTP: what a provider is told before posting, and what nobody is told."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from marketplace.domain.ids import opaque_id
from marketplace.domain.permissions import QUESTIONS
from marketplace.persistence.database import Database
from marketplace.persistence.tables import needs, offers
from marketplace.services.exchange.impact_desk import close_desk, desk_of
from marketplace.services.exchange.impacts import ask
from tests.fixtures.asked import Asked, asked, give_keys
from tests.fixtures.market import Market, a_market, a_need, an_offer
from tests.fixtures.market import rice as rice_terms
from tests.impact.recorded import a_recorded_plan
from tests.planning.planned import a_consenting, units

IMPACT = """query ($input: OfferPostInput!) { offerImpact(input: $input) {
  planReference exact offered { value unit } drawn { value unit } drawnMax { value }
  unusedPercent householdsReached householdsGaining townshipsReached
  townships { regionId label households } categories { label served { value unit } households }
  levels { isFloor severityBand percentBefore percentAfter }
  better { categoryLabel regionLabel isFloor severityBand open { value unit } households }
  sentence } }"""


@pytest.fixture
async def market(database: Database) -> Market:
    market = await a_market(database)
    await give_keys(market)
    return market


@pytest.fixture
def asking(market: Market, database_url: str, tmp_path: Path) -> Iterator[Asked]:
    with asked(market, database_url, tmp_path) as served:
        yield served


def rice(market: Market, **changes: Any) -> dict[str, Any]:
    category = opaque_id("Category", market.category["rice"])
    return {"kind": "GOODS", "categoryId": category, "quantity": "200"} | changes


async def homes(market: Market, count: int, **need: Any) -> None:
    for number in range(count):
        wanted = units(10, severity=90 - number) | {"category_id": market.category["rice"]}
        await a_need(market, await a_consenting(market), **wanted | need)


def told(asking: Asked, who: str = "provider", **changes: Any) -> dict[str, Any]:
    answer = asking.ask(who, IMPACT, {"input": rice(asking.market, **changes)})
    assert "errors" not in answer, answer
    return dict(answer["data"]["offerImpact"])


async def test_a_provider_sees_what_the_offer_would_change(asking: Asked) -> None:
    market = asking.market
    await homes(market, 12)
    await homes(market, 6, category_id=market.category["quilt"])
    await an_offer(market, quantity=20)
    await a_recorded_plan(market)

    impact = told(asking)

    assert impact["exact"] is True
    assert impact["offered"] == {"value": "200", "unit": "kg"}
    assert impact["drawn"] == {"value": "100", "unit": "kg"}
    assert impact["drawnMax"] is None
    assert impact["unusedPercent"] == 50
    assert (impact["householdsReached"], impact["householdsGaining"]) == (10, 10)
    assert [place["label"] for place in impact["townships"]] == ["xiugu"]
    assert impact["categories"] == [
        {"label": "rice", "served": {"value": "100", "unit": "kg"}, "households": 10}
    ]
    assert impact["planReference"].startswith("M-")
    assert await market.count(offers) == 1


@pytest.mark.one_database
async def test_the_levels_show_what_is_served_without_and_with_the_offer(asking: Asked) -> None:
    await homes(asking.market, 8)
    await an_offer(asking.market, quantity=24)
    await a_recorded_plan(asking.market)

    levels = told(asking)["levels"]

    assert levels == [
        {"isFloor": True, "severityBand": "CRITICAL", "percentBefore": 100, "percentAfter": 100},
        {"isFloor": False, "severityBand": "CRITICAL", "percentBefore": 0, "percentAfter": 100},
    ]


@pytest.mark.one_database
async def test_what_would_do_more_good_is_named_in_the_readers_language(asking: Asked) -> None:
    market = asking.market
    await homes(market, 8, severity=20)
    await homes(market, 8, severity=95, category_id=market.category["quilt"])
    await a_recorded_plan(market)

    english = told(asking)
    answer = asking.ask("provider", IMPACT, {"input": rice(market)}, Accept_Language="zh-CN")
    chinese = answer["data"]["offerImpact"]

    assert english["better"] == [
        {
            "categoryLabel": "quilt",
            "regionLabel": "xiugu",
            "isFloor": True,
            "severityBand": "CRITICAL",
            "open": {"value": "100", "unit": "piece"},
            "households": 10,
        }
    ]
    assert "The same worth would do more good as quilt for xiugu" in english["sentence"]
    assert "同等价值若改为向xiugu提供quilt效果更好" in chinese["sentence"]


async def test_cash_for_all_goods_hears_of_every_kind_that_it_would_buy(asking: Asked) -> None:
    market = asking.market
    await homes(market, 8, severity=20)
    await homes(market, 8, severity=95, category_id=market.category["quilt"])
    await a_recorded_plan(market)
    goods = opaque_id("Category", market.category["goods"])

    impact = told(asking, kind="CASH", categoryId=goods, quantity="2000000")

    assert impact["exact"] is True
    assert impact["offered"] == {"value": "2000000", "unit": "fen"}
    assert [each["label"] for each in impact["categories"]] == ["rice", "quilt"]
    assert impact["better"] == []


@pytest.mark.one_database
async def test_an_offer_for_what_is_gravest_hears_of_nothing_better(asking: Asked) -> None:
    market = asking.market
    await homes(market, 8, severity=95)
    await homes(market, 8, severity=20, category_id=market.category["quilt"])
    await a_recorded_plan(market)

    assert told(asking)["better"] == []


@pytest.mark.one_database
@pytest.mark.parametrize("count", [0, 4])
async def test_of_fewer_than_five_households_nothing_is_said_not_even_that_there_are_none(
    asking: Asked, count: int
) -> None:
    await homes(asking.market, count)
    await a_recorded_plan(asking.market)

    impact = told(asking)

    for name in ("drawn", "unusedPercent", "householdsReached", "householdsGaining"):
        assert impact[name] is None
    for name in ("townships", "categories", "levels", "better"):
        assert impact[name] == []
    assert "fewer than five households" in impact["sentence"]


@pytest.mark.one_database
async def test_impacts_that_differ_by_one_household_tell_nothing_of_it(asking: Asked) -> None:
    market = asking.market
    await homes(market, 11)
    odd = await a_need(
        market, await a_consenting(market), **units(7, category_id=market.category["rice"])
    )
    await a_recorded_plan(market)
    with_all = told(asking)
    async with market.database.write() as db:
        gone = sa.update(needs).where(needs.c.id == odd)
        await db.execute(gone.values(status="WITHDRAWN"))
    await a_recorded_plan(market)

    without_one = told(asking)

    assert with_all.pop("planReference") != without_one.pop("planReference")
    assert with_all == without_one


async def test_a_radius_is_measured_to_townships_and_that_is_said(asking: Asked) -> None:
    market = asking.market
    await homes(market, 8)
    await a_recorded_plan(market)
    near = {"radiusKm": 5.0, "latitude": 27.91, "longitude": 116.77}

    inside = told(asking, **near)
    outside = told(asking, **near | {"radiusKm": 0.5, "latitude": 27.90, "longitude": 116.76})
    answer = asking.ask(
        "provider", IMPACT, {"input": rice(market, **near)}, Accept_Language="zh-CN"
    )

    assert (inside["exact"], inside["householdsReached"]) == (False, 10)
    assert (outside["exact"], outside["householdsReached"]) == (False, None)
    assert "a radius is measured to the centre of each township here" in inside["sentence"]
    assert "服务半径按各乡镇中心计算" in answer["data"]["offerImpact"]["sentence"]


REFUSED = [
    ({"quantity": "0"}, "TOO_SMALL", ["input", "quantity"]),
    ({"quantity": "7", "packSize": "5"}, "NOT_WHOLE_PACKS", ["input", "quantity"]),
    ({"radiusKm": -1.0, "latitude": 27.0, "longitude": 116.0}, "INVALID", ["input", "radiusKm"]),
    ({"externalReference": "X-1"}, "TAKEN", ["input", "externalReference"]),
]


@pytest.mark.parametrize(("changes", "code", "field"), REFUSED)
async def test_what_could_not_be_posted_is_refused_by_the_same_name(
    asking: Asked, changes: dict[str, Any], code: str, field: list[str]
) -> None:
    await an_offer(asking.market, external_reference="X-1")

    answer = asking.ask("provider", IMPACT, {"input": rice(asking.market, **changes)})

    (error,) = answer["errors"]
    assert error["extensions"]["code"] == code
    assert error["extensions"]["fields"] == [field]


@pytest.mark.one_database
async def test_each_fault_has_its_own_path_and_code_and_is_said_once(asking: Asked) -> None:
    far = {"startsAt": "9998-01-01T00:00:00Z", "expiresAt": "9999-01-01T00:00:00Z"}

    answer = asking.ask("provider", IMPACT, {"input": rice(asking.market, quantity="0", **far)})

    (error,) = answer["errors"]
    faults = error["extensions"]["faults"]
    assert {tuple(fault["field"]) for fault in faults} == {
        ("input", "quantity"),
        ("input", "startsAt"),
        ("input", "expiresAt"),
    }
    assert {fault["code"] for fault in faults} > {"TOO_SMALL"}
    said = [fault["message"] for fault in faults]
    assert len(set(said)) < len(said)
    assert all(error["message"].count(text) == 1 for text in said)


async def test_without_a_plan_of_the_county_it_says_what_to_do(asking: Asked) -> None:
    await homes(asking.market, 6)
    await a_recorded_plan(asking.market, region_id=asking.market.region["xiugu"])

    answer = asking.ask("provider", IMPACT, {"input": rice(asking.market)})

    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "NO_PLAN"
    assert "planCreate" in error["message"]


@pytest.mark.one_database
async def test_only_providers_and_desks_may_ask(asking: Asked) -> None:
    await a_recorded_plan(asking.market)
    for who, viewer in asking.market.viewer.items():
        answer = asking.ask(
            None if who == "public" else who, IMPACT, {"input": rice(asking.market)}
        )
        code = answer["errors"][0]["extensions"]["code"] if "errors" in answer else None
        if who == "suspended_provider":
            assert code == "ORGANIZATION_NOT_VERIFIED"
        elif viewer.role in QUESTIONS["offerImpact"]:
            assert code is None, who
        else:
            assert code == ("UNAUTHENTICATED" if who == "public" else "FORBIDDEN"), who


@pytest.mark.one_database
async def test_it_costs_far_more_than_a_look_up(asking: Asked) -> None:
    three = "".join(f"of{n}: offerImpact(input: $input) {{ exact }} " for n in range(3))
    query = f"query ($input: OfferPostInput!) {{ {three} }}"

    answer = asking.ask("provider", query, {"input": rice(asking.market)})

    assert answer["errors"][0]["extensions"]["code"] == "MAX_COST_EXCEEDED"


@pytest.mark.one_database
async def test_a_killed_child_is_begun_again_and_none_is_left_at_the_end(market: Market) -> None:
    await homes(market, 6)
    await a_recorded_plan(market)
    database, provider = market.database, market.viewer["provider"]
    before = await ask(database, provider, rice_terms(market))
    desk = desk_of(database)
    (pid,) = desk.pids
    os.kill(pid, signal.SIGKILL)

    after = await ask(database, provider, rice_terms(market))

    assert after.told == before.told
    assert desk.pids != [pid]
    await close_desk(database)
    assert desk.pids == []
