"""Importing services: needs in visits with their rhythm, offers in minutes within a period."""

from __future__ import annotations

import pytest

from marketplace.persistence.database import Database
from marketplace.persistence.tables import needs, offers
from tests.fixtures.county import County, a_county
from tests.importing.files import HOUSEHOLDS, ORGANIZATIONS, YEAR, said, take

NEEDS = [
    ["需求编号", "家庭编号", "类别代码", "数量", "每次分钟数", "间隔天数", "截止日期"],
    ["N-1", "H-1", "home_visit", "4", "90", "7", ""],
    ["N-2", "H-1", "doorstep_haircut", "2", "", "", ""],
    ["N-3", "H-1", "rice", "2", "", "", ""],
]
OFFERS = [
    ["offer_id", "organization", "category", "quantity", "expires", "visits_per_day"],
    ["F-1", "O-1", "home_visit", "1,200", f"{YEAR}-01-31", "2"],
]


@pytest.fixture
async def county(database: Database) -> County:
    return await a_county(database)


async def test_visits_and_minutes_come_in_with_their_rhythm_and_period(county: County) -> None:
    await take(county, "households", HOUSEHOLDS)
    await take(county, "organizations", ORGANIZATIONS)

    needed, offered = await take(county, "needs", NEEDS), await take(county, "offers", OFFERS)

    assert (needed.problems, offered.problems) == ((), ())
    rows = {row["external_reference"]: row for row in await county.rows(needs)}
    assert [(rows[n]["visit_minutes"], rows[n]["every_days"]) for n in sorted(rows)] == [
        (90, 7),
        (60, None),
        (None, None),
    ]
    (offer,) = await county.rows(offers)
    assert (offer["kind"], offer["quantity"], offer["visits_per_day"]) == ("SERVICE", 1_200, 2)


async def test_what_no_service_can_be_is_named_by_its_column(county: County) -> None:
    await take(county, "households", HOUSEHOLDS)
    await take(county, "organizations", ORGANIZATIONS)
    bad_needs = [
        NEEDS[0],
        ["N-1", "H-1", "rice", "4", "90", "7", ""],
        ["N-2", "H-1", "home_visit", "4", "0", "一周", ""],
    ]
    bad_offers = [
        OFFERS[0],
        ["F-1", "O-1", "rice", "5", "", "2"],
        ["F-2", "O-1", "home_visit", "5", "", "2"],
    ]

    needed = await take(county, "needs", bad_needs)
    offered = await take(county, "offers", bad_offers)

    assert said(needed) == {
        (2, "每次分钟数", "INVALID"),
        (2, "间隔天数", "INVALID"),
        (3, "间隔天数", "NOT_A_NUMBER"),
    }
    assert said(offered) == {(2, "visits_per_day", "INVALID"), (3, "expires", "REQUIRED")}
