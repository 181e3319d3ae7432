"""Pledges as a provider knows them: over HTTP, with refusals that tell nothing of households."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from marketplace.domain.ids import opaque_id
from marketplace.persistence.tables import allocations, needs, offers, published_needs
from marketplace.services.exchange.expiry import expire
from tests.exchange.asking import Asking, give_keys
from tests.fixtures.invariants import all_is_well
from tests.fixtures.market import Market, a_consent, a_household, a_need, an_offer
from tests.fixtures.served import served, settings_for

PLEDGE = """
mutation ($input: NeedPledgeInput!) {
  needPledge(input: $input) {
    allocation {
      id status origin served { value unit } drawn { value unit } visits reservedUntil
      need { id } publishedNeed { id isOpen }
    }
    userErrors { field message code }
  }
}
"""


@pytest.fixture
async def asking(market: Market, database_url: str, tmp_path: Path) -> AsyncIterator[Asking]:
    await give_keys(market)
    with served(settings_for(database_url, tmp_path)) as server:
        yield Asking(market, server)


async def copy_of(market: Market, need_id: int) -> str:
    asked = sa.select(published_needs.c.id).where(published_needs.c.need_id == need_id)
    return opaque_id("PublishedNeed", int(await market.value(asked)))


async def open_need(market: Market, **changes: Any) -> int:
    household_id = await a_household(market)
    await a_consent(market, household_id)
    return await a_need(market, household_id, **changes)


def pledged(
    asking: Asking, who: str, offer_id: int, published: str, units: int
) -> tuple[dict[str, Any] | None, list[str]]:
    given = {
        "offerId": opaque_id("Offer", offer_id),
        "publishedNeedId": published,
        "units": str(units),
    }
    done = asking.do(who, PLEDGE, given)
    return done["allocation"], [each["code"] for each in done["userErrors"]]


async def test_a_pledge_sets_both_sides_aside_and_lapses_if_it_is_not_accepted(
    asking: Asking,
) -> None:
    market = asking.market
    need_id = await open_need(market)
    offer_id = await an_offer(market)

    made, wrong = pledged(asking, "provider", offer_id, await copy_of(market, need_id), 100)

    assert wrong == []
    assert made is not None
    assert (made["status"], made["origin"]) == ("RESERVED", "PLEDGE")
    assert made["served"] == made["drawn"] == {"value": "100", "unit": "kg"}
    assert made["need"] is None
    assert made["publishedNeed"]["isOpen"] is False
    assert (await market.row(needs, need_id))["covered"] == 100
    assert (await market.row(offers, offer_id))["reserved"] == 100
    await all_is_well(market.database)

    async with market.database.write() as db:
        gone_by = sa.update(allocations).values(reserved_until=market.database.now())
        await db.execute(gone_by)
    assert (await expire(market.database)).allocations == 1
    assert (await market.row(needs, need_id))["covered"] == 0
    assert (await market.row(offers, offer_id))["reserved"] == 0
    await all_is_well(market.database)
