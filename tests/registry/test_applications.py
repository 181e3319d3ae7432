"""Applications as a household and its officers know them: over HTTP, from a link to a household."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from marketplace.domain.ids import opaque_id
from marketplace.domain.registry.households import NewMember, Relation
from marketplace.persistence.tables import applications, events, households, members
from tests.fixtures.county import COUNTY, NUMBER, VILLAGE, XIUGU
from tests.fixtures.county_served import Asked

SUBMIT = """mutation ($input: ApplicationSubmitInput!) {
  applicationSubmit(input: $input) { receipt { reference } userErrors { field code } }
}"""
REGISTER = """mutation ($input: ApplicationRegisterInput!) {
  applicationRegister(input: $input) {
    application { status madeHousehold version allowedMoves household { id memberCount } }
    userErrors { field code }
  }
}"""
LIST = """{ applications(first: 20) { nodes {
  id reference status channel allowedMoves region { code }
  duplicates(first: 9) { nodes { ground household { id } other { reference } } }
} } }"""
DETAILS = """query ($id: ID!, $purpose: String!) {
  applicationDetails(applicationId: $id, purpose: $purpose) { name phone identityNumber words }
}"""
ASKED = {
    "name": "测试丙",
    "phone": "100 1234 5678",
    "regionCode": VILLAGE,
    "channel": "QR",
    "words": "房屋倒塌，\n急需救助",
}


def listed(asked: Asked, who: str) -> list[dict[str, Any]]:
    nodes: list[dict[str, Any]] = asked.read(who, LIST)["nodes"]
    return nodes


async def test_whoever_follows_a_link_becomes_a_household(asked: Asked) -> None:
    made = asked.do(None, SUBMIT, ASKED | {"identityNumber": NUMBER})

    assert made["userErrors"] == []
    (seen,) = listed(asked, "township")
    assert seen["reference"] == made["receipt"]["reference"]
    assert (seen["status"], seen["channel"]) == ("SUBMITTED", "QR")
    assert seen["region"] == {"code": VILLAGE}
    assert seen["allowedMoves"] == ["applicationRegister", "applicationReject"]
    assert listed(asked, "grid")[0]["allowedMoves"] == []
    assert listed(asked, "other_township") == listed(asked, "charity") == []

    done = asked.do("township", REGISTER, {"id": seen["id"]})

    assert done["userErrors"] == []
    assert done["application"]["household"]["memberCount"] == 1
    assert (done["application"]["status"], done["application"]["madeHousehold"]) == (
        "REGISTERED",
        True,
    )
    (household,) = await asked.county.rows(households)
    (member,) = await asked.county.rows(members)
    assert member["identity_number_index"] is not None
    assert household["phone_index"] is not None
    stored = str([dict(row) for row in await asked.county.rows(applications)])
    told = str([dict(row) for row in await asked.county.rows(events)])
    for secret in ("测试丙", NUMBER, "10012345678", "100 1234", "倒塌"):
        assert secret not in stored
        assert secret not in told


@pytest.mark.one_database
async def test_what_was_submitted_is_read_for_a_purpose_and_recorded(asked: Asked) -> None:
    asked.do(None, SUBMIT, ASKED)
    given = {"id": listed(asked, "grid")[0]["id"], "purpose": "电话核实申请"}

    seen = asked.read("grid", DETAILS, given)

    assert seen == {
        "name": "测试丙",
        "phone": "100 1234 5678",
        "identityNumber": None,
        "words": "房屋倒塌，\n急需救助",
    }
    assert asked.refused("other_township", DETAILS, given) == "NOT_FOUND"
    assert asked.refused("charity", DETAILS, given) == "FORBIDDEN"
    assert asked.refused("grid", DETAILS, given | {"purpose": "x"}) == "REQUIRED"
    kinds = [row["kind"] for row in await asked.county.rows(events)]
    assert kinds.count("application.viewed") == 1


async def test_a_client_without_an_account_repeats_itself_by_a_key_of_its_own(
    asked: Asked,
) -> None:
    keyed = ASKED | {"idempotencyKey": "1"}
    first = asked.do(None, SUBMIT, keyed)

    assert [asked.do(None, SUBMIT, keyed) for _ in range(7)] == [first] * 7
    assert asked.do(None, SUBMIT, ASKED, Idempotency_Key="1") == first
    other_words = asked.do(None, SUBMIT, keyed | {"words": "更正"})
    assert [e["code"] for e in other_words["userErrors"]] == ["IDEMPOTENCY_KEY_REUSED"]
    # Somebody else who thinks of the same key is somebody else.
    of_another = asked.do(None, SUBMIT, keyed | {"phone": "10099999999"})
    assert of_another["receipt"] not in (None, first["receipt"])
    assert len(await asked.county.rows(applications)) == 2
    twins = asked.at_once(*[(None, SUBMIT, keyed | {"phone": "10011111111"})] * 2)
    assert twins[0] == twins[1]
    assert len(await asked.county.rows(applications)) == 3


@pytest.mark.one_database
async def test_so_many_of_one_phone_and_then_no_more_but_for_officers(asked: Asked) -> None:
    for index in range(5):
        asked.do(None, SUBMIT, ASKED | {"phone": f"+86 100-1234-567{8} ", "words": str(index)})

    (error,) = asked.ask(None, SUBMIT, {"input": ASKED})["errors"]

    assert error["extensions"]["code"] == "RATE_LIMITED"
    assert 0 < error["extensions"]["retryAfterSeconds"] <= 86_400
    assert asked.do(None, SUBMIT, ASKED | {"phone": "10000000000"})["userErrors"] == []
    by_phone = asked.do("grid", SUBMIT, ASKED | {"channel": "PHONE"})
    assert by_phone["userErrors"] == []
    for _ in range(30):
        answer = asked.ask(None, SUBMIT, {"input": ASKED | {"name": ""}})
        if "errors" in answer:
            break
    assert asked.refused(None, SUBMIT, {"input": ASKED | {"phone": "10000000001"}}) == (
        "RATE_LIMITED"
    )
    assert len(await asked.county.rows(applications)) == 7


@pytest.mark.one_database
async def test_what_nobody_can_mean_is_refused_by_field(asked: Asked) -> None:
    for changes, field, code in (
        ({"name": " "}, "name", "REQUIRED"),
        ({"name": "x" * 10_000}, "name", "TOO_LARGE"),
        ({"name": "a\u0000b"}, "name", "INVALID"),
        ({"phone": "call me"}, "phone", "INVALID"),
        ({"phone": "1" * 10_000}, "phone", "INVALID"),
        ({"phone": " " * 10_000 + "10012345678"}, "phone", "INVALID"),
        ({"identityNumber": "999027199001010018"}, "identityNumber", "INVALID"),
        ({"identityNumber": "9" * 10_000}, "identityNumber", "INVALID"),
        ({"address": "x" * 10_000}, "address", "TOO_LARGE"),
        ({"words": "x" * 10_000}, "words", "TOO_LARGE"),
        ({"words": "\u202e"}, "words", "INVALID"),
        ({"channel": "PHONE"}, "channel", "INVALID"),
        ({"channel": "FILE"}, "channel", "INVALID"),
        ({"regionCode": COUNTY}, "regionId", "INVALID"),
        ({"regionCode": "nowhere"}, "regionCode", "INVALID"),
        ({"regionCode": None}, "regionId", "REQUIRED"),
    ):
        refused = asked.do(None, SUBMIT, ASKED | changes)
        found = {(e["field"][-1], e["code"]) for e in refused["userErrors"]}
        assert (field, code) in found, changes
        assert refused["receipt"] is None
    for given, fields in (
        ({"regionCode": None, "name": " ", "words": "\u202e"}, {"regionId", "name", "words"}),
        ({"regionCode": "nowhere", "phone": "call me"}, {"regionCode", "phone"}),
        ({"regionCode": COUNTY, "name": " "}, {"regionId", "name"}),
    ):
        at_once = asked.do(None, SUBMIT, ASKED | given)["userErrors"]
        assert {e["field"][-1] for e in at_once} == fields
    by_officer = asked.do("grid", SUBMIT, ASKED)
    assert [e["field"] for e in by_officer["userErrors"]] == [["input", "channel"]]
    elsewhere = ASKED | {"channel": "ONSITE"}
    assert asked.refused("other_township", SUBMIT, {"input": elsewhere}) == "NOT_FOUND"
    assert asked.refused("auditor", SUBMIT, {"input": ASKED}) == "FORBIDDEN"
    assert await asked.county.rows(applications) == []


async def test_of_two_officers_who_register_at_once_one_wins(asked: Asked) -> None:
    asked.do(None, SUBMIT, ASKED)
    given = {"id": listed(asked, "township")[0]["id"]}

    done = asked.at_once(("township", REGISTER, given), ("assistance", REGISTER, given))

    assert sorted(len(each["userErrors"]) for each in done) == [0, 1]
    (lost,) = [each for each in done if each["userErrors"]]
    assert lost["userErrors"][0]["code"] == "CONFLICT"
    assert len(await asked.county.rows(households)) == 1
    for who, code in (
        ("grid", "FORBIDDEN"),
        ("other_township", "NOT_FOUND"),
        ("charity", "FORBIDDEN"),
    ):
        assert asked.refused(who, REGISTER, {"input": given}) == code


async def test_what_looks_alike_is_shown_and_never_merged_by_itself(asked: Asked) -> None:
    household = await asked.family()
    asked.do(None, SUBMIT, ASKED | {"phone": "+86 100 1234 5678"})
    second = asked.do(None, SUBMIT, ASKED | {"identityNumber": NUMBER, "phone": "10077777777"})

    newest, oldest = listed(asked, "township")

    assert [d["ground"] for d in oldest["duplicates"]["nodes"]] == ["PHONE"]
    assert oldest["duplicates"]["nodes"][0]["household"] == {"id": household}
    assert newest["reference"] == second["receipt"]["reference"]
    assert [d["ground"] for d in newest["duplicates"]["nodes"]] == ["MEMBER"]
    anew = asked.do("township", REGISTER, {"id": newest["id"]})
    assert [e["code"] for e in anew["userErrors"]] == ["ALREADY_REGISTERED"]
    found = asked.do("township", REGISTER, {"id": newest["id"], "householdId": household})
    assert found["application"]["household"] == {"id": household, "memberCount": 2}
    assert found["application"]["madeHousehold"] is False

    # A household that is registered later is matched with what waits, too.
    other = await asked.family(members=_alone("测试丁"))
    (_, waiting) = listed(asked, "township")
    assert {d["household"]["id"] for d in waiting["duplicates"]["nodes"]} == {household, other}
    both = {"id": waiting["id"], "householdId": household, "household": _written(asked)}
    assert asked.do("township", REGISTER, both)["userErrors"][0]["field"] == ["input", "household"]
    wrong = _written(asked) | {"members": [{"name": "", "relation": "SELF"}]}
    refused = asked.do("township", REGISTER, {"id": waiting["id"], "household": wrong})
    assert refused["userErrors"] == [
        {"field": ["input", "household", "members", "0", "name"], "code": "REQUIRED"}
    ]
    async with asked.county.database.read() as db:
        assert await db.scalar(sa.select(sa.func.count()).select_from(households)) == 2


def _alone(name: str) -> Any:
    return (NewMember(name=name, relation=Relation.SELF),)


def _written(asked: Asked) -> dict[str, Any]:
    return {
        "regionId": opaque_id("Region", asked.county.region[XIUGU + "200"]),
        "members": [{"name": "测试戊", "relation": "SELF"}],
    }
