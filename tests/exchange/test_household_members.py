"""Members who come to a household and leave it, over HTTP, until nobody is left."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from marketplace.domain.ids import opaque_id, parse_id
from marketplace.domain.registry.households import NewMember, Relation
from marketplace.persistence.tables import (
    consents,
    events,
    member_events,
    members,
    needs,
    offers,
    published_needs,
)
from tests.exchange.household_cases import (
    ADD,
    BORN,
    DIED,
    LEFT,
    TODAY,
    a_consent,
    a_need,
    asked,
    codes,
    people,
    reserved,
)
from tests.fixtures.county import NUMBER, belongs_to
from tests.fixtures.county_served import Asked
from tests.fixtures.invariants import all_is_well

__all__ = ["asked"]

NEED = """mutation ($input: NeedCreateInput!) {
  needCreate(input: $input) { need { id } userErrors { field code } }
}"""


async def test_members_come_and_go_and_the_count_stays_right(asked: Asked) -> None:
    household = await asked.family()
    child = {"name": "测试新生", "relation": "GRANDCHILD"}

    born = asked.do("grid", BORN, {"householdId": household, "member": child, "on": TODAY})
    wife = {"name": "测试妻", "relation": "SPOUSE", "targetGroups": ["SEVERELY_ILL"]}
    given = {"householdId": household, "member": wife, "on": TODAY, "reason": "结婚迁入"}
    added = asked.do("township", ADD, given, Idempotency_Key="once")

    assert asked.do("township", ADD, given, Idempotency_Key="once") == added
    assert born["household"]["memberCount"] == 3
    assert added["household"]["memberCount"] == 4
    assert set(added["household"]["targetGroups"]) == {"STUDENT", "SEVERELY_ILL"}
    who = people(asked, household)
    head, wife_id = who["测试甲"][0], who["测试妻"][0]
    assert codes(asked.do("grid", DIED, {"memberId": head, "on": TODAY})) == [
        ("newHeadId", "REQUIRED")
    ]
    died = asked.do("grid", DIED, {"memberId": head, "on": TODAY, "newHeadId": wife_id})
    assert died["household"]["memberCount"] == 3
    assert {name: relation for name, (_, relation) in people(asked, household).items()} == {
        "测试妻": "SELF",
        "测试乙": "CHILD",
        "测试新生": "GRANDCHILD",
    }
    left = asked.do(
        "grid", LEFT, {"memberId": who["测试乙"][0], "on": TODAY, "reason": "外出务工落户"}
    )
    assert left["household"]["memberCount"] == 2
    assert left["household"]["targetGroups"] == ["SEVERELY_ILL"]
    assert [e["kind"] for e in left["household"]["memberEvents"]["nodes"]] == [
        "LEFT",
        "DECEASED",
        "ADDED",
        "BORN",
    ]
    # Whoever left may belong to another household; whoever belongs to one may not.
    number = {"name": "测试甲", "relation": "SIBLING", "identityNumber": NUMBER}
    other = await asked.family(
        members=(NewMember(name="测试庚", relation=Relation.SELF),), phone=None
    )
    once = {"householdId": other, "member": number, "on": TODAY}
    assert asked.do("township", ADD, once)["household"]["memberCount"] == 2
    assert codes(asked.do("township", ADD, once | {"householdId": household})) == [
        ("members", "ALREADY_REGISTERED")
    ]
    kinds = [row["kind"] for row in await asked.county.rows(events)]
    assert [k for k in kinds if k.startswith("member.")] == [
        "member.born",
        "member.added",
        "member.deceased",
        "member.left",
        "member.added",
    ]


@pytest.mark.one_database
async def test_what_cannot_be_is_refused_and_leaves_no_trace(asked: Asked) -> None:
    household = await asked.family()
    who = people(asked, household)
    head, child = who["测试甲"][0], who["测试乙"][0]
    member = {"name": "测试辛", "relation": "OTHER"}
    given = {"householdId": household, "member": member, "on": TODAY}
    before = await asked.county.rows(members)
    for mutation, changes, found in (
        (ADD, {"on": "1066-10-14"}, ("on", "INVALID")),
        (ADD, {"on": "9999-12-31"}, ("on", "INVALID")),
        (ADD, {"member": member | {"relation": "SELF"}}, ("relation", "INVALID")),
        (ADD, {"member": member | {"name": "x" * 10_000}}, ("name", "TOO_LARGE")),
        (
            ADD,
            {"member": member | {"identityNumber": "999027199001010018"}},
            ("identityNumber", "INVALID"),
        ),
        (ADD, {"alreadyCounted": True}, ("alreadyCounted", "INVALID")),
        (ADD, {"reason": "x" * 10_000}, ("reason", "TOO_LARGE")),
        (ADD, {"expectedVersion": 7}, ("expectedVersion", "CONFLICT")),
        (BORN, {"member": member | {"birthDate": "2020-02-02"}}, ("on", "INVALID")),
    ):
        refused = asked.do("township", mutation, given | changes)
        assert found in codes(refused), changes
        assert refused["household"] is None
    for mutation, changes, found in (
        (DIED, {"memberId": head, "on": "1989-12-31"}, ("on", "INVALID")),
        (DIED, {"memberId": head, "newHeadId": head}, ("newHeadId", "REQUIRED")),
        (LEFT, {"memberId": child}, ("reason", "REQUIRED")),
    ):
        assert found in codes(asked.do("township", mutation, {"on": TODAY} | changes)), changes
    for who_asks, code in (
        ("other_township", "NOT_FOUND"),
        ("charity", "FORBIDDEN"),
        ("social_worker", "FORBIDDEN"),
        (None, "UNAUTHENTICATED"),
    ):
        assert asked.refused(who_asks, ADD, {"input": given}) == code
        assert asked.refused(who_asks, DIED, {"input": {"memberId": child, "on": TODAY}}) == code
    await belongs_to(asked.county, "grid", parse_id(household)[1])
    assert codes(asked.do("grid", ADD, given)) == [("householdId", "OWN_HOUSEHOLD")]
    assert await asked.county.rows(members) == before
    assert await asked.county.rows(member_events) == []


async def test_with_its_last_member_a_household_ends_and_its_needs_with_it(asked: Asked) -> None:
    household = await asked.family(
        members=(NewMember(name="测试甲", relation=Relation.SELF),), phone=None
    )
    await a_consent(asked, household)
    need_id = await a_need(asked, household, category="staple_food")
    offer_id = await reserved(asked, need_id, "rice")
    ((member, _),) = people(asked, household).values()

    given = {"input": {"memberId": member, "on": TODAY}}
    with ThreadPoolExecutor(2) as pool:
        twice = list(pool.map(lambda who: asked.ask(who, DIED, given), ("grid", "township")))

    payloads = [(each["data"] or {}).get("memberDeceased") for each in twice]
    (ended,) = [each for each in payloads if each and not each["userErrors"]]
    assert ended["household"]["status"] == "CLOSED"
    async with asked.county.database.read() as db:
        need = await db.row(sa.select(needs).where(needs.c.id == need_id))
        offer = await db.row(sa.select(offers).where(offers.c.id == offer_id))
    assert need is not None
    assert offer is not None
    assert (need["status"], need["covered"], offer["reserved"]) == ("WITHDRAWN", 0, 0)
    (copy,) = await asked.county.rows(published_needs)
    (consent,) = await asked.county.rows(consents)
    assert (copy["is_open"], consent["status"]) == (False, "LAPSED")
    kinds = {row["kind"] for row in await asked.county.rows(events)}
    assert kinds >= {"household.closed", "need.withdrawn", "allocation.cancelled"}
    child = {"name": "测试壬", "relation": "OTHER"}
    late = asked.do("grid", ADD, {"householdId": household, "member": child, "on": TODAY})
    assert codes(late) == [("householdId", "CONFLICT")]
    wanted = opaque_id("Category", asked.county.category["quilt"])
    need = {"householdId": household, "categoryId": wanted, "quantityAsked": "1"}
    late = asked.do("township", NEED, need)
    assert codes(late) == [("householdId", "CONFLICT")]
    await all_is_well(asked.county.database)
