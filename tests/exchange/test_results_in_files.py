"""A household's file shows what it received from both lanes; the loop is measured by period."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from marketplace.domain.ids import opaque_id
from marketplace.persistence.tables import assessments, results
from marketplace.services.exchange.loop_metrics import (
    acknowledged_in_time_share,
    median_days_from_need_to_delivery,
)
from tests.fixtures.asked import Asked, asked, give_keys
from tests.fixtures.market import Market, government_aid
from tests.fixtures.results import a_result, days_pass

FILE = """
query ($id: ID!, $since: Date) {
  node(id: $id) {
    ... on Household {
      received(since: $since) {
        totals { lane month count unvalued value { amount } }
        months { lane count }
        entries { lane label aidKind quantity { value unit } value { amount } reference }
      }
      receivedSinceLastAssessment { entries { lane } }
    }
  }
}
"""


@pytest.fixture
async def asking(market: Market, database_url: str, tmp_path: Path) -> AsyncIterator[Asked]:
    await give_keys(market)
    with asked(market, database_url, tmp_path) as asking:
        yield asking


async def test_a_households_file_shows_what_it_received_from_both_lanes(asking: Asked) -> None:
    market = asking.market
    _, _, household_id = await a_result(market)
    await government_aid(market, household_id, "rice", 20, amount_fen=50_000)
    await government_aid(market, household_id, "rice", 9, granted=False)
    given = {"id": opaque_id("Household", household_id)}

    file = asking.see("township", FILE, given)["node"]
    before = asking.see("township", FILE, given | {"since": "2999-01-01"})["node"]

    assert file["received"]["totals"] == [
        {
            "lane": "GOVERNMENT",
            "month": None,
            "count": 1,
            "unvalued": 0,
            "value": {"amount": "50000"},
        },
        {"lane": "CHARITY", "month": None, "count": 1, "unvalued": 1, "value": {"amount": "0"}},
    ]
    assert {m["lane"]: m["count"] for m in file["received"]["months"]} == {
        "GOVERNMENT": 1,
        "CHARITY": 1,
    }
    charity, government = file["received"]["entries"]
    assert charity["quantity"] == {"value": "40", "unit": "kg"}
    assert (charity["label"], charity["value"]) == ("staple", None)  # it has no reference price
    assert (government["aidKind"], government["label"]) == ("TEMPORARY_ASSISTANCE", "rice")
    assert government["reference"].startswith("Z-")
    assert before["received"]["entries"] == []
    assert len(file["receivedSinceLastAssessment"]["entries"]) == 2
    async with market.database.write() as db:
        later = market.database.now() + timedelta(minutes=1)
        await db.execute(sa.update(assessments).values(assessed_at=later))
    again = asking.see("township", FILE, given)["node"]
    assert again["receivedSinceLastAssessment"]["entries"] == []
    assert len(again["received"]["entries"]) == 2
    assert asking.see("grid", FILE, given)["node"]["received"] is None
    assert asking.see("provider", FILE, given)["node"] is None


async def test_the_loop_is_measured_by_period_and_region(market: Market) -> None:
    late, _, _ = await a_result(market)
    await a_result(market, region="far_village")
    await days_pass(market, late, 6)
    async with market.database.write() as db:
        for result_id, days in ((late, 4), (late + 1, 10)):
            row = await db.row(sa.select(results).where(results.c.id == result_id))
            assert row is not None
            came = {"delivered_at": row["delivered_at"] + timedelta(days=days)}
            await db.execute(sa.update(results).where(results.c.id == result_id).values(came))
    now = market.database.now()
    week = {"start": now - timedelta(days=7), "end": now + timedelta(days=1)}
    today = week | {"start": now - timedelta(days=1)}
    xiugu, empty = market.region["xiugu"], market.region["empty"]

    async with market.database.read() as db:
        assert await acknowledged_in_time_share(db, **week, region=None) == 0
        settled = {**week, "region": None, "settled_by": now}
        assert await acknowledged_in_time_share(db, **settled) == 0
        assert await acknowledged_in_time_share(db, **today, region=xiugu) is None
        assert await acknowledged_in_time_share(db, **week, region=empty) is None
        assert await acknowledged_in_time_share(db, **today, region=None, settled_by=now) is None, (
            "what is not due yet is not known yet"
        )
        for span, region, days in ((week, None, 7), (week, xiugu, 4), (today, None, 10)):
            found = await median_days_from_need_to_delivery(db, **span, region=region)
            assert found == pytest.approx(days, abs=0.01)
        assert await median_days_from_need_to_delivery(db, **week, region=empty) is None
