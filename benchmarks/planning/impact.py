"""python -m benchmarks.planning.impact: how long offerImpact takes in a county, asked warm."""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import sqlalchemy as sa

from benchmarks.planning.county import CATEGORIES, GROUPS, fill
from marketplace.domain.exchange.offers import OfferTerms
from marketplace.domain.exchange.plans import PlanPolicy
from marketplace.domain.permissions import Viewer
from marketplace.domain.registry.categories import CategoryKind
from marketplace.persistence.database import Database
from marketplace.persistence.migrations import migrate
from marketplace.persistence.tables import categories, plans
from marketplace.services.acting import Act
from marketplace.services.exchange.impact_desk import close_desk
from marketplace.services.exchange.impacts import ask
from marketplace.services.exchange.plans import CreatePlan, create
from marketplace.services.worker import run_worker
from marketplace.settings import Settings

GOAL_MS = 300


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.planning.impact")
    parser.add_argument("--needs", type=int, default=10_000)
    parser.add_argument("--offers", type=int, default=60)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = Settings(database_url=f"sqlite+aiosqlite:///{Path(folder) / 'aidloop.db'}").url
        asyncio.run(_run(url, options.needs, options.offers))


async def _run(url: str, needs_count: int, count: int) -> None:
    migrate(sa.make_url(url))
    database = Database(url)
    try:
        viewer = await fill(database, needs_count=needs_count)
        await _planned(database, viewer)
        async with database.read() as db:
            rows = await db.rows(sa.select(categories.c.id).order_by(categories.c.id))
        kinds = [row["id"] for row in rows]
        r = np.random.default_rng(7)
        asked = [_terms(r, kinds) for _ in range(count)]
        began = time.perf_counter()
        await ask(database, viewer, asked[0])
        cold_ms = 1_000 * (time.perf_counter() - began)
        took, exact = [], 0
        for terms in asked:
            began = time.perf_counter()
            found = await ask(database, viewer, terms)
            took.append(1_000 * (time.perf_counter() - began))
            exact += found.exact
        _print(needs_count, took, exact, cold_ms)
    finally:
        await close_desk(database)
        await database.close()


async def _planned(database: Database, viewer: Viewer) -> None:
    stop = asyncio.Event()
    worker = asyncio.create_task(run_worker(database, Settings(), stop=stop))
    plan_id = await create(database, Act(viewer=viewer), CreatePlan(policy=PlanPolicy()))
    status = "QUEUED"
    while status in ("QUEUED", "RUNNING"):
        await asyncio.sleep(0.1)
        async with database.read() as db:
            status = str(await db.scalar(sa.select(plans.c.status).where(plans.c.id == plan_id)))
    stop.set()
    await worker
    assert status == "PROPOSED", status


def _terms(r: np.random.Generator, kinds: list[int]) -> OfferTerms:
    terms = OfferTerms(
        kind=CategoryKind.GOODS,
        category_id=kinds[int(r.integers(CATEGORIES))],
        quantity=int(r.integers(1, 400)),
        latitude=27.0 + float(r.random()) * 0.9,
        longitude=116.0 + float(r.random()) * 0.9,
        target_groups=int(r.integers(1, 1 << GROUPS)) if r.random() < 0.3 else 0,
    )
    far = float(r.lognormal(np.log(30), 0.6))
    return replace(terms, radius_km=far) if r.random() < 0.9 else terms


def _print(needs_count: int, took: list[float], exact: int, cold_ms: float) -> None:
    p95 = statistics.quantiles(took, n=20)[-1]
    print(
        f"offerImpact at {needs_count:,} needs, {len(took)} random offers, {exact} exact: "
        f"p50 {statistics.median(took):.0f} ms, p95 {p95:.0f} ms (goal: at most {GOAL_MS}), "
        f"first one {cold_ms:.0f} ms"
    )


if __name__ == "__main__":
    main()
