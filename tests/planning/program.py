"""A worker as a program of its own, which halts where a test wants to kill or stop it.

python -m tests.planning.program URL LEASE_S [MOMENT]
Prints the moment when it is reached. All that it runs is the real worker; the moments are reached
by wrapping public functions.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import sqlalchemy as sa

from marketplace.domain.jobs import Job
from marketplace.persistence.database import Database, Writing
from marketplace.persistence.tables import jobs
from marketplace.services.exchange.plan_job import PLAN
from marketplace.services.jobs import Kind, Values
from marketplace.services.worker import run_worker
from marketplace.settings import Settings
from tests.planning.computing import HALT_AT


def reached(moment: str) -> None:
    os.write(1, f"{moment}\n".encode())


async def halt(moment: str) -> None:
    """Wait here until killed."""
    reached(moment)
    await asyncio.Event().wait()


class StoppingBeforeTheLastWrite(Database):
    """Stops the whole process (SIGSTOP) between the last heartbeat and the last write."""

    stopped = False

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Writing]:
        async with self.read() as db:
            stages = [row["stage"] for row in await db.rows(sa.select(jobs.c.stage))]
        if "WRITING" in stages and not self.stopped:
            self.stopped = True
            reached("BEFORE_THE_LAST_WRITE")
            os.kill(os.getpid(), signal.SIGSTOP)
        async with super().write() as db:
            yield db


def kind_for(moment: str) -> Kind:
    """The kind "plan", halting at a moment in the worker, or at a stage in its child."""

    async def request(database: Database, job: Job) -> Values:
        await halt("CLAIMED")
        return await PLAN.request(database, job)

    async def settle(db: Writing, database: Database, job: Job, result: Values) -> None:
        await PLAN.settle(db, database, job, result)
        await halt("BEFORE_THE_COMMIT")

    if moment == "CLAIMED":
        return replace(PLAN, request=request)
    if moment == "BEFORE_THE_COMMIT":
        return replace(PLAN, settle=settle)
    if moment in ("READING", "PAIRING", "SOLVING", "CHECKING"):
        os.environ[HALT_AT] = moment
        return replace(PLAN, compute="tests.planning.computing:halting")
    if moment in ("crashing", "refusing"):
        return replace(PLAN, compute=f"tests.planning.computing:{moment}")
    return PLAN


async def main(url: str, lease_s: int, moment: str) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    stops = moment == "BEFORE_THE_LAST_WRITE"
    database = StoppingBeforeTheLastWrite(url) if stops else Database(url)
    settings = Settings(database_url=url, job_lease_s=lease_s)
    reached("STARTED")
    try:
        await run_worker(database, settings, stop=stop, kinds={"plan": kind_for(moment)})
    finally:
        await database.close()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else ""))
