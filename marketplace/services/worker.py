"""The worker: takes jobs one by one, has them computed, and settles each exactly once."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import sqlalchemy as sa

from marketplace.domain.errors import Text
from marketplace.domain.jobs import Beat, Job, LeaseLost
from marketplace.persistence import jobs
from marketplace.persistence.database import Database
from marketplace.services.exchange.plan_job import PLAN
from marketplace.services.jobs import JobFailed, Kind, Values, bell_of
from marketplace.services.solver import Solver, SolverDied
from marketplace.settings import Settings

KINDS: Mapping[str, Kind] = {"plan": PLAN}
BEAT_S = 0.5  # how soon a cancelled job's child is ended, at most
IDLE_S = 1.0  # how often to look for jobs that another process enqueued
TROUBLE_S = 2.0  # how long to leave a database alone that gave an error
GRACE_S = 30  # beyond the deadline that the solver itself keeps
DATABASE_ERRORS = (sa.exc.SQLAlchemyError, OSError, TimeoutError)
GAVE_UP = Text(
    "The calculation failed several times. The operator finds the cause in the server's log.",
    "计算多次失败，请管理员查看服务器日志。",
)
TOO_LONG = Text(
    "The calculation took longer than is allowed. Choose a smaller region or category.",
    "计算超过允许时间，请缩小区域或类别范围。",
)

log = logging.getLogger("aidloop.worker")


async def run_worker(
    database: Database,
    settings: Settings,
    *,
    stop: asyncio.Event,
    name: str | None = None,
    kinds: Mapping[str, Kind] = KINDS,
) -> None:
    """Work until `stop` is set; then hand back the job at hand, end the child, and return.

    It outlives every database error: a job that it cannot tell of any more is dropped, and its
    lease ends. Any number of workers may run on one database.
    """
    name = name or f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
    worker = _Worker(database, settings, stop, name, kinds)
    log.info("worker %s begins", name)
    try:
        await worker.work()
    finally:
        await worker.close()
        log.info("worker %s ends", name)


@dataclass(slots=True)
class _At:
    """How far the job at hand is; the child reports here, the heartbeat writes it down."""

    progress: float = 0.0
    stage: str = "STARTING"


@dataclass(slots=True)
class _Worker:
    database: Database
    settings: Settings
    stop: asyncio.Event
    name: str
    kinds: Mapping[str, Kind]
    spare: asyncio.Task[Solver] | None = field(default=None)

    async def work(self) -> None:
        bell = bell_of(self.database)
        self._warm_up()
        while not self.stop.is_set():
            # Listening begins before looking, so that no ring falls in between.
            ringing = asyncio.ensure_future(bell.heard(IDLE_S))
            try:
                if not await self._found_work():
                    await _first(self.stop.wait(), ringing)
            finally:
                ringing.cancel()

    async def close(self) -> None:
        if self.spare is not None:
            spare, self.spare = self.spare, None
            with contextlib.suppress(OSError):
                await (await spare).end()

    async def _found_work(self) -> bool:
        """Take and run one job; False if there was none. Errors end the job at hand, never us."""
        try:
            job = await self._claimed()
            if job is None:
                return False
            await self._run(job)
        except LeaseLost as lost:
            log.warning("dropped: %s", lost)
        except DATABASE_ERRORS:
            log.exception("the database gave an error; whatever was at hand is dropped")
            await _first(self.stop.wait(), asyncio.sleep(TROUBLE_S))
        except Exception:  # a bug in one job must not end the worker; its attempts run out
            log.exception("a job was dropped")
            await _first(self.stop.wait(), asyncio.sleep(TROUBLE_S))
        return True

    async def _claimed(self) -> Job | None:
        async with self.database.write() as db:
            return await jobs.claim(
                db, worker=self.name, lease_s=self.settings.job_lease_s, kinds=self.kinds
            )

    async def _run(self, job: Job) -> None:
        """Compute one job and settle it. Raises LeaseLost and database errors: drop it then."""
        kind = self.kinds[job.kind]
        log.info("job %d (%s), attempt %d", job.id, job.kind, job.attempt)
        if job.is_exhausted:
            await self._give_up(job, JobFailed("GAVE_UP", GAVE_UP))
            return
        try:
            result = await self._computed(job, kind)
        except JobFailed as failed:
            await self._give_up(job, failed)
        except SolverDied as died:
            await self._try_again(job, died)
        else:
            if result is None:
                async with self.database.write() as db:
                    await jobs.release(db, job)
                log.info("job %d handed back", job.id)
                return
            await self._settle(job, kind, result)
        bell_of(self.database).ring()

    async def _settle(self, job: Job, kind: Kind, result: Values) -> None:
        """Write the effect and the job's end in one transaction, on a lease just renewed."""
        async with self.database.write() as db:
            said = await jobs.heartbeat(
                db, job, lease_s=self.settings.job_lease_s, progress=0.95, stage="WRITING"
            )
        if said is not Beat.GO:
            raise LeaseLost(f"Job {job.id}, attempt {job.attempt}: {said}")
        async with self.database.write() as db:
            await jobs.finish(db, job)
            await kind.settle(db, self.database, job, result)
        log.info("job %d done", job.id)

    async def _give_up(self, job: Job, failed: JobFailed) -> None:
        log.error("job %d failed for good: %s", job.id, failed)
        try:
            async with self.database.write() as db:
                await jobs.bury(db, job, failed.code)
                await self.kinds[job.kind].give_up(db, self.database, job, failed)
        except (LeaseLost, *DATABASE_ERRORS):
            raise
        except Exception:  # the burial must hold, or the job would be claimed for ever
            log.exception("job %d: its kind could not give it up", job.id)
            async with self.database.write() as db:
                await jobs.bury(db, job, failed.code)

    async def _try_again(self, job: Job, died: SolverDied) -> None:
        if job.is_last_attempt:
            await self._give_up(job, JobFailed("GAVE_UP", GAVE_UP))
            return
        log.error("job %d, attempt %d: the child %s", job.id, job.attempt, died)
        async with self.database.write() as db:
            await jobs.requeue(db, job, f"the child {died}")

    async def _computed(self, job: Job, kind: Kind) -> Values | None:
        """The child's answer; None if the worker was told to stop first.

        Raises LeaseLost once the heartbeat learns that the job is cancelled or another's.
        """
        request = {
            **await kind.request(self.database, job),
            "processes": self.settings.solver_processes,
            "dask_address": self.settings.dask_address,
            "dask_pairs_min": self.settings.dask_pairs_min,
            "dask_connect_s": self.settings.dask_connect_s,
            "deadline_s": self.settings.plan_deadline_s,
        }
        at = _At()
        async with self._solver() as solver, self._beating(job, at) as beating:

            def report(progress: float, stage: str) -> None:
                at.progress, at.stage = progress, stage

            computing = asyncio.ensure_future(solver.compute(kind.compute, request, report))
            try:
                await _first(
                    computing,
                    beating,
                    self.stop.wait(),
                    asyncio.sleep(self.settings.plan_deadline_s + GRACE_S),
                )
                if computing.done():
                    return computing.result()
                if beating.done():
                    beating.result()
                if self.stop.is_set():
                    return None
                raise JobFailed("DEADLINE", TOO_LONG)
            finally:
                computing.cancel()
                await asyncio.wait([computing])

    @asynccontextmanager
    async def _solver(self) -> AsyncIterator[Solver]:
        """A child for one job, killed at the end of the block whatever happens."""
        self._warm_up()
        assert self.spare is not None
        spare, self.spare = self.spare, None
        solver = await spare
        try:
            yield solver
        finally:
            await solver.end()
            if not self.stop.is_set():
                self._warm_up()

    def _warm_up(self) -> None:
        """Have a child import its libraries before it is needed."""
        if self.spare is not None and self.spare.done():
            died = self.spare.cancelled() or self.spare.exception() is not None
            if died or not self.spare.result().is_alive:
                self.spare = None
        if self.spare is None:
            self.spare = asyncio.ensure_future(Solver.start())

    @asynccontextmanager
    async def _beating(self, job: Job, at: _At) -> AsyncIterator[asyncio.Task[None]]:
        """Heartbeats while the block runs; never cut short inside a transaction of their own."""
        enough = asyncio.Event()
        beating = asyncio.create_task(self._beat(job, at, enough))
        try:
            yield beating
        finally:
            enough.set()
            await asyncio.wait([beating])
        beating.result()  # the lease may have been lost with the last beat

    async def _beat(self, job: Job, at: _At, enough: asyncio.Event) -> None:
        """Raise LeaseLost when told so, or when no heartbeat got through for a whole lease."""
        lease_s = self.settings.job_lease_s
        bell, good_until = bell_of(self.database), time.monotonic() + lease_s
        pause_s = min(BEAT_S, lease_s / 4)
        while True:
            # The claim itself was the first beat.
            await _first(enough.wait(), asyncio.sleep(pause_s), bell.heard(lease_s))
            if enough.is_set():
                return
            begun = time.monotonic()
            try:
                async with self.database.write() as db:
                    said = await jobs.heartbeat(
                        db, job, lease_s=lease_s, progress=at.progress, stage=at.stage
                    )
                good_until = begun + lease_s
            except DATABASE_ERRORS:
                log.warning("no heartbeat for job %d", job.id, exc_info=True)
                said = Beat.GO
            if said is not Beat.GO or time.monotonic() > good_until:
                raise LeaseLost(f"Job {job.id}, attempt {job.attempt}: {said}")


async def _first(*awaited: Awaitable[object]) -> None:
    """Wait until one of these is done; what was not a task before is ended then."""
    tasks = [asyncio.ensure_future(one) for one in awaited]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task, one in zip(tasks, awaited, strict=True):
            if task is not one:
                task.cancel()
