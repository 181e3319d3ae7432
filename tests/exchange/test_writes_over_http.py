"""The exchange's mutations as a client knows them: over HTTP, from draft to market and back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from marketplace.domain.ids import opaque_id
from marketplace.persistence.tables import accounts, offers
from tests.fixtures.asked import Asked, asked, give_keys
from tests.fixtures.invariants import all_is_well
from tests.fixtures.market import Market, a_household, a_need, an_allocation, an_offer

OFFER_POST = """
mutation ($input: OfferPostInput!) {
  offerPost(input: $input) {
    offer { id reference status version quantity { value unit } allowedMoves category { code } }
    userErrors { field message code }
  }
}
"""


def moving(name: str) -> str:
    kind = name[0].upper() + name[1:]
    return f"""
    mutation ($input: {kind}Input!) {{
      {name}(input: $input) {{
        offer {{ id status version title householdMax {{ value }} quantity {{ value }} }}
        userErrors {{ field message code }}
      }}
    }}
    """


@pytest.fixture
async def asking(market: Market, database_url: str, tmp_path: Path) -> AsyncIterator[Asked]:
    await give_keys(market)
    with asked(market, database_url, tmp_path) as served:
        yield served


def rice(market: Market, **changes: Any) -> dict[str, Any]:
    return {
        "kind": "GOODS",
        "categoryId": opaque_id("Category", market.category["rice"]),
        "quantity": "1000",
        "title": "Rice for winter",
    } | changes


async def test_an_offer_lives_from_post_to_close(asking: Asked) -> None:
    market = asking.market
    posted = asking.do("provider", OFFER_POST, rice(market, packSize="5", householdMax="50"))

    offer = posted["offer"]
    assert posted["userErrors"] == []
    assert offer["status"] == "OPEN"
    assert offer["quantity"] == {"value": "1000", "unit": "kg"}
    assert offer["allowedMoves"] == ["offerUpdate", "offerPause", "offerClose"]
    assert offer["reference"].startswith("O-")

    update = {
        "id": offer["id"],
        "expectedVersion": offer["version"],
        "quantity": "1500",
        "householdMax": None,
    }
    changed = asking.do("provider", moving("offerUpdate"), update)["offer"]
    assert changed == {
        "id": offer["id"],
        "status": "OPEN",
        "version": 1,
        "title": "Rice for winter",
        "householdMax": None,
        "quantity": {"value": "1500"},
    }
    for name, status in (
        ("offerPause", "PAUSED"),
        ("offerResume", "OPEN"),
        ("offerClose", "CLOSED"),
    ):
        moved = asking.do("reviewer", moving(name), {"id": offer["id"]})
        assert (moved["offer"]["status"], moved["userErrors"]) == (status, [])
    refused = asking.do("provider", moving("offerResume"), {"id": offer["id"]})
    assert refused["offer"] is None
    assert [e["code"] for e in refused["userErrors"]] == ["CONFLICT"]


async def test_every_fault_is_told_at_once_with_its_field_in_both_languages(
    asking: Asked,
) -> None:
    given = rice(asking.market, quantity="0", packSize="0", radiusKm=-1.0, externalReference="")

    english = asking.do("provider", OFFER_POST, given)
    chinese = asking.do("provider", OFFER_POST, given, Accept_Language="zh-CN")

    assert english["offer"] is None
    assert {(tuple(e["field"]), e["code"]) for e in english["userErrors"]} == {
        (("input", "quantity"), "TOO_SMALL"),
        (("input", "packSize"), "TOO_SMALL"),
        (("input", "radiusKm"), "INVALID"),
        (("input", "externalReference"), "REQUIRED"),
    }
    assert "At least 1." in [e["message"] for e in english["userErrors"]]
    assert "不得小于 1。" in [e["message"] for e in chinese["userErrors"]]
    assert await asking.market.count(offers) == 0


async def test_null_removes_what_an_offer_can_do_without_and_nothing_else(asking: Asked) -> None:
    offer_id = opaque_id("Offer", await an_offer(asking.market, title="Old", household_max=5))

    refused = asking.do(
        "provider",
        moving("offerUpdate"),
        {"id": offer_id, "expectedVersion": 0, "title": None, "quantity": None},
    )
    changed = asking.do(
        "provider",
        moving("offerUpdate"),
        {"id": offer_id, "expectedVersion": 0, "householdMax": None},
    )

    assert [(e["field"], e["code"]) for e in refused["userErrors"]] == [
        (["input", "quantity"], "REQUIRED"),
        (["input", "title"], "REQUIRED"),
    ]
    assert (changed["offer"]["title"], changed["offer"]["householdMax"]) == ("Old", None)


async def test_a_repeated_request_is_answered_and_not_done_again(asking: Asked) -> None:
    market = asking.market
    by_header = [
        asking.do("provider", OFFER_POST, rice(market), Idempotency_Key="k-1") for _ in range(3)
    ]
    keyed = rice(market, idempotencyKey="k-2")
    by_input = [asking.do("provider", OFFER_POST, keyed) for _ in range(3)]
    other = asking.do("provider", OFFER_POST, keyed | {"quantity": "7"})

    assert by_header[0] == by_header[1] == by_header[2]
    assert by_input[0] == by_input[1] == by_input[2]
    assert other["offer"] is None
    assert [e["code"] for e in other["userErrors"]] == ["IDEMPOTENCY_KEY_REUSED"]
    assert await market.count(offers) == 2


async def test_ids_and_people_without_a_right_are_refused_at_the_top(asking: Asked) -> None:
    market = asking.market
    garbage = rice(market, categoryId="garbage")
    of_another_kind = rice(market, categoryId=opaque_id("Offer", 1))
    for who, given, code in (
        (None, rice(market), "UNAUTHENTICATED"),
        ("auditor", rice(market), "FORBIDDEN"),
        ("provider", garbage, "INVALID_ID"),
        ("provider", of_another_kind, "INVALID_ID"),
    ):
        answer = asking.ask(who, OFFER_POST, {"input": given})
        assert [e["extensions"]["code"] for e in answer["errors"]] == [code]
    answer = asking.ask(
        "provider", moving("offerPause"), {"input": {"id": opaque_id("Offer", 999)}}
    )
    assert [e["extensions"]["code"] for e in answer["errors"]] == ["NOT_FOUND"]
    assert await market.count(offers) == 0


CONSENT_GIVE = """
mutation ($input: ConsentGiveInput!) {
  consentGive(input: $input) {
    consent { id reference status howGiven evidenceReference allowedMoves household { id } }
    userErrors { field code }
  }
}
"""
CONSENT_WITHDRAW = """
mutation ($input: ConsentWithdrawInput!) {
  consentWithdraw(input: $input) {
    consent { status endedAt allowedMoves }
    userErrors { field code }
  }
}
"""
NEED_CREATE = """
mutation ($input: NeedCreateInput!) {
  needCreate(input: $input) {
    need { id status severity quantity { value unit } allowedMoves }
    userErrors { field message code }
  }
}
"""
NEED_REFER = """
mutation ($input: NeedReferInput!) {
  needRefer(input: $input) {
    referral {
      reference lineCount
      needs(first: 10) { nodes { id } }
    }
    needs { id status allowedMoves }
    userErrors { field code }
  }
}
"""
NEED_REVIEW = """
mutation ($input: NeedReviewInput!) {
  needReview(input: $input) {
    need { id status publishedAt publishedNeed { isOpen } }
    userErrors { field message code }
  }
}
"""
MARKET = "{ publishedNeeds(first: 10) { nodes { severityBand region { code } } } }"


async def test_a_need_comes_into_the_market_by_two_desks_and_leaves_it_with_consent(
    asking: Asked,
) -> None:
    market = asking.market
    household = opaque_id("Household", await a_household(market))
    without_consent = opaque_id(
        "Need", await a_need(market, await a_household(market), status="DRAFT")
    )
    staple = opaque_id("Category", market.category["staple"])

    consent = asking.do(
        "township",
        CONSENT_GIVE,
        {
            "householdId": household,
            "textVersion": "2026-01",
            "howGiven": "SIGNED",
            "evidenceReference": "BOX-7",
        },
    )["consent"]
    assert consent["allowedMoves"] == ["consentWithdraw"]
    assert consent["household"] == {"id": household}
    need = asking.do(
        "grid",
        NEED_CREATE,
        {"householdId": household, "categoryId": staple, "quantityAsked": "60"},
    )["need"]
    assert (need["status"], need["severity"]) == ("DRAFT", 70)
    assert need["quantity"] == {"value": "60", "unit": "kg"}

    referred = asking.do("assistance", NEED_REFER, {"needIds": [without_consent, need["id"]]})
    assert referred["referral"]["lineCount"] == 1
    assert referred["referral"]["needs"]["nodes"] == [{"id": need["id"]}]
    assert [n["status"] for n in referred["needs"]] == ["REFERRED"]
    assert referred["userErrors"] == [
        {"field": ["input", "needIds", "0"], "code": "CONSENT_REQUIRED"}
    ]

    reviewed = asking.do("reviewer", NEED_REVIEW, {"id": need["id"], "decision": "APPROVE"})
    assert reviewed["need"]["status"] == "PUBLISHED"
    assert reviewed["need"]["publishedNeed"] == {"isOpen": True}
    shown = asking.server.ask(MARKET).json()["data"]["publishedNeeds"]["nodes"]
    assert shown == [{"severityBand": "HIGH", "region": {"code": "xiugu"}}]

    ended = asking.do("township", CONSENT_WITHDRAW, {"id": consent["id"]})
    assert (ended["consent"]["status"], ended["consent"]["allowedMoves"]) == ("WITHDRAWN", [])
    assert asking.server.ask(MARKET).json()["data"]["publishedNeeds"]["nodes"] == []
    await all_is_well(market.database)


async def test_what_keeps_a_need_is_said_with_what_to_do(asking: Asked) -> None:
    market = asking.market
    household_id = await a_household(market, severity=None)
    given = {
        "householdId": opaque_id("Household", household_id),
        "categoryId": opaque_id("Category", market.category["goods"]),
        "quantityAsked": "10",
    }

    refused = asking.do("township", NEED_CREATE, given)

    assert refused["need"] is None
    assert {(tuple(e["field"]), e["code"]) for e in refused["userErrors"]} == {
        (("input", "householdId"), "ASSESSMENT_REQUIRED"),
        (("input", "categoryId"), "CATEGORY_TOO_WIDE"),
    }


async def test_the_reason_of_a_return_reaches_the_assistance_desk(asking: Asked) -> None:
    market = asking.market
    household_id = await a_household(market)
    asking.do(
        "township",
        CONSENT_GIVE,
        {
            "householdId": opaque_id("Household", household_id),
            "textVersion": "2026-01",
            "howGiven": "VERBAL_WITNESSED",
            "evidenceReference": "TAPE-1",
        },
    )
    need_id = opaque_id("Need", await a_need(market, household_id, status="DRAFT"))
    asking.do("assistance", NEED_REFER, {"needIds": [need_id]})

    refused = asking.do("reviewer", NEED_REVIEW, {"id": need_id, "decision": "RETURN"})
    assert [(e["field"], e["code"]) for e in refused["userErrors"]] == [
        (["input", "reason"], "REQUIRED")
    ]
    decision = {"id": need_id, "decision": "RETURN", "reason": "Which school?"}
    assert asking.do("reviewer", NEED_REVIEW, decision)["need"]["status"] == "RETURNED"

    read = """
    { referrals(first: 5) { nodes { reviews(first: 5) { nodes {
        decision reason need { id } } } } } }
    """
    seen = asking.server.ask(read, key="key-of-assistance").json()["data"]
    assert seen["referrals"]["nodes"][0]["reviews"]["nodes"] == [
        {"decision": "RETURN", "reason": "Which school?", "need": {"id": need_id}}
    ]
    unseen = asking.server.ask(read, key="key-of-provider").json()
    assert unseen["data"]["referrals"]["nodes"] == []


async def test_a_household_sees_and_ends_its_own_consent(asking: Asked) -> None:
    market = asking.market
    household_id = await a_household(market)
    need_id = await a_need(market, household_id, status="DRAFT")
    offer_id = await an_offer(market)
    async with market.database.write() as db:
        applicant = accounts.c.id == market.viewer["applicant"].account_id
        await db.execute(sa.update(accounts).where(applicant).values(household_id=household_id))

    given = {
        "householdId": opaque_id("Household", household_id),
        "textVersion": "2026-01",
        "howGiven": "ONLINE",
    }
    consent = asking.do("applicant", CONSENT_GIVE, given)["consent"]
    await an_allocation(market, need_id, offer_id, 5)
    ended = asking.do("applicant", CONSENT_WITHDRAW, {"id": consent["id"]})

    assert ended["consent"]["status"] == "WITHDRAWN"
    assert (await market.row(offers, offer_id))["reserved"] == 0
