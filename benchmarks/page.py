"""docs/benchmarks.md: how it was measured, every goal met or missed, and the tables behind."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.report import Goal

PACKAGES = (
    "ortools",
    "pylmcf",
    "numpy",
    "scipy",
    "highspy",
    "PuLP",
    "networkx",
    "SQLAlchemy",
    "strawberry-graphql",
)

HEAD = """# Benchmarks

Written by `make bench`, not by hand. {machine}

**How to read.** Every comparison is a ratio of figures from one run on one machine: contenders
take turns, so that other load falls on all alike, and a figure is the median of the runs that
its section names. CPU seconds count child processes. A peer solves the same instance to the
same objective, and there is no ratio where it found another optimum. Goals were set before
measuring; a missed one stays in the table. All markets are synthetic and seeded; real requests
are in [real-data.md](real-data.md), and in weekly rounds beside another package's strategies in
[rounds.md](rounds.md).

**Again.** `make bench` (about 20 minutes on two idle cores), `make bench ARGS=--quick` (tiny
sizes: whether it runs at all, nothing is written), `make bench ARGS=--large` (a million needs,
too), `make bench ARGS="--only peers"` (one section anew, the others as they were).
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a section said, on which day."""

    title: str
    day: str
    note: str
    text: str
    goals: list[Goal]

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Measured:
        plain = json.loads(text)
        return cls(**{**plain, "goals": [Goal(**goal) for goal in plain["goals"]]})


def page(sections: list[Measured]) -> str:
    """The whole page."""
    lines = [HEAD.format(machine=_machine()), "## Goals\n"]
    lines += ["| what | goal | measured | |", "| --- | ---: | ---: | --- |"]
    lines += [
        f"| {goal.what} | {goal.goal} | {goal.measured} | {goal.verdict} |"
        for section in sections
        for goal in section.goals
    ]
    for section in sections:
        when = f"*{section.day}{'; ' + section.note if section.note else ''}.*"
        lines += [f"\n## {section.title}\n", f"{when}\n", section.text.strip()]
    return "\n".join(lines) + "\n"


def _machine() -> str:
    cores = os.cpu_count() or 0
    packages = ", ".join(f"{name} {found}" for name in PACKAGES if (found := _version(name)))
    memory = f", {_memory_gb():.0f} GB" if _memory_gb() else ""
    return (
        f"Measured on {cores} cores{memory}, {platform.system()}, "
        f"Python {platform.python_version()}, {packages}."
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _memory_gb() -> float:
    try:
        first = Path("/proc/meminfo").read_text(encoding="ascii").split(maxsplit=2)
    except OSError:
        return 0.0
    return int(first[1]) / 1024**2
