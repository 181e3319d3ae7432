"""make bench: every benchmark in turn; prints Markdown and writes docs/benchmarks.md."""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.page import Measured, page
from benchmarks.report import FILE, Goal

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A module that is run in a process of its own, and the heading of what it says."""

    name: str
    title: str
    arguments: tuple[str, ...]
    quick: tuple[str, ...] = ("--quick",)


SECTIONS = (
    Section(
        name="peers",
        title="One county against other solvers",
        arguments=("benchmarks.matching",),
    ),
    Section(
        name="good",
        title="Good done, against greedy rules",
        arguments=("benchmarks.matching.good",),
    ),
    Section(
        name="whole",
        title="A whole run over its bare solver calls",
        arguments=("benchmarks.matching.whole",),
    ),
    Section(
        name="replan",
        title="Planning anew after a change",
        arguments=("benchmarks.matching.replanned",),
        quick=("--needs", "2000", "--counties", "20", "--new", "2", "--runs", "1"),
    ),
    Section(name="rules", title="Markets with rules", arguments=("benchmarks.matching.ruled",)),
    Section(
        name="sqlite",
        title="A plan in the database: SQLite",
        arguments=("benchmarks.planning",),
    ),
    Section(
        name="postgresql",
        title="A plan in the database: PostgreSQL",
        arguments=("benchmarks.planning", "--own-postgresql"),
    ),
    Section(
        name="impact",
        title="What an offer would do, asked before it is posted",
        arguments=("benchmarks.planning.impact",),
        quick=("--needs", "500", "--offers", "20"),
    ),
    Section(
        name="loop",
        title="A county's month through the services",
        arguments=("benchmarks.loop",),
    ),
    Section(
        name="graphql",
        title="GraphQL against an ORM with DataLoaders",
        arguments=("benchmarks.graphql",),
    ),
)
LARGE = Section(
    name="large",
    title="A million needs",
    arguments=("benchmarks.matching.whole", "--large-only"),
)


def main() -> int:
    """0 when every section ran to its end, however the goals were met: figures are no tests."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="tiny sizes, nothing is written")
    parser.add_argument("--large", action="store_true", help="a million needs, too")
    parser.add_argument("--only", nargs="*", default=[], help="measure these, keep the others")
    parser.add_argument("--page", action="store_true", help="only write the page anew")
    parser.add_argument("--note", default="", help="a sentence about the machine at the time")
    parser.add_argument(
        "--results",
        type=Path,
        default=Path(os.environ.get("AIDLOOP_DATA_DIR", "var")) / "benchmarks",
        help="where the figures of each section are kept",
    )
    options = parser.parse_args()
    sections = (*SECTIONS, LARGE)
    if options.page:
        _write(options.results)
        return 0
    strange = set(options.only) - {section.name for section in sections}
    if strange:
        parser.error(f"no section {', '.join(sorted(strange))}")
    chosen = [
        section
        for section in sections
        if section.name in options.only
        or (not options.only and (section is not LARGE or options.large))
    ]
    broken = []
    for section in chosen:
        print(f"\n## {section.title}\n", flush=True)
        measured = _run(section, quick=options.quick, note=options.note)
        if measured is None:
            broken.append(section.name)
        elif not options.quick:
            _keep(options.results, section, measured)
            _write(options.results)
    if broken:
        print(f"\nBroken off: {', '.join(broken)}.")
    return 1 if broken else 0


def _run(section: Section, *, quick: bool, note: str) -> Measured | None:
    """None where it ended with a fault instead of figures."""
    with tempfile.NamedTemporaryFile("r", suffix=".jsonl", encoding="utf-8") as told:
        command = [sys.executable, "-m", *section.arguments, *(section.quick if quick else ())]
        done = subprocess.run(
            command,
            check=False,
            env={**os.environ, FILE: told.name},
            stdout=subprocess.PIPE,
            text=True,
        )
        print(done.stdout, flush=True)
        entries = [json.loads(line) for line in told]
    lines = [entry["text"] for entry in entries if "text" in entry]
    goals = [Goal(**entry["goal"]) for entry in entries if "goal" in entry]
    if not entries:
        lines = done.stdout.splitlines()
        goals = _impact(done.stdout)
    if not lines and not goals:
        return None
    if done.returncode not in (0, 1) or not goals:
        return None
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    return Measured(title=section.title, day=day, note=note, text="\n".join(lines), goals=goals)


def _impact(said: str) -> list[Goal]:
    """The goal inside the one line that the section about offers prints."""
    found = re.search(r"^(offerImpact at [\d,]+ needs).*p95 (\d+) ms \(goal: at most (\d+)\)", said)
    if found is None:
        return []
    what, p95, most = found[1], int(found[2]), int(found[3])
    goal, measured = f"≤ {most} ms", f"{p95} ms"
    return [Goal(what=f"{what}, p95", goal=goal, measured=measured, met=p95 <= most)]


def _keep(folder: Path, section: Section, measured: Measured) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{section.name}.json").write_text(measured.to_json(), encoding="utf-8")


def _write(folder: Path) -> None:
    """The page of all sections that have figures, new or kept."""
    files = [folder / f"{section.name}.json" for section in (*SECTIONS, LARGE)]
    kept = [Measured.from_json(file.read_text("utf-8")) for file in files if file.exists()]
    PAGE.write_text(page(kept), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
