"""What a benchmark says: lines of Markdown, and goals met or missed; also told to the runner."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = "AIDLOOP_BENCH_REPORT"  # names the file that the runner reads


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A row of the table of goals; `met` is None where something is only reported."""

    what: str
    goal: str
    measured: str
    met: bool | None = None

    @property
    def verdict(self) -> str:
        return {True: "met", False: "**missed**", None: "reported"}[self.met]


def say(text: str = "") -> None:
    """A line of Markdown. Solvers print banners of their own, so the runner reads a file."""
    print(text, flush=True)
    _tell({"text": text})


def told(goal: Goal) -> bool:
    """Say how a goal was met; False where it was missed."""
    print(f"{goal.what}: {goal.measured} (goal: {goal.goal}; {goal.verdict})", flush=True)
    _tell({"goal": asdict(goal)})
    return goal.met is not False


def at_least(what: str, times: float, least: float, note: str = "") -> bool:
    """A ratio that should be large."""
    goal, measured = f"≥ {least:g}×", f"{times:.1f}×{note}"
    return told(Goal(what=what, goal=goal, measured=measured, met=times >= least))


def at_most(what: str, value: float, most: float, unit: str = "×", note: str = "") -> bool:
    """A ratio, time or size that should be small."""
    goal, measured = f"≤ {most:g}{unit}", f"{value:.2f}{unit}{note}"
    return told(Goal(what=what, goal=goal, measured=measured, met=value <= most))


def reported(what: str, measured: str) -> bool:
    """A figure without a limit."""
    return told(Goal(what=what, goal="reported", measured=measured))


def _tell(entry: dict[str, object]) -> None:
    if FILE in os.environ:
        with Path(os.environ[FILE]).open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry, ensure_ascii=False) + "\n")
