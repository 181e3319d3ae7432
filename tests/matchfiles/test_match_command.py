"""aidloop match: files in, a proven plan out."""

from __future__ import annotations

import csv
import os
import random
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from tests.matchfiles.command import codes, run, sums, units


def test_a_plan_is_written_and_certified(tmp_path: Path) -> None:
    answer = run(tmp_path)

    assert answer.code == 0, answer.stderr
    assert "Certified optimal: no improving cycle" in answer.stdout
    # A quarter of each first (2 of 8, 1 of 4), then what is left of five.
    assert sum(units(answer).values()) == 5
    assert units(answer)["n1", "o1"] >= 2
    assert units(answer)["n2", "o1"] >= 1
    assert answer.report is not None
    assert answer.report["outcome"] == "optimal"


def test_the_command_works_as_a_person_runs_it(tmp_path: Path) -> None:
    (tmp_path / "needs.csv").write_text("需求编号,类别,数量\n甲,大米,3\n", "gb18030")
    (tmp_path / "offers.csv").write_text("供给编号,类别,数量\n乙,大米,2\n", "utf-8-sig")
    command = [sys.executable, "-c", "from marketplace.cli import main; main()", "match"]
    files = ["--needs", "needs.csv", "--offers", "offers.csv", "--out", "plan.csv"]

    done = subprocess.run(
        [*command, *files, "--language", "zh"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.getcwd(), "PYTHONUTF8": "1"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "已证明最优" in done.stdout
    assert (tmp_path / "plan.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert (tmp_path / "plan.csv").read_text("utf-8-sig").splitlines() == [
        "需求编号,供给编号,数量,单位成本,需求类别,供给类别,家庭编号,单位,区划代码",
        "甲,乙,2,,大米,大米,,,",
    ]


def test_a_need_takes_what_lies_under_its_category_and_no_more(tmp_path: Path) -> None:
    needs = "need_id,category,quantity\nn1,主食,9\nn2,rice,9\nn3,masks/ffp2,9\nn4,masks,9\n"
    offers = "offer_id,category,quantity\no1,Rice,1\no2,flour,2\no3,Masks / FFP2,3\no4,masks,4\n"

    answer = run(tmp_path, "--policy", "leximin", needs=needs, offers=offers)

    assert answer.report is not None
    assert answer.report["pairs"] == 6
    assert sums(answer, "offer_id") == {"o1": 1, "o2": 2, "o3": 3, "o4": 4}
    assert set(units(answer)) <= {
        ("n1", "o1"), ("n1", "o2"), ("n2", "o1"), ("n3", "o3"), ("n4", "o3"), ("n4", "o4")
    }  # fmt: skip


def test_regions_groups_radius_and_household_limits_hold(tmp_path: Path) -> None:
    needs = (
        "need_id,category,quantity,region,groups,household,latitude,longitude\n"
        "near,rice,10,361027100201,ELDERLY,h1,27.91,116.77\n"
        "same,rice,10,361027100201,elderly;STUDENT,h1,27.91,116.77\n"
        "far,rice,10,361002000000,ELDERLY,h2,27.98,116.35\n"
        "nowhere,rice,10,,ELDERLY,h3,,\n"
        "young,rice,10,361027101000,STUDENT,h4,27.90,116.70\n"
    )
    head = "offer_id,category,quantity,regions,groups,household_max,latitude,longitude,radius_km\n"

    by_region = run(tmp_path, needs=needs, offers=head + "o,rice,99,361027000000,,,,,\n")
    by_group = run(tmp_path, needs=needs, offers=head + "o,rice,99,,Elderly,,,,\n")
    by_radius = run(tmp_path, needs=needs, offers=head + "o,rice,99,,,,27.91,116.77,20\n")
    by_limit = run(tmp_path, needs=needs, offers=head + "o,rice,99,,,7,,,\n")

    assert set(sums(by_region, "need_id")) == {"near", "same", "young"}
    assert set(sums(by_group, "need_id")) == {"near", "same", "far", "nowhere"}
    assert set(sums(by_radius, "need_id")) == {"near", "same", "young"}
    assert sums(by_limit, "household") == {"h1": 7, "h2": 7, "h3": 7, "h4": 7}


def test_listed_pairs_decide_who_meets_and_what_it_costs(tmp_path: Path) -> None:
    needs = "need_id,category,quantity\nn1,rice,2\nn2,rice,2\n"
    offers = "offer_id,category,quantity\no1,rice,2\no2,rice,2\n"
    pairs = "offer_id,need_id,cost (miles)\no1,n1,2.5\no2,n1,1\no1,n2,1.25\no2,n2,9\n"

    answer = run(tmp_path, needs=needs, offers=offers, pairs=pairs)

    assert units(answer) == {("n1", "o2"): 2, ("n2", "o1"): 2}
    assert answer.report is not None
    assert (answer.report["cost"], answer.report["cost_unit"]) == ("4.5", "miles")
    assert [line["unit_cost"] for line in answer.plan or ()] == ["1", "1.25"]


def test_severity_comes_first_where_the_policy_says_so(tmp_path: Path) -> None:
    needs = "need_id,category,quantity,severity\nmild,rice,8,10\ngrave,rice,8,90\n"

    answer = run(tmp_path, "--policy", "severity", needs=needs)

    assert sums(answer, "need_id") == {"grave": 5}


@pytest.mark.parametrize("order", ["floor", "leximin", "severity", "weighted"])
@pytest.mark.parametrize("seed", range(3))
def test_every_plan_is_feasible_and_adds_up_to_what_is_printed(
    tmp_path: Path, seed: int, order: str
) -> None:
    needs, offers, pairs, limits = random_files(random.Random(seed))

    answer = run(tmp_path, "--policy", order, "--compare", needs=needs, offers=offers, pairs=pairs)

    assert answer.code == 0, answer.stderr
    given = units(answer)
    assert len(given) == len(answer.plan or ())
    assert all(amount > 0 for amount in given.values())
    for column in ("need_id", "offer_id"):
        for name, amount in sums(answer, column).items():
            assert amount <= limits[name]
    report = answer.report
    assert report is not None
    served = sum(given.values())
    assert f"{served:,} of " in answer.stdout
    assert report["total"]["served"] == served  # type: ignore[index]
    assert sum(step["served"] for step in report["steps"]) == served  # type: ignore[attr-defined]
    cost = sum(
        int(line["units"]) * round(float(line["unit_cost"]) * 10) for line in answer.plan or ()
    )
    assert float(str(report["cost"])) * 10 == pytest.approx(cost, abs=1e-6)
    for table in report["tables"].values():  # type: ignore[attr-defined]
        assert sum(row["served"] for row in table.values()) == served


def random_files(dice: random.Random) -> tuple[str, str, str, dict[str, int]]:
    """Files, and how much each need and offer may be used."""
    limits = {f"n{i}": dice.randint(1, 300) for i in range(30)}
    limits |= {f"o{j}": dice.randint(1, 300) for j in range(12)}
    kinds = {name: dice.choice(["rice", "quilt", "wheelchair"]) for name in limits}
    needs = "need_id,category,quantity,severity\n"
    offers = "offer_id,category,quantity,organization\n"
    pairs = "need_id,offer_id,cost\n"
    for name, amount in limits.items():
        if name.startswith("n"):
            needs += f"{name},{kinds[name]},{amount},{dice.randint(1, 100)}\n"
            pairs += "".join(
                f"{name},{other},{dice.randint(0, 500) / 10}\n"
                for other in limits
                if other.startswith("o") and kinds[other] == kinds[name] and dice.random() < 0.7
            )
        else:
            offers += f"{name},{kinds[name]},{amount},{dice.choice('ABC')}\n"
    return needs, offers, pairs, limits


def test_nothing_overflows_on_absurd_quantities_and_they_are_named(tmp_path: Path) -> None:
    rows = "".join(f"n{i},rice,{i + 1}\n" for i in range(20))
    needs = f"need_id,category,quantity\n{rows}absurd,rice,10000000000\n"
    offers = "offer_id,category,quantity\nhuge,rice,100000000000000\nsmall,rice,7\n"
    listed = [f"n{i}" for i in range(20)] + ["absurd"]
    pairs = "need_id,offer_id,cost\n" + "".join(
        f"{name},{offer},99999999.9999\n" for name in listed for offer in ("huge", "small")
    )

    answer = run(tmp_path, needs=needs, offers=offers, pairs=pairs)

    assert answer.code == 0, answer.stderr
    assert sum(units(answer).values()) == 10**10 + 210
    assert answer.report is not None
    assert Decimal(str(answer.report["cost"])) == (10**10 + 210) * Decimal("99999999.9999")
    assert "1 implausible quantities" in answer.stderr
    assert "absurd: 10,000,000,000 of rice (median 11)" in answer.stderr


def test_max_quantity_leaves_out_what_is_larger_and_its_pairs(tmp_path: Path) -> None:
    needs = "need_id,category,quantity\nn1,rice,100\nn2,rice,101\n"
    offers = "offer_id,category,quantity\no1,rice,50\no2,rice,5000\n"
    pairs = "need_id,offer_id\nn1,o1\nn1,o2\nn2,o1\nn2,o2\n"

    answer = run(tmp_path, "--max-quantity", "100", needs=needs, offers=offers, pairs=pairs)

    assert answer.code == 0, answer.stderr
    assert units(answer) == {("n1", "o1"): 50}
    assert "needs.csv: 1 of 2 rows left out" in answer.stderr


def test_first_come_first_served_goes_by_date_and_nearest_offer(tmp_path: Path) -> None:
    needs = (
        "need_id,category,quantity,date\n"
        "late,rice,10,2026-03-01\n"
        "undated,rice,10,\n"
        "early,rice,10,2026/2/1 08:30\n"
    )
    offers = "offer_id,category,quantity\nnear,rice,6\nfar,rice,8\n"
    pairs = "need_id,offer_id,cost\n" + "".join(
        f"{need},near,1\n{need},far,5\n" for need in ("late", "undated", "early")
    )

    answer = run(tmp_path, "--compare", needs=needs, offers=offers, pairs=pairs)

    assert answer.report is not None
    theirs = answer.report["first_come_first_served"]
    assert isinstance(theirs, dict)
    assert theirs["total"]["served"] == 14
    assert theirs["total"]["full"] == 1  # early: 6 near, 4 far
    assert theirs["total"]["none"] == 1  # undated: nothing is left
    assert theirs["cost"] == "46"
    assert answer.report["total"]["none"] == 0  # type: ignore[index]


def test_files_without_a_row_make_an_empty_plan(tmp_path: Path) -> None:
    answer = run(tmp_path, needs="need_id,category,quantity\n")

    assert answer.code == 0, answer.stderr
    assert answer.plan == []


def test_workbooks_are_read_and_written(tmp_path: Path) -> None:
    for name, rows in (
        ("needs", [["需求编号", "类别", "数量"], [7, "quilt", 3.0], [], ["x", "quilt", "1,000"]]),
        ("offers", [["供给编号", "类别", "数量"], ["o", "quilt", 5]]),
        ("pairs", [["供给编号", "需求编号", "成本（元）"], ["o", 7, 1.5], ["o", "x", 2]]),
    ):
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        book.save(tmp_path / f"{name}.data")
    command = [sys.executable, "-c", "from marketplace.cli import main; main()", "match"]
    for name in ("needs", "offers", "pairs"):
        command += [f"--{name}", f"{name}.data"]

    subprocess.run(
        [*command, "--out", "plan.xlsx", "--language", "en", "--policy", "leximin"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
        capture_output=True,
        check=True,
    )

    sheet = openpyxl.load_workbook(tmp_path / "plan.xlsx").worksheets[0]
    lines = [row[:4] for row in sheet.iter_rows(values_only=True)]
    assert lines[0] == ("need_id", "offer_id", "units", "unit_cost")
    assert sum(row[2] for row in lines[1:]) == 5
    assert {row[3] for row in lines[1:]} <= {1.5, 2}


def test_a_deadline_that_is_too_short_ends_with_3_and_a_feasible_plan(tmp_path: Path) -> None:
    dice = random.Random(7)
    needs = "need_id,category,quantity\n" + "".join(
        f"n{i},rice,{dice.randint(1, 50)}\n" for i in range(300)
    )
    offers = "offer_id,category,quantity\n" + "".join(
        f"o{j},rice,{dice.randint(1, 50)}\n" for j in range(200)
    )

    answer = run(tmp_path, "--deadline", "0.001", needs=needs, offers=offers)

    assert answer.code == 3, answer.stderr
    assert "Not proven: time ran out" in answer.stdout
    assert answer.plan is not None


def test_the_number_of_processes_changes_nothing(tmp_path: Path) -> None:
    needs, offers, pairs, _ = random_files(random.Random(11))

    alone = run(tmp_path, "--processes", "1", needs=needs, offers=offers, pairs=pairs)
    shared = run(tmp_path, "--processes", "2", needs=needs, offers=offers, pairs=pairs)

    assert alone.plan == shared.plan


@pytest.mark.parametrize(
    "options",
    [
        ["--floor-share", "1.5"],
        ["--floor-share", "1/0"],
        ["--policy", "best"],
        ["--max-quantity", "0"],
        ["--deadline", "0"],
        ["--pairs", "no-such-file.csv"],
    ],
)
def test_wrong_usage_ends_with_2_and_writes_nothing(tmp_path: Path, options: list[str]) -> None:
    answer = run(tmp_path, *options)

    assert answer.code == 2
    assert answer.plan is None


def test_an_input_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "plan.csv").write_text("need_id,offer_id\nn1,o1\n")

    answer = run(tmp_path, "--pairs", str(tmp_path / "plan.csv"))

    assert answer.code == 2
    assert (tmp_path / "plan.csv").read_text() == "need_id,offer_id\nn1,o1\n"


def test_the_report_names_files_by_digest_and_holds_the_proof(tmp_path: Path) -> None:
    answer = run(tmp_path)

    assert answer.report is not None
    files = answer.report["files"]
    assert isinstance(files, list)
    assert [len(file["sha256"]) for file in files] == [64, 64]
    plan = answer.report["plan"]
    assert isinstance(plan, dict)
    assert plan["certificate"]["optimal"] is True
    assert Counter(plan["level_asked"]).total() == len(plan["level_keys"])


def test_refused_files_leave_a_report_and_an_old_plan_alone(tmp_path: Path) -> None:
    (tmp_path / "plan.csv").write_text("need_id\nkept\n")

    answer = run(tmp_path, needs="need_id,category,quantity\nn1,rice,none\n")

    assert answer.code == 1
    assert answer.plan == [{"need_id": "kept"}]
    assert codes(answer) == [("needs.csv", "2", "quantity", "NOT_A_NUMBER")]


def test_a_plan_can_be_read_back_by_the_csv_module_whatever_the_ids(tmp_path: Path) -> None:
    needs = 'need_id,category,quantity\n"a,""b""",rice,1\n'

    answer = run(tmp_path, needs=needs)

    with (tmp_path / "plan.csv").open(newline="") as file:
        assert next(csv.DictReader(file))["need_id"] == 'a,"b"'
    assert answer.code == 0
