"""aidloop match: the optimizer without a server, on files."""

from __future__ import annotations

from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Annotated

import typer

from marketplace.cli import console
from marketplace.domain.errors import Language
from marketplace.services.importing.cells import share


class PolicyOrder(StrEnum):
    """Which units come first; see docs/match.md."""

    FLOOR = "floor"
    LEXIMIN = "leximin"
    SEVERITY = "severity"
    WEIGHTED = "weighted"


class Tongue(StrEnum):
    """The language of messages and of the plan's headings."""

    ZH = "zh"
    EN = "en"


def _file_option(help_text: str) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(
        help=help_text, exists=True, dir_okay=False, readable=True
    )
    return option


def match(
    needs: Annotated[Path, _file_option("Needs: CSV (UTF-8, GB18030) or XLSX.")],
    offers: Annotated[Path, _file_option("Offers: CSV or XLSX.")],
    out: Annotated[
        Path, typer.Option(dir_okay=False, help="The plan to write: plan.csv or plan.xlsx.")
    ],
    pairs: Annotated[
        Path | None,
        _file_option(
            "Pairs that may meet, with their cost. Without it they are built from category, "
            "region, target groups and coordinates."
        ),
    ] = None,
    policy: Annotated[PolicyOrder, typer.Option(help="Whose units come first.")] = (
        PolicyOrder.FLOOR
    ),
    floor_share: Annotated[
        str, typer.Option(help="Share of every need that comes first (policy floor).")
    ] = "1/4",
    max_quantity: Annotated[
        int | None, typer.Option(min=1, help="Leave out needs and offers larger than this.")
    ] = None,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave bad rows out instead of refusing the files.")
    ] = False,
    compare: Annotated[
        bool, typer.Option("--compare", help="Show what first come, first served would do.")
    ] = False,
    deadline: Annotated[
        float | None, typer.Option(min=0.001, help="Seconds for solving; then exit code 3.")
    ] = None,
    processes: Annotated[
        int | None, typer.Option(min=1, max=256, help="Processes that solve; default: all cores.")
    ] = None,
    json: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Write the whole report as JSON.")
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False, help="Write a picture of the plan: one HTML page for screen and print."
        ),
    ] = None,
    language: Annotated[
        Tongue | None, typer.Option(help="Language; default: that of the terminal.")
    ] = None,
) -> None:
    """Match needs with offers from files, without a server, and prove the plan.

    Columns, rules and the proof are explained in docs/match.md.

    Exit codes: 0 done and proven; 1 input refused, nothing written; 2 wrong usage;
    3 not proven within the deadline, the plan so far is written.
    """
    _refuse_overwriting(
        (("--out", out), ("--json", json), ("--report", report)), needs, offers, pairs
    )
    # Here, not above: the server and the other commands start without numpy and the solvers.
    from marketplace.cli.match_run import Wanted, run

    run(
        Wanted(
            needs=needs,
            offers=offers,
            pairs=pairs,
            out=out,
            json=json,
            report=report,
            order=policy.value,
            floor_share=_share(floor_share),
            max_quantity=max_quantity,
            skip_bad=skip_bad,
            compare=compare,
            deadline_s=deadline,
            processes=processes,
            speaks=_language(language),
        )
    )


def _language(chosen: Tongue | None) -> Language:
    if chosen is None:
        return console.language()
    return "zh-CN" if chosen is Tongue.ZH else "en"


def _share(text: str) -> Fraction:
    try:
        return share(text)
    except (ValueError, ZeroDivisionError):
        raise typer.BadParameter(
            "a share from 0 to 1 is wanted, such as 1/4, 0.25 or 25%", param_hint="--floor-share"
        ) from None


def _refuse_overwriting(outputs: tuple[tuple[str, Path | None], ...], *inputs: Path | None) -> None:
    """What is read is never written over, by a slip of the command line."""
    taken = [path.resolve() for path in inputs if path is not None]
    for hint, path in outputs:
        if path is not None and path.resolve() in taken:
            raise typer.BadParameter("this file is read by the same command", param_hint=hint)
        if path is not None:
            taken.append(path.resolve())
