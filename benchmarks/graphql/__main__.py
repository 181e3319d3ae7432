"""python -m benchmarks.graphql: the read graph against ORM entities with DataLoaders, over HTTP."""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from benchmarks.graphql import idiomatic
from benchmarks.graphql.document import DOCUMENT
from benchmarks.graphql.load import Load, answer_of, load
from benchmarks.graphql.market import fill
from benchmarks.report import at_least, at_most, say
from marketplace.persistence.database import Database
from marketplace.settings import Settings
from schema.app import create_app
from tests.fixtures.databases import postgres_database, postgres_server, postgres_template

KEY = "benchmark-key"
SIDES = ("read graph", "dataloaders")
TICKS = os.sysconf("SC_CLK_TCK")
MEMORY_MAX_MB = 300
GOAL = 3.0


@dataclass(slots=True)
class Server:
    """One process that answers on a port."""

    pid: int
    port: int

    @property
    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    @property
    def rss_mb(self) -> float:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise RuntimeError("no VmRSS")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.graphql", description=__doc__)
    parser.add_argument("--needs", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=6.0, help="of each side in each round")
    parser.add_argument("--memory-requests", type=int, default=10_000)
    parser.add_argument("--quick", action="store_true", help="1,000 needs, 1 second, 1 round")
    parser.add_argument("--serve", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.quick:
        options.needs, options.rounds, options.seconds, options.memory_requests = 1_000, 1, 1.0, 50
    if options.serve:
        _serve(options.serve, options.url, options.port)
        return 0
    with (
        postgres_server() as server,
        postgres_template(server) as template,
        postgres_database(server, template) as url,
    ):
        asyncio.run(_fill(url, options.needs))
        with _server(SIDES[0], url) as ours, _server(SIDES[1], url) as theirs:
            return _compare(ours, theirs, options)


def _compare(ours: Server, theirs: Server, options: argparse.Namespace) -> int:
    answers = [answer_of(each.port, DOCUMENT, KEY) for each in (ours, theirs)]
    if answers[0] != answers[1]:
        print("the two sides answer differently")
        return 1
    say(
        f"{options.needs:,} needs; 50 of them a query, each with five allocations and who gives "
        "them; 4 connections, "
        "PostgreSQL; both sides give the same answer.\n"
    )
    say("| round | side | requests a second | median ms | server CPU ms a request |")
    say("| ---: | --- | ---: | ---: | ---: |")
    best: dict[str, Load] = {}
    cpu: dict[str, float] = {}
    for number in range(1, options.rounds + 1):
        for side, server in zip(SIDES, (ours, theirs), strict=True):
            before = server.cpu_s
            made = load(server.port, DOCUMENT, KEY, connections=4, seconds=options.seconds)
            cost = (server.cpu_s - before) / len(made.seconds) * 1_000
            say(f"| {number} | {side} | {made.rps:.1f} | {made.median_ms:.0f} | {cost:.1f} |")
            if side not in best or made.rps > best[side].rps:
                best[side] = made
            cpu[side] = min(cost, cpu.get(side, cost))
    ratio = best[SIDES[0]].rps / best[SIDES[1]].rps
    fine = at_least(
        f"GraphQL requests a second over ORM with DataLoaders, best of {options.rounds}",
        ratio,
        GOAL,
        f" (server CPU {cpu[SIDES[1]] / cpu[SIDES[0]]:.1f}× less)",
    )
    load(ours.port, DOCUMENT, KEY, connections=4, requests=options.memory_requests)
    what = f"server memory after {options.memory_requests:,} more requests"
    fine &= at_most(what, ours.rss_mb, MEMORY_MAX_MB, " MB")
    return 0 if fine else 1


async def _fill(url: str, need_count: int) -> None:
    database = Database(url)
    digest = hashlib.sha256(KEY.encode()).hexdigest()
    await fill(database, need_count=need_count, offer_count=need_count // 4, key_digest=digest)
    await database.close()


@contextmanager
def _server(side: str, url: str) -> Iterator[Server]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "benchmarks.graphql", "--serve", side, "--url", url]
    process = subprocess.Popen([*command, "--port", str(port)])
    try:
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield Server(process.pid, port)
    finally:
        process.terminate()
        process.wait(timeout=20)


def _serve(side: str, url: str, port: int) -> None:
    if side == SIDES[1]:
        uvicorn.run(idiomatic.create_app(url), port=port, log_level="warning", access_log=False)
        return
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            data_dir=Path(folder),
            database_url=url.replace("postgresql+psycopg", "postgresql"),
            worker_in_server=False,
            budget_points=10**12,  # the load comes from one caller
        )
        app = create_app(settings)
        uvicorn.run(app, port=port, log_level="warning", access_log=False)


if __name__ == "__main__":
    sys.exit(main())
