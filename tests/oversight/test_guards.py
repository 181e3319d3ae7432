"""What a restricted household is kept from, who may handle a case, and who learns of it."""

from __future__ import annotations

from typing import Any

import pytest

from marketplace.domain.ids import opaque_id
from marketplace.domain.permissions import MUTATIONS, PROVIDERS, Role
from marketplace.persistence.exchange import needs as need_rows
from marketplace.persistence.tables import events, integrity_cases, integrity_findings, needs
from tests.fixtures.asked import Asked
from tests.fixtures.market import a_consent, a_household, a_need, an_allocation, an_offer
from tests.oversight.documents import (
    a_found_case,
    belongs_to,
    in_days,
    moving,
    restricting,
)

REFER = """
mutation ($input: NeedReferInput!) { needRefer(input: $input) { userErrors { field code } } }
"""
REVIEW = """
mutation ($input: NeedReviewInput!) { needReview(input: $input) { userErrors { code } } }
"""
PLEDGE = """
mutation ($input: NeedPledgeInput!) { needPledge(input: $input) { userErrors { code } } }
"""


async def test_nothing_more_of_a_restricted_household_comes_before_charity(
    asking: Asked,
) -> None:
    market = asking.market
    household_id = await a_household(market)
    await a_consent(market, household_id)
    offer = await an_offer(market)
    case_id = a_found_case(asking, household_id)
    restricting(asking, case_id, scope="CHARITY")

    # All of these come after the restriction, which could not suspend them.
    drafted = await a_need(market, household_id, status="DRAFT")
    published = await a_need(market, household_id)
    assistance = market.viewer["assistance"].account_id
    referred = await a_need(market, household_id, status="REFERRED", referred_by=assistance)

    refused = asking.do("assistance", REFER, {"needIds": [opaque_id("Need", drafted)]})
    assert {"field": ["input", "needIds", "0"], "code": "UNDER_RESTRICTION"} in refused[
        "userErrors"
    ]
    approve = {"id": opaque_id("Need", referred), "decision": "APPROVE"}
    assert asking.refused("reviewer", REVIEW, approve) == "UNDER_RESTRICTION"
    copy = opaque_id("PublishedNeed", 1)
    pledge = {"offerId": opaque_id("Offer", offer), "publishedNeedId": copy, "units": "5"}
    assert asking.refused("provider", PLEDGE, pledge) == "NEED_NOT_IN_MARKET"
    async with market.database.write() as db:
        now = market.database.now()
        assert await need_rows.lock_in_market(db, [published], now=now) == {}
        assert not await need_rows.cover(db, published, 1, now=now)

    asking.do("assistance_2", moving("integrityCaseDismiss"), {"id": case_id, "reason": "Not so"})
    async with market.database.write() as db:
        now = market.database.now()
        assert await need_rows.lock_in_market(db, [published], now=now) == {published: 100}


@pytest.mark.one_database
async def test_of_what_was_dropped_before_two_found_it_the_accused_never_learn(
    asking: Asked,
) -> None:
    market = asking.market
    household_id = await a_household(market)
    await belongs_to(market, "applicant", household_id)
    home = opaque_id("Household", household_id)
    given = {"kind": "FORGERY", "householdId": home, "allegation": "The paper is a copy"}
    case_id = asking.do("assistance", moving("integrityCaseOpen"), given)["case"]["id"]
    asking.do("assistance", moving("integrityCaseFind"), {"id": case_id, "finding": "A copy"})
    dropped = {"id": case_id, "reason": "The neighbour was wrong"}

    done = asking.do("assistance_2", moving("integrityCaseDismiss"), dropped)

    assert done["case"]["status"] == "DISMISSED"
    seen = "query ($id: ID!) { node(id: $id) { id } integrityCases(first: 5) { totalCount } }"
    nothing = {"node": None, "integrityCases": {"totalCount": 0}}
    assert asking.see("applicant", seen, {"id": case_id}) == nothing
    texts = asking.ask("applicant", TEXTS, WHY | {"id": case_id})
    assert texts["errors"][0]["extensions"]["code"] == "NOT_FOUND"


DECIDE = """
mutation ($input: GovernmentAidDecideInput!) {
  governmentAidDecide(input: $input) { userErrors { field code } }
}
"""


