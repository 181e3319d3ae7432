"""Importing files: what is good comes in once, what is bad is named by row, column and reason."""

from __future__ import annotations

import io
import zipfile

import pytest
import sqlalchemy as sa

from marketplace.domain.errors import InvalidInput
from marketplace.domain.exchange.government_aid import DecideAid, GovernmentAidKind
from marketplace.persistence.database import Database
from marketplace.persistence.tables import (
    assessments,
    events,
    households,
    members,
    needs,
    offer_regions,
    offers,
    organizations,
    published_needs,
)
from marketplace.services.exchange.government_aid import decide
from marketplace.services.registry.organizations import verify
from tests.fixtures.county import NUMBER, SEALER, VILLAGE, County, a_county
from tests.importing.files import (
    HOUSEHOLDS,
    NEEDS,
    OFFERS,
    ORGANIZATIONS,
    YEAR,
    as_csv,
    as_xlsx,
    said,
    take,
)

pytestmark = pytest.mark.one_database  # files are read alike; services are tried on both


@pytest.fixture
async def county(database: Database) -> County:
    return await a_county(database)


@pytest.mark.parametrize("form", ["utf-8", "utf-8-sig", "gb18030", "xlsx"])
async def test_households_come_in_with_their_members_sealed_and_assessed(
    county: County, form: str
) -> None:
    data = as_xlsx(HOUSEHOLDS) if form == "xlsx" else as_csv(HOUSEHOLDS, form)

    report = await take(county, "households", data)

    assert report.problems == ()
    assert (report.rows, report.imported, report.written) == (3, 3, True)
    first, second = await county.rows(households)
    assert (first["external_reference"], first["member_count"]) == ("H-1", 2)
    assert first["target_groups"] == 1 | 16 | 32
    head, child, alone = await county.rows(members)
    assert (head["is_head"], child["relation"], alone["is_head"]) == (True, "CHILD", True)
    opened = SEALER.open(head["name_sealed"], place="members.name", seal_id=head["seal_id"])
    assert opened == "测试甲"
    (assessment,) = await county.rows(assessments)
    assert assessment["household_id"] == first["id"] != second["id"]
    assert (assessment["income_fen_month"], assessment["medical_fen_month"]) == (60_000, 20_050)
    told = await county.rows(events)
    assert "测试" not in str([dict(event) for event in told])


async def test_needs_and_offers_follow_what_was_imported_before(county: County) -> None:
    await take(county, "households", HOUSEHOLDS)
    await take(county, "organizations", ORGANIZATIONS)
    keys = {row["external_reference"]: row["id"] for row in await county.rows(organizations)}
    await verify(county.database, county.act("charity"), keys["O-1"])

    needed = await take(county, "needs", NEEDS)
    offered = await take(county, "offers", OFFERS)

    assert (needed.problems, offered.problems) == ((), ())
    rice, cash = await county.rows(needs)
    assert (rice["status"], rice["quantity"]) == ("DRAFT", 50)
    assert str(rice["deadline"]) == f"{YEAR}-01-09 15:59:59+00:00"
    assert (cash["quantity"], cash["severity"]) == (120_050, rice["severity"])
    one, two = await county.rows(offers)
    assert (one["status"], one["quantity"], one["target_groups"]) == ("OPEN", 1_000, 1)
    assert (two["status"], two["kind"], two["quantity"]) == ("DRAFT", "CASH", 500_000)
    assert (two["radius_km"], two["latitude"]) == (12.5, 27.91132)
    async with county.database.read() as db:
        regions = await db.rows(sa.select(offer_regions.c.region_id))
    assert {row["region_id"] for row in regions} == {
        county.region["361027100"],
        county.region["361027101"],
    }
    assert await county.rows(published_needs) == []


async def test_government_aid_is_set_off_once_over_all_rows(county: County) -> None:
    await take(county, "households", HOUSEHOLDS)
    household_id = (await county.rows(households))[0]["id"]
    aid = DecideAid(
        household_id=household_id,
        kind=GovernmentAidKind.TEMPORARY_ASSISTANCE,
        amount_fen=1,
        starts_on=county.database.now().date(),
        covers_category_id=county.category["staple_food"],
        covers_quantity=60,
    )
    await decide(county.database, county.act("assistance"), aid)
    rows = [
        NEEDS[0],
        ["N-1", "H-1", "rice", "50", ""],
        ["N-2", "H-1", "rice", "100", ""],
        ["N-3", "H-1", "flour", "30", ""],
    ]

    refused = await take(county, "needs", rows)
    report = await take(county, "needs", rows, skip_bad=True)

    assert said(refused) == {(2, "数量", "COVERED_BY_GOVERNMENT")}
    assert (refused.imported, refused.written) == (0, False)
    assert report.imported == 2
    rice, flour = await county.rows(needs)
    assert (rice["quantity_by_government"], rice["quantity"]) == (60, 40)
    assert (flour["quantity_by_government"], flour["quantity"]) == (0, 30)


