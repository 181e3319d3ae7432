"""Files as counties send them, and taking them in."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import Any

import openpyxl

from marketplace.services import importing
from marketplace.services.importing import ImportOptions, ImportReport
from tests.fixtures.county import NUMBER, SEALER, VILLAGE, County

YEAR = datetime.now(UTC).year + 1
HOUSEHOLDS = [
    [
        "家庭编号",
        "姓名",
        "与户主关系",
        "身份证号",
        "区划代码",
        "住址",
        "电话",
        "对象类别",
        "家庭月收入（元）",
        "医疗支出",
    ],
    [
        "H-1",
        "测试甲",
        "户主",
        NUMBER,
        VILLAGE,
        "3 组 12 号",
        "10012345678",
        "独居老人",
        "600",
        "200.50",
    ],
    ["H-1", "测试乙", "子女", "", VILLAGE, "", "", "困难学生；残疾人", "", ""],
    ["H-2", "测试丙", "", "", VILLAGE, "", "", "", "", ""],
]
ORGANIZATIONS = [
    ["organization", "name", "kind", "region"],
    ["O-1", "测试慈善会", "CHARITY", "361027000000"],
    ["O-2", "测试企业", "爱心企业", "361027100"],
]
NEEDS = [
    ["需求编号", "家庭编号", "类别代码", "数量", "截止日期"],
    ["N-1", "H-1", "rice", "50", f"{YEAR}年1月9日"],
    ["N-2", "H-1", "medical_relief", "1,200.50", ""],
]
OFFERS = [
    ["offer_id", "organization", "category", "quantity", "regions", "groups", "radius_km"],
    ["F-1", "O-1", "rice", "1,000", "361027100；361027101", "ELDERLY_ALONE", ""],
    ["F-2", "O-2", "education_aid", "5000", "", "", "12.5"],
]


def as_csv(rows: list[list[str]], encoding: str = "utf-8") -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode(encoding)


def as_xlsx(rows: list[list[str]]) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


async def take(
    county: County, kind: str, rows: list[list[str]] | bytes, **options: Any
) -> ImportReport:
    data = rows if isinstance(rows, bytes) else as_csv(rows)
    return await importing.run(
        county.database, SEALER, kind, data, "file.csv", ImportOptions(**options)
    )


def said(report: ImportReport) -> set[tuple[int, str, str]]:
    assert all(p.text.en and p.text.zh for p in (*report.problems, *report.warnings))
    return {(p.row, p.column, p.code) for p in report.problems}
