"""Referrals by the calendar, deadlines, capacity, and review policies, over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from marketplace.domain.ids import key_of, opaque_id
from marketplace.persistence.database import Database
from marketplace.persistence.tables import needs, plans, referral_drafts
from marketplace.services.exchange.nightly import plan_tonight
from marketplace.services.exchange.referral_calendar import prepare_referrals
from tests.fixtures.asked import Asked, asked, give_keys
from tests.fixtures.invariants import all_is_well
from tests.fixtures.market import (
    Market,
    a_consent,
    a_household,
    a_market,
    a_need,
    government_aid,
)

SCHEDULE = """mutation ($input: ScheduleSetInput!) { scheduleSet(input: $input) {
  schedule { id kind isOn weekday hour policy { order } } userErrors { field code } } }"""
POLICY = """mutation ($input: ReviewPolicySetInput!) { reviewPolicySet(input: $input) {
  reviewPolicy { policyVersion bands { fromFen approvals } reviewDays weeklyCapacity }
  userErrors { field code } } }"""
SEND = """mutation ($input: ReferralSendInput!) { referralSend(input: $input) {
  referral { id dueAt lineCount } draft { status allowedMoves } userErrors { field code } } }"""
DISCARD = """mutation ($input: ReferralDraftDiscardInput!) { referralDraftDiscard(input: $input) {
  draft { status } userErrors { field code } } }"""
REVIEW = """mutation ($input: NeedReviewInput!) { needReview(input: $input) {
  need { status dueAt } userErrors { field code } } }"""
DRAFTS = """{ referralDrafts(first: 9) { totalCount nodes {
  id status lineCount waiting allowedMoves needs(first: 9) { nodes { id } } } } }"""
CAPACITY = """{ referralCapacity { weeklyLimit free waiting overdue returned returnedOverdue
  prepared nextDueAt reviewed { day count } } }"""
LATE = "{ late: %s(first: 9) { totalCount nodes { id status dueAt } } }"

_TODAY = datetime.now(UTC).replace(hour=1, minute=0, second=0, microsecond=0)
MONDAY = _TODAY + timedelta(days=7 - _TODAY.weekday())  # nine in the morning, county time
LONG_AGO = MONDAY - timedelta(days=20)


@pytest.fixture
async def market(database: Database) -> Market:
    market = await a_market(database)
    await give_keys(market)
    return market


@pytest.fixture
async def asking(market: Market, database_url: str, tmp_path: Path) -> AsyncIterator[Asked]:
    with asked(market, database_url, tmp_path) as served:
        yield served


def clocked(database: Database, now: datetime) -> Database:
    """The same database by another clock."""
    return Database(database.url.render_as_string(hide_password=False), clock=lambda: now)


async def a_draft(market: Market, *, consent: bool = True, **changes: Any) -> int:
    household_id = await a_household(market)
    if consent:
        await a_consent(market, household_id, given_at=MONDAY - timedelta(days=9))
    await government_aid(market, household_id, "quilt", 0, granted=False, decided_at=LONG_AGO)
    return await a_need(market, household_id, status="DRAFT", **changes)


async def test_what_is_ready_is_prepared_once_on_its_day_and_sent_by_a_person(
    asking: Asked,
) -> None:
    market = asking.market
    gravest = await a_draft(market, severity=90)
    second, third = await a_draft(market, severity=80), await a_draft(market, severity=20)
    await a_draft(market, consent=False)
    weekly = {"kind": "REFERRAL", "weekday": 1, "hour": 8}
    assert asking.ask("reviewer", SCHEDULE, {"input": weekly})["errors"], "not the desk's own"
    schedule = asking.do("assistance", SCHEDULE, weekly)["schedule"]
    assert (schedule["kind"], schedule["isOn"], schedule["weekday"]) == ("REFERRAL", True, 1)
    limited = {"bands": [{"fromFen": "0", "approvals": 1}], "weeklyCapacity": 2, "reviewDays": 3}
    assert asking.do("admin", POLICY, limited)["userErrors"] == []

    for now, times in (
        (MONDAY - timedelta(hours=2), 0),
        (MONDAY, 1),
        (MONDAY + timedelta(hours=1), 0),
        (MONDAY + timedelta(days=1), 0),
    ):
        both = [clocked(market.database, now) for _ in range(2)]
        done = await asyncio.gather(*(prepare_referrals(each) for each in both))
        assert sum(done) == times, now
        for each in both:
            await each.close()

    assert asking.ask("reviewer", DRAFTS, {})["data"]["referralDrafts"]["totalCount"] == 0
    (draft,) = asking.read("assistance", DRAFTS)["nodes"]
    held = [key_of("Need", each["id"]) for each in draft["needs"]["nodes"]]
    assert (draft["status"], draft["lineCount"], draft["waiting"]) == ("PREPARED", 2, 1)
    assert sorted(held) == sorted([gravest, second]), "as many as the desk has room for"
    assert draft["allowedMoves"] == ["referralSend", "referralDraftDiscard"]

    wrong = {"id": draft["id"], "leaveOut": [opaque_id("Need", third)]}
    refused = asking.do("assistance", SEND, wrong)["userErrors"]
    assert refused == [{"field": ["input", "leaveOut", "0"], "code": "NOT_FOUND"}]
    sent = asking.do(
        "assistance", SEND, {"id": draft["id"], "leaveOut": [opaque_id("Need", second)]}
    )
    assert sent["userErrors"] == []
    assert sent["draft"] == {"status": "SENT", "allowedMoves": []}
    assert sent["referral"]["lineCount"] == 1
    due = datetime.fromisoformat(sent["referral"]["dueAt"]) - market.database.now()
    assert timedelta(days=2, hours=23) < due <= timedelta(days=3)
    assert (await market.row(needs, gravest))["status"] == "REFERRED"
    assert (await market.row(needs, second))["status"] == "DRAFT"
    again = asking.do("assistance", SEND, {"id": draft["id"]})
    assert [each["code"] for each in again["userErrors"]] == ["CONFLICT"]
    await all_is_well(market.database)


@pytest.mark.one_database
async def test_deadlines_are_kept_and_what_is_late_is_listed(asking: Asked) -> None:
    market = asking.market
    first, second = await a_draft(market), await a_draft(market)
    async with market.database.write() as db:
        values = {
            "region_id": market.region["county"],
            "line_count": 2,
            "waiting": 0,
            "prepared_at": market.database.now(),
        }
        draft_id = await db.insert(referral_drafts, values)
        await db.execute(sa.text(f"INSERT INTO referral_draft_lines VALUES ({draft_id}, {first})"))
        await db.execute(sa.text(f"INSERT INTO referral_draft_lines VALUES ({draft_id}, {second})"))
    asking.do("assistance", SEND, {"id": opaque_id("ReferralDraft", draft_id)})
    returned = {"id": opaque_id("Need", second), "decision": "RETURN", "reason": "No receipt."}
    back = asking.do("reviewer", REVIEW, returned)["need"]
    assert back["status"] == "RETURNED"
    due = datetime.fromisoformat(back["dueAt"]) - market.database.now()
    assert timedelta(days=9, hours=23) < due <= timedelta(days=10)
    for name in ("reviewsOverdue", "resubmissionsOverdue"):
        assert asking.read("reviewer", LATE % name)["totalCount"] == 0

    async with market.database.write() as db:
        past = market.database.now() - timedelta(hours=1)
        await db.execute(sa.update(needs).values(due_at=past))

    for name, need_id in (("reviewsOverdue", first), ("resubmissionsOverdue", second)):
        late = asking.read("reviewer", LATE % name)
        assert [key_of("Need", each["id"]) for each in late["nodes"]] == [need_id]
        assert asking.read("provider", LATE % name)["totalCount"] == 0
    now = asking.read("reviewer", CAPACITY)
    assert (now["waiting"], now["overdue"]) == (1, 1)
    assert (now["returned"], now["returnedOverdue"]) == (1, 1)
    assert (now["weeklyLimit"], now["free"]) == (None, None)
    assert [each["count"] for each in now["reviewed"]] == [0, 0, 0, 0, 0, 0, 1]
    assert "errors" in asking.ask("provider", CAPACITY, {})

    published = asking.do(
        "reviewer", REVIEW, {"id": opaque_id("Need", first), "decision": "APPROVE"}
    )["need"]
    assert published == {"status": "PUBLISHED", "dueAt": None}


@pytest.mark.one_database
async def test_as_many_approve_as_the_countys_policy_says_from_when_on_it_says(
    asking: Asked,
) -> None:
    market = asking.market
    bands = [{"fromFen": "0", "approvals": 1}, {"fromFen": "3000", "approvals": 2}]
    made = asking.do("admin", POLICY, {"bands": bands})["reviewPolicy"]
    assert (made["policyVersion"], made["bands"]) == (1, bands)
    later = {"bands": [{"fromFen": "0", "approvals": 5}], "validFrom": "2031-01-01T00:00:00Z"}
    assert asking.do("admin", POLICY, later)["reviewPolicy"]["policyVersion"] == 2
    for wrong, codes in (
        ([], ["REQUIRED"]),
        ([{"fromFen": "1", "approvals": 1}], ["INVALID"]),
        (bands[:1] * 2, ["INVALID"]),
        ([*bands, {"fromFen": "9000", "approvals": 1}], ["INVALID"]),
    ):
        refused = asking.do("admin", POLICY, {"bands": wrong})
        assert [each["code"] for each in refused["userErrors"]] == codes

    household_id = await a_household(market)
    await a_consent(market, household_id)
    await government_aid(market, household_id, "quilt", 0, granted=False, decided_at=LONG_AGO)
    need_id = await a_need(
        market,
        household_id,
        status="DRAFT",
        category_id=market.category["rice"],
        quantity=5,
        quantity_asked=5,
    )  # 5 kg at 6 yuan
    refer = """mutation ($input: NeedReferInput!) { needRefer(input: $input) {
      userErrors { code } } }"""
    asking.do("assistance", refer, {"needIds": [opaque_id("Need", need_id)]})
    approve = {"id": opaque_id("Need", need_id), "decision": "APPROVE"}
    assert asking.do("reviewer", REVIEW, approve)["need"]["status"] == "REFERRED"
    assert asking.do("reviewer_2", REVIEW, approve)["need"]["status"] == "PUBLISHED"


async def test_a_plan_is_asked_for_once_a_night_however_many_look(asking: Asked) -> None:
    market = asking.market
    nightly = {"kind": "NIGHTLY_PLAN", "hour": 2, "order": "SEVERITY"}
    made = asking.do("reviewer", SCHEDULE, nightly)["schedule"]
    assert made["policy"] == {"order": "SEVERITY"}
    for now, total in (
        (datetime(2026, 11, 23, 17, 59, tzinfo=UTC), 0),  # before two in the morning
        (datetime(2026, 11, 23, 18, 0, tzinfo=UTC), 1),
        (datetime(2026, 11, 24, 15, 0, tzinfo=UTC), 1),
        (datetime(2026, 11, 24, 18, 30, tzinfo=UTC), 2),
    ):
        lookers = [clocked(market.database, now) for _ in range(4)]
        await asyncio.gather(*(plan_tonight(each) for each in lookers))
        assert await market.count(plans) == total, now
        for each in lookers:
            await each.close()
    asking.do("reviewer", SCHEDULE, nightly | {"isOn": False})
    off = clocked(market.database, datetime(2026, 11, 25, 18, 30, tzinfo=UTC))
    assert await plan_tonight(off) == 0
    await off.close()
    plan = await market.row(plans, 1)
    assert (plan["status"], plan["policy"]["order"]) == ("QUEUED", "SEVERITY")
    assert plan["region_id"] == market.region["county"]


@pytest.mark.one_database
async def test_a_prepared_referral_can_be_put_aside_by_its_desk_alone(asking: Asked) -> None:
    market = asking.market
    need_id = await a_draft(market)
    asking.do("assistance", SCHEDULE, {"kind": "REFERRAL", "hour": 0})
    for day, status in ((0, "PREPARED"), (1, "PREPARED")):
        clock = clocked(market.database, MONDAY + timedelta(days=day))
        assert await prepare_referrals(clock) == 1
        await clock.close()
        newest = asking.read("assistance", DRAFTS)["nodes"][0]
        assert newest["status"] == status
    drafts = asking.read("assistance", DRAFTS)["nodes"]
    assert [each["status"] for each in drafts] == ["PREPARED", "DISCARDED"]
    given = {"id": drafts[0]["id"]}
    assert "errors" in asking.ask("reviewer", DISCARD, {"input": given})
    assert asking.do("assistance_2", DISCARD, given)["draft"] == {"status": "DISCARDED"}
    assert (await market.row(needs, need_id))["status"] == "DRAFT"
