"""Cross-checks from files: who is known is flagged, who is not applies, twice is once."""

from __future__ import annotations

import pytest

from marketplace.persistence.database import Database
from marketplace.persistence.tables import application_matches, applications, events, households
from marketplace.services.registry import households as household_service
from tests.fixtures.county import NUMBER, SEALER, VILLAGE, XIUGU, a_county, a_family
from tests.importing.files import said, take

OTHER = "999027198505050016"
HEADINGS = ["姓名", "身份证号", "监测类别", "区划代码", "联系电话"]
FOUND = [
    HEADINGS,
    ["测试甲", NUMBER, "突发严重困难户", VILLAGE, ""],
    ["测试卯", OTHER, "边缘易致贫户", XIUGU, "100 1234 5678"],
]


async def test_who_is_known_is_flagged_and_who_is_not_applies(database: Database) -> None:
    county = await a_county(database)
    await household_service.register(database, county.act("township"), SEALER, a_family(county))

    dry = await take(county, "cross-checks", FOUND, dry_run=True)
    first = await take(county, "cross-checks", FOUND)
    again = await take(county, "cross-checks", FOUND)

    assert (dry.imported, dry.written) == (2, False)
    assert (first.imported, first.already_there, first.problems) == (2, 0, ())
    assert (again.imported, again.already_there) == (0, 2)
    (household,) = await county.rows(households)
    assert household["monitoring_category"] == "SUDDEN_SEVERE_HARDSHIP"
    (application,) = await county.rows(applications)
    assert (application["channel"], application["status"]) == ("FILE", "SUBMITTED")
    assert application["monitoring_category"] == "MARGINAL"
    (match,) = await county.rows(application_matches)
    assert (match["household_id"], match["ground"]) == (household["id"], "PHONE")
    kinds = [row["kind"] for row in await county.rows(events)]
    assert kinds == ["household.registered", "household.flagged", "application.submitted"]
    stored = str(dict(application))
    assert not any(secret in stored for secret in ("测试卯", OTHER, "1234 5678"))


@pytest.mark.one_database
async def test_rows_that_nobody_can_be_keep_all_out(database: Database) -> None:
    county = await a_county(database)
    bad = [
        HEADINGS,
        ["", NUMBER, "边缘易致贫户", VILLAGE, ""],
        ["测试卯", OTHER[:-1] + "1", "边缘易致贫户", VILLAGE, ""],
        ["测试卯", OTHER, "富裕", "999", "call me"],
        ["测试卯", OTHER, "边缘易致贫户", "361027", ""],
    ]

    report = await take(county, "cross-checks", bad)

    assert said(report) >= {
        (2, "姓名", "REQUIRED"),
        (3, "身份证号", "INVALID"),
        (4, "区划代码", "NOT_FOUND"),
        (4, "联系电话", "INVALID"),
        (5, "身份证号", "DUPLICATE"),
        (5, "区划代码", "INVALID"),
    }
    assert not any(OTHER in problem.text.en for problem in report.problems)
    assert await county.rows(applications) == []
