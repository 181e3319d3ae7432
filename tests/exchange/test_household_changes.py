"""Households that move, are merged and split with their needs, over HTTP."""

from __future__ import annotations

from datetime import timedelta

import pytest

from marketplace.domain.ids import opaque_id, parse_id
from marketplace.domain.registry.households import NewMember, Relation
from marketplace.persistence.tables import (
    consents,
    household_merges,
    household_moves,
    households,
    members,
    needs,
    offers,
    published_needs,
)
from tests.exchange.household_cases import (
    MERGE,
    MOVE,
    PEOPLE,
    SPLIT,
    TODAY,
    a_consent,
    a_need,
    asked,
    codes,
    people,
    reserved,
)
from tests.fixtures.county import HUWAN, VILLAGE, XIUGU, belongs_to
from tests.fixtures.county_served import Asked
from tests.fixtures.invariants import all_is_well

__all__ = ["asked"]

DISMISS = """mutation ($input: HouseholdDuplicateDismissInput!) {
  householdDuplicateDismiss(input: $input) {
    possibleDuplicate { status reason } userErrors { field code }
  }
}"""


async def test_needs_move_with_the_household_and_what_no_longer_reaches_is_told(
    asked: Asked,
) -> None:
    county = asked.county
    household = await asked.family()
    await a_consent(asked, household)
    need_id = await a_need(asked, household, category="staple_food")
    draft = await a_need(asked, household, category="quilt", status="DRAFT")
    await reserved(asked, need_id, "rice", region_ids=(county.region[XIUGU],))
    to = county.region[HUWAN + "200"]
    given = {
        "householdId": household,
        "regionId": opaque_id("Region", to),
        "movedOn": TODAY,
        "reason": "易地搬迁安置",
        "address": "湖湾新村 1 号",
    }
    assert asked.refused("township", MOVE, {"input": given}) == "NOT_FOUND"
    same = opaque_id("Region", county.region[VILLAGE])
    for changes, found in (
        ({"reason": "x"}, ("reason", "REQUIRED")),
        ({"reason": "迁至本村，电话 138-0000-0000"}, ("reason", "INVALID")),
        ({"reason": "随测试乙迁居"}, ("reason", "NAMES_SOMEBODY")),
        ({"movedOn": "2999-01-01"}, ("movedOn", "INVALID")),
        ({"latitude": 91.0}, ("longitude", "REQUIRED")),
        (
            {"regionId": same, "address": " "},
            ("regionId", "INVALID"),
        ),
        ({"regionId": opaque_id("Region", county.region[XIUGU])}, ("regionId", "INVALID")),
    ):
        assert found in codes(asked.do("assistance", MOVE, given | changes)), changes

    moved = asked.do("assistance", MOVE, given)

    assert moved["household"]["region"] == {"code": HUWAN + "200"}
    assert [each["why"] for each in moved["unfitting"]] == ["REGION"]
    rows = {row["id"]: row for row in await county.rows(needs)}
    assert {rows[need_id]["region_id"], rows[draft]["region_id"]} == {to}
    assert rows[need_id]["covered"] == 10
    (copy,) = await county.rows(published_needs)
    assert (copy["region_id"], copy["is_open"]) == (county.region[HUWAN], True)
    (record,) = await county.rows(household_moves)
    assert (record["from_region_id"], record["to_region_id"]) == (county.region[VILLAGE], to)
    seen = asked.read("assistance", PEOPLE, {"id": household})
    assert (seen["address"], seen["phone"]) == ("湖湾新村 1 号", "100 1234 5678")
    assert asked.refused("township", PEOPLE, {"id": household}) == "NOT_FOUND"
    await all_is_well(county.database)


async def test_two_entries_of_one_household_become_one_with_all_they_had(asked: Asked) -> None:
    county = asked.county
    kept = await asked.family()
    merged = await asked.family(members=(NewMember(name="测试乙", relation=Relation.SELF),))
    await a_consent(asked, merged)
    ours = await a_need(asked, kept, category="staple_food", status="DRAFT")
    theirs = await a_need(asked, merged, category="rice")
    other = await a_need(asked, merged, category="quilt", status="DRAFT")
    await belongs_to(county, "applicant", parse_id(merged)[1])
    given = {"householdId": kept, "mergedId": merged, "reason": "同一家庭重复登记"}
    assert codes(asked.do("township", MERGE, given | {"mergedId": kept})) == [
        ("mergedId", "INVALID")
    ]
    for who, code in (("other_township", "NOT_FOUND"), ("grid", "FORBIDDEN")):
        assert asked.refused(who, MERGE, {"input": given}) == code

    both_ways = asked.at_once(
        ("township", MERGE, given),
        ("assistance", MERGE, given | {"householdId": merged, "mergedId": kept}),
    )

    done = [each for each in both_ways if each["household"] is not None]
    assert len(done) == 1
    assert [codes(each) for each in both_ways if each["household"] is None] == [
        [("householdId", "CONFLICT")]
    ]
    (record,) = await county.rows(household_merges)
    survivor, gone = record["household_id"], record["merged_id"]
    rows = {row["id"]: row for row in await county.rows(households)}
    assert (rows[gone]["status"], rows[gone]["merged_into"]) == ("MERGED", survivor)
    assert done[0]["household"]["memberCount"] == 3
    assert {row["household_id"] for row in await county.rows(members)} == {survivor}
    heads = [row["is_head"] for row in await county.rows(members)]
    assert sum(heads) == 1
    (consent,) = await county.rows(consents)
    assert (consent["household_id"], consent["status"]) == (survivor, "GIVEN")
    found = {row["id"]: row for row in await county.rows(needs)}
    assert {row["household_id"] for row in found.values()} == {survivor}
    # For the same thing the need that came further stays.
    assert [found[each]["status"] for each in (ours, theirs, other)] == [
        "WITHDRAWN",
        "PUBLISHED",
        "DRAFT",
    ]
    duplicates = done[0]["household"]["possibleDuplicates"]["nodes"]
    assert {each["status"] for each in duplicates} == {"MERGED"}
    assert {each["ground"] for each in duplicates} == {"PHONE"}
    shown = asked.ask("applicant", "{ households(first: 2) { nodes { id } } }")
    assert shown["data"]["households"]["nodes"] == [{"id": opaque_id("Household", survivor)}]
    await all_is_well(county.database)


