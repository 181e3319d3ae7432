"""What works in the background of a market: jobs, what time ends, and telling what happened."""

from __future__ import annotations

import asyncio
import logging

from marketplace.persistence.database import Database
from marketplace.services.exchange.calendar import keep_calendar
from marketplace.services.exchange.expiry import keep_expiring
from marketplace.services.exchange.giving import keep_giving
from marketplace.services.feed import Sight
from marketplace.services.oversight.lapsing import keep_lapsing
from marketplace.services.registry.sealing import sealer_of
from marketplace.services.telling import keep_telling
from marketplace.services.worker import run_worker
from marketplace.settings import Settings

log = logging.getLogger("aidloop.chores")


async def run_chores(
    database: Database, settings: Settings, *, stop: asyncio.Event, sight: Sight | None = None
) -> None:
    """Work on jobs, expire what is overdue and tell what happened until `stop` is set.

    sight    who may see what; without it nobody is told of anything

    Any number may run at once. The worker does not end with the others; whatever ends the worker
    is raised.
    """
    lapsing = keep_lapsing(database, sealer_of(settings), stop=stop)
    beside = [
        asyncio.create_task(keep_expiring(database, stop=stop), name="expiring"),
        asyncio.create_task(lapsing, name="restrictions"),
        asyncio.create_task(keep_calendar(database, stop=stop), name="calendar"),
        asyncio.create_task(keep_giving(database, stop=stop), name="giving"),
    ]
    if sight is not None:
        telling = keep_telling(database, settings, sealer_of(settings), sight, stop=stop)
        beside.append(asyncio.create_task(telling, name="telling"))
    try:
        await run_worker(database, settings, stop=stop)
    except BaseException:
        for task in beside:
            task.cancel()
        raise
    finally:
        ends = await asyncio.gather(*beside, return_exceptions=True)
        for task, end in zip(beside, ends, strict=True):
            if isinstance(end, Exception):
                log.error("%s ended by an error", task.get_name(), exc_info=end)
