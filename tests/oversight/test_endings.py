"""The way back: recovery and closing, appeal, the last day; and where each need then goes."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from marketplace.domain.errors import Conflict
from marketplace.domain.ids import opaque_id
from marketplace.persistence.tables import (
    events,
    households,
    integrity_cases,
    messages,
    needs,
    offers,
    published_needs,
    restrictions,
)
from marketplace.services.exchange.consents import WithdrawConsent, withdraw
from marketplace.services.oversight.lapsing import lapse
from marketplace.services.registry.organizations import verify
from tests.fixtures.asked import Asked
from tests.fixtures.county import SEALER
from tests.fixtures.market import (
    Market,
    a_consent,
    a_household,
    a_need,
    an_allocation,
    an_offer,
    government_aid,
)
from tests.fixtures.refusals import codes
from tests.oversight.documents import (
    a_found_case,
    belongs_to,
    in_days,
    moving,
    restricting,
)
from tests.oversight.wellness import all_is_well

MONEY = """
  status allowedMoves recoveryOrdered { amount } recoveryReceived { amount }
  recoveryDue { amount } refundDue { amount }
"""
FILE = """
{ integrityCases(first: 5) { nodes {
  status
  entries(first: 20) { nodes { kind amount { amount } } }
  recoveries(first: 9) { nodes { kind amount { amount } receivedOn receipt } }
  appeals(first: 9) { nodes { outcome } }
} } }
"""


async def statuses(market: Market, *need_ids: int) -> list[str]:
    return [(await market.row(needs, key))["status"] for key in need_ids]


async def test_a_recovered_case_is_closed_and_every_need_goes_where_it_belongs(
    asking: Asked,
) -> None:
    market = asking.market
    now = market.database.now()
    household_id = await a_household(market)
    await a_consent(market, household_id)
    published = await a_need(market, household_id)
    whole = await a_need(market, household_id)
    drafted = await a_need(market, household_id, status="DRAFT")
    late = await a_need(market, household_id, deadline=now + timedelta(hours=1))
    offer = await an_offer(market)
    await an_allocation(market, whole, offer, 100, status="CONFIRMED")
    await an_allocation(market, published, offer, 40)
    case_id = a_found_case(asking, household_id)
    restricting(asking, case_id, scope="CHARITY")
    await government_aid(market, household_id, "staple", 30)
    async with market.database.write() as db:
        past = sa.update(needs).where(needs.c.id == late)
        await db.execute(past.values(deadline=now - timedelta(hours=1)))

    recover = moving("integrityCaseRecover", MONEY)
    nothing = asking.do("assistance", recover, {"id": case_id})
    unordered = asking.do(
        "assistance",
        recover,
        {"id": case_id, "receivedFen": "1", "receivedOn": in_days(market, 0), "receipt": "R-1"},
    )
    part = {"id": case_id, "receivedFen": "30000", "receivedOn": in_days(market, 0)}
    ordered = asking.do("assistance_2", recover, part | {"orderedFen": "100000", "receipt": "R-1"})[
        "case"
    ]
    again = asking.do("assistance", recover, {"id": case_id, "orderedFen": "5"})
    bare = asking.do("assistance", recover, part)
    too_much = asking.do("assistance", recover, part | {"receivedFen": "70001", "receipt": "R-2"})
    too_soon = asking.do(
        "assistance", moving("integrityCaseClose"), {"id": case_id, "reason": "It is over"}
    )
    rest = asking.do("assistance", recover, part | {"receivedFen": "70000", "receipt": "R-2"})[
        "case"
    ]

    codes = [
        [(e["field"][-1:], e["code"]) for e in answer["userErrors"]]
        for answer in (nothing, unordered, again, bare, too_much, too_soon)
    ]
    assert codes == [
        [(["orderedFen"], "REQUIRED")],
        [(["receivedFen"], "QUANTITY_EXCEEDED")],
        [(["orderedFen"], "CONFLICT")],
        [(["receipt"], "REQUIRED")],
        [(["receivedFen"], "QUANTITY_EXCEEDED")],
        [(["id"], "CONFLICT")],
    ]
    amounts = ("recoveryOrdered", "recoveryReceived", "recoveryDue", "refundDue")
    assert (ordered["status"], [ordered[a]["amount"] for a in amounts]) == (
        "RESTRICTED",
        ["100000", "30000", "70000", "0"],
    )
    assert (rest["status"], [rest[a]["amount"] for a in amounts]) == (
        "RECOVERED",
        ["100000", "100000", "0", "0"],
    )
    assert await statuses(market, published, drafted) == ["SUSPENDED", "SUSPENDED"]

    closed = asking.do(
        "assistance", moving("integrityCaseClose"), {"id": case_id, "reason": "It paid all back"}
    )["case"]

    assert (closed["status"], closed["allowedMoves"]) == ("CLOSED", [])
    assert closed["restriction"]["endReason"] == "CLOSED"
    assert await statuses(market, published, whole, drafted, late) == [
        "PUBLISHED",
        "FULFILLED",
        "DRAFT",
        "EXPIRED",
    ]
    quantity = (await market.row(needs, published))["quantity"]
    assert quantity == 70, "government aid was decided on meanwhile"
    open_ = await market.value(
        sa.select(published_needs.c.need_id).where(published_needs.c.is_open)
    )
    assert open_ == published
    assert await market.count(needs, needs.c.suspended_from.is_not(None)) == 0
    (seen,) = asking.see("auditor", FILE)["integrityCases"]["nodes"]
    assert [e["kind"] for e in reversed(seen["entries"]["nodes"])] == [
        "FOUND",
        "RESTRICTED",
        "RECOVERY_ORDERED",
        "RECOVERY_RECEIVED",
        "RECOVERY_RECEIVED",
        "RECOVERED",
        "CLOSED",
    ]
    assert [r["receipt"] for r in seen["recoveries"]["nodes"]] == ["R-2", "R-1", None]
    kinds = await event_kinds(market)
    assert (kinds["need.suspended"], kinds["need.restored"], kinds["need.expired"]) == (4, 3, 1)
    assert kinds["allocation.cancelled"] == 1
    await all_is_well(market.database)


async def event_kinds(market: Market) -> Counter[str]:
    async with market.database.read() as db:
        return Counter(row["kind"] for row in await db.rows(sa.select(events.c.kind)))


@pytest.mark.one_database
async def test_consent_that_ends_meanwhile_withdraws_what_is_given_back(asking: Asked) -> None:
    market = asking.market
    household_id = await a_household(market)
    consent_id = await a_consent(market, household_id)
    published = await a_need(market, household_id)
    drafted = await a_need(market, household_id, status="DRAFT")
    case_id = a_found_case(asking, household_id)
    restricting(asking, case_id)
    await withdraw(
        market.database, market.act("assistance"), WithdrawConsent(consent_id=consent_id)
    )
    assert await statuses(market, published, drafted) == ["SUSPENDED", "SUSPENDED"]

    own = asking.do(
        "assistance", moving("integrityCaseDismiss"), {"id": case_id, "reason": "A mix-up of names"}
    )
    done = asking.do(
        "assistance_2",
        moving("integrityCaseDismiss"),
        {"id": case_id, "reason": "A mix-up of names"},
    )

    assert [e["code"] for e in own["userErrors"]] == ["FOUR_EYES"], "it ordered the restriction"
    assert done["case"]["status"] == "DISMISSED"
    assert await statuses(market, published, drafted) == ["WITHDRAWN", "WITHDRAWN"]
    assert await market.count(published_needs, published_needs.c.is_open) == 0
    await all_is_well(market.database)


@pytest.mark.one_database
async def test_an_appeal_is_decided_by_another_and_granted_puts_everything_back(
    asking: Asked,
) -> None:
    market = asking.market
    household_id = await a_household(market)
    await a_consent(market, household_id)
    await belongs_to(market, "applicant", household_id)
    await has_a_phone(asking, household_id)
    need_id = await a_need(market, household_id)
    case_id = a_found_case(asking, household_id)
    restricting(asking, case_id)
    appeal, decide = moving("integrityCaseAppeal"), moving("integrityCaseDecideAppeal")
    said = {"id": case_id, "appeal": "The flat is my brother's"}

    seen = asking.see("applicant", "{ integrityCases(first: 2) { nodes { allowedMoves } } }")
    assert seen["integrityCases"]["nodes"] == [{"allowedMoves": ["integrityCaseAppeal"]}]
    assert asking.do("applicant", appeal, said)["case"]["status"] == "APPEALED"
    assert asking.refused("applicant", appeal, said) == "CONFLICT"
    refusal = {"id": case_id, "outcome": "REFUSED", "reason": "The register names you"}
    assert asking.refused("assistance", decide, refusal) == "FOUR_EYES"
    refused = asking.do("assistance_2", decide, refusal)["case"]
    assert (refused["status"], refused["restriction"]["inForce"]) == ("RESTRICTED", True)
    assert await statuses(market, need_id) == ["SUSPENDED"]

    asking.do("applicant", appeal, said | {"appeal": "Here is his deed"})
    granted = asking.do(
        "assistance_2", decide, {"id": case_id, "outcome": "GRANTED", "reason": "The deed is true"}
    )["case"]

    assert (granted["status"], granted["restriction"]["endReason"]) == ("DISMISSED", "DISMISSED")
    assert await statuses(market, need_id) == ["PUBLISHED"]
    (mine,) = asking.see("applicant", FILE)["integrityCases"]["nodes"]
    assert [a["outcome"] for a in mine["appeals"]["nodes"]] == ["GRANTED", "REFUSED"]
    assert asking.see("township", FILE)["integrityCases"]["nodes"] == [], "it is in nobody's file"
    sent = await told(asking)
    assert [text[:13] for text in sent] == [f"I-{market.database.now().year}-000001"] * 3
    assert in_days(market, 180) in sent[0]
    assert not [text for text in sent if "flat" in text or "CONCEALMENT" in text]
    await all_is_well(market.database)


async def has_a_phone(asking: Asked, household_id: int) -> None:
    home = await asking.market.row(households, household_id)
    sealed = asking.sealer.seal("13800138000", place="households.phone", seal_id=home["seal_id"])
    async with asking.market.database.write() as db:
        this = sa.update(households).where(households.c.id == household_id)
        await db.execute(this.values(phone_sealed=sealed))


async def told(asking: Asked) -> list[str]:
    """What the household's phone will say, the first message first."""
    async with asking.market.database.read() as db:
        rows = await db.rows(sa.select(messages).order_by(messages.c.id))
    opened = (
        asking.sealer.open(row["text_sealed"], place="messages.text", seal_id=row["seal_id"])
        for row in rows
    )
    return [str(json.loads(text)["en"]) for text in opened]


