"""The job table: one worker at a time, fenced, and settled once."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest
import sqlalchemy as sa

from marketplace.domain.jobs import Beat, Job, JobStatus, LeaseLost
from marketplace.persistence import jobs
from marketplace.persistence.database import Database
from marketplace.persistence.tables import jobs as table

LONG_S = 60.0
OVER_S = -1.0  # a lease that has already ended


async def enqueued(database: Database, **options: object) -> int:
    async with database.write() as db:
        return await jobs.enqueue(db, kind="test", payload={"n": 1}, **options)  # type: ignore[arg-type]


async def claimed(database: Database, lease_s: float = LONG_S, worker: str = "w") -> Job | None:
    async with database.write() as db:
        return await jobs.claim(db, worker=worker, lease_s=lease_s, kinds=["test"])


async def a_claimed_job(database: Database, lease_s: float = LONG_S) -> Job:
    job = await claimed(database, lease_s)
    assert job is not None
    return job


async def beat(database: Database, job: Job) -> Beat:
    async with database.write() as db:
        return await jobs.heartbeat(db, job, lease_s=LONG_S, progress=0.5, stage="SOLVING")


async def stored(database: Database, job_id: int) -> sa.RowMapping:
    async with database.read() as db:
        row = await jobs.row(db, job_id)
    assert row is not None
    return row


async def test_a_job_is_there_only_if_its_transaction_was_kept(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.write() as db:
            await jobs.enqueue(db, kind="test", payload={})
            raise ZeroDivisionError

    assert await claimed(database) is None


async def test_the_same_dedupe_key_is_the_same_job(database: Database) -> None:
    first = await enqueued(database, dedupe_key="k")
    again = await enqueued(database, dedupe_key="k")
    other = await enqueued(database, dedupe_key="l")

    assert first == again != other


async def test_many_workers_never_claim_the_same_job(database: Database) -> None:
    made = [await enqueued(database) for _ in range(6)]

    found = await asyncio.gather(*(claimed(database, worker=f"w{n}") for n in range(12)))

    assert sorted(job.id for job in found if job is not None) == made


async def test_only_kinds_that_the_worker_knows_are_claimed(database: Database) -> None:
    await enqueued(database)

    async with database.write() as db:
        assert await jobs.claim(db, worker="w", lease_s=LONG_S, kinds=["other"]) is None


async def test_a_job_that_is_not_due_yet_waits(database: Database) -> None:
    await enqueued(database, delay_s=3600.0)

    assert await claimed(database) is None
    async with database.read() as db:
        due_s = await jobs.next_due_s(db, ["test"])
    assert due_s is not None
    assert 3500 < due_s <= 3600


async def test_a_leased_job_is_left_alone_and_a_lapsed_one_is_taken_over(
    database: Database,
) -> None:
    await enqueued(database)
    first = await a_claimed_job(database, OVER_S)

    second = await a_claimed_job(database)

    assert (second.id, second.attempt) == (first.id, first.attempt + 1)
    assert await claimed(database) is None
    assert await beat(database, first) is Beat.LOST
    assert await beat(database, second) is Beat.GO
    assert (await stored(database, first.id))["progress"] == 0.5


@pytest.mark.parametrize("end", [jobs.finish, jobs.release])
async def test_who_lost_the_lease_can_settle_nothing(database: Database, end: object) -> None:
    await enqueued(database)
    zombie = await a_claimed_job(database, OVER_S)
    owner = await a_claimed_job(database)

    with pytest.raises(LeaseLost):
        async with database.write() as db:
            await end(db, zombie)  # type: ignore[operator]

    async with database.write() as db:
        await jobs.finish(db, owner)
    assert (await stored(database, owner.id))["status"] == JobStatus.DONE
    with pytest.raises(LeaseLost):
        async with database.write() as db:
            await jobs.finish(db, owner)


async def test_a_job_that_failed_waits_longer_each_time_and_is_buried_in_the_end(
    database: Database,
) -> None:
    job_id = await enqueued(database, attempts_max=1)
    job = await a_claimed_job(database)

    async with database.write() as db:
        await jobs.requeue(db, job, "it broke")

    assert await claimed(database) is None
    async with database.read() as db:
        due_s = await jobs.next_due_s(db, ["test"])
    assert due_s is not None
    assert 0 < due_s <= 2
    async with database.write() as db:  # as if the wait were over
        await db.execute(sa.update(table).values(run_after=jobs.clock(db)))
    last = await a_claimed_job(database)
    assert last.is_exhausted
    async with database.write() as db:
        await jobs.bury(db, last, "no more")
    row = await stored(database, job_id)
    assert (row["status"], row["error"]) == (JobStatus.DEAD, "no more")


async def test_a_job_handed_back_is_due_at_once_and_its_attempt_does_not_count(
    database: Database,
) -> None:
    await enqueued(database, attempts_max=1)
    job = await a_claimed_job(database)

    async with database.write() as db:
        await jobs.release(db, job)

    again = await a_claimed_job(database)
    assert again.attempt == 2
    assert not again.is_exhausted


async def test_a_cancelled_job_stops_its_worker_and_is_cancelled_once(database: Database) -> None:
    job_id = await enqueued(database)
    job = await a_claimed_job(database)

    async with database.write() as db:
        assert await jobs.cancel(db, job_id) is True
        assert await jobs.cancel(db, job_id) is False

    assert await beat(database, job) is Beat.CANCELLED
    with pytest.raises(LeaseLost):
        async with database.write() as db:
            await jobs.finish(db, job)


def test_the_server_that_runs_a_worker_never_loads_the_optimizer() -> None:
    code = (
        "import sys, marketplace.services.worker, marketplace.services.exchange.plans as p;"
        "sys.exit(bool({'numpy', 'scipy', 'ortools'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
