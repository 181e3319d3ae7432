"""The demo: the county of Jinxi in one command, from an empty folder to a served plan."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from marketplace.cli import console
from marketplace.cli.asking import TROUBLE, Asking
from marketplace.cli.serving import server_config
from marketplace.domain.errors import Text
from marketplace.persistence import migrations
from marketplace.persistence.database import Database
from marketplace.services import demo as county
from marketplace.services.registry.sealing import sealer_of
from marketplace.settings import Settings

KEYS = "keys.json"
# Of today's market: the plans of the story before it are of 2023.
PLANS = """{ plans(first: 1, where: {createdAt: {gte: "2024-01-01T00:00:00Z"}}) {
  nodes { id status reference reportLink } } }"""
PLAN_CREATE = """mutation { planCreate(input: {idempotencyKey: "demo"}) {
  plan { id } userErrors { message } } }"""
PLAN = """query ($id: ID!) { node(id: $id) { ... on Plan {
  reference status progress needCount offerCount needsServed unitsAsked unitsServed error } } }"""
STORY = (
    '{ loopStatistics(from: "2023-01-01", to: "2023-09-30") { personTimesChecked '
    "subsistenceAllowanceEnrolled temporaryAssistanceGranted personTimesHelpedByCharity "
    "visits acknowledgedInTimeShare medianDaysFromNeedToDelivery } }"
)
SHOWN = (
    (
        Text("What is open in the market (no key: anyone may ask)", "市场上公开的需求（无需密钥）"),
        None,
        "{ publishedNeeds(first: 2) { totalCount nodes { reference severityBand "
        "category { label(language: EN) } region { name } quantity { value unit } } } }",
    ),
    (
        Text(
            "January to September 2023, computed from the records (docs/story.md)",
            "2023 年 1 至 9 月，由业务记录统计得出（docs/story.md）",
        ),
        None,
        STORY,
    ),
    (
        Text("The plan, as the charity desk sees it", "慈善口看到的匹配方案"),
        "CHARITY_OFFICER",
        "{ plans(first: 1) { nodes { reference status needCount offerCount needsServed "
        "proof { optimal gap sentence } } } }",
    ),
    (
        Text("Who am I, and what may I do", "我是谁，可以做什么"),
        "PROVIDER",
        "{ viewer { role accountName allowedMutations } }",
    ),
)


def demo(
    reset: Annotated[
        bool, typer.Option("--reset", help="Throw the demo's data away and start afresh.")
    ] = False,
    once: Annotated[
        bool, typer.Option("--once", help="Load, plan and print, then stop instead of serving on.")
    ] = False,
    story: Annotated[
        bool,
        typer.Option(
            "--story/--no-story",
            help="Live through January to September 2023 first, or load today's market alone.",
        ),
    ] = True,
) -> None:
    """Load the county of Jinxi, compute a plan with its proof, and serve it.

    Started again it goes on with the same data. Ctrl-C stops it.
    """
    settings = Settings.from_env()
    if settings.profile == "production":
        console.refuse("The demo's keys are for trying out: unset AIDLOOP_PROFILE=production.")
        raise typer.Exit(1)
    server_config(settings)
    _refuse_a_taken_port(settings)
    if reset:
        _reset(settings)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    _begin_afresh_if_broken_off(settings)
    with console.progress(Text("Tables", "数据库表").said_in(console.language())):
        migrations.migrate(migrations.url_of(settings.url))
    try:
        asyncio.run(_run(settings, once=once, story=story))
    except KeyboardInterrupt:
        console.say(
            Text(
                f"Stopped. The data stays in {settings.data_dir}; start again to go on.",
                f"已停止。数据保留在 {settings.data_dir}，再次启动即可继续。",
            )
        )


async def _run(settings: Settings, *, once: bool, story: bool) -> None:
    keys = await _county(settings, story=story)
    server = uvicorn.Server(server_config(settings))
    serving = asyncio.create_task(server.serve())
    try:
        while not server.started:
            if serving.done():
                await serving
                raise typer.Exit(1)
            await asyncio.sleep(0.05)
        asking = Asking(f"http://{settings.host}:{settings.port}/graphql", console.language())
        await _plan(asking, keys["CHARITY_OFFICER"])
        await _print(asking, settings, keys)
        if once:
            server.should_exit = True
        await serving
    except TROUBLE as trouble:
        console.refuse(str(trouble))
        raise typer.Exit(1) from None
    finally:
        server.should_exit = True
        if not serving.done():
            await serving


async def _county(settings: Settings, *, story: bool) -> dict[str, str]:
    """The county loaded, once; its keys from the folder, or new ones where they were lost."""
    path = settings.data_dir / KEYS
    database = Database(settings.url)
    try:
        if await county.is_loaded(database):
            kept = _kept(path)
            if kept is not None:
                return kept
            keys = dict(await county.new_keys(database))
        else:
            title = Text("The county of Jinxi", "金溪县").said_in(console.language())
            sealer, lived = sealer_of(settings), settings if story else None
            with console.progress(title) as advance:
                keys = dict((await county.load(database, sealer, advance, story=lived)).keys)
    finally:
        await database.close()
    _keep(path, keys)
    return keys


async def _plan(asking: Asking, key: str) -> None:
    """Ask for the first plan over GraphQL, as the charity desk does, and wait for it."""
    title = Text("A plan, with its proof", "匹配方案与最优性证明").said_in(console.language())
    with console.progress(title) as advance:
        known = (await asking.ask(PLANS, key=key)).rows("plans", "nodes")
        unfinished = [plan for plan in known if plan["status"] in ("QUEUED", "RUNNING")]
        if known and not unfinished:
            return
        if unfinished:
            plan_id = unfinished[0]["id"]
        else:
            made = await asking.ask(PLAN_CREATE, key=key)
            plan_id = made.row("planCreate", "plan")["id"]
        while True:
            plan = (await asking.ask(PLAN, key=key, variables={"id": plan_id})).row("node")
            advance(float(str(plan["progress"])), str(plan["status"]).lower())
            if plan["status"] not in ("QUEUED", "RUNNING"):
                break
            await asyncio.sleep(0.2)
    if plan["status"] != "PROPOSED":
        console.refuse(f"{plan['reference']}: {plan['error'] or plan['status']}")


async def _print(asking: Asking, settings: Settings, keys: dict[str, str]) -> None:
    say, out = console.say, console.out
    out.print()
    say(
        Text(
            "[bold]Aidloop is serving.[/]  Ctrl-C stops it.",
            "[bold]Aidloop 已启动。[/]  按 Ctrl-C 停止。",
        )
    )
    out.print(f"  GraphQL, GraphiQL   {asking.address}")
    root = asking.address.removesuffix("/graphql")
    out.print(f"  health, metrics     {root}/readyz  {root}/metrics", soft_wrap=True)
    plans = (await asking.ask(PLANS, key=keys["CHARITY_OFFICER"])).rows("plans", "nodes")
    if plans and plans[0]["reportLink"]:
        label = Text("picture of the plan", "方案图示").said_in(console.language())
        out.print(f"  {label:<20}{root}{plans[0]['reportLink']}", soft_wrap=True, markup=False)
    out.print()
    path = settings.data_dir / KEYS
    say(
        Text(
            f"[bold]One key a role[/] (also in {path}):",
            f"[bold]每个角色的密钥[/]（保存在 {path}）：",
        )
    )
    for name, key in keys.items():
        out.print(f"  {name:<22}{key}", soft_wrap=True)
    await _ask_and_show(asking, keys)


async def _ask_and_show(asking: Asking, keys: dict[str, str]) -> None:
    out = console.out
    for title, role, query in SHOWN:
        shown_key = keys[role] if role else None
        answer = await asking.ask(query, key=shown_key)
        # Loaded without the story, or by a version before it: a row of zeros tells nobody anything.
        if query is STORY and not answer.row("loopStatistics")["personTimesChecked"]:
            continue
        out.print()
        console.say(Text(f"[bold]{title.en}[/]", f"[bold]{title.zh}[/]"))
        out.print(f"  {_curl(asking, query, shown_key)}", soft_wrap=True, markup=False)
        out.print(f"  → {answer.text}", soft_wrap=True, markup=False, style="dim")


def _curl(asking: Asking, query: str, key: str | None) -> str:
    auth = f" -H 'Authorization: Bearer {key}'" if key else ""
    return (
        f"curl -s {asking.address} -H 'Content-Type: application/json' "
        f"-H 'Accept-Language: {asking.language}'{auth} "
        f"-d '{json.dumps({'query': query})}'"
    )


def _kept(path: Path) -> dict[str, str] | None:
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return {str(role): str(key) for role, key in kept.items()} if isinstance(kept, dict) else None


def _keep(path: Path, keys: dict[str, str]) -> None:
    """Readable by the user alone, and never half written."""
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(keys, file, indent=2)
    fresh.replace(path)


def _begin_afresh_if_broken_off(settings: Settings) -> None:
    """What was loaded by half is of no use, and is the demo's alone."""
    url = migrations.url_of(settings.url)
    if migrations.current(url) is None:
        return

    async def broken_off() -> bool:
        database = Database(settings.url)
        try:
            return await county.is_half_loaded(database)
        finally:
            await database.close()

    if asyncio.run(broken_off()):
        console.say(
            Text(
                "Loading was broken off the last time; it starts afresh.",
                "上次载入未完成，现重新开始。",
            )
        )
        _reset(settings)


def _reset(settings: Settings) -> None:
    url = migrations.url_of(settings.url)
    if url.get_backend_name() == "sqlite":
        for suffix in ("", "-wal", "-shm"):
            Path(f"{url.database}{suffix}").unlink(missing_ok=True)
    elif migrations.current(url) is not None:
        migrations.migrate(url, "base")
    (settings.data_dir / KEYS).unlink(missing_ok=True)
    shutil.rmtree(settings.data_dir / "keys", ignore_errors=True)


def _refuse_a_taken_port(settings: Settings) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as trouble:
            console.refuse(
                Text(
                    f"{settings.host}:{settings.port} cannot be listened on ({trouble.strerror}). "
                    "Choose another: make demo PORT=8123",
                    f"无法监听 {settings.host}:{settings.port}（{trouble.strerror}）。"
                    "请换一个端口：make demo PORT=8123",
                ).said_in(console.language())
            )
            raise typer.Exit(1) from None
