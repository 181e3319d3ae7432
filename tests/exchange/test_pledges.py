"""Pledges as a provider knows them: over HTTP, with refusals that tell nothing of households."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from marketplace.domain.errors import Conflict, InvalidInput, NotFound
from marketplace.domain.exchange.plans import ApprovalRules
from marketplace.domain.exchange.pledges import REFUSED_MAX
from marketplace.domain.ids import key_of, opaque_id
from marketplace.persistence.tables import (
    allocations,
    households,
    needs,
    offer_regions,
    offers,
    published_needs,
)
from marketplace.persistence.tables import plans as plans_table
from marketplace.services.exchange import plans
from marketplace.services.exchange import pledges as service
from marketplace.services.exchange.consents import WithdrawConsent, withdraw
from marketplace.services.exchange.expiry import expire
from marketplace.services.exchange.plans import MovePlan
from marketplace.services.exchange.pledges import PledgeNeed
from tests.fixtures.asked import Asked, asked, give_keys
from tests.fixtures.invariants import all_is_well
from tests.fixtures.market import (
    Market,
    a_consent,
    a_household,
    a_need,
    an_allocation,
    an_offer,
)
from tests.planning.proposals import a_proposal

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
async def asking(market: Market, database_url: str, tmp_path: Path) -> AsyncIterator[Asked]:
    await give_keys(market)
    with asked(market, database_url, tmp_path) as served:
        yield served


async def copy_of(market: Market, need_id: int) -> str:
    asked = sa.select(published_needs.c.id).where(published_needs.c.need_id == need_id)
    return opaque_id("PublishedNeed", int(await market.value(asked)))


async def open_need(market: Market, **changes: Any) -> int:
    household_id = await a_household(market)
    await a_consent(market, household_id)
    return await a_need(market, household_id, **changes)


def pledged(
    asking: Asked, who: str, offer_id: int, published: str, units: int
) -> tuple[dict[str, Any] | None, list[str]]:
    given = {
        "offerId": opaque_id("Offer", offer_id),
        "publishedNeedId": published,
        "units": str(units),
    }
    done = asking.do(who, PLEDGE, given)
    return done["allocation"], [each["code"] for each in done["userErrors"]]


async def test_a_pledge_sets_both_sides_aside_and_lapses_if_it_is_not_accepted(
    asking: Asked,
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


@pytest.mark.one_database
async def test_a_refusal_says_what_is_public_and_one_thing_of_all_that_is_the_households(
    asking: Asked,
) -> None:
    market = asking.market
    household_id = await a_household(market)
    await a_consent(market, household_id)
    need_id = await a_need(market, household_id, quantity_min=20)
    published = await copy_of(market, need_id)
    # Around the door itself: a radius is measured to the township, as everyone could do.
    far = {"latitude": 20.0, "longitude": 110.0, "radius_km": 5.0}
    async with market.database.write() as db:
        it = sa.update(households).where(households.c.id == household_id)
        await db.execute(it.values(latitude=20.0, longitude=110.0))
    packed, limited = {"pack_size": 25}, {"household_max": 60}
    full = await an_offer(market, household_max=60)
    other = await a_need(market, household_id, category_id=market.category["rice"])
    await an_allocation(market, other, full, 40)
    one_time = await an_offer(market, deliveries_max=1)
    await an_allocation(market, other, one_time, 5)

    async def tried(units: int, who: str = "provider", **terms: Any) -> list[str]:
        return pledged(asking, who, await an_offer(market, **terms), published, units)[1]

    assert await tried(30, **packed) == ["NOT_WHOLE_PACKS"]
    assert await tried(30, quantity=10) == ["QUANTITY_EXCEEDED"]
    assert await tried(30, delivery_min=50) == ["TOO_SMALL"]
    assert await tried(61, **limited) == ["TOO_LARGE"]
    assert await tried(101) == ["TOO_LARGE"]
    assert await tried(19) == ["QUANTITY_MIN"]
    assert await tried(0) == ["TOO_SMALL"]
    assert await tried(30, category_id=market.category["quilt"]) == ["CATEGORY_MISMATCH"]
    assert await tried(30, status="PAUSED") == ["OFFER_NOT_IN_MARKET"]
    assert pledged(asking, "provider", one_time, published, 30)[1] == ["DELIVERIES_MAX"]

    # An offer for single villages would tell in which of them the household lives.
    for place in ("huangtong", "village", "grid"):
        narrow = await _in(market, market.region[place])
        assert pledged(asking, "provider", narrow, published, 30)[1] == ["OUTSIDE_REGION"]

    # What only the household's own circumstances rule out looks the same, whichever it is.
    secret = []
    for offer_id in (
        await an_offer(market, **far),
        await an_offer(market, target_groups=2),
        full,
    ):
        done = asking.do(
            "provider",
            PLEDGE,
            {
                "offerId": opaque_id("Offer", offer_id),
                "publishedNeedId": published,
                "units": "30",
            },
        )
        secret.append(done["userErrors"])
    assert secret[0][0]["code"] == "NOT_SERVED"
    assert all(each == secret[0] for each in secret)

    # Nor can it be found out by asking again and again with other terms.
    for _ in range(REFUSED_MAX - len(secret)):
        assert pledged(asking, "provider", full, published, 30)[1] == ["NOT_SERVED"]
    assert pledged(asking, "provider", full, published, 30)[1] == ["TOO_MANY"]

    given = {"offerId": opaque_id("Offer", full), "publishedNeedId": published, "units": "30"}
    assert "errors" in asking.ask("other_provider", PLEDGE, {"input": given})
    assert "errors" in asking.ask("reviewer", PLEDGE, {"input": given})
    assert await market.count(allocations, allocations.c.origin == "PLEDGE") == 0


async def _in(market: Market, region_id: int) -> int:
    """An offer for one region alone."""
    offer_id = await an_offer(market)
    async with market.database.write() as db:
        await db.insert_many(offer_regions, [{"offer_id": offer_id, "region_id": region_id}])
    return offer_id


async def test_needs_that_an_offer_could_meet_come_most_urgent_first_and_the_reverse(
    asking: Asked,
) -> None:
    market = asking.market
    slow = await open_need(market)
    urgent = await open_need(market, category_id=market.category["rice"])
    cash = await open_need(market, category_id=market.category["medical_cash"])
    async with market.database.write() as db:
        graver = sa.update(published_needs).where(published_needs.c.need_id == urgent)
        await db.execute(graver.values(severity_band="CRITICAL"))
    mine = await an_offer(market)
    theirs = await an_offer(market, organization_id=market.organization["other"])
    rice, money = await copy_of(market, urgent), await copy_of(market, cash)

    meets = """query ($id: ID!) { node(id: $id) { ... on Offer { couldMeet(first: 5) {
      totalCount nodes { id severityBand } } } } }"""
    found = asking.read("provider", meets, {"id": opaque_id("Offer", mine)})["couldMeet"]
    assert [each["id"] for each in found["nodes"]] == [rice, await copy_of(market, slow)]
    assert found["totalCount"] == 2
    for nobody in (None, "township"):
        seen = asking.read(nobody, meets, {"id": opaque_id("Offer", mine)})
        assert seen["couldMeet"] == {"totalCount": 0, "nodes": []}

    serves = """query ($id: ID!) { node(id: $id) { ... on PublishedNeed {
      offersThatCouldServe(first: 5) { totalCount nodes { id } } } } }"""
    for who, offer_ids in (("provider", {mine}), ("reviewer", {mine, theirs})):
        seen = asking.read(who, serves, {"id": rice})["offersThatCouldServe"]
        assert {each["id"] for each in seen["nodes"]} == {
            opaque_id("Offer", each) for each in offer_ids
        }
        assert seen["totalCount"] == len(offer_ids)

    asked = """query ($input: OfferPostInput!, $first: Int! = 9) {
      needsMeetable(input: $input, first: $first) { id } }"""

    def could(**terms: Any) -> list[str]:
        given = {
            "kind": "GOODS",
            "categoryId": opaque_id("Category", market.category["rice"]),
            "quantity": "100",
        } | terms
        return [each["id"] for each in asking.read("provider", asked, {"input": given})]

    both = [rice, await copy_of(market, slow)]
    assert could() == both
    assert could(radiusKm=5.0, latitude=27.9, longitude=116.77) == both
    assert could(radiusKm=5.0, latitude=20.0, longitude=116.77) == []
    assert could(regionIds=[opaque_id("Region", market.region["village"])]) == both
    assert could(regionIds=[opaque_id("Region", market.region["huangtong"])]) == []
    assert could(targetGroups=["DISABLED"]) == []
    of_food = {"kind": "CASH", "categoryId": opaque_id("Category", market.category["goods"])}
    assert could(**of_food) == []
    assert could(**of_food | {"quantity": "600"}) == [rice], "a kilogram of rice is six yuan"
    medicine = {"kind": "CASH", "categoryId": opaque_id("Category", market.category["cash"])}
    assert could(**medicine) == [money]
    assert "errors" in asking.ask("township", asked, {"input": {**of_food, "quantity": "1"}})
    refused = asking.ask("provider", asked, {"input": {**of_food, "quantity": "0"}})
    assert refused["errors"][0]["extensions"]["code"] == "TOO_SMALL"


async def test_a_pledge_an_approval_and_a_withdrawal_end_in_some_serial_order(
    asking: Asked,
) -> None:
    market = asking.market
    households = [await a_household(market) for _ in range(4)]
    consents = [await a_consent(market, each) for each in households]
    needs_ = [await a_need(market, each) for each in households]
    offer_id = await an_offer(market, quantity=250)
    copies = [await copy_of(market, each) for each in needs_]
    plan_id = await a_proposal(market, [(need, offer_id, 60) for need in needs_])

    def pledge(place: int) -> Callable[[], Awaitable[object]]:
        command = PledgeNeed(
            offer_id=offer_id, published_need_id=key_of("PublishedNeed", copies[place]), units=100
        )
        return lambda: service.pledge(market.database, market.act("provider"), command, hours=1)

    doing: list[Callable[[], Awaitable[object]]] = [pledge(place) for place in (0, 1, 2, 3, 0)]
    move = MovePlan(plan_id=plan_id)
    doing += [
        lambda: plans.approve(market.database, market.act("reviewer_2"), move, ApprovalRules()),
        lambda: withdraw(
            market.database, market.act("township"), WithdrawConsent(consent_id=consents[3])
        ),
    ]
    ends = await asyncio.gather(*(each() for each in doing), return_exceptions=True)

    surprises = [each for each in ends if isinstance(each, Exception)]
    assert all(isinstance(each, Conflict | InvalidInput | NotFound) for each in surprises), ends
    await all_is_well(market.database)
    offer = await market.row(offers, offer_id)
    live = allocations.c.status == "RESERVED"
    held = sa.select(sa.func.sum(allocations.c.units_drawn)).where(live)
    assert offer["reserved"] == await market.value(held) <= 250
    assert (await market.row(needs, needs_[3]))["covered"] == 0
    assert (await market.row(plans_table, plan_id))["status"] == "APPROVED"