BAD = [
    ["需求编号", "家庭编号", "类别代码", "数量", "截止日期"],
    ["N-1", "H-1", "rice", "50", ""],
    ["N-2", "H-9", "rice", "5", ""],
    ["N-3", "H-1", "no_such", "5", ""],
    ["N-4", "H-1", "quilt", "2.5", ""],
    ["N-5", "H-1", "heater", "", ""],
    ["N-1", "H-1", "milk", "5", ""],
    ["N-7", "H-1", "chicks", "-3", "tomorrow"],
    ["N-8", "H-2", "chicks", "3", ""],
    ["N-9", "H-1", "goods", "3", ""],
    ["N-10", "H-1", "eggs", "3", "2020-01-01"],
]
REASONS = {
    (3, "家庭编号", "NOT_FOUND"),
    (4, "类别代码", "NOT_FOUND"),
    (5, "数量", "NOT_WHOLE"),
    (6, "数量", "REQUIRED"),
    (7, "需求编号", "DUPLICATE"),
    (8, "数量", "TOO_SMALL"),
    (8, "截止日期", "NOT_A_DATE"),
    (9, "家庭编号", "ASSESSMENT_REQUIRED"),
    (10, "类别代码", "CATEGORY_TOO_WIDE"),
    (11, "截止日期", "INVALID"),
}


async def test_one_bad_row_keeps_all_out_and_every_one_is_named(county: County) -> None:
    await take(county, "households", HOUSEHOLDS)

    report = await take(county, "needs", BAD)

    assert said(report) >= REASONS
    assert {row for row, _, _ in said(report)} == {row for row, _, _ in REASONS}
    assert (report.rows, report.imported, report.written) == (10, 0, False)
    assert await county.rows(needs) == []


async def test_the_good_rows_come_in_where_that_is_asked_for(county: County) -> None:
    await take(county, "households", HOUSEHOLDS)

    report = await take(county, "needs", BAD, skip_bad=True)

    assert (report.imported, report.written) == (1, True)
    assert [row["external_reference"] for row in await county.rows(needs)] == ["N-1"]


async def test_a_dry_run_says_the_same_and_writes_nothing(county: County) -> None:
    await take(county, "households", HOUSEHOLDS)
    before = await county.rows(events)

    good = await take(county, "needs", NEEDS, dry_run=True)
    bad = await take(county, "needs", BAD, dry_run=True)

    assert (good.imported, good.written) == (2, False)
    assert said(bad) >= REASONS
    assert await county.rows(needs) == []
    assert await county.rows(events) == before


async def test_a_file_can_be_sent_twice(county: County) -> None:
    for kind, rows in (
        ("households", HOUSEHOLDS),
        ("organizations", ORGANIZATIONS),
        ("needs", NEEDS),
        ("offers", OFFERS),
    ):
        first = await take(county, kind, rows)
        again = await take(county, kind, rows)
        longer = await take(county, kind, [*rows, ["x"] * len(rows[0])], skip_bad=True)

        assert first.imported == len(rows) - 1
        assert (again.imported, again.already_there) == (0, len(rows) - 1)
        assert again.problems == ()
        assert longer.already_there == len(rows) - 1
    assert len(await county.rows(households)) == 2
    assert len(await county.rows(needs)) == 2
    assert len(await county.rows(offers)) == 2


async def test_nobody_comes_in_twice_and_a_household_is_whole_or_it_is_not(
    county: County,
) -> None:
    await take(county, "households", HOUSEHOLDS)
    rows = [
        HOUSEHOLDS[0],
        ["H-3", "某甲", "户主", "", VILLAGE, "", "", "", "", ""],
        ["H-3", "某乙", "配偶", f" {NUMBER[:6]} {NUMBER[6:]}", VILLAGE, "", "", "", "", ""],
        ["H-4", "某丙", "户主", "", VILLAGE, "", "", "", "", ""],
        ["H-4", "某丁", "户主", "", VILLAGE, "", "", "", "", ""],
        ["H-5", "某戊", "户主", "", "361027100", "", "", "", "", ""],
        ["H-6", "某己", "户主", "1234", VILLAGE, "", "", "", "", ""],
        ["H-7", "某庚", "户主", "", VILLAGE, "", "", "", "", ""],
    ]

    report = await take(county, "households", rows, skip_bad=True)

    assert said(report) == {
        (3, "身份证号", "ALREADY_REGISTERED"),
        (4, "与户主关系", "INVALID"),
        (6, "区划代码", "INVALID"),
        (7, "身份证号", "INVALID"),
    }
    assert report.imported == 1
    assert NUMBER not in str(report)
    references = [row["external_reference"] for row in await county.rows(households)]
    assert references == ["H-1", "H-2", "H-7"]


