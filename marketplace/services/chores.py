"""Everything that works in the background of a market: jobs, and what time ends by itself."""

from __future__ import annotations

import asyncio

from marketplace.persistence.database import Database
from marketplace.services.exchange.expiry import keep_expiring
from marketplace.services.worker import run_worker
from marketplace.settings import Settings


async def run_chores(database: Database, settings: Settings, *, stop: asyncio.Event) -> None:
    """Work on jobs and expire what is overdue until `stop` is set; any number may run at once."""
    async with asyncio.TaskGroup() as chores:
        chores.create_task(run_worker(database, settings, stop=stop))
        chores.create_task(keep_expiring(database, stop=stop))
