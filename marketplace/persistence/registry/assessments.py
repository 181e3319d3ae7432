"""Rows of assessments and their overrides: which one stands, and what has run out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from marketplace.domain.registry.overrides import OverrideStatus
from marketplace.persistence.database import Reading, Row, Values, Writing
from marketplace.persistence.tables import assessment_overrides, assessments


def runs_out() -> sa.ColumnElement[datetime]:
    """When the class of a row of `with_override` runs out; null: it does not."""
    return sa.case(
        (assessment_overrides.c.id.is_not(None), assessment_overrides.c.valid_until),
        else_=assessments.c.valid_until,
    )


def standing_class(now: datetime) -> sa.ColumnElement[str]:
    """The class that a row of `with_override` gives now."""
    return sa.case(
        (runs_out() <= now, "NONE"),
        else_=sa.func.coalesce(
            assessment_overrides.c.eligibility_class, assessments.c.eligibility_class
        ),
    )


def with_override() -> sa.FromClause:
    """Assessments, each with its override where that was approved."""
    return assessments.outerjoin(
        assessment_overrides,
        sa.and_(
            assessment_overrides.c.assessment_id == assessments.c.id,
            assessment_overrides.c.status == OverrideStatus.APPROVED,
        ),
    )


async def latest(db: Reading, household_id: int, now: datetime) -> Row | None:
    """A household's latest assessment with `standing_class`; None: it was never assessed."""
    statement = (
        sa.select(assessments, standing_class(now).label("standing_class"))
        .select_from(with_override())
        .where(assessments.c.household_id == household_id)
        .order_by(assessments.c.assessed_at.desc(), assessments.c.id.desc())
        .limit(1)
    )
    return await db.row(statement)


async def add(db: Writing, row: Values) -> int:
    return await db.insert(assessments, row)


async def add_override(db: Writing, row: Values) -> int:
    return await db.insert(assessment_overrides, row)


async def override_household(db: Reading, override_id: int) -> int | None:
    """Whose assessment an override is of."""
    found = await db.scalar(
        sa.select(assessments.c.household_id)
        .join(assessment_overrides, assessment_overrides.c.assessment_id == assessments.c.id)
        .where(assessment_overrides.c.id == override_id)
    )
    return None if found is None else int(str(found))


async def lock_override(db: Writing, override_id: int) -> Row | None:
    """An override, locked, with household_id and assessed_by of its assessment."""
    return await db.row(
        sa.select(assessment_overrides, assessments.c.household_id, assessments.c.assessed_by)
        .join(assessments, assessments.c.id == assessment_overrides.c.assessment_id)
        .where(assessment_overrides.c.id == override_id)
        .with_for_update(of=assessment_overrides)
    )


async def change_override(db: Writing, override_id: int, values: Values) -> None:
    await db.execute(
        sa.update(assessment_overrides)
        .where(assessment_overrides.c.id == override_id)
        .values(**values, version=assessment_overrides.c.version + 1)
    )


async def lapse(db: Writing, *, now: datetime, limit: int) -> Sequence[Row]:
    """Mark assessments whose class has run out; id and household_id of those that stand.

    Those that a later one stands in for are marked with them, so that nobody looks at them again.
    """
    of_override = await db.rows(_ran_out_by_override(now, limit))
    if of_override:
        await db.execute(
            sa.update(assessment_overrides)
            .where(assessment_overrides.c.assessment_id.in_([row["id"] for row in of_override]))
            .values(lapsed_at=now)
        )
    rows = {row["id"]: row for row in [*of_override, *await db.rows(_ran_out(now, limit))]}
    if rows:
        await db.execute(
            sa.update(assessments)
            .where(assessments.c.id.in_(sorted(rows)), assessments.c.lapsed_at.is_(None))
            .values(lapsed_at=now)
        )
    return [row for _, row in sorted(rows.items()) if not row["is_superseded"]]


def _ran_out(now: datetime, limit: int) -> sa.Select[tuple[object, ...]]:
    """By their own end; where an override counts and no later one does, that has its own."""
    superseded = _superseded()
    return (
        sa.select(assessments.c.id, assessments.c.household_id, superseded.label("is_superseded"))
        .select_from(with_override())
        .where(
            assessments.c.lapsed_at.is_(None),
            assessments.c.valid_until <= now,
            sa.or_(assessment_overrides.c.id.is_(None), superseded),
        )
        .order_by(assessments.c.valid_until, assessments.c.id)
        .limit(limit)
        .with_for_update(of=assessments, skip_locked=True)
    )


def _ran_out_by_override(now: datetime, limit: int) -> sa.Select[tuple[object, ...]]:
    return (
        sa.select(
            assessments.c.id, assessments.c.household_id, _superseded().label("is_superseded")
        )
        .join(assessment_overrides, assessment_overrides.c.assessment_id == assessments.c.id)
        .where(
            assessment_overrides.c.status == OverrideStatus.APPROVED,
            assessment_overrides.c.lapsed_at.is_(None),
            assessment_overrides.c.valid_until <= now,
        )
        .order_by(assessment_overrides.c.valid_until, assessments.c.id)
        .limit(limit)
        .with_for_update(of=assessments, skip_locked=True)
    )


def _superseded() -> sa.Exists:
    """Whether a later assessment stands in for a row's."""
    later = assessments.alias()
    return (
        sa.select(later.c.id)
        .where(
            later.c.household_id == assessments.c.household_id,
            sa.or_(
                later.c.assessed_at > assessments.c.assessed_at,
                sa.and_(
                    later.c.assessed_at == assessments.c.assessed_at, later.c.id > assessments.c.id
                ),
            ),
        )
        .correlate(assessments)
        .exists()
    )