@pytest.mark.one_database
async def test_a_restriction_halts_its_own_lane_and_no_other(asking: Asked) -> None:
    market = asking.market
    for scope, halts_charity, halts_government in (
        ("GOVERNMENT", False, True),
        ("CHARITY", True, False),
        ("BOTH", True, True),
    ):
        household_id = await a_household(market)
        await a_consent(market, household_id)
        need_id = await a_need(market, household_id)
        restricting(asking, a_found_case(asking, household_id), scope=scope)
        aid = {
            "householdId": opaque_id("Household", household_id),
            "kind": "TEMPORARY_ASSISTANCE",
            "granted": True,
            "amountFen": "1000",
            "startsOn": in_days(market, 0),
        }
        refused = {"granted": False, "amountFen": "0", "reason": "It is restricted"}

        granted = asking.do("assistance", DECIDE, aid)["userErrors"]
        not_entitled = asking.do("assistance", DECIDE, aid | refused)["userErrors"]

        status = (await market.row(needs, need_id))["status"]
        assert (status == "SUSPENDED") == halts_charity, scope
        expected = [{"field": ["input", "householdId"], "code": "UNDER_RESTRICTION"}]
        assert granted == (expected if halts_government else []), scope
        assert not_entitled == [], scope


@pytest.mark.one_database
async def test_nobody_handles_the_case_of_the_own_household_or_without_the_right(
    asking: Asked,
) -> None:
    market = asking.market
    household_id = await a_household(market)
    home = opaque_id("Household", household_id)
    await belongs_to(market, "assistance_2", household_id)
    given = {"kind": "FORGERY", "householdId": home, "allegation": "The paper is a copy"}
    open_ = moving("integrityCaseOpen")

    assert asking.refused("assistance_2", open_, given) == "OWN_HOUSEHOLD"
    case_id = asking.do("assistance", open_, given)["case"]["id"]
    steps: dict[str, dict[str, Any]] = {
        "integrityCaseFind": {"finding": "It is one indeed"},
        "integrityCaseRestrict": {
            "scope": "BOTH",
            "endsOn": in_days(market, 9),
            "grounds": "Nine days",
        },
        "integrityCaseRecover": {"orderedFen": "0"},
        "integrityCaseDecideAppeal": {"outcome": "GRANTED", "reason": "It is not so"},
        "integrityCaseClose": {"reason": "It is over"},
        "integrityCaseDismiss": {"reason": "It is not so"},
        "integrityCaseAppeal": {"appeal": "It is not so"},
    }
    for name, step in steps.items():
        asked = {"id": case_id} | step
        for who, viewer in market.viewer.items():
            key = None if who == "public" else who
            if key is None:
                expected = "UNAUTHENTICATED"
            elif viewer.role not in MUTATIONS[name]:
                expected = "FORBIDDEN"
            elif who == "assistance_2":
                expected = "OWN_HOUSEHOLD"
            elif who == "assistance":
                continue
            else:
                expected = "NOT_FOUND"
            assert asking.refused(key, moving(name), asked) == expected, (name, who)
    assert await market.count(integrity_findings) == 0
    (row,) = [await market.row(integrity_cases, 1)]
    assert (row["status"], row["version"]) == ("OPEN", 0)
    seen = asking.see("assistance_2", "{ integrityCases(first: 5) { totalCount } }")
    assert seen["integrityCases"]["totalCount"] == 0


