"""The job table: leased by the database's clock, fenced by the attempt, settled exactly once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

import sqlalchemy as sa

from marketplace.domain.jobs import Beat, Job, JobStatus, LeaseLost, back_off_s
from marketplace.persistence.database import Reading, Row, Writing
from marketplace.persistence.tables import jobs

ATTEMPTS_MAX = 5
ENDED = (JobStatus.DONE, JobStatus.CANCELLED, JobStatus.DEAD)


async def enqueue(
    db: Writing,
    *,
    kind: str,
    payload: Mapping[str, object],
    dedupe_key: str | None = None,
    attempts_max: int = ATTEMPTS_MAX,
    delay_s: float = 0.0,
) -> int:
    """Add a job in the caller's transaction; its key, or that of the one with the same dedupe key.

    Without that transaction's commit there is no job; with it the job is there whatever crashes.
    """
    values = {
        "kind": kind,
        "payload": dict(payload),
        "dedupe_key": dedupe_key,
        "attempts_max": attempts_max,
        "run_after": clock(db, delay_s),
        "created_at": clock(db),
    }
    made = await db.scalar(_insert(db.dialect).values(**values).returning(jobs.c.id))
    if made is None:
        made = await db.scalar(sa.select(jobs.c.id).where(jobs.c.dedupe_key == dedupe_key))
    assert isinstance(made, int), "a dedupe key that is taken belongs to a row"
    return made


async def claim(db: Writing, *, worker: str, lease_s: float, kinds: Collection[str]) -> Job | None:
    """Take the next job that is due, or whose worker's lease has ended; None if there is none.

    The attempt goes up by one, so that whoever held it before can write nothing any more.
    """
    due = sa.and_(jobs.c.status == JobStatus.QUEUED, jobs.c.run_after <= clock(db))
    lapsed = sa.and_(jobs.c.status == JobStatus.RUNNING, jobs.c.lease_until < clock(db))
    chosen = (
        sa.select(jobs.c.id)
        .where(sa.or_(due, lapsed), jobs.c.kind.in_(sorted(kinds)))
        .order_by(jobs.c.run_after, jobs.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)  # SQLite has BEGIN IMMEDIATE instead
    )
    row = await db.row(
        sa.update(jobs)
        .where(jobs.c.id == chosen.scalar_subquery())
        .values(
            status=JobStatus.RUNNING,
            attempt=jobs.c.attempt + 1,
            worker=worker,
            lease_until=clock(db, lease_s),
        )
        .returning(
            jobs.c.id,
            jobs.c.kind,
            jobs.c.payload,
            jobs.c.attempt,
            jobs.c.attempts_max,
            jobs.c.checkpoint,
        )
    )
    return Job(**row) if row is not None else None


async def heartbeat(
    db: Writing,
    job: Job,
    *,
    lease_s: float,
    progress: float,
    stage: str,
    checkpoint: Mapping[str, object] | None = None,
) -> Beat:
    """Extend the lease and say how far the work is; whether to go on."""
    values: dict[str, object] = {
        "lease_until": clock(db, lease_s),
        "progress": min(1.0, max(0.0, progress)),
        "stage": stage,
    }
    if checkpoint is not None:
        values["checkpoint"] = dict(checkpoint)
    if await db.execute(sa.update(jobs).where(_mine(job)).values(**values)):
        return Beat.GO
    status = await db.scalar(sa.select(jobs.c.status).where(jobs.c.id == job.id))
    return Beat.CANCELLED if status == JobStatus.CANCELLED else Beat.LOST


async def finish(db: Writing, job: Job) -> None:
    """Mark it done, first thing in the transaction of its effect: both are kept, or neither.

    The row stays locked until that commit, so no other worker can claim it meanwhile.
    Raises LeaseLost if the job is no longer this attempt's; then nothing may be written.
    """
    await _end(db, job, JobStatus.DONE, error=None, progress=1.0)


async def bury(db: Writing, job: Job, error: str) -> None:
    """Give it up for good. Raises LeaseLost."""
    await _end(db, job, JobStatus.DEAD, error=error)


async def requeue(db: Writing, job: Job, error: str) -> None:
    """Try it again after a while that grows with the attempts. Raises LeaseLost."""
    await _set(
        db,
        job,
        status=JobStatus.QUEUED,
        error=error,
        run_after=clock(db, back_off_s(job.attempt)),
        lease_until=None,
    )


async def release(db: Writing, job: Job) -> None:
    """Hand it back at a clean shutdown: due at once, and the attempt does not count.

    Raises LeaseLost.
    """
    await _set(
        db,
        job,
        status=JobStatus.QUEUED,
        # The attempt is the fencing token and never goes back, so the allowance goes up.
        attempts_max=jobs.c.attempts_max + 1,
        run_after=clock(db),
        lease_until=None,
    )


async def cancel(db: Writing, job_id: int) -> bool:
    """End a job that is waiting or running; False if it had already ended.

    A running worker learns of it at its next heartbeat; whatever it still writes is refused.
    """
    changed = await db.execute(
        sa.update(jobs)
        .where(jobs.c.id == job_id, jobs.c.status.not_in(ENDED))
        .values(
            status=JobStatus.CANCELLED,
            cancel_requested=True,
            finished_at=clock(db),
            lease_until=None,
        )
    )
    return changed == 1


async def row(db: Reading, job_id: int) -> Row | None:
    """One job as it stands."""
    return await db.row(sa.select(jobs).where(jobs.c.id == job_id))


async def next_due_s(db: Reading, kinds: Collection[str]) -> float | None:
    """Seconds until the earliest waiting job of these kinds is due; None if none waits."""
    earliest = await db.row(
        sa.select(sa.func.min(jobs.c.run_after).label("at"), clock(db).label("now")).where(
            jobs.c.status == JobStatus.QUEUED, jobs.c.kind.in_(sorted(kinds))
        )
    )
    if earliest is None or earliest["at"] is None:
        return None
    return max(0.0, float((earliest["at"] - earliest["now"]).total_seconds()))


def clock(db: Reading, plus_s: float = 0.0) -> sa.ColumnElement[datetime]:
    """The database's own time, some seconds on: no worker's clock has a say in a lease."""
    if db.dialect == "postgresql":
        # Not now(): that is when the transaction began, which may have waited for a lock since.
        plus = sa.func.make_interval(0, 0, 0, 0, 0, 0, float(plus_s))
        return sa.type_coerce(sa.func.clock_timestamp() + plus, jobs.c.run_after.type)
    # Spelled as SQLAlchemy stores times, so that text order is the order of time.
    text = sa.func.strftime("%Y-%m-%d %H:%M:%f", "now", f"{plus_s:+.3f} seconds") + "000"
    return sa.type_coerce(text, jobs.c.run_after.type)


def _mine(job: Job) -> sa.ColumnElement[bool]:
    return sa.and_(
        jobs.c.id == job.id,
        jobs.c.attempt == job.attempt,
        jobs.c.status == JobStatus.RUNNING,
    )


async def _end(
    db: Writing, job: Job, status: JobStatus, *, error: str | None, progress: float | None = None
) -> None:
    values: dict[str, object] = {
        "status": status,
        "error": error,
        "finished_at": clock(db),
        "lease_until": None,
    }
    if progress is not None:
        values["progress"] = progress
    await _set(db, job, **values)


async def _set(db: Writing, job: Job, **values: object) -> None:
    if await db.execute(sa.update(jobs).where(_mine(job)).values(**values)) != 1:
        raise LeaseLost(f"Job {job.id} is no longer that of attempt {job.attempt}.")


def _insert(dialect: str) -> sa.Insert:
    if dialect == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as pg_insert

        return pg_insert(jobs).on_conflict_do_nothing(index_elements=["dedupe_key"])
    from sqlalchemy.dialects.sqlite import insert as sqlite_insert

    return sqlite_insert(jobs).on_conflict_do_nothing(index_elements=["dedupe_key"])