async def test_a_restriction_ends_by_itself_after_its_last_day_unless_another_stands(
    asking: Asked,
) -> None:
    market = asking.market
    household_id = await a_household(market)
    await a_consent(market, household_id)
    need_id = await a_need(market, household_id)
    short, long = (a_found_case(asking, household_id, kind) for kind in ("CONCEALMENT", "FORGERY"))
    restricting(asking, short, scope="CHARITY", endsOn=in_days(market, 0))
    restricting(asking, long, scope="BOTH")
    assert await lapse(market.database, SEALER) == 0

    async def days_pass(key: str) -> int:
        async with market.database.write() as db:
            case = sa.select(integrity_cases.c.id).where(
                integrity_cases.c.kind == ("CONCEALMENT" if key == short else "FORGERY")
            )
            this = sa.update(restrictions).where(restrictions.c.case_id.in_(case))
            long_ago = market.database.now() - timedelta(days=9)
            await db.execute(this.values(starts_at=long_ago, ends_at=long_ago + timedelta(days=1)))
        return await lapse(market.database, SEALER)

    assert await days_pass(short) == 1
    assert await statuses(market, need_id) == ["SUSPENDED"], "the other one stands"
    assert await days_pass(long) == 1
    assert await statuses(market, need_id) == ["PUBLISHED"]
    assert await lapse(market.database, SEALER) == 0
    (case,) = asking.see(
        "assistance",
        f'{{ nodes(ids: ["{short}"]) {{ ... on IntegrityCase {{ status restriction {{ endReason }} '
        "entries(first: 1) { nodes { kind } } } } }",
    )["nodes"]
    assert case == {
        "status": "RESTRICTED",
        "restriction": {"endReason": "LAPSED"},
        "entries": {"nodes": [{"kind": "RESTRICTION_LAPSED"}]},
    }
    await all_is_well(market.database)


