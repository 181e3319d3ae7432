"""Organizations over HTTP: applying without an account, agreements, and offers outside them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from marketplace.domain.ids import key_of, opaque_id
from marketplace.persistence.database import Database
from marketplace.persistence.tables import accounts, offer_drafts, offers, organization_applications
from marketplace.services.exchange.giving import keep_up
from tests.fixtures.asked import Asked, asked, give_keys
from tests.fixtures.market import Market, a_market

ORGANIZATION = "organization { id status version allowedMoves statusReason creditCode }"
OFFER = (
    "offer { id status moderation allowedMoves photos { url fileId caption } "
    "quantity { value } expiresAt }"
)
DRAFT = "offerDraft { id status version allowedMoves nextAt terms { kind quantity regionIds } }"
CODE = "91350100M000100Y43"


def mutation(name: str, answer: str) -> str:
    kind = name[0].upper() + name[1:]
    return (
        f"mutation ($input: {kind}Input!) {{ {name}(input: $input) "
        f"{{ {answer} userErrors {{ field message code }} }} }}"
    )


APPLY = mutation("organizationApply", "reference " + ORGANIZATION)
SIGN = mutation("agreementSign", "agreement { id status version allowedMoves }")
END = mutation("agreementEnd", "agreement { id status allowedMoves }")
VERIFY, REJECT, SUSPEND, RESUME = (
    mutation(f"organization{move}", ORGANIZATION)
    for move in ("Verify", "Reject", "Suspend", "Resume")
)
POST, APPROVE, OPEN_AGAIN = (
    mutation(name, OFFER) for name in ("offerPost", "offerApprove", "offerResume")
)
SAVE, SAVE_AGAIN = mutation("offerDraft", DRAFT), mutation("offerDraftUpdate", DRAFT)
PUBLISH, FROM_TEMPLATE = mutation("offerPublish", OFFER), mutation("offerFromTemplate", OFFER)
CONTACT = (
    "query ($organizationId: ID!, $purpose: String!) { organizationContact("
    "organizationId: $organizationId, purpose: $purpose) { name phone } }"
)


def codes(payload: dict[str, Any]) -> set[tuple[str, str]]:
    return {(error["field"][-1], error["code"]) for error in payload["userErrors"]}


@pytest.fixture
async def asking(database: Database, database_url: str, tmp_path: Path) -> AsyncIterator[Asked]:
    market = await a_market(database)
    await give_keys(market)
    with asked(market, database_url, tmp_path) as served:
        yield served


def application(market: Market, **changes: Any) -> dict[str, Any]:
    return {
        "kind": "ENTERPRISE",
        "name": "金溪爱心粮油有限公司",
        "regionId": opaque_id("Region", market.region["xiugu"]),
        "contactName": "李经理",
        "contactPhone": "0794-5201234",
        "creditCode": CODE,
    } | changes


def agreement(market: Market, organization: str, **changes: Any) -> dict[str, Any]:
    today = market.database.now().date()
    return {
        "organizationId": organization,
        "number": "协议-2026-01",
        "validFrom": str(today - timedelta(days=1)),
        "validUntil": str(today + timedelta(days=365)),
        "categories": [
            {"categoryId": opaque_id("Category", market.category["staple"]), "unitsMax": "1000"}
        ],
        "regionIds": [opaque_id("Region", market.region["xiugu"])],
        "offerMaxFen": "300000",
    } | changes


def rice(market: Market, **changes: Any) -> dict[str, Any]:
    return {
        "kind": "GOODS",
        "categoryId": opaque_id("Category", market.category["rice"]),
        "quantity": "400",
        "regionIds": [opaque_id("Region", market.region["xiugu"])],
    } | changes


async def _joined(asking: Asked) -> str:
    """An organization that applied by itself, for which `new_provider` speaks from now on."""
    market = asking.market
    wrong = asking.do(None, APPLY, application(market, creditCode=CODE[:-1] + "4", name="x"))
    assert codes(wrong) == {("creditCode", "INVALID"), ("name", "REQUIRED")}
    applied = asking.do(None, APPLY, application(market))
    assert applied["organization"] is None  # the public sees it once it is verified
    assert applied["reference"].startswith("G-")
    again = asking.do("reviewer", APPLY, application(market))
    assert codes(again) == {("creditCode", "ALREADY_REGISTERED")}
    key = int(applied["reference"].split("-")[-1])
    sealed = await market.value(
        sa.select(organization_applications.c.contact_phone_sealed).where(
            organization_applications.c.organization_id == key
        )
    )
    assert "5201234" not in sealed
    async with market.database.write() as db:
        await db.execute(
            sa.update(accounts)
            .where(accounts.c.id == market.viewer["new_provider"].account_id)
            .values(organization_id=key)
        )
    return opaque_id("Organization", key)


@pytest.mark.one_database
async def test_who_applies_again_and_again_is_held_up_by_phone_and_by_network(
    asking: Asked,
) -> None:
    def code(address: str, phone: str, name: str = "橙马甲志愿服务队") -> str | None:
        given = {"kind": "VOLUNTEER_GROUP", "creditCode": None, "contactPhone": phone, "name": name}
        told = {"input": application(asking.market, **given)}
        answer = asking.server.ask(APPLY, told, X_Forwarded_For=address).json()
        if "errors" in answer:
            return str(answer["errors"][0]["extensions"]["code"])
        return next((e["code"] for e in answer["data"]["organizationApply"]["userErrors"]), None)

    same = ("0794-5201234", "07945201234", "0794 520-1234", "079-45201234")
    by_phone = [code(f"2001:db8::{n}:1", phone) for n, phone in enumerate(same)]
    by_network = [code(f"2001:db8::{n}:2", "0794-5201235", name="x") for n in range(7)]

    assert by_phone == [None, None, None, "RATE_LIMITED"]
    assert by_network == ["REQUIRED"] * 6 + ["RATE_LIMITED"]
    assert code("2001:db8:0:1::1", "0794-5201236") is None


async def test_an_organization_applies_signs_and_offers_within_what_was_agreed(
    asking: Asked,
) -> None:
    market = asking.market
    organization = await _joined(asking)
    given = {"organizationId": organization, "purpose": "核验申请材料"}
    found = asking.read("reviewer", CONTACT, given)
    assert found == {"name": "李经理", "phone": "0794-5201234"}
    refused = asking.ask("provider", CONTACT, given | {"purpose": "好奇心"})
    assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert codes(asking.do("reviewer", VERIFY, {"id": organization})) == {("id", "NO_AGREEMENT")}
    signed = asking.do("reviewer", SIGN, agreement(market, organization))["agreement"]
    other = asking.do("reviewer", SIGN, agreement(market, organization, number="协议-2"))
    assert codes(other) == {("organizationId", "CONFLICT")}
    verified = asking.do("reviewer", VERIFY, {"id": organization})["organization"]
    assert verified["status"] == "VERIFIED"
    assert verified["allowedMoves"] == ["organizationSuspend"]

    photo = {"url": "https://example.org/rice.jpg", "caption": "大米"}
    inside = asking.do("new_provider", POST, rice(market, photos=[photo]))["offer"]
    assert (inside["status"], inside["moderation"]) == ("OPEN", None)
    assert inside["photos"] == [photo | {"fileId": None}]
    plain = asking.do("new_provider", POST, rice(market, photos=[{"url": "http://example.org"}]))
    assert codes(plain) == {("photos", "INVALID")}
    outside = {
        "OFFER_MAX": rice(market, quantity="501"),
        "UNITS_MAX": rice(market, quantity="601"),
        "REGION": rice(market, regionIds=[]),
        "CATEGORY": rice(market, categoryId=opaque_id("Category", market.category["quilt"])),
    }
    for reason, given in outside.items():
        waiting = asking.do("new_provider", POST, given)["offer"]
        assert waiting["status"] == "DRAFT"
        assert reason in waiting["moderation"]
    refused = asking.do("new_provider", OPEN_AGAIN, {"id": waiting["id"]})
    assert codes(refused) == {("id", "NEEDS_APPROVAL")}
    approved = asking.do("reviewer", APPROVE, {"id": waiting["id"]})["offer"]
    assert approved["status"] == "OPEN"
    assert codes(asking.do("reviewer", APPROVE, {"id": waiting["id"]})) == {("id", "CONFLICT")}

    suspend = {"id": organization, "reason": "年检未通过"}
    suspended = asking.do("reviewer", SUSPEND, suspend)["organization"]
    assert (suspended["status"], suspended["statusReason"]) == ("SUSPENDED", "年检未通过")
    ended = asking.do("reviewer", END, {"id": signed["id"], "reason": "双方协商"})["agreement"]
    assert (ended["status"], ended["allowedMoves"]) == ("ENDED", [])
    assert codes(asking.do("reviewer", RESUME, {"id": organization})) == {("id", "NO_AGREEMENT")}
    renewed = agreement(market, organization, number="协议-3", categories=[], regionIds=[])
    asking.do("reviewer", SIGN, renewed)
    assert asking.do("reviewer", RESUME, {"id": organization})["organization"]["status"] == (
        "VERIFIED"
    )


async def test_a_draft_grows_into_an_offer_and_a_template_is_posted_once_a_week(
    asking: Asked,
) -> None:
    market = asking.market
    kept = asking.do("provider", SAVE, {"terms": {"title": "冬衣"}})["offerDraft"]
    assert (kept["status"], kept["terms"]["kind"]) == ("DRAFT", None)
    assert kept["allowedMoves"] == ["offerDraftUpdate", "offerPublish", "offerDraftDiscard"]
    lacking = asking.do("provider", PUBLISH, {"id": kept["id"]})
    assert codes(lacking) == {
        ("kind", "REQUIRED"),
        ("categoryId", "REQUIRED"),
        ("quantity", "REQUIRED"),
    }
    whole = {"id": kept["id"], "expectedVersion": kept["version"], "draft": {"terms": rice(market)}}
    assert asking.do("provider", SAVE_AGAIN, whole)["userErrors"] == []
    offer = asking.do("provider", PUBLISH, {"id": kept["id"]})["offer"]
    assert (offer["status"], offer["quantity"]["value"]) == ("OPEN", "400")
    assert codes(asking.do("provider", PUBLISH, {"id": kept["id"]})) == {("id", "CONFLICT")}

    now = market.database.now()
    template = {
        "terms": rice(market),
        "name": "每周大米",
        "isTemplate": True,
        "recurrence": "WEEKLY",
        "lastsDays": 7,
        "nextAt": (now - timedelta(days=20)).isoformat(),
    }
    weekly = asking.do("provider", SAVE, template)["offerDraft"]
    more = {"id": weekly["id"], "quantity": "50"}
    assert asking.do("provider", FROM_TEMPLATE, more)["offer"]["quantity"]["value"] == "50"
    before = await market.count(offers)
    await keep_up(market.database)
    await keep_up(market.database)
    assert await market.count(offers) == before + 1  # weeks that were missed are not made up for
    row = await market.row(offer_drafts, key_of("OfferDraft", weekly["id"]))
    assert now < row["next_at"] <= now + timedelta(days=7)
    async with market.database.write() as db:  # due again, in the same week
        await db.execute(sa.update(offer_drafts).values(next_at=now - timedelta(seconds=1)))
    await keep_up(market.database)
    assert await market.count(offers) == before + 1
