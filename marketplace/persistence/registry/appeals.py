"""Rows of appeals."""

from __future__ import annotations

import sqlalchemy as sa

from marketplace.domain.registry.appeals import AppealStatus
from marketplace.persistence.database import Reading, Row, Values, Writing
from marketplace.persistence.tables import appeals, assessment_overrides, assessments


async def awaiting(db: Reading, household_id: int) -> Row | None:
    """An appeal of the household that was upheld and not followed by a new assessment yet.

    Beside its own columns: assessed_by, of what it is against.
    """
    return await db.row(
        sa.select(appeals, assessments.c.assessed_by)
        .join(assessments, assessments.c.id == appeals.c.assessment_id)
        .where(
            appeals.c.household_id == household_id,
            appeals.c.status == AppealStatus.UPHELD,
            appeals.c.new_assessment_id.is_(None),
        )
        .order_by(appeals.c.id)
        .limit(1)
    )


async def is_open(db: Reading, household_id: int) -> bool:
    found = sa.select(appeals.c.id).where(
        appeals.c.household_id == household_id, appeals.c.status == AppealStatus.OPEN
    )
    return await db.scalar(found) is not None


async def against(db: Reading, assessment_id: int) -> bool:
    """Whether an assessment was appealed against before, however that ended."""
    found = sa.select(appeals.c.id).where(appeals.c.assessment_id == assessment_id)
    return await db.scalar(found) is not None


async def had_a_hand(db: Reading, assessment_id: int) -> frozenset[int]:
    """Accounts that assessed, or proposed or decided on another class."""
    row = await db.row(
        sa.select(
            assessments.c.assessed_by,
            assessment_overrides.c.proposed_by,
            assessment_overrides.c.decided_by,
        )
        .outerjoin(assessment_overrides, assessment_overrides.c.assessment_id == assessments.c.id)
        .where(assessments.c.id == assessment_id)
    )
    return frozenset(key for key in (row or {}).values() if key is not None)


async def household_of(db: Reading, appeal_id: int) -> int | None:
    found = await db.scalar(sa.select(appeals.c.household_id).where(appeals.c.id == appeal_id))
    return None if found is None else int(str(found))


async def lock(db: Writing, appeal_id: int) -> Row | None:
    """An appeal, locked."""
    return await db.row(sa.select(appeals).where(appeals.c.id == appeal_id).with_for_update())


async def add(db: Writing, values: Values) -> int:
    return await db.insert(appeals, values)


async def change(db: Writing, appeal_id: int, values: Values) -> None:
    await db.execute(
        sa.update(appeals)
        .where(appeals.c.id == appeal_id)
        .values(**values, version=appeals.c.version + 1)
    )
