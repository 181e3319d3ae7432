"""Bringing in files: needs, offers, households, organizations and cross-checks from CSV or XLSX."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from marketplace.cli import console
from marketplace.cli.serving import ready
from marketplace.domain.errors import Text
from marketplace.persistence.database import Database
from marketplace.services import importing
from marketplace.services.registry.sealing import sealer_of
from marketplace.settings import Settings

SHOWN_MAX = 50


class Kind(StrEnum):
    NEEDS = "needs"
    OFFERS = "offers"
    HOUSEHOLDS = "households"
    ORGANIZATIONS = "organizations"
    CROSS_CHECKS = "cross-checks"


def import_file(
    kind: Annotated[Kind, typer.Argument(help="What the rows of the file are.")],
    path: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, readable=True, help="A .csv or .xlsx file."),
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check every row, write nothing.")
    ] = False,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Import the good rows; without it, all or nothing.")
    ] = False,
    max_quantity: Annotated[
        int | None, typer.Option(min=1, help="Leave out rows that ask for or offer more.")
    ] = None,
) -> None:
    """Import a CSV (UTF-8 or GB18030) or XLSX file with English or Chinese headings.

    Every bad row is reported by number, column and reason. A row whose external reference is there
    already is left as it is, so that a file can be sent twice.
    """
    settings = Settings.from_env()
    ready(settings)
    options = importing.ImportOptions(dry_run=dry_run, skip_bad=skip_bad, max_quantity=max_quantity)
    report = asyncio.run(_run(settings, kind, path.name, path.read_bytes(), options))
    show(report)
    if report.problems and not skip_bad:
        raise typer.Exit(1)


async def _run(
    settings: Settings, kind: Kind, name: str, data: bytes, options: importing.ImportOptions
) -> importing.ImportReport:
    database = Database(settings.url)
    try:
        with console.progress(Text("Importing", "导入").said_in(console.language())) as advance:
            return await importing.run(
                database,
                sealer_of(settings),
                kind.value,
                data,
                name,
                options,
                advance,
            )
    finally:
        await database.close()


def show(report: importing.ImportReport) -> None:
    """Print what was imported, and every row that was not, by number, column and reason."""
    language = console.language()
    for title, style, found in (
        (Text("Not imported", "未导入"), "red", report.problems),
        (Text("Please look at", "请核对"), "yellow", report.warnings),
    ):
        if not found:
            continue
        table = Table(title=title.said_in(language), title_style=style, show_edge=False)
        for heading in (Text("row", "行"), Text("column", "列"), Text("reason", "原因")):
            table.add_column(heading.said_in(language))
        for problem in found[:SHOWN_MAX]:
            table.add_row(str(problem.row), problem.column, problem.text.said_in(language))
        console.out.print(table)
        if len(found) > SHOWN_MAX:
            more = len(found) - SHOWN_MAX
            console.say(Text(f"… and {more} more.", f"……另有 {more} 条。"))
    console.say(
        Text(
            f"{report.rows} rows read, {report.imported} imported, {report.already_there} already "
            f"there, {report.left_out} left out, {len(report.problems)} problems.",
            f"共读取 {report.rows} 行，导入 {report.imported} 行，"
            f"已存在 {report.already_there} 行，略去 {report.left_out} 行，"
            f"有问题 {len(report.problems)} 处。",
        )
    )
    if not report.written:
        console.say(Text("Nothing was written.", "未写入任何数据。"))
