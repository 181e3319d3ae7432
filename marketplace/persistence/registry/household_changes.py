"""Rows of what becomes of households: members who come and go, and the record of each change."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime

import sqlalchemy as sa

from marketplace.domain.registry.household_changes import MemberEventKind
from marketplace.persistence.database import Reading, Row, Values, Writing
from marketplace.persistence.tables import (
    accounts,
    assessments,
    household_merges,
    household_moves,
    household_splits,
    household_tellings,
    households,
    member_events,
    members,
)


async def change(db: Writing, household_id: int, values: Values) -> None:
    """Write columns of a locked household and count its version up."""
    await db.execute(
        sa.update(households)
        .where(households.c.id == household_id)
        .values(**values, version=households.c.version + 1)
    )


async def change_members(db: Writing, member_ids: Collection[int], values: Values) -> None:
    await db.execute(sa.update(members).where(members.c.id.in_(member_ids)).values(**values))


async def household_of_member(db: Reading, member_id: int) -> int | None:
    """The household that a person is a member of now."""
    found = await db.scalar(
        sa.select(members.c.household_id).where(
            members.c.id == member_id, members.c.ended_at.is_(None)
        )
    )
    return None if found is None else int(str(found))


async def add_member(db: Writing, row: Values) -> int:
    return await db.insert(members, row)


async def add_member_event(
    db: Writing,
    *,
    household_id: int,
    member_id: int,
    kind: MemberEventKind,
    on: date,
    reason: str,
    by: int | None,
    now: datetime,
) -> None:
    values = {
        "household_id": household_id,
        "member_id": member_id,
        "kind": kind,
        "happened_on": on,
        "reason": reason.strip(),
        "recorded_by": by,
        "recorded_at": now,
    }
    await db.insert(member_events, values)


async def add_move(db: Writing, values: Values) -> int:
    return await db.insert(household_moves, values)


async def add_merge(db: Writing, values: Values) -> int:
    return await db.insert(household_merges, values)


async def add_split(db: Writing, values: Values) -> int:
    return await db.insert(household_splits, values)


async def add_telling(db: Writing, values: Values) -> int:
    return await db.insert(household_tellings, values)


async def hand_over_accounts(db: Writing, from_id: int, to_id: int) -> None:
    """Whoever belongs to one household belongs to the other from now on."""
    await db.execute(
        sa.update(accounts).where(accounts.c.household_id == from_id).values(household_id=to_id)
    )


async def add_household(db: Writing, row: Values) -> int:
    return await db.insert(households, row)


async def latest_assessment(db: Reading, household_id: int) -> Row | None:
    """Key and moment of the assessment that stands."""
    return await db.row(
        sa.select(assessments.c.id, assessments.c.assessed_at)
        .where(assessments.c.household_id == household_id)
        .order_by(assessments.c.assessed_at.desc(), assessments.c.id.desc())
        .limit(1)
    )
