"""The command line: one command a use case of whoever runs or feeds a market."""

from __future__ import annotations

import sys

import typer

from marketplace.cli import console
from marketplace.cli.database import doctor, migrate
from marketplace.cli.demo import demo
from marketplace.cli.importing import import_file
from marketplace.cli.indexing import index
from marketplace.cli.match import match
from marketplace.cli.operating import account, setup, verify
from marketplace.cli.serving import schema, serve, worker
from marketplace.domain.errors import DomainError, TopLevelError
from marketplace.persistence.migrations import MigrationFailed
from marketplace.settings import SettingsError

app = typer.Typer(
    name="aidloop",
    help="Aidloop: needs, offers, and a plan that proves how good it is. "
    "Settings come from AIDLOOP_… variables (see the README).",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.command("setup")(setup)
app.command("serve")(serve)
app.command("worker")(worker)
app.command("migrate")(migrate)
app.command("demo")(demo)
app.command("doctor")(doctor)
app.command("import")(import_file)
app.command("index")(index)
app.command("match")(match)
app.command("schema")(schema)
app.command("verify")(verify)
app.add_typer(account, name="account")


def main() -> None:
    """The console script; refusals are said in a sentence, never as a stack trace."""
    try:
        app()
    except (SettingsError, MigrationFailed) as refusal:
        console.refuse(str(refusal))
        sys.exit(1)
    except OSError as trouble:
        where = f": {trouble.filename}" if trouble.filename else ""
        console.refuse(f"{trouble.strerror or trouble}{where}")
        sys.exit(1)
    except TopLevelError as refusal:
        console.refuse(refusal.said.said_in(console.language()))
        sys.exit(1)
    except DomainError as refusal:
        for fault in refusal.faults:
            console.refuse(fault.text.said_in(console.language()))
        sys.exit(1)
