"""Results: three desks are told what came of a delivery, and the last to say so closes the need."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from marketplace.domain.days import county_day
from marketplace.domain.ids import opaque_id
from marketplace.persistence.tables import events, needs, result_copies, results
from marketplace.services.exchange.expiry import expire
from tests.fixtures.asked import Asked, asked, give_keys
from tests.fixtures.market import Market
from tests.fixtures.results import a_member, a_result, days_pass

ACKNOWLEDGE = """
mutation ($input: ResultAcknowledgeInput!) {
  resultAcknowledge(input: $input) {
    copies { desk status acknowledgedAt acknowledgedBy allowedMoves }
    userErrors { field code message }
  }
}
"""


@pytest.fixture
async def asking(market: Market, database_url: str, tmp_path: Path) -> AsyncIterator[Asked]:
    await give_keys(market)
    with asked(market, database_url, tmp_path) as asking:
        yield asking


async def test_the_last_of_three_desks_to_acknowledge_closes_the_need(asking: Asked) -> None:
    market = asking.market
    result_id, need_id, _ = await a_result(market)
    given = {"resultIds": [opaque_id("Result", result_id)]}

    for who, desk in (("township", "TOWNSHIP"), ("assistance", "ASSISTANCE")):
        done = asking.do(who, ACKNOWLEDGE, given)
        assert done["userErrors"] == []
        (copy,) = done["copies"]
        assert (copy["desk"], copy["status"], copy["allowedMoves"]) == (desk, "ACKNOWLEDGED", [])
        assert copy["acknowledgedBy"] == who
        assert (await market.row(needs, need_id))["status"] == "FULFILLED"
    asking.do("reviewer", ACKNOWLEDGE, given)

    assert (await market.row(needs, need_id))["status"] == "CLOSED"
    assert await market.count(result_copies, result_copies.c.status == "SENT") == 0
    assert asking.refused("reviewer", ACKNOWLEDGE, given) == "CONFLICT"


OVERDUE = """
query ($where: ResultCopyWhere) {
  resultCopies(first: 10, where: $where) { totalCount nodes { desk isOverdue result { status } } }
}
"""


async def test_overdue_copies_are_listed_by_desk_and_region(asking: Asked) -> None:
    market = asking.market
    late, _, _ = await a_result(market)
    await a_result(market, region="far_village")
    await days_pass(market, late, 6)

    late_at_desks = asking.see("assistance", OVERDUE, {"where": {"isOverdue": {"eq": True}}})
    in_time = asking.see("township", OVERDUE, {"where": {"isOverdue": {"eq": False}}})
    elsewhere = asking.see("other_township", OVERDUE, {"where": {}})

    assert {(c["desk"], c["isOverdue"]) for c in late_at_desks["resultCopies"]["nodes"]} == {
        ("CHARITY", True),
        ("ASSISTANCE", True),
    }
    assert [c["desk"] for c in in_time["resultCopies"]["nodes"]] == ["TOWNSHIP"]
    assert elsewhere["resultCopies"]["totalCount"] == 3


async def test_what_a_desk_leaves_lying_is_passed_up_once(market: Market) -> None:
    late, need_id, _ = await a_result(market)
    await days_pass(market, late, 6)

    first, second = await expire(market.database), await expire(market.database)

    assert (first.results_overdue, second.results_overdue) == (2, 0)
    told = events.c.kind == "result.escalated"
    assert await market.count(events, told) == 2
    marked = result_copies.c.escalated_at.is_not(None)
    assert await market.count(result_copies, marked, result_copies.c.desk != "TOWNSHIP") == 2
    assert await market.count(result_copies, marked) == 2
    async with market.database.write() as db:  # as they are where the need was fulfilled later
        now = market.database.now()
        by = market.viewer["township"].account_id
        done = {"status": "ACKNOWLEDGED", "acknowledged_at": now}
        await db.execute(sa.update(result_copies).values(**done, acknowledged_by=by))
        await db.execute(sa.update(results).values(**done))
    assert (await expire(market.database)).needs_closed == 1
    assert (await market.row(needs, need_id))["status"] == "CLOSED"


RATE = """
mutation ($input: ResultRateInput!) {
  resultRate(input: $input) {
    result { allowedMoves ratings(first: 5) { nodes { side score comment } } }
    userErrors { field code message }
  }
}
"""
SUMMARY = """
query ($from: Date!, $to: Date!) {
  ratingSummary(from: $from, to: $to) { side count average scores { score count } }
}
"""
OF_PROVIDER = """
query {
  results(first: 10) {
    nodes { status received { value unit } need { id } region { name } copies(first: 3) {
      nodes { desk } } allocation { offer { title } } allowedMoves }
  }
}
"""


async def it_brought(market: Market, result_id: int, who: str) -> None:
    """Make a result one of a delivery that a provider's own people brought to the door."""
    brought = {"delivered_by_id": market.viewer[who].organization_id}
    async with market.database.write() as db:
        await db.execute(sa.update(results).where(results.c.id == result_id).values(**brought))


