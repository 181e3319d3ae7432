"""Rows of applications, sealed before they are written, and of tries without an account."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.dialects import sqlite

from marketplace.domain.registry.applications import (
    LIMITS,
    ApplicationStatus,
    SubmitApplication,
    TriesOf,
)
from marketplace.persistence.crypto import Sealer, new_seal_id
from marketplace.persistence.database import Reading, Row, Values, Writing
from marketplace.persistence.registry import households as household_rows
from marketplace.persistence.tables import application_tries as tries
from marketplace.persistence.tables import applications, regions

NAME = "applications.name"
PHONE = "applications.phone"
IDENTITY_NUMBER = "applications.identity_number"
ADDRESS = "applications.address"
WORDS = "applications.words"
REASON = "applications.reason"
CHUNK = 1_000


def row(sealer: Sealer, command: SubmitApplication, now: datetime) -> dict[str, object]:
    """A new row of `applications`; its indexes are those of members and households."""
    seal_id = new_seal_id()
    number = command.identity_number or None
    name, phone = command.name.strip(), command.phone or None

    def sealed(text: str | None, place: str) -> str | None:
        return sealer.seal(text, place=place, seal_id=seal_id) if text else None

    return {
        "region_id": command.region_id,
        "channel": command.channel,
        "seal_id": seal_id,
        "name_sealed": sealed(name, NAME),
        "name_index": household_rows.name_index(sealer, name),
        "phone_sealed": sealed(phone, PHONE),
        "phone_index": household_rows.phone_index(sealer, phone) if phone else None,
        "identity_number_sealed": sealed(number, IDENTITY_NUMBER),
        "identity_number_index": household_rows.identity_index(sealer, number) if number else None,
        "address_sealed": sealed(command.address, ADDRESS),
        "words_sealed": sealed(command.words, WORDS),
        "created_at": now,
    }


async def add(db: Writing, values: Values) -> int | None:
    """Put an application in; its key, or None where one with the same key of a client is there.

    A concurrent twin is waited for.
    """
    insert = pg.insert if db.dialect == "postgresql" else sqlite.insert
    made = await db.scalar(
        insert(applications)
        .values(**values)
        .on_conflict_do_nothing(index_elements=["key_index"])
        .returning(applications.c.id)
    )
    return None if made is None else int(str(made))


async def add_many(db: Writing, rows: Sequence[Values]) -> list[int]:
    """Put many in; their keys in the order given."""
    return await db.insert_keys(applications, rows)


async def waiting_numbers(db: Reading, indexes: Collection[str]) -> frozenset[str]:
    """Those indexes of identity numbers that an application which waits has."""
    wanted = sorted(set(indexes))
    found: set[str] = set()
    for start in range(0, len(wanted), CHUNK):
        statement = sa.select(applications.c.identity_number_index).where(
            applications.c.identity_number_index.in_(wanted[start : start + CHUNK]),
            applications.c.status == ApplicationStatus.SUBMITTED,
        )
        found |= {row["identity_number_index"] for row in await db.rows(statement)}
    return frozenset(found)


async def by_client_key(db: Reading, key_index: str) -> Row | None:
    """The application that a client's own key was used for."""
    return await db.row(sa.select(applications).where(applications.c.key_index == key_index))


async def found(db: Reading, application_id: int) -> Row | None:
    """An application with tree_low and level of its region."""
    return await db.row(_located().where(applications.c.id == application_id))


async def lock(db: Writing, application_id: int) -> Row | None:
    """As `found`, and the row stays locked."""
    one = _located().where(applications.c.id == application_id)
    return await db.row(one.with_for_update(of=applications))


async def change(db: Writing, application_id: int, values: Values) -> None:
    """Write columns of a locked application and count its version up."""
    await db.execute(
        sa.update(applications)
        .where(applications.c.id == application_id)
        .values(**values, version=applications.c.version + 1)
    )


async def try_once(db: Writing, kind: TriesOf, subject: str, now: datetime) -> float:
    """Count a try; 0, or the seconds to wait where there were too many in the window.

    subject   a keyed digest of who tries
    """
    limit = LIMITS[kind]
    insert = pg.insert if db.dialect == "postgresql" else sqlite.insert
    is_over = tries.c.since <= now - limit.window
    counted = await db.row(
        insert(tries)
        .values(kind=kind, subject=subject, since=now, tries=1)
        .on_conflict_do_update(
            index_elements=["kind", "subject"],
            set_={
                "tries": sa.case((is_over, 1), else_=tries.c.tries + 1),
                "since": sa.case((is_over, now), else_=tries.c.since),
            },
        )
        .returning(tries.c.since, tries.c.tries)
    )
    assert counted is not None, "one row was written"
    if counted["tries"] <= limit.tries_max:
        return 0.0
    left_s: float = (counted["since"] + limit.window - now).total_seconds()
    return max(1.0, left_s)


async def forget_tries_before(db: Writing, moment: datetime) -> int:
    """Drop what was counted in windows that began before a moment; how many."""
    return await db.execute(sa.delete(tries).where(tries.c.since < moment))


def _located() -> sa.Select[tuple[object, ...]]:
    return sa.select(
        applications, regions.c.tree_low.label("region_low"), regions.c.level.label("region_level")
    ).join(regions, regions.c.id == applications.c.region_id)
