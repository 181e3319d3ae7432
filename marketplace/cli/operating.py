"""Running a market for real: reference data, accounts with their keys, verified organizations."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer
from rich.table import Table

from marketplace.cli import console
from marketplace.cli.serving import ready
from marketplace.domain.errors import Text
from marketplace.domain.permissions import Role, Viewer
from marketplace.domain.registry.accounts import CreateAccount
from marketplace.persistence import migrations
from marketplace.persistence.database import Database
from marketplace.services.acting import Act
from marketplace.services.registry import (
    accounts,
    categories,
    lines,
    lookups,
    organizations,
    regions,
)
from marketplace.services.registry.sealing import sealer_of
from marketplace.settings import Settings

T = TypeVar("T")
Id = Annotated[int, typer.Argument(min=1, help="The number that 'account list' shows.")]

account = typer.Typer(
    help="Accounts and their keys: create, list, rotate-key, disable.", no_args_is_help=True
)
# Whoever can run commands on the server's own database is the operator; no account stands behind.
OPERATOR = Act(viewer=Viewer(role=Role.ADMIN))


def setup() -> None:
    """Prepare an empty database for service: tables, sealing keys, regions and categories.

    Safe to run again: it brings what is there up to date. Then create accounts.
    """
    settings = Settings.from_env()
    migrations.migrate(migrations.url_of(settings.url))
    sealer_of(settings)

    async def load(database: Database) -> None:
        with console.progress(Text("Regions", "行政区划").said_in(console.language())):
            await regions.load(database, regions.from_package())
        with console.progress(Text("Categories", "类别").said_in(console.language())):
            await categories.load(database, categories.from_package())
            await lines.seed(database)

    _with_database(settings, load)
    console.say(
        Text(
            "Ready. Create the first account: aidloop account create --role CHARITY_OFFICER "
            "--name NAME --region 361027",
            "已就绪。请创建第一个账号：aidloop account create --role CHARITY_OFFICER "
            "--name 姓名 --region 361027",
        )
    )


def verify(
    reference: Annotated[
        str, typer.Argument(help="G-2026-000123, or the organization's external reference.")
    ],
) -> None:
    """Let an organization's offers open, after its papers were checked."""

    async def verified(database: Database) -> None:
        found = await lookups.organization_of_reference(database, reference)
        act = Act(viewer=Viewer(role=Role.CHARITY_OFFICER))
        await organizations.verify(database, act, found)

    _run(verified)
    console.say(Text(f"{reference} is verified.", f"{reference} 已通过核验。"))


@account.command("create")
def create(
    role: Annotated[Role, typer.Option(help="What the account may do.")],
    name: Annotated[str, typer.Option(help="Whose it is; shown in the audit log.")],
    region: Annotated[
        str | None, typer.Option(help="Region code that bounds an officer, such as 361027.")
    ] = None,
    organization: Annotated[
        str | None, typer.Option(help="Reference of the organization that a provider acts for.")
    ] = None,
) -> None:
    """Make an account and its first key; the key is printed now and never again."""

    async def made(database: Database) -> tuple[int, accounts.IssuedKey]:
        command = CreateAccount(
            name=name,
            role=role,
            region_id=await lookups.region_of_code(database, region) if region else None,
            organization_id=(
                await lookups.organization_of_reference(database, organization)
                if organization
                else None
            ),
        )
        account_id = await accounts.create(database, OPERATOR, command)
        return account_id, await accounts.issue_key(database, OPERATOR, account_id)

    account_id, issued = _run(made)
    _show(account_id, issued)


@account.command("rotate-key")
def rotate_key(account_id: Id) -> None:
    """Issue a new key and end the old ones at once."""

    async def rotated(database: Database) -> accounts.IssuedKey:
        known = await lookups.accounts_with_keys(database)
        issued = await accounts.issue_key(database, OPERATOR, account_id)
        for row in known:
            if row["id"] == account_id and row["key_id"] is not None:
                await accounts.revoke_key(database, OPERATOR, int(row["key_id"]))
        return issued

    _show(account_id, _run(rotated))


@account.command("disable")
def disable(account_id: Id) -> None:
    """End an account with all its keys; what it did stays under its name."""

    async def disabled(database: Database) -> None:
        await accounts.disable(database, OPERATOR, account_id)

    _run(disabled)
    console.say(Text(f"Account {account_id} is disabled.", f"账号 {account_id} 已停用。"))


@account.command("list")
def listed() -> None:
    """Show every account with the prefixes of its keys."""
    table = Table(show_edge=False)
    for heading in (
        Text("no.", "编号"),
        Text("role", "角色"),
        Text("name", "名称"),
        Text("key", "密钥"),
    ):
        table.add_column(heading.said_in(console.language()))
    for row in _run(lookups.accounts_with_keys):
        ended = Text("disabled", "已停用").said_in(console.language())
        prefix = ended if row["disabled_at"] is not None else f"{row['prefix'] or '-'}…"
        table.add_row(str(row["id"]), row["role"], row["name"], prefix)
    console.out.print(table)


def _show(account_id: int, issued: accounts.IssuedKey) -> None:
    console.say(
        Text(
            f"Account {account_id}. Its key, shown only now:",
            f"账号 {account_id}。密钥仅显示这一次：",
        )
    )
    console.out.print(issued.key, soft_wrap=True)


def _run(do: Callable[[Database], Awaitable[T]]) -> T:
    settings = Settings.from_env()
    ready(settings)
    return _with_database(settings, do)


def _with_database(settings: Settings, do: Callable[[Database], Awaitable[T]]) -> T:
    async def done() -> T:
        database = Database(settings.url)
        try:
            return await do(database)
        finally:
            await database.close()

    return asyncio.run(done())
