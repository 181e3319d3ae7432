"""Results: three desks are told what came of a delivery, and the last to say so closes the need."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from marketplace.domain.ids import opaque_id
from marketplace.persistence.tables import needs, result_copies
from tests.fixtures.asked import Asked, asked, give_keys
from tests.fixtures.market import Market
from tests.fixtures.results import a_result

ACKNOWLEDGE = """
mutation ($input: ResultAcknowledgeInput!) {
  resultAcknowledge(input: $input) {
    copies { desk status acknowledgedAt allowedMoves }
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
        assert (await market.row(needs, need_id))["status"] == "FULFILLED"
    asking.do("reviewer", ACKNOWLEDGE, given)

    assert (await market.row(needs, need_id))["status"] == "CLOSED"
    assert await market.count(result_copies, result_copies.c.status == "SENT") == 0
    assert asking.refused("reviewer", ACKNOWLEDGE, given) == "CONFLICT"