async def test_absurd_quantities_are_warned_of_and_can_be_left_out(county: County) -> None:
    await take(county, "organizations", ORGANIZATIONS)
    rows = [["offer_id", "organization", "category", "quantity"]]
    rows += [[f"F-{n}", "O-1", "face_masks", "100"] for n in range(6)]
    rows += [["F-9", "O-1", "face_masks", "5000000"]]

    warned = await take(county, "offers", rows, dry_run=True)
    limited = await take(county, "offers", rows, max_quantity=1_000)

    assert [(w.row, w.code) for w in warned.warnings] == [(8, "IMPLAUSIBLE")]
    assert warned.imported == 7
    assert [(w.row, w.code) for w in limited.warnings] == [(8, "LEFT_OUT")]
    assert (limited.imported, limited.left_out, limited.written) == (6, 1, True)
    assert len(await county.rows(offers)) == 6


async def test_offers_that_cannot_be_are_named_by_column(county: County) -> None:
    await take(county, "organizations", ORGANIZATIONS)
    rows = [
        [
            "供给编号",
            "单位编号",
            "类别代码",
            "种类",
            "数量",
            "包装规格",
            "服务区划",
            "服务半径",
            "截止日期",
        ],
        ["F-1", "O-9", "rice", "", "10", "", "", "", ""],
        ["F-2", "O-1", "rice", "服务", "10", "", "", "", ""],
        ["F-3", "O-1", "rice", "", "12", "5", "", "", ""],
        ["F-4", "O-1", "rice", "", "10", "", "999999", "", ""],
        ["F-5", "O-1", "rice", "", "10", "", "", "-2", ""],
        ["F-6", "O-1", "rice", "", "10", "", "", "", "2020-01-01"],
        ["F-7", "O-1", "food", "物资", "10", "", "", "", ""],
    ]

    report = await take(county, "offers", rows)

    assert said(report) == {
        (2, "单位编号", "NOT_FOUND"),
        (3, "种类", "INVALID"),
        (3, "截止日期", "REQUIRED"),
        (4, "数量", "NOT_WHOLE_PACKS"),
        (5, "服务区划", "NOT_FOUND"),
        (6, "服务半径", "TOO_SMALL"),
        (7, "截止日期", "INVALID"),
        (8, "类别代码", "CATEGORY_TOO_WIDE"),
    }
    assert await county.rows(offers) == []


async def test_cash_comes_in_for_all_that_lies_below_its_purpose(county: County) -> None:
    await take(county, "organizations", ORGANIZATIONS)
    rows = [["供给编号", "单位编号", "类别代码", "种类", "数量"]]
    rows += [["F-1", "O-1", "food", "资金", "12000.50"]]

    report = await take(county, "offers", rows)

    assert report.problems == ()
    (offer,) = await county.rows(offers)
    assert (offer["kind"], offer["quantity"], offer["pack_size"]) == ("CASH", 1_200_050, 1)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "EMPTY"),
        (b"\xff\xff\xff\x00", "UNREADABLE"),
        (b"PK\x03\x04 not a workbook", "UNREADABLE"),
        ("家庭编号,数量\n1,2\n".encode(), "MISSING_COLUMN"),
        ("需求编号,need_id,家庭编号,类别,数量\n1,2,3,4,5\n".encode(), "DUPLICATE_COLUMN"),
    ],
)
async def test_a_file_that_is_no_such_table_is_refused(
    county: County, data: bytes, code: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        await take(county, "needs", data)

    assert code in {fault.code for fault in refused.value.faults}


async def test_a_small_workbook_that_unpacks_to_very_much_is_refused_before_it_does(
    county: County,
) -> None:
    file = io.BytesIO()
    with (
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/worksheets/sheet1.xml", "w") as sheet,
    ):
        for _ in range(300):
            sheet.write(bytes(2**20))
    assert len(file.getvalue()) < 2**20

    with pytest.raises(InvalidInput) as refused:
        await take(county, "needs", file.getvalue())

    assert refused.value.faults[0].code == "TOO_LARGE"


async def test_a_misspelt_heading_is_warned_of(county: County) -> None:
    rows = [[*ORGANIZATIONS[0], "regoin"], [*ORGANIZATIONS[1], "x"]]

    report = await take(county, "organizations", rows)

    assert [(w.row, w.column, w.code) for w in report.warnings] == [(1, "regoin", "UNKNOWN_COLUMN")]
    assert report.imported == 1
