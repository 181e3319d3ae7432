"""The class that stands: an approved override before the computed one, and none once it ran out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from marketplace.domain.days import county_day
from marketplace.persistence.tables.columns import UtcDateTime
from marketplace.persistence.tables.decisions import assessment_overrides
from marketplace.persistence.tables.registry import assessments
from schema.readgraph.declare import Columns

NOW = sa.bindparam("now", type_=UtcDateTime())  # as in every Scope


def approved(row: Columns, name: str) -> sa.ColumnElement[Any]:
    """A column of the approved override of a row of `assessments`; null without one."""
    override = assessment_overrides.alias()
    return (
        sa.select(override.c[name])
        .where(override.c.assessment_id == row["id"], override.c.status == "APPROVED")
        .scalar_subquery()
    )


def _of_either(row: Columns, name: str) -> sa.ColumnElement[Any]:
    return sa.case(
        (approved(row, "id").is_not(None), approved(row, name)),
        else_=row[name],
    )


def runs_out(row: Columns) -> sa.ColumnElement[Any]:
    """When the class of a row of `assessments` runs out; null where it does not."""
    return _of_either(row, "valid_until")


def due(row: Columns) -> sa.ColumnElement[Any]:
    """When the household of a row of `assessments` is to be looked at again, if ever."""
    return _of_either(row, "due_at")


def ran_out(row: Columns) -> sa.ColumnElement[bool]:
    """Whether the class of a row of `assessments` has run out."""
    return sa.func.coalesce(runs_out(row) <= NOW, sa.false())


def standing_class(row: Columns) -> sa.ColumnElement[Any]:
    """The class that a row of `assessments` gives now."""
    return sa.case(
        (runs_out(row) <= NOW, "NONE"),
        else_=sa.func.coalesce(approved(row, "eligibility_class"), row["eligibility_class"]),
    )


def is_last(row: Columns) -> sa.ColumnElement[bool]:
    """Whether no later assessment of the household is there."""
    later = assessments.alias()
    return ~(
        sa.select(later.c.id)
        .where(
            later.c.household_id == row["household_id"],
            sa.or_(
                later.c.assessed_at > row["assessed_at"],
                sa.and_(later.c.assessed_at == row["assessed_at"], later.c.id > row["id"]),
            ),
        )
        .exists()
    )


def of_latest(
    cell: Callable[[Columns], sa.ColumnElement[Any]],
) -> Callable[[Columns], sa.ColumnElement[Any]]:
    """A cell of a household: what `cell` says of its latest assessment; null without one."""

    def made(row: Columns) -> sa.ColumnElement[Any]:
        latest = assessments.alias()
        return (
            sa.select(cell(latest.c))
            .where(latest.c.household_id == row["id"])
            .order_by(latest.c.assessed_at.desc(), latest.c.id.desc())
            .limit(sa.literal_column("1"))
            .scalar_subquery()
        )

    return made


def day_of(moment: str | None) -> date | None:
    """The county's day of a moment, as cells have it.

    >>> day_of("2026-11-24T18:00:00Z")
    datetime.date(2026, 11, 25)
    """
    return None if moment is None else county_day(datetime.fromisoformat(moment))