async def test_the_last_word_about_consent_stands_in_a_merger(asked: Asked) -> None:
    county = asked.county
    yes, no = (
        await asked.family(),
        await asked.family(members=(NewMember(name="测试癸", relation=Relation.SELF),), phone=None),
    )
    await a_consent(asked, yes, given_at=county.database.now() - timedelta(days=9))
    ended = county.database.now() - timedelta(days=1)
    await a_consent(asked, no, status="WITHDRAWN", given_at=ended, ended_at=ended)
    need_id = await a_need(asked, yes, category="staple_food")
    offer_id = await reserved(asked, need_id, "rice")

    given = {"householdId": yes, "mergedId": no, "reason": "同一家庭重复登记"}
    assert asked.do("township", MERGE, given)["userErrors"] == []

    assert {row["status"] for row in await county.rows(consents)} == {"LAPSED", "WITHDRAWN"}
    (need,) = await county.rows(needs)
    (offer,) = await county.rows(offers)
    assert (need["status"], offer["id"], offer["reserved"]) == ("WITHDRAWN", offer_id, 0)
    await all_is_well(county.database)


async def test_some_members_become_a_household_of_their_own(asked: Asked) -> None:
    county = asked.county
    household = await asked.family()
    await a_consent(asked, household)
    draft = await a_need(asked, household, category="quilt", status="DRAFT")
    published = await a_need(asked, household, category="staple_food")
    who = people(asked, household)
    head, child = who["测试甲"][0], who["测试乙"][0]
    given = {
        "householdId": household,
        "memberIds": [child],
        "headId": child,
        "regionId": opaque_id("Region", county.region[VILLAGE]),
        "splitOn": TODAY,
        "reason": "子女成家分户",
        "needIds": [opaque_id("Need", draft)],
        "phone": "100 1234 5678",
    }
    for changes, found in (
        ({"memberIds": [head, child]}, ("memberIds", "INVALID")),
        ({"memberIds": [child, child]}, ("memberIds", "INVALID")),
        ({"headId": head}, ("headId", "INVALID")),
        ({"memberIds": [head], "headId": head}, ("newHeadId", "REQUIRED")),
        ({"needIds": [opaque_id("Need", published)]}, ("needIds", "CONFLICT")),
        ({"splitOn": "1800-01-01"}, ("splitOn", "INVALID")),
    ):
        assert found in codes(asked.do("township", SPLIT, given | changes)), changes

    made = asked.do("township", SPLIT, given)["household"]

    assert (made["memberCount"], made["targetGroups"]) == (1, ["STUDENT"])
    assert [e["kind"] for e in made["memberEvents"]["nodes"]] == ["ADDED"]
    assert {(d["ground"], d["status"]) for d in made["possibleDuplicates"]["nodes"]} == {
        ("PHONE", "DISMISSED")
    }
    old, new = await county.rows(households)
    assert (old["member_count"], old["target_groups"], new["member_count"]) == (1, 0, 1)
    rows = {row["id"]: row["household_id"] for row in await county.rows(needs)}
    assert (rows[draft], rows[published]) == (new["id"], old["id"])
    assert people(asked, made["id"]) == {"测试乙": (child, "SELF")}
    assert people(asked, household) == {"测试甲": (head, "SELF")}
    await all_is_well(county.database)


@pytest.mark.one_database
async def test_that_two_households_are_two_is_said_once_from_both_sides(asked: Asked) -> None:
    one = await asked.family()
    other = await asked.family(members=(NewMember(name="测试癸", relation=Relation.SELF),))
    shown = "{ possibleDuplicates(first: 9) { nodes { id ground status household { id } } } }"
    pairs = asked.read("township", shown)["nodes"]
    assert {(p["ground"], p["status"]) for p in pairs} == {("PHONE", "OPEN")}
    assert {p["household"]["id"] for p in pairs} == {one, other}
    assert asked.read("other_township", shown)["nodes"] == []
    given = {"id": pairs[0]["id"], "reason": "两户共用村委会电话"}

    assert codes(asked.do("township", DISMISS, given | {"reason": ""})) == [("reason", "REQUIRED")]
    assert asked.refused("other_township", DISMISS, {"input": given}) == "NOT_FOUND"
    assert asked.refused("grid", DISMISS, {"input": given}) == "FORBIDDEN"
    done = asked.do("township", DISMISS, given)

    assert done["possibleDuplicate"]["status"] == "DISMISSED"
    both = asked.read("township", shown)["nodes"]
    assert {p["status"] for p in both} == {"DISMISSED"}
    assert codes(asked.do("township", DISMISS, given | {"id": both[1]["id"]})) == [
        ("id", "CONFLICT")
    ]
