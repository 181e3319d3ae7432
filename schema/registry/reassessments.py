"""Whom to assess anew: those due, those whose class ran out, those whose appeal was upheld."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

import sqlalchemy as sa
import strawberry

from marketplace.domain.permissions import Role
from marketplace.domain.registry.assessments import EligibilityClass
from marketplace.persistence.tables.decisions import appeals
from marketplace.persistence.tables.registry import assessments
from schema.enums import described
from schema.readgraph.declare import (
    Ascending,
    Columns,
    Condition,
    Edge,
    Entity,
    Scope,
    column,
    computed,
    node,
    one,
    root,
)
from schema.registry.assessments import may_see
from schema.registry.standing import NOW, day_of, due, is_last, runs_out, standing_class


class ReassessmentReason(StrEnum):
    DUE = "DUE"
    RAN_OUT = "RAN_OUT"
    APPEAL_UPHELD = "APPEAL_UPHELD"


described(
    ReassessmentReason,
    "Why a household is to be assessed anew.",
    {
        ReassessmentReason.DUE: "到期复核, it is time.",
        ReassessmentReason.RAN_OUT: "认定到期, its class has run out.",
        ReassessmentReason.APPEAL_UPHELD: "申诉成立, its appeal was upheld.",
    },
)


def _upheld_at(row: Columns) -> sa.ColumnElement[object]:
    appeal = appeals.alias()
    return (
        sa.select(appeal.c.decided_at)
        .where(
            appeal.c.household_id == row["household_id"],
            appeal.c.status == "UPHELD",
            appeal.c.new_assessment_id.is_(None),
        )
        .order_by(appeal.c.id)
        .limit(sa.literal_column("1"))
        .scalar_subquery()
    )


def _since(row: Columns) -> sa.ColumnElement[object]:
    """When it became due: by appeal at once, else when it ran out or was to be looked at."""
    until, looked_at = runs_out(row), due(row)
    first = sa.case((until <= sa.func.coalesce(looked_at, until), until), else_=looked_at)
    return sa.func.coalesce(_upheld_at(row), first)


def _reason(row: Columns) -> sa.ColumnElement[str]:
    return sa.case(
        (_upheld_at(row).is_not(None), ReassessmentReason.APPEAL_UPHELD.value),
        (runs_out(row) <= NOW, ReassessmentReason.RAN_OUT.value),
        else_=ReassessmentReason.DUE.value,
    )


def _visible(row: Columns, scope: Scope) -> Condition:
    if scope.role is Role.APPLICANT:
        return sa.false()
    is_due = sa.func.coalesce(_since(row) <= scope.now, sa.false())
    return sa.and_(is_due, is_last(row), may_see(row["household_id"], scope))


def _as_it_is(value: object) -> object:
    return value


@node(
    table=assessments,
    visible=_visible,
    order=(Ascending("assessedAt"),),
    description="A household that is to be assessed anew by now.",
)
class Reassessment(Entity):
    due_on: date = computed((_since,), day_of, "Since when.")
    reason: ReassessmentReason = computed((_reason,), _as_it_is, "Why.")
    eligibility_class: EligibilityClass = computed(
        (standing_class,), _as_it_is, "The class that stands until then."
    )
    assessed_at: datetime = column("assessed_at", "When it was assessed so far.", order=True)
    household: Edge = one("Household", "household_id", "Whom to assess.", filter=True)
    assessment: Edge = one("Assessment", "id", "What it was assessed as so far.")


@strawberry.type
class ReassessmentQuery:
    reassessments_due: Edge = root(
        "Reassessment", "Households that are to be assessed anew by now, the longest due first."
    )
