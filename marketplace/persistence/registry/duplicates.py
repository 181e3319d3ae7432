"""Rows of what looks alike: found by blind indexes and written down, never merged by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import cache
from typing import NamedTuple, TypeAlias

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.dialects import sqlite

from marketplace.domain.registry.household_changes import DuplicateStatus, Ground
from marketplace.persistence.database import Reading, Row, Values, Writing
from marketplace.persistence.tables import (
    application_matches,
    applications,
    household_duplicates,
    households,
    members,
)

CHUNK = 500

Finder: TypeAlias = sa.Select[tuple[object, ...]]
Finders: TypeAlias = Callable[[], Iterator[tuple[Ground, Finder]]]
# Statements over whole tables are built once: that takes longer than to run them.
KEYS: sa.BindParameter[Sequence[int]] = sa.bindparam("keys", expanding=True)


class Pair(NamedTuple):
    """One side is new; `ground` is what they have in common."""

    one: int
    other: int
    ground: Ground


async def note_households(db: Writing, keys: Sequence[int], now: datetime) -> None:
    """Write down which households and open applications look like these households."""
    for start in range(0, len(keys), CHUNK):
        part = keys[start : start + CHUNK]
        pairs = await _pairs(db, part, _alike)
        rows = [
            {"household_id": a, "other_id": b, "ground": pair.ground, "found_at": now}
            for pair in pairs
            for a, b in ((pair.one, pair.other), (pair.other, pair.one))
        ]
        await _add(db, household_duplicates, rows)
        matched = await _pairs(db, part, _applied)
        await _add(
            db,
            application_matches,
            [
                {
                    "application_id": pair.other,
                    "household_id": pair.one,
                    "ground": pair.ground,
                    "found_at": now,
                }
                for pair in matched
            ],
        )


async def note_applications(db: Writing, keys: Sequence[int], now: datetime) -> None:
    """Write down which households and other open applications look like these applications."""
    for start in range(0, len(keys), CHUNK):
        part = keys[start : start + CHUNK]
        known = await _pairs(db, part, _known)
        rows = [
            {
                "application_id": pair.one,
                "household_id": pair.other,
                "ground": pair.ground,
                "found_at": now,
            }
            for pair in known
        ]
        await _add(db, application_matches, rows)
        again = await _pairs(db, part, _applied_again)
        rows = [
            {"application_id": a, "other_id": b, "ground": pair.ground, "found_at": now}
            for pair in again
            for a, b in ((pair.one, pair.other), (pair.other, pair.one))
        ]
        await _add(db, application_matches, rows)


async def lock_pair(db: Writing, duplicate_id: int) -> Row | None:
    """One duplicate, and it stays locked."""
    one = sa.select(household_duplicates).where(household_duplicates.c.id == duplicate_id)
    return await db.row(one.with_for_update())


async def decide(
    db: Writing, where: sa.ColumnElement[bool], status: DuplicateStatus, values: Values
) -> int:
    """End open duplicates; how many rows."""
    return await db.execute(
        sa.update(household_duplicates)
        .where(where, household_duplicates.c.status == DuplicateStatus.OPEN)
        .values(status=status, **values)
    )


def of_pair(one: int, other: int) -> sa.ColumnElement[bool]:
    """Both rows of a pair, on every ground."""
    here, there = household_duplicates.c.household_id, household_duplicates.c.other_id
    return sa.or_(sa.and_(here == one, there == other), sa.and_(here == other, there == one))


def of_one(household_id: int) -> sa.ColumnElement[bool]:
    """Every row that names a household."""
    return sa.or_(
        household_duplicates.c.household_id == household_id,
        household_duplicates.c.other_id == household_id,
    )


async def _pairs(db: Reading, keys: Sequence[int], by: Finders) -> list[Pair]:
    found: list[Pair] = []
    for ground, statement in _built(by):
        rows = await db.rows(statement, {"keys": list(keys)})
        found += [Pair(row["one"], row["other"], ground) for row in rows]
    return found


@cache
def _built(by: Finders) -> tuple[tuple[Ground, Finder], ...]:
    return tuple(by())


async def _add(db: Writing, table: sa.Table, rows: list[dict[str, object]]) -> None:
    """Put rows in that are not there yet."""
    if rows:
        insert = pg.insert if db.dialect == "postgresql" else sqlite.insert
        await db.execute(insert(table).on_conflict_do_nothing(), rows)


def _alike() -> Iterator[tuple[Ground, Finder]]:
    """Pairs of one of the households and another that stands."""
    one, other = households.alias("one"), households.alias("other")
    stands = sa.and_(other.c.status == "ACTIVE", other.c.id != one.c.id, one.c.id.in_(KEYS))
    pair = (one.c.id.label("one"), other.c.id.label("other"))
    yield (
        Ground.PHONE,
        sa.select(*pair).where(one.c.phone_index == other.c.phone_index, stands).distinct(),
    )
    mine, theirs = members.alias("mine"), members.alias("theirs")
    both = sa.and_(stands, mine.c.household_id == one.c.id, theirs.c.household_id == other.c.id)
    yield (
        Ground.MEMBER,
        sa.select(*pair)
        .where(mine.c.identity_number_index == theirs.c.identity_number_index, both)
        .distinct(),
    )
    # Names are shared by many: heads alone count, and of two with numbers it is known who is who.
    yield (
        Ground.NAME,
        sa.select(*pair)
        .where(
            mine.c.name_index == theirs.c.name_index,
            mine.c.is_head,
            theirs.c.is_head,
            both,
            one.c.region_id == other.c.region_id,
            sa.or_(
                mine.c.identity_number_index.is_(None), theirs.c.identity_number_index.is_(None)
            ),
            mine.c.ended_at.is_(None),
            theirs.c.ended_at.is_(None),
        )
        .distinct(),
    )


def _applied() -> Iterator[tuple[Ground, Finder]]:
    """Pairs of one of the households and an application that waits."""
    for ground, statement in _household_and_application():
        yield (
            ground,
            statement.with_only_columns(
                households.c.id.label("one"), applications.c.id.label("other")
            )
            .where(households.c.id.in_(KEYS), applications.c.status == "SUBMITTED")
            .distinct(),
        )


def _known() -> Iterator[tuple[Ground, Finder]]:
    """Pairs of one of the applications and a household that stands."""
    for ground, statement in _household_and_application():
        yield (
            ground,
            statement.with_only_columns(
                applications.c.id.label("one"), households.c.id.label("other")
            )
            .where(applications.c.id.in_(KEYS), households.c.status == "ACTIVE")
            .distinct(),
        )


def _household_and_application() -> Iterator[tuple[Ground, sa.Select[tuple[object, ...]]]]:
    yield (
        Ground.PHONE,
        sa.select(households.c.id).where(households.c.phone_index == applications.c.phone_index),
    )
    of_it = members.c.household_id == households.c.id
    yield (
        Ground.MEMBER,
        sa.select(households.c.id).where(
            of_it, members.c.identity_number_index == applications.c.identity_number_index
        ),
    )
    yield (
        Ground.NAME,
        sa.select(households.c.id).where(
            of_it,
            members.c.name_index == applications.c.name_index,
            members.c.ended_at.is_(None),
            households.c.region_id == applications.c.region_id,
            sa.or_(
                members.c.identity_number_index.is_(None),
                applications.c.identity_number_index.is_(None),
            ),
        ),
    )


def _applied_again() -> Iterator[tuple[Ground, Finder]]:
    """Pairs of one of the applications and another that waits or was registered."""
    one, other = applications.alias("one"), applications.alias("other")
    two = sa.and_(one.c.id.in_(KEYS), other.c.id != one.c.id, other.c.status == "SUBMITTED")
    pair = (one.c.id.label("one"), other.c.id.label("other"))
    yield Ground.PHONE, sa.select(*pair).where(one.c.phone_index == other.c.phone_index, two)
    yield (
        Ground.MEMBER,
        sa.select(*pair).where(one.c.identity_number_index == other.c.identity_number_index, two),
    )
