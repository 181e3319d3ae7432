"""Serving the market: the web server, workers on their own, and the schema as a file."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import signal
from dataclasses import replace
from typing import Annotated

import typer
import uvicorn

from marketplace.cli import console
from marketplace.domain.errors import Text
from marketplace.persistence import migrations
from marketplace.persistence.database import Database
from marketplace.services.chores import run_chores
from marketplace.settings import Settings, SettingsError

# The late binding of the house: the command line knows the graph by name only.
APP = "schema.app:create_app"
LOOPBACK = ("127.0.0.1", "::1", "localhost")


def server_config(settings: Settings) -> uvicorn.Config:
    """How the server runs. Raises SettingsError where development would face a network."""
    if settings.profile == "development" and settings.host not in LOOPBACK:
        raise SettingsError(
            f"AIDLOOP_HOST={settings.host} can be reached from other machines: set "
            "AIDLOOP_PROFILE=production with keys of your own first (see the README)."
        )
    return uvicorn.Config(
        APP,
        factory=True,
        host=settings.host,
        port=settings.port,
        log_level="warning",
        ws="websockets-sansio",
        ws_max_size=settings.body_bytes_max,
        timeout_graceful_shutdown=10,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
    )


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
) -> None:
    """Serve GraphQL, with a worker in the same process unless AIDLOOP_WORKER_IN_SERVER=false."""
    settings = Settings.from_env()
    given_port = settings.port if port is None else port
    settings = replace(settings, host=host or settings.host, port=given_port)
    config = server_config(settings)
    ready(settings)
    console.out.print(f"Aidloop serves http://{config.host}:{config.port}/graphql  (Ctrl-C stops)")
    with contextlib.suppress(KeyboardInterrupt):  # the server has stopped in order by then
        uvicorn.Server(config).run()


def worker(
    dask: Annotated[
        str | None,
        typer.Option(help="Solve large plans on this Dask scheduler, such as tcp://host:8786."),
    ] = None,
) -> None:
    """Run jobs (plans) until stopped; start as many as you like, on any number of machines."""
    settings = Settings.from_env()
    settings = replace(settings, dask_address=dask or settings.dask_address)
    ready(settings)
    console.out.print(f"Aidloop worker on {settings.data_dir}  (Ctrl-C stops)")
    asyncio.run(_work(settings))


async def _work(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    database = Database(settings.url)
    try:
        # Who may see what is the graph's to say, which is known here by name only.
        sight = importlib.import_module("schema.sight").seen
        await run_chores(database, settings, stop=stop, sight=sight)
    finally:
        await database.close()


def schema() -> None:
    """Print the GraphQL schema (SDL), for code generators and for looking at."""
    console.out.file.write(str(importlib.import_module("schema.root").sdl()))


def ready(settings: Settings) -> None:
    """Refuse to run on a database that is not at this version's tables."""
    at = migrations.current(migrations.url_of(settings.url))
    if at != migrations.head():
        console.refuse(
            Text(
                f"The database is at {at or 'nothing'}, this version needs {migrations.head()}. "
                "Run: aidloop migrate",
                f"数据库版本为 {at or '空'}，当前程序需要 {migrations.head()}。"
                "请先运行：aidloop migrate",
            ).said_in(console.language())
        )
        raise typer.Exit(1)
