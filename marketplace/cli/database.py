"""Looking after the database: migrating it, and finding what is wrong."""

from __future__ import annotations

import asyncio

import typer

from marketplace.cli import console
from marketplace.domain.errors import Text
from marketplace.persistence import migrations
from marketplace.services.doctor import Finding, examine
from marketplace.settings import Settings


def migrate() -> None:
    """Bring the database to this version's tables; safe to run twice, or two at once."""
    settings = Settings.from_env()
    url = migrations.url_of(settings.url)
    before = migrations.current(url)
    with console.progress(Text("Migrating", "迁移数据库").said_in(console.language())):
        migrations.migrate(url)
    after = migrations.current(url)
    console.say(
        Text(f"The database is at {after} already.", f"数据库已是最新版本 {after}。")
        if before == after
        else Text(
            f"Migrated from {before or 'nothing'} to {after}.",
            f"已由 {before or '空'} 迁移至 {after}。",
        )
    )


def doctor() -> None:
    """Check settings, database, keys and invariants; say what to do about each finding."""
    findings = asyncio.run(examine(Settings.from_env()))
    for finding in findings:
        show(finding)
    if any(not finding.healthy for finding in findings):
        raise typer.Exit(1)


def show(finding: Finding) -> None:
    mark = "[green]✓[/]" if finding.healthy else "[bold red]✗[/]"
    console.out.print(f"{mark} {finding.text.said_in(console.language())}", soft_wrap=True)
    if finding.remedy is not None:
        console.out.print(f"  → {finding.remedy.said_in(console.language())}", soft_wrap=True)