@pytest.mark.one_database
async def test_moves_from_a_wrong_state_stale_reads_and_odd_values_are_refused(
    asking: Asked,
) -> None:
    market = asking.market
    home = opaque_id("Household", await a_household(market))
    charity = opaque_id("Organization", market.organization["charity"])
    open_ = moving("integrityCaseOpen")
    for who, given, codes in (
        ("assistance", {"kind": "FORGERY", "householdId": home, "allegation": " a "}, {"REQUIRED"}),
        (
            "assistance",
            {"kind": "FORGERY", "organizationId": charity, "allegation": "x" * 2_001},
            {"REQUIRED", "INVALID", "TOO_LARGE"},
        ),
        (
            "reviewer",
            {"kind": "FORGERY", "householdId": home, "allegation": "A forgery"},
            {"WRONG_DESK"},
        ),
        (
            "reviewer",
            {
                "kind": "DEFECTIVE_GOODS",
                "organizationId": charity,
                "allocationId": opaque_id("Allocation", 99),
                "allegation": "Mouldy rice",
            },
            {"NOT_FOUND"},
        ),
    ):
        refused = asking.do(who, open_, given)
        assert {e["code"] for e in refused["userErrors"]} == codes, given
    assert await market.count(integrity_cases) == 0

    given = {"kind": "FORGERY", "householdId": home, "allegation": "A forgery"}
    case_id = asking.do("assistance", open_, given)["case"]["id"]
    find = moving("integrityCaseFind")
    found = {"id": case_id, "finding": "It is one", "expectedVersion": 0}
    early = {"id": case_id, "scope": "BOTH", "endsOn": in_days(market, 9), "grounds": "Nine days"}
    restrict = moving("integrityCaseRestrict")
    assert asking.refused("assistance", restrict, early) == "CONFLICT"
    asking.do("assistance", find, found)
    assert asking.refused("assistance_2", find, found) == "CONFLICT"
    asking.do("assistance_2", find, found | {"expectedVersion": 1})
    for changes, code in (
        ({"endsOn": in_days(market, -1)}, "INVALID"),
        ({"endsOn": in_days(market, 1_200)}, "INVALID"),
        ({"scope": "OFFERS"}, "INVALID"),
        ({"grounds": ""}, "REQUIRED"),
    ):
        assert asking.refused("assistance", restrict, early | changes) == code, changes


TEXTS = """
query ($id: ID!, $purpose: String!) {
  integrityCaseTexts(id: $id, purpose: $purpose) {
    allegation findings grounds appeals { appeal decision } closing
  }
}
"""
WHY = {"purpose": "Preparing the decision"}


@pytest.mark.one_database
async def test_who_learns_of_a_case_and_reads_what_was_typed_and_that_it_is_recorded(
    asking: Asked,
) -> None:
    market = asking.market
    household_id = await a_household(market)
    await a_consent(market, household_id)
    need_id = await a_need(market, household_id)
    allocation = await an_allocation(market, need_id, await an_offer(market), 5)
    await belongs_to(market, "applicant", household_id)
    case_id = a_found_case(asking, household_id)
    restricting(asking, case_id)
    file = "{ integrityCases(first: 5) { nodes { id entries(first: 9) { totalCount } } } }"
    named = f'{{ node(id: "{case_id}") {{ id }} }}'
    full = {"assistance", "assistance_2", "auditor", "applicant", "township"}

    for who, viewer in market.viewer.items():
        key = None if who == "public" else who
        knows = [{"id": case_id, "entries": {"totalCount": 2}}] if who in full else []
        assert asking.see(key, file)["integrityCases"]["nodes"] == knows, who
        assert (asking.see(key, named)["node"] is not None) == (who in full), who
        answer = asking.ask(key, TEXTS, {"id": case_id} | WHY)
        reads = who in full - {"township"}
        assert ("errors" not in answer) == reads, (who, viewer.role)
        if reads:
            texts = answer["data"]["integrityCaseTexts"]
            told = None if viewer.role is Role.APPLICANT else "A second flat in the county town"
            assert texts["allegation"] == told
            assert texts["findings"] == ["The register of real estate says so"] * 2
    assert await market.count(events, events.c.kind == "integrity_case.viewed") == 4

    why = "{ allocations(first: 5, where: {cancelReason: {eq: RESTRICTION}}) { totalCount } }"
    its_id = opaque_id("Allocation", allocation)
    reason = f"""{{ node(id: "{its_id}") {{ ... on Allocation {{ status cancelReason }} }} }}"""
    for who in ("provider", "reviewer"):
        provides = market.viewer[who].role in PROVIDERS
        seen = asking.see(who, reason)["node"]
        assert seen == {
            "status": "CANCELLED",
            "cancelReason": None if provides else "RESTRICTION",
        }
        assert asking.see(who, why)["allocations"]["totalCount"] == (0 if provides else 1)
    assert asking.refused(
        "assistance", moving("integrityCaseAppeal"), {"id": case_id, "appeal": "x"}
    )
