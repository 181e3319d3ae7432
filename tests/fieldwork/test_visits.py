"""Visits and checks of monitored households over HTTP: who makes them, where, and what counts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from marketplace.domain.ids import opaque_id
from marketplace.domain.permissions import MUTATIONS
from marketplace.persistence.tables import (
    accounts,
    events,
    households,
    monitoring_checks,
    visits,
)
from marketplace.services.registry.sealing import sealer_of
from tests.fixtures.asked import Asked
from tests.fixtures.market import Market, a_household
from tests.fixtures.served import settings_for

CHECK_IN = """
mutation ($input: VisitCheckInInput!) {
  visitCheckIn(input: $input) {
    visits { reference kind distanceM isFar personsReached household { id } region { code } }
    userErrors { field message code }
  }
}
"""
RECORD = """
mutation ($input: MonitoringCheckRecordInput!) {
  monitoringCheckRecord(input: $input) {
    checks { reference persons outcome monitoringCategory household { id } }
    userErrors { field message code }
  }
}
"""
# The place of the market's "village", and 500 m, 511 m to the north of it.
DOOR = {"latitude": 27.90, "longitude": 116.76}
NEAR = {"latitude": 27.9044, "longitude": 116.76}
FAR = {"latitude": 27.9046, "longitude": 116.76}


async def a_home(market: Market, **changes: Any) -> tuple[int, str]:
    """A household with a place on the map, as key and id."""
    key = await a_household(market, region=changes.pop("region", "grid"))
    async with market.database.write() as db:
        values = DOOR | changes
        await db.execute(sa.update(households).where(households.c.id == key).values(**values))
    return key, opaque_id("Household", key)


async def test_a_visit_says_how_far_from_the_door_it_was_and_its_note_stays_sealed(
    asking: Asked, database_url: str, tmp_path: Any
) -> None:
    market = asking.market
    _, home = await a_home(market)
    _, nowhere = await a_home(market, latitude=None, longitude=None)
    given = [
        {"kind": "HOME_VISIT", "householdId": home, **NEAR, "note": "测试甲 is alone again"},
        {"kind": "DOORSTEP_HAIRCUT", "householdId": home, **FAR, "personsReached": 2},
        {"kind": "WISH_TRIP", "householdId": home, **FAR, "personsReached": 3},
        {"kind": "HOME_VISIT", "householdId": nowhere, **FAR, "personsReached": 0},
        {
            "kind": "FREE_CLINIC",
            "regionId": opaque_id("Region", market.region["village"]),
            "personsReached": 40,
            **DOOR,
        },
    ]

    done = asking.do("township", CHECK_IN, {"visits": given})

    assert done["userErrors"] == []
    said = [(v["distanceM"], v["isFar"], v["personsReached"]) for v in done["visits"]]
    assert said == [
        (489, False, 1),
        (511, True, 2),
        (511, False, 3),
        (None, False, 0),
        (0, False, 40),
    ]
    assert [v["household"] for v in done["visits"][:1] + done["visits"][-1:]] == [
        {"id": home},
        None,
    ]
    row = await market.row(visits, 1)
    assert "测试甲" not in row["note_sealed"]
    sealer = sealer_of(settings_for(database_url, tmp_path))
    opened = sealer.open(row["note_sealed"], place="visits.note", seal_id=row["seal_id"])
    assert opened == "测试甲 is alone again"
    assert await market.count(events, events.c.kind == "visit.checked_in") == 5

    read = "{ visits(first: 9) { totalCount nodes { personsReached } } }"
    names = {who: None if who == "public" else who for who in market.viewer}
    seen = {who: asking.see(key, read)["visits"]["totalCount"] for who, key in names.items()}
    nobody = dict.fromkeys(market.viewer, 0)
    # The grid cell lies below the village of the clinic, so its worker sees four of the five.
    assert seen == nobody | {"grid": 4} | dict.fromkeys(
        ("social", "township", "assistance", "assistance_2", "auditor"), 5
    )


@pytest.mark.one_database
async def test_a_list_of_visits_is_written_down_whole_or_not_at_all(asking: Asked) -> None:
    market = asking.market
    own, own_home = await a_home(market)
    _, home = await a_home(market)
    _, beyond = await a_home(market, region="far_village")
    async with market.database.write() as db:
        worker = accounts.c.id == market.viewer["grid"].account_id
        await db.execute(sa.update(accounts).where(worker).values(household_id=own))
    now = market.database.now()
    county = opaque_id("Region", market.region["county"])
    given = [
        {"kind": "HOME_VISIT", "householdId": home},
        {"kind": "HOME_VISIT", "householdId": own_home},
        {"kind": "HOME_VISIT", "householdId": beyond},
        {"kind": "FREE_CLINIC", "regionId": county},
        {"kind": "HOME_VISIT", "regionId": opaque_id("Region", market.region["grid"])},
        {"kind": "WISH_TRIP", "householdId": home, "regionId": county},
        {"kind": "HOME_VISIT", "householdId": home, "personsReached": -1, "latitude": 91.0},
        {
            "kind": "HOME_VISIT",
            "householdId": home,
            "visitedAt": (now + timedelta(hours=1)).isoformat(),
        },
        {
            "kind": "HOME_VISIT",
            "householdId": home,
            "visitedAt": (now - timedelta(days=61)).isoformat(),
            "note": "x" * 1_001,
        },
    ]

    refused = asking.do("grid", CHECK_IN, {"visits": given})
    none = asking.do("grid", CHECK_IN, {"visits": []})
    many = asking.do("grid", CHECK_IN, {"visits": given[:1] * 101})

    assert refused["visits"] == []
    assert {(*e["field"][2:], e["code"]) for e in refused["userErrors"]} == {
        ("1", "householdId", "OWN_HOUSEHOLD"),
        ("2", "householdId", "NOT_FOUND"),
        ("3", "regionId", "NOT_FOUND"),
        ("4", "householdId", "REQUIRED"),
        ("5", "householdId", "REQUIRED"),
        ("6", "personsReached", "TOO_SMALL"),
        ("6", "longitude", "REQUIRED"),
        ("6", "latitude", "INVALID"),
        ("7", "visitedAt", "INVALID"),
        ("8", "visitedAt", "INVALID"),
        ("8", "note", "TOO_LARGE"),
    }
    assert [e["code"] for e in none["userErrors"] + many["userErrors"]] == ["REQUIRED", "TOO_MANY"]
    assert await market.count(visits) == 0

    clinic = {"visits": given[:1] * 100, "idempotencyKey": "day-1"}
    first, again = (asking.do("grid", CHECK_IN, clinic) for _ in range(2))
    assert len(first["visits"]) == 100
    assert again == first
    assert await market.count(visits) == 100


@pytest.mark.one_database
async def test_checks_count_people_of_monitored_households_and_nobody_else(asking: Asked) -> None:
    market = asking.market
    _, home = await a_home(market, member_count=4, monitoring_category="MARGINAL")
    _, other = await a_home(market)
    _, beyond = await a_home(market, region="far_village", monitoring_category="MARGINAL")

    done = asking.do(
        "township",
        RECORD,
        {
            "checks": [
                {"householdId": home},
                {"householdId": home, "persons": 1, "outcome": "MATCHED"},
            ]
        },
    )
    refused = asking.do(
        "township",
        RECORD,
        {
            "checks": [
                {"householdId": other},
                {"householdId": beyond},
                {"householdId": home, "persons": 5},
                {"householdId": home, "persons": 0},
            ]
        },
    )

    assert [(c["persons"], c["outcome"]) for c in done["checks"]] == [
        (4, "NO_CHANGE"),
        (1, "MATCHED"),
    ]
    assert {c["monitoringCategory"] for c in done["checks"]} == {"MARGINAL"}
    assert {(*e["field"][2:], e["code"]) for e in refused["userErrors"]} == {
        ("0", "householdId", "NOT_MONITORED"),
        ("1", "householdId", "NOT_FOUND"),
        ("2", "persons", "INVALID"),
        ("3", "persons", "INVALID"),
    }
    assert await market.value(sa.select(sa.func.sum(monitoring_checks.c.persons))) == 5
    assert await market.count(events, events.c.kind == "monitoring_check.recorded") == 2


@pytest.mark.one_database
async def test_only_those_of_the_field_check_in_and_record(asking: Asked) -> None:
    market = asking.market
    _, home = await a_home(market, monitoring_category="MARGINAL")
    visit = {"visits": [{"kind": "HOME_VISIT", "householdId": home}]}
    check = {"checks": [{"householdId": home}]}

    for who, viewer in market.viewer.items():
        for name, document, given in (
            ("visitCheckIn", CHECK_IN, visit),
            ("monitoringCheckRecord", RECORD, check),
        ):
            answer = asking.ask(None if who == "public" else who, document, {"input": given})
            assert ("errors" in answer) == (viewer.role not in MUTATIONS[name]), (who, name)
