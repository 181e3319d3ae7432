"""Campaigns over HTTP: from a filed draft to donations, matching, a cash offer, and an end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from marketplace.domain.ids import key_of, opaque_id
from marketplace.persistence.tables import allocations, donation_uses
from marketplace.services.exchange.donation_uses import attribute_all
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

CAMPAIGN = (
    "campaign { id status version allowedMoves raised { amount } donated { amount } "
    "matched { amount } spent { amount } reserved { amount } remaining { amount } donationCount "
    "offers(first: 5) { nodes { id kind status quantity { value unit } category { code } } } }"
)
DONATION = (
    "donation { id receiptNumber status isAnonymous amount { amount } matched { amount } "
    "used { value } version campaign { id } offer { id } }"
)


def mutation(name: str, answer: str) -> str:
    kind = name[0].upper() + name[1:]
    return (
        f"mutation ($input: {kind}Input!) {{ {name}(input: $input) "
        f"{{ {answer} userErrors {{ field message code }} }} }}"
    )


CREATE, UPDATE = mutation("campaignCreate", CAMPAIGN), mutation("campaignUpdate", CAMPAIGN)
OPEN, CLOSE = mutation("campaignOpen", CAMPAIGN), mutation("campaignClose", CAMPAIGN)
MATCH = mutation("matchingFundCreate", "matchingFund { id matched { amount } cap { amount } }")
RECORD = mutation("donationRecord", DONATION + " traceCode")
ASSIGN, REFUND = mutation("donationAssign", DONATION), mutation("donationRefund", DONATION)
READ = f"query ($id: ID!) {{ node(id: $id) {{ ... on Campaign {{ {CAMPAIGN[11:-1]} }} }} }}"
TRACE = (
    "query ($receiptNumber: String!, $code: String!) { donationTrace(receiptNumber: "
    "$receiptNumber, code: $code) { receiptNumber status amount { amount } percentUsed "
    "outcomes { month households quantity percentConfirmed categoryId regionId } } }"
)


@pytest.fixture
def asking(market: Market, database_url: str, tmp_path: Path) -> Iterator[Asked]:
    with asked(market, database_url, tmp_path) as served:
        yield served


def winter(market: Market, **changes: Any) -> dict[str, Any]:
    """A campaign for medical relief that was filed in time."""
    now = market.database.now()
    return {
        "title": "暖床前",
        "categoryId": opaque_id("Category", market.category["medical_cash"]),
        "targetFen": "10000000",
        "startsAt": (now - timedelta(days=1)).isoformat(),
        "endsAt": (now + timedelta(days=60)).isoformat(),
        "filingNumber": "53361027MJD-26-0001",
        "filedOn": (now - timedelta(days=20)).date().isoformat(),
    } | changes


async def test_a_campaign_raises_a_cash_offer_and_gives_back_only_what_is_unspent(
    asking: Asked,
) -> None:
    market = asking.market
    await give_keys(market)
    made = asking.do("provider", CREATE, winter(market))["campaign"]
    assert (made["status"], made["offers"]["nodes"]) == ("DRAFT", [])
    assert "campaignOpen" in made["allowedMoves"]
    assert asking.read(None, READ, {"id": made["id"]}) is None  # a draft is nobody else's
    fund = {"campaignId": made["id"], "funderName": "爱心企业", "percent": 50, "capFen": "6000"}
    assert asking.do("provider", MATCH, fund)["userErrors"] == []
    opened = asking.do("provider", OPEN, {"id": made["id"]})["campaign"]
    (balance,) = opened["offers"]["nodes"]
    assert (balance["kind"], balance["status"]) == ("CASH", "OPEN")
    assert (balance["quantity"], balance["category"]["code"]) == (
        {"value": "0", "unit": "fen"},
        "medical_cash",
    )

    named = {"campaignId": made["id"], "amountFen": "10001", "donorName": "王小明"}
    first = asking.do("provider", RECORD, named, Idempotency_Key="one")
    again = asking.do("provider", RECORD, named, Idempotency_Key="one")
    assert first == again
    assert first["donation"]["matched"] == {"amount": "5000"}
    assert not first["donation"]["isAnonymous"]
    second = asking.do("federation", RECORD, {"campaignId": made["id"], "amountFen": "10000"})
    assert second["donation"]["matched"] == {"amount": "1000"}  # the cap is reached
    assert second["donation"]["isAnonymous"]
    numbers = [each["donation"]["receiptNumber"] for each in (first, second)]
    assert [number[-7:] for number in numbers] == ["-000001", "-000002"]

    seen = asking.read(None, READ, {"id": made["id"]})
    assert (seen["raised"], seen["donationCount"]) == ({"amount": "26001"}, 2)
    (balance,) = seen["offers"]["nodes"]
    assert balance["quantity"]["value"] == "26001"
    trace = {"receiptNumber": numbers[0], "code": first["traceCode"]}
    assert asking.read(None, TRACE, trace)["amount"] == {"amount": "10001"}
    assert asking.read(None, TRACE, trace | {"code": second["traceCode"]}) is None

    back = {"id": second["donation"]["id"], "reason": "误捐"}
    asked = asking.ask("other_provider", REFUND, {"input": back})
    assert asked["errors"][0]["extensions"]["code"] == "NOT_FOUND"
    refunded = asking.do("provider", REFUND, back)["donation"]
    assert refunded["status"] == "REFUNDED"
    twice = asking.do("provider", REFUND, back)
    assert [error["code"] for error in twice["userErrors"]] == ["CONFLICT"]
    seen = asking.read(None, READ, {"id": made["id"]})
    assert (seen["donated"], seen["matched"]) == ({"amount": "10001"}, {"amount": "5000"})
    third = asking.do("reviewer", RECORD, {"campaignId": made["id"], "amountFen": "3000"})
    assert third["donation"]["matched"] == {"amount": "1000"}  # what was given back is there again

    household_id = await a_household(market)
    await a_consent(market, household_id)
    need = await a_need(
        market, household_id, category_id=market.category["medical_cash"],
        quantity=30_000, quantity_asked=30_000,
    )  # fmt: skip
    offer_id = key_of("Offer", seen["offers"]["nodes"][0]["id"])
    spent = await an_allocation(market, need, offer_id, 16_000)
    back = {"id": third["donation"]["id"], "reason": "误捐"}
    kept = asking.do("provider", REFUND, back)
    assert [error["code"] for error in kept["userErrors"]] == ["SPENT"]
    bought = await a_need(market, household_id, quantity=50, quantity_asked=50)
    elsewhere = await an_allocation(market, bought, await an_offer(market), 40)
    assert await attribute_all(market.database) == 1
    assert await attribute_all(market.database) == 0
    for allocation, units in ((spent, 16_000), (elsewhere, 40)):  # neither is looked at again
        assert (await market.row(allocations, allocation))["attributed"] == units
    assert await market.count(donation_uses, donation_uses.c.allocation_id == elsewhere) == 0
    assert await market.count(donation_uses, donation_uses.c.allocation_id == spent) == 2

    closed = asking.do("provider", CLOSE, {"id": made["id"]})["campaign"]
    assert (closed["status"], closed["reserved"]) == ("CLOSED", {"amount": "16000"})
    assert closed["offers"]["nodes"][0]["status"] == "OPEN"  # the rest goes on serving its purpose
    late = asking.do("provider", RECORD, {"campaignId": made["id"], "amountFen": "1"})
    assert [error["code"] for error in late["userErrors"]] == ["CONFLICT"]
    await all_is_well(market.database)
