"""Personal data as a client asks for it: by POST, with a key, for a purpose."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from marketplace.domain.ids import opaque_id
from marketplace.persistence.database import Database
from marketplace.persistence.tables import events
from marketplace.services.registry import households
from marketplace.services.registry.sealing import sealer_of
from tests.fixtures.asked import give_keys
from tests.fixtures.county import NUMBER, County, a_county, a_family
from tests.fixtures.served import Served, served, settings_for

QUERY = """query ($id: ID!, $purpose: String!) {
  personalData(householdId: $id, purpose: $purpose) {
    householdId address phone members { name relation identityNumber birthDate }
  }
}"""
WHY = "核对大病救助材料"


@pytest.fixture
async def county(database: Database) -> County:
    county = await a_county(database)
    await give_keys(county)
    return county


@pytest.fixture
def server(county: County, tmp_path: Path) -> Iterator[Served]:
    url = county.database.url.render_as_string(hide_password=False)
    with served(settings_for(url, tmp_path)) as running:
        yield running


async def a_household(county: County, tmp_path: Path) -> str:
    url = county.database.url.render_as_string(hide_password=False)
    sealer = sealer_of(settings_for(url, tmp_path))
    key = await households.register(
        county.database, county.act("township"), sealer, a_family(county)
    )
    return opaque_id("Household", key)


def code(answer: httpx.Response) -> str:
    assert NUMBER not in answer.text
    return str(answer.json()["errors"][0]["extensions"]["code"])


async def _views(county: County) -> int:
    return sum(row["kind"] == "household.viewed" for row in await county.rows(events))


async def test_who_is_in_charge_gets_it_and_leaves_a_trace(
    county: County, server: Served, tmp_path: Path
) -> None:
    given = {"id": await a_household(county, tmp_path), "purpose": WHY}

    answer = server.ask(QUERY, given, key="key-of-township").json()

    assert "errors" not in answer
    data = answer["data"]["personalData"]
    assert data["householdId"] == given["id"]
    assert data["members"][0] == {
        "name": "测试甲",
        "relation": "SELF",
        "identityNumber": NUMBER,
        "birthDate": "1990-01-01",
    }
    assert data["members"][1]["identityNumber"] is None
    assert await _views(county) == 1


async def test_everyone_else_is_refused_with_a_code_and_leaves_none(
    county: County, server: Served, tmp_path: Path
) -> None:
    household_id = await a_household(county, tmp_path)
    given = {"id": household_id, "purpose": WHY}

    for key, expected in (
        (None, "UNAUTHENTICATED"),
        ("key-of-provider", "FORBIDDEN"),
        ("key-of-charity", "FORBIDDEN"),
        ("key-of-other_township", "NOT_FOUND"),
    ):
        assert code(server.ask(QUERY, given, key=key)) == expected
    for bad, expected in (
        ({"purpose": "x"}, "REQUIRED"),
        ({"id": "garbage"}, "INVALID_ID"),
        ({"id": opaque_id("Offer", 1)}, "INVALID_ID"),
        ({"id": opaque_id("Household", 10**9)}, "NOT_FOUND"),
    ):
        assert code(server.ask(QUERY, given | bad, key="key-of-township")) == expected
    assert await _views(county) == 0


async def test_a_get_reads_nothing(county: County, server: Served, tmp_path: Path) -> None:
    household_id = await a_household(county, tmp_path)
    document = f'{{ personalData(householdId: "{household_id}", purpose: "{WHY}") {{ address }} }}'

    answer = server.client.get(
        "/graphql",
        params={"query": document},
        headers={"Authorization": "Bearer key-of-township", "Accept-Language": "en"},
    )

    assert code(answer) == "FORBIDDEN"
    assert "POST" in answer.json()["errors"][0]["message"]
    assert await _views(county) == 0
