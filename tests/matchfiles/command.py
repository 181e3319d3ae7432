"""The command on small files, in this process; one test runs it as a person does."""

from __future__ import annotations

import csv
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import typer
from typer.testing import CliRunner

from marketplace.cli.match import match

NEEDS = "need_id,category,quantity\nn1,rice,8\nn2,rice,4\n"
OFFERS = "offer_id,category,quantity,organization\no1,rice,5,Charity\no2,quilt,9,Mill\n"

APP = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
APP.command()(match)


@dataclass(frozen=True)
class Answer:
    """What the command did: exit code, texts, and the files it wrote (None: not written)."""

    code: int
    stdout: str
    stderr: str
    plan: list[dict[str, str]] | None
    report: dict[str, object] | None


def run(
    folder: Path,
    *options: str,
    needs: str | bytes = NEEDS,
    offers: str | bytes = OFFERS,
    pairs: str | bytes | None = None,
) -> Answer:
    """Write the files, match them, and read the plan and the report back."""
    arguments = ["--language", "en", *options]
    for name, content in (("needs", needs), ("offers", offers), ("pairs", pairs)):
        if content is not None:
            path = folder / f"{name}.csv"
            path.write_bytes(content.encode() if isinstance(content, str) else content)
            arguments += [f"--{name}", str(path)]
    plan, report = folder / "plan.csv", folder / "report.json"
    arguments += ["--out", str(plan), "--json", str(report)]
    answer = CliRunner().invoke(APP, arguments, catch_exceptions=False)
    return Answer(
        answer.exit_code,
        answer.stdout,
        answer.stderr,
        read_plan(plan),
        json.loads(report.read_text("utf-8")) if report.exists() else None,
    )


def read_plan(path: Path) -> list[dict[str, str]] | None:
    if not path.exists():
        return None
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def units(answer: Answer) -> dict[tuple[str, str], int]:
    """Units by need and offer."""
    assert answer.plan is not None, answer.stderr
    return {(line["need_id"], line["offer_id"]): int(line["units"]) for line in answer.plan}


def sums(answer: Answer, column: str) -> Counter[str]:
    """Units by the text in a column of the plan."""
    total: Counter[str] = Counter()
    for line in answer.plan or ():
        total[line[column]] += int(line["units"])
    return total


def codes(answer: Answer) -> list[tuple[object, ...]]:
    """(file, row, column, code) of every fault in the report."""
    assert answer.report is not None
    faults = answer.report["faults"]
    assert isinstance(faults, list)
    return [(*fault["field"], fault["code"]) for fault in faults]