PROVIDER_CASE: dict[str, Any] = {
    "kind": "ACCEPTED_NEVER_DELIVERED",
    "allegation": "It accepted rice in June and brought none",
}


async def test_a_provider_is_restricted_with_its_offers_and_restored(asking: Asked) -> None:
    market = asking.market
    household_id = await a_household(market)
    await a_consent(market, household_id)
    need_id = await a_need(market, household_id)
    offer, paused = await an_offer(market), await an_offer(market, status="PAUSED")
    late = await an_offer(market)
    others = await an_offer(market, organization_id=market.organization["other"])
    reserved = await an_allocation(market, need_id, offer, 10)
    await an_allocation(market, need_id, others, 20)
    charity = opaque_id("Organization", market.organization["charity"])
    given = PROVIDER_CASE | {
        "organizationId": charity,
        "allocationId": opaque_id("Allocation", reserved),
    }
    case_id = asking.do("reviewer", moving("integrityCaseOpen"), given)["case"]["id"]
    for who in ("reviewer", "reviewer_2"):
        found = {"id": case_id, "finding": "The village says so, and the van's log"}
        asking.do(who, moving("integrityCaseFind"), found)

    grounds = {"id": case_id, "endsOn": in_days(market, 30), "grounds": "A month to set it right"}
    restrict = moving("integrityCaseRestrict")
    assert asking.refused("reviewer", restrict, grounds | {"scope": "BOTH"}) == "INVALID"
    asking.do("reviewer", restrict, grounds | {"scope": "OFFERS"})

    async def state() -> tuple[list[str], str, int]:
        kept = [(await market.row(offers, key))["status"] for key in (offer, paused, late, others)]
        seen = asking.see(
            "reviewer", f'{{ node(id: "{charity}") {{ ... on Organization {{ status }} }} }}'
        )
        return kept, seen["node"]["status"], (await market.row(needs, need_id))["covered"]

    assert await state() == (["PAUSED", "PAUSED", "PAUSED", "OPEN"], "SUSPENDED", 20)
    assert (await market.row(offers, offer))["reserved"] == 0
    resume = """
      mutation ($input: OfferResumeInput!) { offerResume(input: $input) { userErrors { code } } }
    """
    mine = {"id": opaque_id("Offer", offer)}
    assert asking.refused("provider", resume, mine) == "ORGANIZATION_NOT_VERIFIED"
    with pytest.raises(Conflict) as verifying:
        await verify(market.database, market.act("reviewer"), market.organization["charity"])
    assert codes(verifying.value) == {("id", "UNDER_RESTRICTION")}
    file = "{ integrityCases(first: 5) { nodes { kind entries(first: 9) { nodes { kind } } } } }"
    assert asking.see("provider", file)["integrityCases"]["nodes"][0]["kind"] == given["kind"]
    assert asking.see("other_provider", file)["integrityCases"]["nodes"] == []
    assert asking.see("assistance", file)["integrityCases"]["nodes"] == []

    async with market.database.write() as db:
        gone = sa.update(offers).where(offers.c.id == late)
        await db.execute(gone.values(expires_at=market.database.now() - timedelta(minutes=1)))
    said = {"id": case_id, "appeal": "The road was flooded"}
    assert asking.refused("other_provider", moving("integrityCaseAppeal"), said) == "NOT_FOUND"
    assert asking.refused("applicant", moving("integrityCaseAppeal"), said) == "NOT_FOUND"
    asking.do("provider", moving("integrityCaseAppeal"), said)
    outcome = {"id": case_id, "outcome": "GRANTED", "reason": "The road office confirms it"}
    asking.do("reviewer_2", moving("integrityCaseDecideAppeal"), outcome)

    assert await state() == (["OPEN", "PAUSED", "PAUSED", "OPEN"], "VERIFIED", 20)
    await all_is_well(market.database)
