"""How the command line speaks: one console, progress bars, and errors that say what to do."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from marketplace.domain.errors import Language, Text

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

Advance = Callable[[float, str], None]


def language() -> Language:
    """Chinese where the terminal's locale is Chinese, else English."""
    for name in ("AIDLOOP_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name, "")
        if value:
            return "zh-CN" if value.lower().startswith("zh") else "en"
    return "en"


def say(text: Text) -> None:
    out.print(text.said_in(language()))


def refuse(message: str) -> None:
    # Escaped: of "aidloop[dask]" nothing would be left of what to install.
    err.print(f"[bold red]✗[/] {escape(message)}", soft_wrap=True)


@contextmanager
def progress(title: str) -> Iterator[Advance]:
    """A bar for what takes over a second; call what is yielded with a share 0..1 and a stage."""
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=32),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[stage]}"),
        console=err,
    ) as bars:
        task = bars.add_task(title, total=1.0, stage="")

        def advance(share: float, stage: str = "") -> None:
            bars.update(task, completed=min(max(share, 0.0), 1.0), stage=stage)

        yield advance
        bars.update(task, completed=1.0, stage="")
