"""The federation reports whom it helped to the charity desk, each delivery in one list."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from marketplace.domain.days import county_day
from marketplace.domain.ids import opaque_id
from marketplace.persistence.tables import results
from tests.fixtures.asked import Asked, asked, give_keys
from tests.fixtures.market import Market
from tests.fixtures.results import a_result

REPORT = """
mutation ($input: HelpedListReportInput!) {
  helpedListReport(input: $input) {
    helpedList { id reference status deliveries households allowedMoves
      lines(first: 9) { nodes { result { id need { reference } } } } }
    userErrors { field code message }
  }
}
"""
RECEIVE = """
mutation ($input: HelpedListReceiveInput!) {
  helpedListReceive(input: $input) { helpedList { status } userErrors { code } }
}
"""
LINES = """
query ($from: Date!, $to: Date!, $whose: ID) {
  federationList(from: $from, to: $to, organizationId: $whose) {
    resultId state listReference townshipLabel categoryLabel received { value unit }
  }
}
"""


@pytest.fixture
async def asking(market: Market, database_url: str, tmp_path: Path) -> AsyncIterator[Asked]:
    await give_keys(market)
    with asked(market, database_url, tmp_path) as asking:
        yield asking


async def test_the_federation_reports_each_delivery_of_its_own_once(asking: Asked) -> None:
    market = asking.market
    first, _, household_id = await a_result(market)
    second, _, _ = await a_result(market, household_id=household_id)
    other = market.organization["other"]
    brought, _, _ = await a_result(market, organization_id=other)
    await a_result(market, organization_id=other)
    async with market.database.write() as db:
        by = {"delivered_by_id": market.organization["charity"]}
        await db.execute(sa.update(results).where(results.c.id == brought).values(by))
    today = county_day(market.database.now())
    span = {"from": str(today - timedelta(days=9)), "to": str(today)}

    listed = asking.do("federation", REPORT, span)["helpedList"]
    which = {"id": listed["id"]}

    assert (listed["deliveries"], listed["households"], listed["status"]) == (3, 2, "REPORTED")
    assert listed["allowedMoves"] == []
    lines = listed["lines"]["nodes"]
    assert {line["result"]["id"] for line in lines} == {
        opaque_id("Result", key) for key in (first, second, brought)
    }
    assert {line["result"]["need"] for line in lines} == {None}
    assert asking.refused("federation", REPORT, span) == "NOTHING_TO_REPORT"
    assert asking.refused("federation", RECEIVE, which) == "FORBIDDEN"
    assert asking.refused("provider", REPORT, span) == "FORBIDDEN"
    late = {"from": span["from"], "to": str(today + timedelta(days=1))}
    assert asking.refused("federation", REPORT, late) == "INVALID"
    assert asking.refused("federation", REPORT, {"from": span["to"], "to": span["from"]}) == (
        "INVALID"
    )
    assert asking.do("reviewer", RECEIVE, which)["helpedList"]["status"] == "RECEIVED"
    assert asking.refused("reviewer", RECEIVE, which) == "CONFLICT"
    third, _, _ = await a_result(market)
    own = asking.see("federation", LINES, span)["federationList"]
    whose = {"whose": opaque_id("Organization", market.organization["charity"])}
    assert asking.see("reviewer", LINES, span | whose)["federationList"] == own
    assert [line["state"] for line in own] == ["NOT_REPORTED", *["RECEIVED"] * 3]
    assert own[0] == {
        "resultId": opaque_id("Result", third),
        "state": "NOT_REPORTED",
        "listReference": None,
        "townshipLabel": None,
        "categoryLabel": "staple",
        "received": {"value": "40", "unit": "kg"},
    }
    assert own[1]["listReference"] == listed["reference"]
    for who, given, code in (
        ("provider", span, "FORBIDDEN"),
        ("reviewer", span, "NOT_FOUND"),
        ("federation", span | {"whose": opaque_id("Organization", other)}, "NOT_FOUND"),
        ("federation", late, "INVALID"),
    ):
        answer = asking.ask(who, LINES, given)
        assert answer["errors"][0]["extensions"]["code"] == code, (who, answer)
