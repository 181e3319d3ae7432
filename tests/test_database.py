"""Reading cannot write, writing is whole or not at all, and the migrations lead to the tables."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from marketplace.persistence import migrations
from marketplace.persistence.database import Database
from marketplace.persistence.tables import jobs, metadata


def a_job(database: Database) -> dict[str, object]:
    return {
        "kind": "test",
        "payload": {},
        "run_after": database.now(),
        "created_at": database.now(),
    }


async def test_a_reading_transaction_is_refused_by_the_database_itself_when_it_writes(
    database: Database,
) -> None:
    with pytest.raises(sa.exc.DBAPIError, match=r"read-?only"):
        async with database.read() as db:
            await db.rows(sa.insert(jobs).values(**a_job(database)).returning(jobs.c.id))


async def test_a_write_that_raises_leaves_nothing(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.write() as db:
            await db.insert(jobs, a_job(database))
            raise ZeroDivisionError

    async with database.read() as db:
        assert await db.scalar(sa.select(sa.func.count()).select_from(jobs)) == 0


async def test_times_come_back_as_they_went_in(database: Database) -> None:
    job = a_job(database)
    async with database.write() as db:
        key = await db.insert(jobs, job)

    async with database.read() as db:
        row = await db.row(sa.select(jobs).where(jobs.c.id == key))

    assert row is not None
    assert row["created_at"] == job["created_at"]
    assert row["created_at"].utcoffset() is not None


def test_the_migrations_lead_to_the_tables_and_back_to_nothing(database_url: str) -> None:
    url = sa.make_url(database_url)
    assert migrations.current(url) == migrations.head()
    assert migrations.differences(url) == []

    migrations.migrate(url, "base")

    assert migrations.current(url) is None
    assert len(migrations.differences(url)) >= len(metadata.tables)

    migrations.migrate(url)

    assert migrations.differences(url) == []
