"""python -m benchmarks.planning: a plan in the database against its bare flow solver calls."""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.planning.county import fill
from benchmarks.report import at_most, say
from marketplace.domain.exchange.plans import PlanPolicy
from marketplace.domain.permissions import Viewer
from marketplace.persistence.database import Database
from marketplace.persistence.migrations import migrate
from marketplace.persistence.tables import plan_lines, plans
from marketplace.services.acting import Act
from marketplace.services.exchange.plan_job import PLAN
from marketplace.services.exchange.plans import CreatePlan, create
from marketplace.services.worker import run_worker
from marketplace.settings import Settings
from tests.fixtures.databases import postgres_database, postgres_server, postgres_template

WARM_S = 8.0  # between plans: the next child imports its libraries meanwhile
ENDED = ("PROPOSED", "FAILED")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.planning", description=__doc__)
    parser.add_argument("--needs", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--postgresql", help="URL of an empty database; default: SQLite in a file")
    parser.add_argument("--own-postgresql", action="store_true", help="a server of its own")
    parser.add_argument("--quick", action="store_true", help="500 needs, 1 run")
    options = parser.parse_args()
    if options.quick:
        options.needs, options.runs = 500, 1
    if options.own_postgresql:
        with (
            postgres_server() as server,
            postgres_template(server) as template,
            postgres_database(server, template) as url,
        ):
            plain = url.replace("postgresql+psycopg", "postgresql")
            asyncio.run(_run(Settings(database_url=plain).url, options.needs, options.runs))
        return
    with tempfile.TemporaryDirectory() as folder:
        url = options.postgresql or f"sqlite+aiosqlite:///{Path(folder) / 'aidloop.db'}"
        asyncio.run(_run(Settings(database_url=url).url, options.needs, options.runs))


async def _run(url: str, needs_count: int, runs: int) -> None:
    migrate(sa.make_url(url))
    database, stop = Database(url), asyncio.Event()
    try:
        viewer = await fill(database, needs_count=needs_count)
        kinds = {"plan": replace(PLAN, compute="benchmarks.planning.timed:compute")}
        worker = asyncio.create_task(run_worker(database, Settings(), stop=stop, kinds=kinds))
        measured = [await _measured(database, viewer) for _ in range(runs)]
        stop.set()
        await worker
        _print(database.dialect, measured)
    finally:
        await database.close()


async def _measured(database: Database, viewer: Viewer) -> dict[str, Any]:
    """One plan, timed from the request to its commit, by who asked for it."""
    await asyncio.sleep(WARM_S)
    act = Act(viewer=viewer)
    began = time.perf_counter()
    plan_id = await create(database, act, CreatePlan(policy=PlanPolicy()))
    while True:
        async with database.read() as db:
            row = await db.row(sa.select(plans).where(plans.c.id == plan_id))
            assert row is not None
            if row["status"] in ENDED:
                break
        await asyncio.sleep(0.02)
    whole = time.perf_counter() - began
    assert row["status"] == "PROPOSED", row["error"]
    async with database.read() as db:
        lines = await db.scalar(
            sa.select(sa.func.count(plan_lines.c.id)).where(plan_lines.c.plan_id == plan_id)
        )
    proof = row["proof"]
    phases = proof["phases"]
    return {
        "whole": whole,
        "needs": row["need_count"],
        "pairs": row["pair_count"],
        "line_count": lines,
        "bare": proof["bare"]["wall"],
        "calls": proof["bare"]["calls"],
        **phases,
        "queue, pipe, write": whole - sum(phases.values()),
    }


def _print(dialect: str, runs: list[dict[str, Any]]) -> None:
    last = runs[-1]
    say(
        f"{dialect}: {last['needs']:,} needs, {last['pairs']:,} pairs, "
        f"{last['line_count']:,} lines, {last['calls']:.0f} solver calls; "
        f"medians of {len(runs)} runs, wall seconds\n"
    )
    say("| phase | s | times bare |\n| --- | ---: | ---: |")
    bare = statistics.median(run["bare"] for run in runs)
    names = [n for n in last if n not in ("needs", "pairs", "line_count", "calls", "whole", "bare")]
    for name in ["bare", *names, "whole"]:
        seconds = statistics.median(run[name] for run in runs)
        say(f"| {name} | {seconds:.3f} | {seconds / bare:.2f} |")
    ratio = statistics.median(run["whole"] / run["bare"] for run in runs)
    at_most(f"a plan in {dialect}, request to commit, over its bare solver calls", ratio, 4.0)


if __name__ == "__main__":
    main()
