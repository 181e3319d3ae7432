"""Assessing over HTTP: what was found, the class that stands, its second person, and the why."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from marketplace.domain.ids import opaque_id
from marketplace.persistence.database import Database
from marketplace.persistence.tables import api_keys
from marketplace.services.registry import households
from tests.fixtures.county import SEALER, County, a_county, a_family
from tests.fixtures.served import Served, served, settings_for


@dataclass(frozen=True)
class Office:
    """A server on the county of Jinxi, with a key for everyone, and one household."""

    county: County
    server: Served
    household: int

    @property
    def household_id(self) -> str:
        return opaque_id("Household", self.household)

    def ask(self, who: str, document: str, given: object = None, **headers: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.server.ask(
            document, {"input": given} if given else None, key=f"key-of-{who}", **headers
        ).json()
        return answer

    def do(self, who: str, document: str, given: object) -> dict[str, Any]:
        answer = self.ask(who, document, given)
        assert "errors" not in answer, answer
        (payload,) = answer["data"].values()
        return dict(payload)


@pytest.fixture
async def county_with_keys(database: Database) -> tuple[County, int]:
    county = await a_county(database)
    async with database.write() as db:
        rows = [
            {
                "account_id": viewer.account_id,
                "prefix": "key-of",
                "digest": hashlib.sha256(f"key-of-{who}".encode()).hexdigest(),
                "created_at": database.now(),
            }
            for who, viewer in county.viewer.items()
            if viewer.account_id
        ]
        await db.insert_many(api_keys, rows)
    key = await households.register(database, county.act("township"), SEALER, a_family(county))
    return county, key


@pytest.fixture
def office(
    county_with_keys: tuple[County, int], database_url: str, tmp_path: Path
) -> Iterator[Office]:
    with served(settings_for(database_url, tmp_path)) as server:
        yield Office(county_with_keys[0], server, county_with_keys[1])


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
