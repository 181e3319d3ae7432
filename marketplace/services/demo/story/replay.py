"""The replay: nine months of 2023, month by month, each act by who may do it, at its time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from marketplace.domain.exchange.plans import ApprovalRules, PlanPolicy, PlanStatus
from marketplace.persistence.crypto import Sealer
from marketplace.persistence.database import Database
from marketplace.persistence.exchange import plans as plan_rows
from marketplace.services.demo.ground import Ground, Staff
from marketplace.services.demo.size import dice
from marketplace.services.demo.story import charity, government
from marketplace.services.demo.story.calendar import Calendar, on
from marketplace.services.demo.story.cast import cast
from marketplace.services.demo.story.charity import Charity
from marketplace.services.demo.story.company import Company
from marketplace.services.demo.story.government import MONTHS, Government
from marketplace.services.exchange import plans
from marketplace.services.exchange.plans import CreatePlan, MovePlan
from marketplace.services.worker import run_worker
from marketplace.settings import Settings

Progress = Callable[[float, str], None]
BATCH_MONTHS = (3, 6, 9)  # when needs are referred, planned and delivered
LOOK_EVERY_S = 0.05
UNFINISHED = frozenset({PlanStatus.QUEUED, PlanStatus.RUNNING})


async def replay(
    database: Database,
    sealer: Sealer,
    settings: Settings,
    *,
    ground: Ground,
    staff: Staff,
    providers: Mapping[str, int],
    seed: int,
    tell: Progress,
) -> None:
    """Live through January to September 2023 in an empty county, by its services alone.

    providers    organization's name -> its key
    tell         told a share of 0..1 and the month
    """
    calendar = Calendar()
    url = database.url.render_as_string(hide_password=False)
    lived = Database(url, clock=calendar)
    stop = asyncio.Event()
    worker = asyncio.create_task(run_worker(lived, settings, stop=stop))
    try:
        company = Company(
            database=lived,
            calendar=calendar,
            sealer=sealer,
            on=ground,
            staff=staff,
            providers=providers,
        )
        await _live(company, worker, seed, tell)
    finally:
        stop.set()
        await asyncio.gather(worker, return_exceptions=True)
        await lived.close()


async def _live(company: Company, worker: asyncio.Task[None], seed: int, tell: Progress) -> None:
    thrown = dice(seed, "story")
    offices = Government(
        company=company, cast=cast(company.on.places, thrown), keys={}, dice=thrown
    )
    giving = Charity(government=offices, offers={})
    visited = government.visits_by_month()
    helped = list(offices.cast.helped)
    for month in MONTHS:
        tell((month - 1) / len(MONTHS), f"2023-{month:02d}")
        await government.month_of(offices, month)
        if month == BATCH_MONTHS[0] - 1:
            await charity.post_offers(giving)
        if month in BATCH_MONTHS:
            due = [place for place in helped if place in offices.keys]
            helped = [place for place in helped if place not in offices.keys]
            await _help(giving, due, month, worker)
        await government.visit(offices, month, visited[month])
    await charity.take_back(giving)
    tell(1.0, "2023-09")


async def _help(
    giving: Charity, places: Sequence[int], month: int, worker: asyncio.Task[None]
) -> None:
    """A batch of needs on its way through the whole loop."""
    need_ids = await charity.refer(giving, places, month)
    company = giving.company
    company.calendar.goes_to(on(month, 20))
    act = company.as_("CHARITY_OFFICER")
    plan_id = await plans.create(company.database, act, CreatePlan(policy=PlanPolicy()))
    await proposed(company.database, plan_id, worker)
    other = company.as_("CHARITY_OFFICER_2")
    approval = MovePlan(plan_id=plan_id)
    await plans.approve(company.database, other, approval, ApprovalRules())
    await charity.deliver(giving, need_ids, month)


async def proposed(database: Database, plan_id: int, worker: asyncio.Task[None]) -> None:
    """Wait until the plan is there. Raises what ended the worker, or RuntimeError."""
    while True:
        async with database.read() as db:
            row = await plan_rows.find(db, plan_id)
        if row is not None and row["status"] not in UNFINISHED:
            break
        if worker.done():
            worker.result()
            raise RuntimeError("The worker ended before the plan was made.")
        await asyncio.sleep(LOOK_EVERY_S)
    if row["status"] != PlanStatus.PROPOSED:
        raise RuntimeError(f"The plan of the story ended as {row['status']}: {row['error']}")