async def test_office_and_provider_rate_each_other_once_and_name_nobody(asking: Asked) -> None:
    market = asking.market
    result_id, _, household_id = await a_result(market)
    await a_member(asking, household_id, "测试甲")
    given = {"resultId": opaque_id("Result", result_id), "score": 5}

    by_office = asking.do("township", RATE, given | {"comment": "准时送达"})
    # It never learned who lives there, so that it must not be told by a refusal, either.
    told = {"score": 4, "comment": "测试甲 很热情"}
    by_provider = asking.do("provider", RATE, given | told)

    assert by_office["userErrors"] == []
    assert by_office["result"]["allowedMoves"] == ["resultAcknowledge"]
    assert {(r["side"], r["score"]) for r in by_provider["result"]["ratings"]["nodes"]} == {
        ("OFFICE", 5),
        ("PROVIDER", 4),
    }
    assert by_provider["result"]["allowedMoves"] == []
    today = str(county_day(market.database.now()))
    for who in ("assistance", "provider", "auditor"):
        sums = asking.see(who, SUMMARY, {"from": today, "to": today})["ratingSummary"]
        assert [(s["side"], s["count"], s["average"]) for s in sums] == [
            ("OFFICE", 1, 5.0),
            ("PROVIDER", 1, 4.0),
        ]
    for who in ("other_provider", "other_township"):
        sums = asking.see(who, SUMMARY, {"from": today, "to": today})["ratingSummary"]
        assert [(s["count"], s["average"]) for s in sums] == [(0, None), (0, None)]
    for who, changes, code in (
        ("reviewer", {}, "ALREADY_RATED"),
        ("provider", {"score": 1}, "ALREADY_RATED"),
        ("other_provider", {}, "NOT_FOUND"),
        ("other_township", {}, "NOT_FOUND"),
        ("grid", {}, "FORBIDDEN"),
        (None, {}, "UNAUTHENTICATED"),
        ("assistance", {"score": 6}, "TOO_LARGE"),
        ("assistance", {"comment": "测 试甲 不在家"}, "PERSONAL_DATA"),
        ("assistance", {"comment": "打 138 0013 8000"}, "PERSONAL_DATA"),
        ("provider", {"comment": "打 138 0013 8000"}, "PERSONAL_DATA"),
    ):
        assert asking.refused(who, RATE, given | changes) == code, (who, changes)
    await it_brought(market, result_id, "provider")
    assert asking.refused("provider", RATE, given | told) == "PERSONAL_DATA"


async def test_a_provider_sees_what_was_received_of_its_own_and_no_more(asking: Asked) -> None:
    await a_result(asking.market, title="Rice for winter")

    (own,) = asking.see("provider", OF_PROVIDER)["results"]["nodes"]
    others = asking.see("other_provider", OF_PROVIDER)["results"]["nodes"]
    by_need = asking.ask(
        "provider",
        'query { results(first: 1, where: {region: {eq: "x"}}) { nodes { id } } }',
    )

    assert own == {
        "status": "SENT",
        "received": {"value": "40", "unit": "kg"},
        "need": None,
        "region": None,
        "copies": {"nodes": []},
        "allocation": {"offer": {"title": "Rice for winter"}},
        "allowedMoves": ["resultRate"],
    }
    assert others == []
    assert by_need["errors"][0]["extensions"]["code"] == "FORBIDDEN"
