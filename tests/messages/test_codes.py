"""One-time codes: five tries, once, for a while, and unreadable to who reads the database."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import timedelta

import pytest
import sqlalchemy as sa

from marketplace.domain.errors import Conflict
from marketplace.domain.messages import CODE_TRIES_MAX, CODES_PER_HOUR_MAX, CodePurpose
from marketplace.persistence.crypto import Sealer
from marketplace.persistence.database import Database
from marketplace.persistence.tables import one_time_codes
from marketplace.services import codes
from tests.messages.conftest import Clock

CONFIRM = CodePurpose.DELIVERY_CONFIRM
HOUR = timedelta(hours=1)


async def issued(database: Database, sealer: Sealer, subject_id: int = 7) -> str:
    async with database.write() as db:
        return await codes.issue(
            db,
            sealer,
            purpose=CONFIRM,
            subject_id=subject_id,
            now=database.now(),
            valid_for=HOUR,
        )


async def tried(database: Database, sealer: Sealer, code: str, subject_id: int = 7) -> bool:
    return await codes.attempt(database, sealer, purpose=CONFIRM, subject_id=subject_id, code=code)


async def used(database: Database, sealer: Sealer, code: str) -> bool:
    async with database.write() as db:
        return await codes.use(
            db, sealer, purpose=CONFIRM, subject_id=7, code=code, now=database.now()
        )


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


async def test_a_code_is_good_once_and_for_its_subject_alone(
    clocked: Database, sealer: Sealer
) -> None:
    code = await issued(clocked, sealer)
    await issued(clocked, sealer, subject_id=8)

    assert len(code) == 6
    assert code.isdigit()
    assert not await tried(clocked, sealer, code, subject_id=9)
    assert await tried(clocked, sealer, f" {code} ")
    assert not await used(clocked, sealer, wrong(code))
    assert await used(clocked, sealer, code)
    assert not await used(clocked, sealer, code)
    assert not await tried(clocked, sealer, code)


async def test_after_five_tries_there_is_no_right_code(clocked: Database, sealer: Sealer) -> None:
    code = await issued(clocked, sealer)

    for _ in range(CODE_TRIES_MAX - 1):
        assert not await tried(clocked, sealer, wrong(code))
    assert await tried(clocked, sealer, code)
    assert not await tried(clocked, sealer, code)


@pytest.mark.one_database
async def test_a_new_code_ends_the_one_before_and_time_ends_both(
    clocked: Database, sealer: Sealer, clock: Clock
) -> None:
    first = await issued(clocked, sealer)
    second = await issued(clocked, sealer)

    assert first == second or not await tried(clocked, sealer, first)
    assert await tried(clocked, sealer, second)
    clock.pass_by(HOUR)
    assert not await tried(clocked, sealer, second)
    assert not await used(clocked, sealer, second)
    clock.pass_by(timedelta(days=31))
    assert await codes.forget(clocked) == 2


@pytest.mark.one_database
async def test_codes_cannot_be_asked_for_without_end(
    clocked: Database, sealer: Sealer, clock: Clock
) -> None:
    for _ in range(CODES_PER_HOUR_MAX):
        await issued(clocked, sealer)

    with pytest.raises(Conflict) as refused:
        await issued(clocked, sealer)
    assert refused.value.faults[0].code == "TOO_MANY"
    clock.pass_by(HOUR)
    assert await issued(clocked, sealer)


@pytest.mark.one_database
async def test_whoever_reads_the_database_cannot_work_a_code_out(
    clocked: Database, sealer: Sealer
) -> None:
    code = await issued(clocked, sealer)

    async with clocked.read() as db:
        digest = await db.scalar(sa.select(one_time_codes.c.digest))
    another = Sealer({"t1": b"1" * 32}, b"j" * 32)
    plain = {hashlib.sha256(code.encode()).hexdigest(), code}

    assert digest not in plain
    assert not await tried(clocked, another, code)
    assert await tried(clocked, sealer, code)


async def test_of_two_codes_made_at_once_one_stands_and_of_many_tries_five_count(
    clocked: Database, sealer: Sealer
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> str:
        async with clocked.write() as db:
            code = await codes.issue(
                db,
                sealer,
                purpose=CONFIRM,
                subject_id=7,
                now=clocked.now(),
                valid_for=HOUR,
            )
            begun.set()
            await go_on.wait()
        return code

    first = asyncio.create_task(slow())
    await begun.wait()
    second = asyncio.create_task(issued(clocked, sealer))
    while clocked.dialect == "postgresql" and not await _somebody_waits(clocked):
        pass
    go_on.set()
    made = await asyncio.gather(first, second, return_exceptions=True)
    good = [each for each in made if isinstance(each, str)]

    assert [type(each) for each in made if each not in good] == (
        [Conflict] if clocked.dialect == "postgresql" else []  # SQLite's writers stand in line
    )
    tries = await asyncio.gather(*(tried(clocked, sealer, good[-1]) for _ in range(8)))
    assert sum(tries) == CODE_TRIES_MAX


async def _somebody_waits(database: Database) -> bool:
    waiting = sa.text(
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() "
        "AND wait_event_type = 'Lock'"
    )
    async with database.read() as db:
        return await db.scalar(waiting) is not None
