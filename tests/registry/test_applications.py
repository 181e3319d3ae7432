"""Applications as a household and its officers know them: over HTTP, from a link to a household."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from marketplace.domain.registry.accounts import NewKey
from marketplace.persistence.database import Database
from marketplace.persistence.registry import accounts
from marketplace.persistence.tables import applications, events, households, members
from tests.fixtures.county import NUMBER, VILLAGE, County, a_county
from tests.fixtures.served import Served, served, settings_for

WHO = ("township", "other_township", "assistance", "grid", "charity", "provider", "auditor")
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
} } }"""
ASKED = {
    "name": "测试丙",
    "phone": "100 1234 5678",
    "regionCode": VILLAGE,
    "channel": "QR",
    "words": "房屋倒塌，\n急需救助",
}


@pytest.fixture
async def county(database: Database) -> County:
    county = await a_county(database)
    async with database.write() as db:
        for who in WHO:
            account_id = county.viewer[who].account_id
            assert account_id is not None
            await accounts.add_key(db, account_id, NewKey(f"key-of-{who}"), now=database.now())
    return county


@pytest.fixture
def server(county: County, tmp_path: Path) -> Iterator[Served]:
    url = county.database.url.render_as_string(hide_password=False)
    with served(settings_for(url, tmp_path)) as running:
        yield running


def do(
    server: Served, who: str | None, document: str, given: dict[str, Any], **headers: str
) -> dict[str, Any]:
    """The one payload of a mutation that is understood."""
    key = None if who is None else f"key-of-{who}"
    answer = server.ask(document, {"input": given}, key=key, **headers).json()
    assert "errors" not in answer, answer
    (payload,) = answer["data"].values()
    return dict(payload)


def listed(server: Served, who: str) -> list[dict[str, Any]]:
    nodes: list[dict[str, Any]] = server.ask(LIST, key=f"key-of-{who}").json()["data"][
        "applications"
    ]["nodes"]
    return nodes


async def test_whoever_follows_a_link_becomes_a_household(county: County, server: Served) -> None:
    made = do(server, None, SUBMIT, ASKED | {"identityNumber": NUMBER})

    assert made["userErrors"] == []
    (seen,) = listed(server, "township")
    assert seen["reference"] == made["receipt"]["reference"]
    assert (seen["status"], seen["channel"], seen["region"]) == (
        "SUBMITTED",
        "QR",
        {"code": VILLAGE},
    )
    assert seen["allowedMoves"] == ["applicationRegister", "applicationReject"]
    assert listed(server, "grid")[0]["allowedMoves"] == []
    assert listed(server, "other_township") == listed(server, "charity") == []

    done = do(server, "township", REGISTER, {"id": seen["id"]})

    assert done["userErrors"] == []
    assert done["application"]["household"]["memberCount"] == 1
    assert (done["application"]["status"], done["application"]["allowedMoves"]) == (
        "REGISTERED",
        [],
    )
    (household,) = await county.rows(households)
    (member,) = await county.rows(members)
    assert member["identity_number_index"] is not None
    assert household["phone_index"] is not None
    stored = str([dict(row) for row in await county.rows(applications)])
    told = str([dict(row) for row in await county.rows(events)])
    for secret in ("测试丙", NUMBER, "10012345678", "100 1234", "倒塌"):
        assert secret not in stored
        assert secret not in told
