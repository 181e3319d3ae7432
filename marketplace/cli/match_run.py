"""What aidloop match does once its options are read: match, write, show."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from json import dumps
from pathlib import Path
from typing import Literal, NoReturn

import typer

from marketplace.cli import console
from marketplace.cli.match_view import show_faults, show_matched
from marketplace.domain.errors import DomainError, InvalidInput, Language, Text
from marketplace.services.matchfiles.faults import FilesRefused
from marketplace.services.matchfiles.report import faults_report, matched_report
from marketplace.services.matchfiles.running import Matched, MatchFiles, match_files
from marketplace.services.matchfiles.writing import write_plan, write_whole
from marketplace.services.reports.charts import chart_specs
from marketplace.services.reports.drawing import CannotDraw, check_can_draw, draw
from matching import Policy

REFUSED, DEADLINE = 1, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The options of the command, checked one by one."""

    needs: Path
    offers: Path
    pairs: Path | None
    out: Path
    json: Path | None
    report: Path | None
    order: Literal["floor", "leximin", "severity", "weighted"]
    floor_share: Fraction
    max_quantity: int | None
    skip_bad: bool
    compare: bool
    deadline_s: float | None
    processes: int | None
    speaks: Language


def run(wanted: Wanted) -> None:
    """Match the files. Raises typer.Exit with 1 (refused) or 3 (not proven in time)."""
    asked = MatchFiles(
        needs=wanted.needs,
        offers=wanted.offers,
        pairs=wanted.pairs,
        policy=Policy(order=wanted.order, floor_share=wanted.floor_share),
        max_quantity=wanted.max_quantity,
        skip_bad=wanted.skip_bad,
        deadline_s=wanted.deadline_s,
        processes=wanted.processes,
        compare=wanted.compare,
    )
    try:
        if wanted.report is not None:
            check_can_draw()  # before an hour of solving, not after it
        matched = _matched(asked, wanted.speaks)
    except CannotDraw as missing:
        console.refuse(missing.said.said_in(wanted.speaks))
        raise typer.Exit(REFUSED) from None
    except (FilesRefused, InvalidInput) as refusal:
        _refuse(refusal, wanted)
    try:
        lines = write_plan(wanted.out, matched.market, matched.plan, wanted.speaks)
        if wanted.json is not None:
            _write_json(wanted.json, matched_report(matched))
        if wanted.report is not None:
            write_whole(wanted.report, _page(matched, wanted.speaks))
    except OSError as fault:
        said = Text(f"The plan cannot be written: {fault}.", f"无法写入方案：{fault}。")
        console.refuse(said.said_in(wanted.speaks))
        raise typer.Exit(REFUSED) from None
    show_matched(matched, wanted.out, lines, wanted.speaks)
    if matched.plan.status != "optimal":
        raise typer.Exit(DEADLINE)


def _page(matched: Matched, speaks: Language) -> str:
    # Here, not above: most matches draw nothing, and need no template engine for it.
    from marketplace.services.matchfiles.picture import picture_of
    from marketplace.services.reports.page import page

    picture = picture_of(matched, speaks)
    return page(picture, draw(chart_specs(picture, speaks)), speaks)


def _matched(asked: MatchFiles, speaks: Language) -> Matched:
    with console.progress(Text("Matching", "匹配").said_in(speaks)) as advance:
        return match_files(asked, lambda done, stage: advance(done, stage.said_in(speaks)))


def _refuse(refusal: DomainError, wanted: Wanted) -> NoReturn:
    count = refusal.count if isinstance(refusal, FilesRefused) else len(refusal.faults)
    show_faults(refusal.faults, count, wanted.speaks, refused=True)
    if wanted.json is not None:
        faults = faults_report(refusal.faults)
        _write_json(wanted.json, {"outcome": "refused", "count": count, "faults": faults})
    raise typer.Exit(REFUSED)


def _write_json(path: Path, plain: dict[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dumps(plain, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
