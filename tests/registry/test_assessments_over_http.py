"""Assessing over HTTP: what was found, the class that stands, its second person, and the why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from marketplace.domain.ids import opaque_id
from marketplace.domain.registry.assessments import Circumstances
from marketplace.persistence.database import Database
from marketplace.persistence.tables import assessments, events
from marketplace.services.registry import assessing, households
from tests.fixtures.asked import Asker, give_keys
from tests.fixtures.county import SEALER, County, a_county, a_family, belongs_to
from tests.fixtures.served import Served, served, settings_for


@dataclass(frozen=True)
class Office(Asker):
    """A server on the county of Jinxi, with a key for everyone, and one household."""

    county: County
    server: Served
    household: int

    @property
    def household_id(self) -> str:
        return opaque_id("Household", self.household)


@pytest.fixture
async def county_with_keys(database: Database) -> tuple[County, int]:
    county = await a_county(database)
    await give_keys(county)
    key = await households.register(database, county.act("township"), SEALER, a_family(county))
    return county, key


@pytest.fixture
def office(
    county_with_keys: tuple[County, int], database_url: str, tmp_path: Path
) -> Iterator[Office]:
    with served(settings_for(database_url, tmp_path)) as server:
        yield Office(county_with_keys[0], server, county_with_keys[1])


def refusal(answer: dict[str, Any]) -> str:
    """Why it was refused at the top."""
    return str(answer["errors"][0]["extensions"]["code"])


ASSESS = """
mutation ($input: HouseholdAssessInput!) {
  householdAssess(input: $input) {
    assessment {
      id reference computedClass eligibilityClass severity validUntil reassessmentDueOn hasLapsed
      isLatest explanation(language: ZH_CN)
      income { amount } rigidExpenditure { medical { amount } housing { amount } }
      basis { members targetGroups income { amount } linesVersion subsistenceLine { amount } }
      override { id status allowedMoves eligibilityClass }
      household { eligibilityClass reassessmentDueOn }
    }
    userErrors { field code }
  }
}
"""
OVERRIDE = """
mutation ($input: AssessmentOverride%sInput!) {
  assessmentOverride%s(input: $input) {
    override { status version allowedMoves assessment { eligibilityClass validUntil explanation } }
    userErrors { field code }
  }
}
"""
APPEAL_FILE = """
mutation ($input: AppealFileInput!) {
  appealFile(input: $input) {
    appeal { id status isOverdue allowedMoves assessment { id } }
    userErrors { field code }
  }
}
"""
APPEAL_DECIDE = """
mutation ($input: AppealDecideInput!) {
  appealDecide(input: $input) {
    appeal { status decisionReason newAssessment { id } }
    userErrors { field code }
  }
}
"""
DUE = "{ reassessmentsDue(first: 9) { nodes { dueOn reason eligibilityClass household { id } } } }"
LINES_SET = """
mutation ($input: AssistanceLinesSetInput!) {
  assistanceLinesSet(input: $input) {
    assistanceLines { version area validFrom subsistenceLine { amount } edgeReviewMonths }
    userErrors { field code }
  }
}
"""
NEED = """
mutation ($input: NeedCreateInput!) {
  needCreate(input: $input) {
    need {
      quantity { value } overlap { value }
      residual { asked { value unit } byGovernment { value } left { value } steps { zh en units } }
      conflicts(first: 9) {
        nodes { kind units { value unit } sentence(language: EN) governmentAid { kind } }
      }
      household { governmentAids(first: 9) { nodes { granted allowedMoves } } }
    }
    userErrors { field code }
  }
}
"""
DECIDE_AID = """
mutation ($input: GovernmentAidDecideInput!) {
  governmentAidDecide(input: $input) {
    governmentAid {
      reference kind granted amount { amount } covers { value unit } category { code }
      reason basis { severity eligibilityClass income { amount } }
    }
    userErrors { field code }
  }
}
"""


async def test_a_household_is_assessed_and_government_decides_first(office: Office) -> None:
    found = {
        "householdId": office.household_id,
        "incomeFenMonth": "120000",
        "propertyFen": "500000",
        "rigidExpenditure": {"medical": "60000"},
    }
    assessed = office.do("township", ASSESS, found)["assessment"]

    assert assessed["computedClass"] == "SUBSISTENCE_ALLOWANCE"
    assert assessed["eligibilityClass"] == "SUBSISTENCE_ALLOWANCE"
    assert assessed["severity"] == 1 + 43 + 5 + 2
    assert assessed["isLatest"]
    assert not assessed["hasLapsed"]
    assert assessed["rigidExpenditure"] == {
        "medical": {"amount": "60000"},
        "housing": {"amount": "0"},
    }
    assert assessed["basis"]["members"] == 2
    assert assessed["basis"]["subsistenceLine"] == {"amount": "80000"}
    assert "低保" in assessed["explanation"][1]
    assert assessed["household"]["reassessmentDueOn"] == assessed["reassessmentDueOn"]
    assert assessed["override"] is None

    aid = {
        "householdId": office.household_id,
        "kind": "TEMPORARY_ASSISTANCE",
        "granted": True,
        "amountFen": "50000",
        "startsOn": "2026-01-01",
        "coversCategoryId": opaque_id("Category", office.county.category["rice"]),
        "coversQuantity": "30",
        "reason": "口粮不足",
    }
    decided = office.do("assistance", DECIDE_AID, aid)
    assert decided["userErrors"] == []
    assert decided["governmentAid"]["covers"] == {"value": "30", "unit": "kg"}
    assert decided["governmentAid"]["category"] == {"code": "rice"}
    assert decided["governmentAid"]["basis"] == {
        "severity": assessed["severity"],
        "eligibilityClass": "SUBSISTENCE_ALLOWANCE",
        "income": {"amount": "120000"},
    }
    refused = office.do("assistance", DECIDE_AID, aid | {"granted": False, "reason": None})
    assert {e["code"] for e in refused["userErrors"]} == {"INVALID", "REQUIRED"}
    assert refusal(office.ask("township", DECIDE_AID, {"input": aid})) == "FORBIDDEN"

    asked = {
        "householdId": office.household_id,
        "categoryId": opaque_id("Category", office.county.category["staple_food"]),
        "quantityAsked": "100",
    }
    need = office.do("township", NEED, asked)["need"]
    assert need["quantity"] == {"value": "70"}
    assert need["residual"]["byGovernment"] == {"value": "30"}
    assert [step["units"] for step in need["residual"]["steps"]] == ["100", "-30", "70"]
    assert need["conflicts"]["nodes"] == []
    assert need["household"]["governmentAids"]["nodes"] == [{"granted": True, "allowedMoves": []}]
    oil = {"categoryId": opaque_id("Category", office.county.category["flour"])}
    other = office.do("township", NEED, asked | oil)["need"]
    assert other["quantity"] == {"value": "100"}
    (conflict,) = other["conflicts"]["nodes"]
    assert (conflict["kind"], conflict["units"]) == (
        "SAME_BROADER_CATEGORY",
        {"value": "0", "unit": "kg"},
    )
    assert "same broader category" in conflict["sentence"]


POOR = {"incomeFenMonth": "120000", "propertyFen": "500000", "rigidExpenditure": {"medical": "1"}}
STANDS = "{ households(first: 9) { nodes { eligibilityClass reassessmentDueOn } } }"


def stands(office: Office, who: str) -> Any:
    (home,) = office.ask(who, STANDS)["data"]["households"]["nodes"]
    return home["eligibilityClass"]


async def test_another_class_counts_once_a_second_person_approves_it(office: Office) -> None:
    override = {"eligibilityClass": "RIGID_EXPENDITURE", "reason": "医疗支出另有凭证"}
    found = POOR | {"householdId": office.household_id, "override": override}
    assessed = office.do("township", ASSESS, found)["assessment"]

    assert assessed["override"]["status"] == "PENDING"
    assert assessed["override"]["allowedMoves"] == []
    assert assessed["eligibilityClass"] == "SUBSISTENCE_ALLOWANCE"
    assert stands(office, "auditor") == "SUBSISTENCE_ALLOWANCE"

    approve, given = OVERRIDE % ("Approve", "Approve"), {"id": assessed["override"]["id"]}
    own = office.do("township", approve, given)
    assert [e["code"] for e in own["userErrors"]] == ["FOUR_EYES"]
    assert refusal(office.ask("grid", approve, {"input": given})) == "FORBIDDEN"

    done = office.do("assistance", approve, given | {"expectedVersion": 0})["override"]
    assert (done["status"], done["version"], done["allowedMoves"]) == ("APPROVED", 1, [])
    assert done["assessment"]["eligibilityClass"] == "RIGID_EXPENDITURE"
    assert done["assessment"]["validUntil"] is not None
    assert "Two people set the class" in " ".join(done["assessment"]["explanation"])
    assert stands(office, "township") == "RIGID_EXPENDITURE"
    again = office.do("assistance", approve, given)
    assert [e["code"] for e in again["userErrors"]] == ["CONFLICT"]

    second = office.do("township", ASSESS, found)["assessment"]["override"]
    reject = OVERRIDE % ("Reject", "Reject")
    bare = office.do("assistance", reject, {"id": second["id"]})
    assert [(e["code"], e["field"]) for e in bare["userErrors"]] == [
        ("REQUIRED", ["input", "reason"])
    ]
    office.do("assistance", reject, {"id": second["id"], "reason": "凭证不属实"})
    assert stands(office, "township") == "SUBSISTENCE_ALLOWANCE"
    late = office.do("assistance", reject, given | {"reason": "凭证不属实"})
    assert [e["code"] for e in late["userErrors"]] == ["SUPERSEDED"]


async def test_a_recognition_for_rigid_expenditure_runs_out_after_a_year(office: Office) -> None:
    database = office.county.database
    at = database.now() - timedelta(days=400)
    past = Database(database.url.render_as_string(hide_password=False), clock=lambda: at)
    spent = Circumstances(
        member_count=1, income_fen_month=300_000, property_fen=0, medical_fen_month=150_000
    )
    command = assessing.AssessHousehold(household_id=office.household, found=spent)
    try:
        for _ in range(2):  # the second stands in for the first, of which nothing is told
            await assessing.assess(past, office.county.act("township"), command)
        assert await assessing.lapse(past) == 0
    finally:
        await past.close()

    assert stands(office, "township") == "NONE"
    (due,) = office.ask("township", DUE)["data"]["reassessmentsDue"]["nodes"]
    assert due["reason"] == "RAN_OUT"
    assert due["household"] == {"id": office.household_id}
    assert office.ask("grid", DUE)["data"]["reassessmentsDue"]["nodes"] == []
    assert office.ask("other_township", DUE)["data"]["reassessmentsDue"]["nodes"] == []
    assert [await assessing.lapse(database), await assessing.lapse(database)] == [1, 0]
    found = await office.county.rows(assessments)
    assert all(row["lapsed_at"] for row in found[-2:])  # neither is looked at again
    assert [e["kind"] for e in await office.county.rows(events)][-1] == "household.class_lapsed"

    office.do("assistance", ASSESS, POOR | {"householdId": office.household_id})
    assert stands(office, "township") == "SUBSISTENCE_ALLOWANCE"
    assert office.ask("township", DUE)["data"]["reassessmentsDue"]["nodes"] == []


@pytest.mark.one_database
async def test_a_household_appeals_and_is_assessed_anew_by_another_person(office: Office) -> None:
    await belongs_to(office.county, "applicant", office.household)
    override = {"eligibilityClass": "NONE", "reason": "疑有隐瞒收入"}
    found = POOR | {"householdId": office.household_id}
    first = office.do("township", ASSESS, found | {"override": override})["assessment"]
    seen = office.ask(
        "applicant",
        "{ assessments(first: 9) { nodes { explanation override { id } basis { members } } } }",
    )["data"]["assessments"]["nodes"]
    assert seen[0]["override"] is None
    assert seen[0]["basis"] == {"members": 2}
    assert len(seen[0]["explanation"]) >= 7
    for blind in ("grid", "charity", "provider", "other_township"):
        assert office.ask(blind, "{ assessments(first: 9) { nodes { id } } }")["data"][
            "assessments"
        ] == {"nodes": []}

    appeal = {"householdId": office.household_id, "reason": "家中还有一名重病成员未计入"}
    bare = office.do("grid", APPEAL_FILE, appeal)
    assert [e["field"] for e in bare["userErrors"]] == [["input", "evidenceReference"]]
    filed = office.do("applicant", APPEAL_FILE, appeal)["appeal"]
    assert (filed["status"], filed["isOverdue"]) == ("OPEN", False)
    assert filed["assessment"]["id"] == first["id"]
    twice = office.do("applicant", APPEAL_FILE, appeal)
    assert [e["code"] for e in twice["userErrors"]] == ["ALREADY_FILED"]

    given = {"id": filed["id"], "decision": "UPHOLD", "reason": "重病成员属实，应重新核对"}
    assert refusal(office.ask("township", APPEAL_DECIDE, {"input": given})) == "FORBIDDEN"
    decided = office.do("assistance", APPEAL_DECIDE, given)["appeal"]
    assert (decided["status"], decided["newAssessment"]) == ("UPHELD", None)
    (due,) = office.ask("township", DUE)["data"]["reassessmentsDue"]["nodes"]
    assert due["reason"] == "APPEAL_UPHELD"

    same = office.do("township", ASSESS, found)
    assert [e["code"] for e in same["userErrors"]] == ["FOUR_EYES"]
    anew = office.do("assistance", ASSESS, found)["assessment"]
    assert office.ask("township", DUE)["data"]["reassessmentsDue"]["nodes"] == []
    (kept,) = office.ask("applicant", "{ appeals(first: 9) { nodes { newAssessment { id } } } }")[
        "data"
    ]["appeals"]["nodes"]
    assert kept["newAssessment"] == {"id": anew["id"]}

    # Whoever assessed may not decide on the appeal against that.
    next_one = office.do("applicant", APPEAL_FILE, appeal)["appeal"]
    own = office.do("assistance", APPEAL_DECIDE, given | {"id": next_one["id"]})
    assert [e["code"] for e in own["userErrors"]] == ["FOUR_EYES"]


@pytest.mark.one_database
async def test_lines_are_put_in_for_a_year_and_never_changed(office: Office) -> None:
    tomorrow = office.county.database.now().date() + timedelta(days=1)
    lines = {
        "version": "jinxi-2027",
        "countyCode": "361027",
        "area": "RURAL",
        "validFrom": tomorrow.isoformat(),
        "subsistenceFenMonth": "88000",
        "disposableIncomeFenMonth": "210000",
        "edgeReviewMonths": 9,
    }
    assert refusal(office.ask("township", LINES_SET, {"input": lines})) == "FORBIDDEN"
    for wrong, code, field in (
        ({"validFrom": "2026-01-01"}, "PAST_LINES", "validFrom"),
        ({"version": "jinxi-2025"}, "TAKEN", "version"),
        ({"edgePercent": 90}, "TOO_SMALL", "edgePercent"),
        ({"countyCode": "999999"}, "NOT_FOUND", "countyCode"),
    ):
        refused = office.do("assistance", LINES_SET, lines | wrong)["userErrors"]
        assert [(e["code"], e["field"]) for e in refused] == [(code, ["input", field])]

    made = office.do("assistance", LINES_SET, lines)["assistanceLines"]
    assert (made["subsistenceLine"], made["edgeReviewMonths"]) == ({"amount": "88000"}, 9)
    again = office.do("admin", LINES_SET, lines | {"version": "jinxi-2027b"})["userErrors"]
    assert [e["code"] for e in again] == ["PAST_LINES"]

    answer = office.server.ask("{ assistanceLines(first: 9) { nodes { version area } } }").json()
    rural = [n["version"] for n in answer["data"]["assistanceLines"]["nodes"]]
    assert rural == ["jinxi-2027", "jinxi-2025", "jinxi-2023"]
    database = office.county.database
    later = Database(
        database.url.render_as_string(hide_password=False),
        clock=lambda: database.now() + timedelta(days=2),
    )
    try:
        found = Circumstances(member_count=1, income_fen_month=170_000, property_fen=0)
        command = assessing.AssessHousehold(household_id=office.household, found=found)
        await assessing.assess(later, office.county.act("township"), command)
    finally:
        await later.close()
    (row,) = await office.county.rows(assessments)
    assert row["policy_version"] == "jinxi-2027/rural/f1"
    assert row["eligibility_class"] == "SUBSISTENCE_ALLOWANCE"
