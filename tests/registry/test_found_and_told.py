"""Following an application by code, finding a household, and telling those who are entitled."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from marketplace.domain.ids import parse_id
from marketplace.domain.registry.households import NewMember, Relation
from marketplace.persistence.tables import (
    assessments,
    events,
    household_tellings,
    households,
    members,
    messages,
)
from marketplace.services.registry import indexing
from tests.fixtures.county import NUMBER, belongs_to
from tests.fixtures.county_served import Asked
from tests.registry.test_applications import ASKED, LIST, SUBMIT

CODE = """mutation ($input: ApplicationCodeRequestInput!) {
  applicationCodeRequest(input: $input) { accepted userErrors { code } }
}"""
STATUS = """query ($reference: String!, $code: String!) {
  applicationStatus(reference: $reference, code: $code) { status why reason handledAt }
}"""
REJECT = """mutation ($input: ApplicationRejectInput!) {
  applicationReject(input: $input) { application { status } userErrors { field code } }
}"""
FIND = """query ($name: String, $identityNumber: String, $phone: String, $purpose: String!) {
  householdFind(name: $name, identityNumber: $identityNumber, phone: $phone, purpose: $purpose) {
    households { householdId reference status } isCut
  }
}"""
UNTOLD = """{ entitledUntold(first: 9) {
  totalCount nodes { reference eligibilityClass lacks household { id } }
} }"""
TELL = """mutation ($input: HouseholdTellInput!) {
  householdTell(input: $input) {
    household { tellings(first: 9) { nodes { how toldOn } } } userErrors { field code }
  }
}"""
WHY = "核对大病救助材料"


async def _codes(asked: Asked) -> list[str]:
    """The codes of the messages that were put in line, the oldest first."""
    found = []
    for row in await asked.county.rows(messages):
        if row["kind"] == "application.code":
            text = asked.sealer.open(
                row["text_sealed"], place="messages.text", seal_id=row["seal_id"]
            )
            found.append(orjson.loads(text)["en"].partition(": ")[2][:6])
    return found


@pytest.mark.one_database
async def test_how_an_application_stands_is_told_to_who_holds_reference_and_phone(
    asked: Asked,
) -> None:
    reference = asked.do(None, SUBMIT, ASKED)["receipt"]["reference"]
    quietly = {"accepted": True, "userErrors": []}

    for phone, number in (
        ("10000000000", reference),
        (ASKED["phone"], "Q-2026-000999"),
        (ASKED["phone"], "Q-1999-000001"),
        (ASKED["phone"], "x" * 10_000),
        ("", ""),
    ):
        assert asked.do(None, CODE, {"reference": number, "phone": phone}) == quietly
    assert await _codes(asked) == []
    assert asked.do(None, CODE, {"reference": reference, "phone": "+8610012345678"}) == quietly

    (code,) = await _codes(asked)
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    assert asked.read(None, STATUS, {"reference": reference, "code": wrong}) is None
    assert asked.read(None, STATUS, {"reference": "Q-2026-000999", "code": code}) is None
    right = {"reference": reference, "code": code}
    assert asked.read(None, STATUS, right)["status"] == "SUBMITTED"
    application = asked.read("township", LIST)["nodes"][0]["id"]
    given = {"id": application, "why": "OUTSIDE_AREA", "reason": "户籍不在本县，请向居住地申请"}
    assert asked.do("township", REJECT, given | {"reason": ""})["userErrors"][0]["code"] == (
        "REQUIRED"
    )
    assert asked.do("township", REJECT, given)["application"] == {"status": "REJECTED"}
    seen = asked.read(None, STATUS, right)
    assert (seen["status"], seen["why"], seen["reason"]) == (
        "REJECTED",
        "OUTSIDE_AREA",
        given["reason"],
    )
    # Five looks, right or wrong, and the code is good no more.
    for _ in range(3):
        last = asked.read(None, STATUS, right)
    assert last is None
    told = str([dict(row) for row in await asked.county.rows(events)])
    assert code not in told
    assert given["reason"] not in told
    kinds = [row["kind"] for row in await asked.county.rows(messages)]
    assert kinds == ["application.code", "application.rejected"]


@pytest.mark.one_database
async def test_a_household_is_found_exactly_within_reach_and_on_the_record(asked: Asked) -> None:
    household = await asked.family()
    for by in (
        {"name": " 测试乙"},
        {"identityNumber": "999027 19900101 0015"},
        {"phone": "+8610012345678"},
    ):
        for who in ("grid", "township", "assistance", "social_worker", "auditor"):
            found = asked.read(who, FIND, by | {"purpose": WHY})
            assert [each["householdId"] for each in found["households"]] == [household], who
            assert found["isCut"] is False
        assert asked.read("other_township", FIND, by | {"purpose": WHY})["households"] == []
        for who in ("charity", "provider", "applicant"):
            assert asked.refused(who, FIND, by | {"purpose": WHY}) == "FORBIDDEN"
        assert asked.refused(None, FIND, by | {"purpose": WHY}) == "UNAUTHENTICATED"
    near_miss: list[dict[str, Any]] = [
        {"name": "测试"},
        {"phone": "1001234567"},
        {"identityNumber": NUMBER[:-1] + "6"},
    ]
    for by in near_miss:
        assert asked.read("township", FIND, by | {"purpose": WHY})["households"] == []
    for by, code in (
        ({}, "REQUIRED"),
        ({"name": "测试乙", "phone": "10012345678"}, "REQUIRED"),
        ({"name": ""}, "INVALID"),
        ({"name": "x" * 10_000}, "INVALID"),
    ):
        assert asked.refused("township", FIND, by | {"purpose": WHY}) == code
    assert asked.refused("township", FIND, {"name": "测试乙", "purpose": "x"}) == "REQUIRED"

    kept = await asked.county.rows(events)
    searched = [row["data"] for row in kept if row["kind"] == "household.searched"]
    assert len(searched) == 3 * 6 + 3
    assert {row["by"] for row in searched} == {"name", "identity_number", "phone"}
    assert sum(row["kind"] == "household.found" for row in kept) == 3 * 5
    assert not any(secret in str(searched) for secret in ("测试乙", NUMBER, "1234567"))


async def test_rows_older_than_their_index_are_found_once_it_was_made(asked: Asked) -> None:
    await asked.family()
    async with asked.county.database.write() as db:
        await db.execute(sa.update(members).values(name_index=None))
        await db.execute(sa.update(households).values(phone_index="of another time"))
    assert asked.read("township", FIND, {"name": "测试甲", "purpose": WHY})["households"] == []

    made = await indexing.bring_up_to_date(asked.county.database, asked.sealer, batch=1)
    again = await indexing.bring_up_to_date(asked.county.database, asked.sealer)

    assert (made.members, made.households, made.looked_through) == (2, 1, 1)
    assert (again.members, again.households) == (0, 0)
    for by in ({"name": "测试甲"}, {"phone": "100-1234-5678"}):
        assert len(asked.read("township", FIND, by | {"purpose": WHY})["households"]) == 1


@pytest.mark.one_database
async def test_who_qualifies_is_listed_until_told_and_decided(asked: Asked) -> None:
    now = asked.county.database.now()
    poor, rich = await asked.family(), await asked.family(members=_alone(), phone=None)
    never = await asked.family(members=_alone(), phone=None)
    for household, kind in ((poor, "SUBSISTENCE_ALLOWANCE"), (rich, "NONE")):
        await _assessed(asked, household, kind, now - timedelta(days=2))

    listed = asked.read("township", UNTOLD)
    assert [each["household"]["id"] for each in listed["nodes"]] == [poor]
    assert listed["nodes"][0]["eligibilityClass"] == "SUBSISTENCE_ALLOWANCE"
    assert listed["nodes"][0]["lacks"] == ["NOT_TOLD", "NO_DECISION", "NO_NEED"]
    for who in ("other_township", "grid", "charity", "provider", "applicant", None):
        assert asked.read(who, UNTOLD)["totalCount"] == 0, who

    given = {"householdId": poor, "how": "VISIT", "toldOn": str(now.date())}
    done = asked.do("grid", TELL, given)
    assert done["household"]["tellings"]["nodes"] == [{"how": "VISIT", "toldOn": given["toldOn"]}]
    assert asked.read("township", UNTOLD)["nodes"][0]["lacks"] == ["NO_DECISION", "NO_NEED"]
    # Another assessment is another thing to tell.
    await _assessed(asked, poor, "LOW_INCOME_EDGE", now)
    assert "NOT_TOLD" in asked.read("township", UNTOLD)["nodes"][0]["lacks"]
    for changes, code in (
        ({"toldOn": "1066-10-14"}, "INVALID"),
        ({"toldOn": "9999-12-31"}, "INVALID"),
        ({"householdId": never}, "ASSESSMENT_REQUIRED"),
    ):
        refused = asked.do("township", TELL, given | changes)
        assert [e["code"] for e in refused["userErrors"]] == [code]
    assert asked.refused("other_township", TELL, {"input": given}) == "NOT_FOUND"
    await belongs_to(asked.county, "grid", parse_id(poor)[1])
    own = asked.do("grid", TELL, given)
    assert [e["code"] for e in own["userErrors"]] == ["OWN_HOUSEHOLD"]
    assert len(await asked.county.rows(household_tellings)) == 1


async def _assessed(asked: Asked, household: str, kind: str, at: Any) -> None:
    amounts = ("income", "medical", "education", "disability_care", "housing", "disaster")
    values = {f"{name}_fen_month": 0 for name in amounts} | {
        "household_id": parse_id(household)[1],
        "assessed_at": at,
        "policy_version": "test",
        "member_count": 2,
        "property_fen": 0,
        "eligibility_class": kind,
        "severity": 50,
        "trace": [],
    }
    async with asked.county.database.write() as db:
        await db.insert(assessments, values)


def _alone() -> Any:
    return (NewMember(name="测试己", relation=Relation.SELF),)
