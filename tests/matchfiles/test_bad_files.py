"""Bad files: every fault is named by file, row, column and reason; nothing is half done."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.matchfiles.command import codes, run, sums, units

HEAD = "need_id,category,quantity,severity,latitude,longitude,date\n"


def test_every_bad_cell_is_reported_and_nothing_written(tmp_path: Path) -> None:
    needs = HEAD + (
        "n1,rice,5,10,,,\n"
        ",rice,5,10,,,\n"
        "n3,,5,10,,,\n"
        "n4,rice,,10,,,\n"
        "n5,rice,0,10,,,\n"
        "n6,rice,2.5,10,,,\n"
        "n7,rice,many,10,,,\n"
        "n8,rice,1000000000000001,10,,,\n"
        "n9,rice,5,101,,,\n"
        "n10,rice,5,10,91,0,\n"
        "n11,rice,5,10,27,,\n"
        "n12,rice,5,10,,,soon\n"
        "n1,rice,5,10,,,\n"
    )
    offers = "offer_id,category,quantity,radius_km\no1,rice,-3,\no2,rice,4,12\n"

    answer = run(tmp_path, needs=needs, offers=offers)

    assert answer.code == 1
    assert answer.plan is None
    assert codes(answer) == [
        ("needs.csv", "3", "need_id", "REQUIRED"),
        ("needs.csv", "4", "category", "REQUIRED"),
        ("needs.csv", "5", "quantity", "REQUIRED"),
        ("needs.csv", "6", "quantity", "TOO_SMALL"),
        ("needs.csv", "7", "quantity", "NOT_WHOLE"),
        ("needs.csv", "8", "quantity", "NOT_A_NUMBER"),
        ("needs.csv", "9", "quantity", "TOO_LARGE"),
        ("needs.csv", "10", "severity", "TOO_LARGE"),
        ("needs.csv", "11", "latitude", "TOO_LARGE"),
        ("needs.csv", "12", "longitude", "REQUIRED"),
        ("needs.csv", "13", "date", "NOT_A_DATE"),
        ("needs.csv", "14", "need_id", "DUPLICATE"),
        ("offers.csv", "2", "quantity", "TOO_SMALL"),
        ("offers.csv", "3", "radius_km", "REQUIRED"),
    ]
    assert "needs.csv, row 7, quantity: '2.5' is not a whole number." in answer.stderr
    assert "Refused: 14 faults" in answer.stderr


def test_faults_are_said_in_chinese(tmp_path: Path) -> None:
    needs = "需求编号,类别,数量\n甲,大米,很多\n"

    answer = run(tmp_path, "--language", "zh", needs=needs)

    assert answer.code == 1
    assert "needs.csv 第 2 行“数量”：“很多”不是数字。" in answer.stderr
    assert "已拒绝：共 1 处错误" in answer.stderr


def test_bad_rows_can_be_left_out_with_their_pairs(tmp_path: Path) -> None:
    needs = "need_id,category,quantity\nn1,rice,5\nn2,rice,x\nn1,rice,6\n"
    offers = "offer_id,category,quantity\no1,rice,9\no2,rice,\n"
    pairs = "need_id,offer_id\nn1,o1\nn2,o1\nn1,o2\nn9,o1\nn1,o1\n"

    answer = run(tmp_path, "--skip-bad", needs=needs, offers=offers, pairs=pairs)

    assert answer.code == 0, answer.stderr
    assert units(answer) == {("n1", "o1"): 5}
    assert "5 faults: the rows that hold them were left out." in answer.stderr


def test_pairs_must_be_of_known_rows_once_and_fit(tmp_path: Path) -> None:
    needs = (
        "need_id,category,quantity,region,groups\nn1,rice,5,361027,STUDENT\nn2,quilt,5,361002,\n"
    )
    offers = (
        "offer_id,category,quantity,regions,groups\n"
        "o1,rice,9,,\no2,rice,9,361002,\no3,rice,9,,ELDERLY\n"
    )
    pairs = (
        "need_id,offer_id,cost\n"
        "n1,o1,1\n"
        "n3,o1,1\n"
        "n1,o9,1\n"
        ",o1,1\n"
        "\n"
        "n1,o1,2\n"
        "n1,o2,\n"
        "n1,o3,-1\n"
        "n1,o2,cheap\n"
        "n2,o1,1\n"
        'n1,o2,"1,000.5"\n'
        "n1,o3,1\n"
    )

    answer = run(tmp_path, needs=needs, offers=offers, pairs=pairs)

    assert answer.code == 1
    assert sorted(codes(answer), key=lambda fault: int(str(fault[1]))) == [
        ("pairs.csv", "3", "need_id", "UNKNOWN"),
        ("pairs.csv", "4", "offer_id", "UNKNOWN"),
        ("pairs.csv", "5", "need_id", "REQUIRED"),
        ("pairs.csv", "7", "offer_id", "DUPLICATE"),
        ("pairs.csv", "8", "cost", "REQUIRED"),
        ("pairs.csv", "9", "cost", "TOO_SMALL"),
        ("pairs.csv", "10", "cost", "NOT_A_NUMBER"),
    ]

    kept = run(tmp_path, "--skip-bad", needs=needs, offers=offers, pairs=pairs)

    # What the rows forbid comes to light once the others are left out.
    assert units(kept) == {("n1", "o1"): 5}
    assert kept.report is not None
    left_out = kept.report["skipped"]
    assert isinstance(left_out, dict)
    assert [(f["field"][1], f["code"]) for f in left_out["faults"]][-3:] == [
        ("11", "CATEGORY"),
        ("12", "REGION"),
        ("13", "GROUPS"),
    ]


def test_a_thousand_faults_are_kept_and_all_are_counted(tmp_path: Path) -> None:
    pairs = "need_id,offer_id\n" + "".join(f"x{i},o1\n" for i in range(5_000))

    answer = run(tmp_path, pairs=pairs)

    assert answer.code == 1
    assert len(codes(answer)) == 1_000
    assert "Refused: 5,000 faults" in answer.stderr
    assert "4,950 more" in answer.stderr


@pytest.mark.parametrize(
    ("needs", "fault"),
    [
        ("", ("needs.csv", "EMPTY")),
        ("\n \n,,\n", ("needs.csv", "EMPTY")),
        ("need_id,category\nn1,rice\n", ("needs.csv", "1", "quantity", "MISSING_COLUMN")),
        (
            "need_id,category,quantity,数量\nn1,rice,1,2\n",
            ("needs.csv", "1", "数量", "DUPLICATE_COLUMN"),
        ),
        ("need_id,category,quantity\nn1,rice,1,200\n", ("needs.csv", "2", "UNREADABLE")),
        ('need_id,category,quantity\nn1,"rice,1\n', ("needs.csv", "2", "UNREADABLE")),
        (b"PK\x03\x04 no workbook", ("needs.csv", "UNREADABLE")),
        (b"\x00\x01\x02", ("needs.csv", "UNREADABLE")),
        (b"need_id,category,quantity\n\xff\xff,rice,1\n", ("needs.csv", "UNREADABLE")),
    ],
)
def test_files_that_are_no_table_of_needs_are_refused(
    tmp_path: Path, needs: str | bytes, fault: tuple[str, ...]
) -> None:
    answer = run(tmp_path, "--skip-bad", needs=needs)

    assert answer.code == 1
    assert codes(answer) == [fault]
    assert answer.plan is None


@pytest.mark.parametrize(
    ("pairs", "fault"),
    [
        ("", ("pairs.csv", "EMPTY")),
        ("need_id,cost\nn1,1\n", ("pairs.csv", "1", "offer_id", "MISSING_COLUMN")),
        ("need_id,offer_id,cost\nn1,o1,1,200\n", ("pairs.csv", "2", "UNREADABLE")),
        ("need_id,offer_id,cost\nn1,o1,1\nn2,o1,1,200\n", ("pairs.csv", "3", "UNREADABLE")),
        ('need_id,offer_id\n"n1,o1\n', ("pairs.csv", "UNREADABLE")),
        (b"need_id,offer_id\n\xff\xff,o1\n", ("pairs.csv", "UNREADABLE")),
    ],
)
def test_files_that_are_no_table_of_pairs_are_refused(
    tmp_path: Path, pairs: str | bytes, fault: tuple[str, ...]
) -> None:
    answer = run(tmp_path, "--skip-bad", pairs=pairs)

    assert answer.code == 1
    assert codes(answer) == [fault]
    assert answer.plan is None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_every_usual_encoding_and_separator_is_read(
    tmp_path: Path, encoding: str, separator: str
) -> None:
    def table(*rows: str) -> bytes:
        return "\r\n".join(rows).replace(",", separator).encode(encoding)

    answer = run(
        tmp_path,
        needs=table("需求编号,类别,数量", "甲,大米,３", "", '"乙 ",大米,4.0'),
        offers=table("供给 编号,类别,数量（公斤）,捐赠单位", "丙,大米,10,慈善会"),
        pairs=table("供给编号,需求编号,距离（公里）", " 丙,甲,1.5", "丙,乙,2"),
    )

    assert answer.code == 0, answer.stderr
    assert sums(answer, "need_id") == {"甲": 3, "乙": 4}
    assert answer.report is not None
    assert answer.report["cost_unit"] == "公里"


def test_quantities_that_cannot_be_added_up_are_refused(tmp_path: Path) -> None:
    ids = range(2400)
    needs = "need_id,category,quantity\n" + "".join(f"n{i},rice,{10**15}\n" for i in ids)

    answer = run(tmp_path, needs=needs)

    assert answer.code == 1
    assert codes(answer) == [("quantity", "TOO_LARGE")]
    assert "--max-quantity" in answer.stderr
