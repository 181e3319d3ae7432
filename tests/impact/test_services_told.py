"""offerImpact of a service: what is offered is minutes, what it gives is visits."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from marketplace.domain.ids import opaque_id
from marketplace.persistence.database import Database
from tests.fixtures.asked import Asked, asked, give_keys
from tests.fixtures.market import a_market, a_need
from tests.impact.recorded import a_recorded_plan
from tests.planning.planned import a_consenting, units

IMPACT = """query ($input: OfferPostInput!) { offerImpact(input: $input) {
  offered { value unit } drawn { value unit } categories { served { value unit } } } }"""


@pytest.fixture
async def asking(database: Database, database_url: str, tmp_path: Path) -> AsyncIterator[Asked]:
    market = await a_market(database)
    await give_keys(market)
    with asked(market, database_url, tmp_path) as served:
        yield served


@pytest.mark.one_database
async def test_minutes_are_told_as_minutes_and_visits_as_visits(asking: Asked) -> None:
    market = asking.market
    for _ in range(10):
        await a_need(
            market,
            await a_consenting(market),
            category_id=market.category["haircut"],
            visit_minutes=30,
            **units(2),
        )
    await a_recorded_plan(market)
    ends = market.database.now() + timedelta(days=30)
    terms = {
        "kind": "SERVICE",
        "categoryId": opaque_id("Category", market.category["haircut"]),
        "quantity": "1200",
        "expiresAt": ends.isoformat(),
    }

    answer = asking.ask("provider", IMPACT, {"input": terms})

    impact = answer["data"]["offerImpact"]
    assert impact["offered"] == {"value": "1200", "unit": "minute"}
    assert impact["drawn"]["unit"] == "minute"
    assert {each["served"]["unit"] for each in impact["categories"]} == {"visit"}
