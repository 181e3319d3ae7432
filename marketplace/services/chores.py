"""Everything that works in the background of a market: jobs, and what time ends by itself."""

from __future__ import annotations

import asyncio
import logging

from marketplace.persistence.database import Database
from marketplace.services.exchange.expiry import keep_expiring
from marketplace.services.worker import run_worker
from marketplace.settings import Settings

log = logging.getLogger("aidloop.chores")


async def run_chores(database: Database, settings: Settings, *, stop: asyncio.Event) -> None:
    """Work on jobs and expire what is overdue until `stop` is set; any number may run at once.

    The worker does not end with expiring; whatever ends the worker is raised.
    """
    expiring = asyncio.create_task(keep_expiring(database, stop=stop))
    try:
        await run_worker(database, settings, stop=stop)
    except BaseException:
        expiring.cancel()
        raise
    finally:
        (end,) = await asyncio.gather(expiring, return_exceptions=True)
        if isinstance(end, Exception):
            log.error("expiring ended by an error", exc_info=end)
