"""Running a worker in a test until something is true, and asking for plans."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

import sqlalchemy as sa

from marketplace.domain.exchange.plans import PlanPolicy
from marketplace.persistence.database import Database
from marketplace.persistence.tables import plans
from marketplace.services.exchange import plans as service
from marketplace.services.jobs import Kind
from marketplace.services.worker import KINDS, run_worker
from marketplace.settings import Settings
from tests.fixtures.market import Market

WITHIN_S = 60.0
FINISHED = ("PROPOSED", "FAILED", "CANCELLED", "APPROVED", "DISCARDED")


@asynccontextmanager
async def a_worker(
    database: Database, settings: Settings | None = None, kinds: Mapping[str, Kind] = KINDS
) -> AsyncIterator[None]:
    """A worker in this process, stopped in good order at the end of the block."""
    stop = asyncio.Event()
    task = asyncio.create_task(run_worker(database, settings or Settings(), stop=stop, kinds=kinds))
    try:
        yield
    finally:
        stop.set()
        await task


async def until(true: Callable[[], Awaitable[bool]], within_s: float = WITHIN_S) -> None:
    """Look again and again until something holds; a bound, so that a failure ends the test."""
    async with asyncio.timeout(within_s):
        for pause_s in itertools.repeat(0.05):
            if await true():
                return
            await asyncio.sleep(pause_s)


async def a_plan(market: Market, who: str = "reviewer", **changes: object) -> int:
    command = service.CreatePlan(policy=PlanPolicy(), **changes)  # type: ignore[arg-type]
    return await service.create(market.database, market.act(who), command)


async def status_of(database: Database, plan_id: int) -> str:
    async with database.read() as db:
        return str(await db.scalar(sa.select(plans.c.status).where(plans.c.id == plan_id)))


async def finished(database: Database, plan_id: int) -> str:
    async def done() -> bool:
        return await status_of(database, plan_id) in FINISHED

    await until(done)
    return await status_of(database, plan_id)


async def a_proposed_plan(market: Market, who: str = "reviewer", **changes: object) -> int:
    plan_id = await a_plan(market, who, **changes)
    async with a_worker(market.database):
        assert await finished(market.database, plan_id) == "PROPOSED"
    return plan_id
