"""Appeals in the graph: for the household itself and the officers of its region."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
import strawberry

from marketplace.domain.moves import moves_from
from marketplace.domain.permissions import STAFF
from marketplace.domain.registry.appeals import MOVES, AppealDecision, AppealStatus
from marketplace.persistence.tables.decisions import appeals
from marketplace.persistence.tables.registry import assessments
from schema.context import Context
from schema.enums import described
from schema.readgraph.declare import (
    Columns,
    Condition,
    Descending,
    Edge,
    Entity,
    Scope,
    column,
    computed,
    for_viewer,
    node,
    one,
    root,
)
from schema.readgraph.references import referenced_by
from schema.registry.assessments import may_see
from schema.registry.standing import NOW

described(
    AppealStatus,
    "Where an appeal stands.",
    {
        AppealStatus.OPEN: "it waits for its decision.",
        AppealStatus.UPHELD: "the household was right: another person assesses it anew.",
        AppealStatus.DISMISSED: "the assessment stands.",
    },
)
described(
    AppealDecision,
    "What is decided on an appeal.",
    {
        AppealDecision.UPHOLD: "支持, the household is right.",
        AppealDecision.DISMISS: "驳回, it is not.",
    },
)


def _visible(row: Columns, scope: Scope) -> Condition:
    return may_see(row["household_id"], scope)


def _moves(context: Context, status: str, filed_by: int, assessed_by: int | None) -> list[str]:
    if context.viewer.account_id in (filed_by, assessed_by):
        return []
    return list(moves_from(MOVES, context.viewer, AppealStatus(status)))


def _assessed_by(row: Columns) -> sa.ColumnElement[int]:
    against = assessments.alias()
    found = sa.select(against.c.assessed_by).where(against.c.id == row["assessment_id"])
    return found.scalar_subquery()


def _overdue(row: Columns) -> sa.ColumnElement[bool]:
    return sa.and_(row["status"] == AppealStatus.OPEN, row["due_at"] <= NOW)


def _flag(value: object) -> bool:
    return bool(value)


@node(
    table=appeals,
    visible=_visible,
    order=(Descending("filedAt"),),
    description="申诉: a household holds its class to be wrong; another person decides.",
)
class Appeal(Entity):
    reference: str = referenced_by("S", "filed_at")
    status: AppealStatus = column("status", "Where it stands.", filter=AppealStatus, order=True)
    reason: str = column("reason", "Why the household holds its class to be wrong.")
    evidence_reference: str | None = column(
        "evidence_reference", "Where the household's paper is kept.", roles=STAFF
    )
    filed_at: datetime = column("filed_at", "When.", filter=True, order=True)
    due_at: datetime = column("due_at", "By when it is to be decided.", filter=True, order=True)
    is_overdue: bool = computed((_overdue,), _flag, "Whether that time has passed.")
    decided_at: datetime | None = column("decided_at", "When it was decided.")
    decision_reason: str | None = column("decision_reason", "Why it was decided so.")
    version: int = column("version", "Goes up with every change; for `expectedVersion`.")
    allowed_moves: list[str] = for_viewer(
        ("status", "filed_by", _assessed_by),
        _moves,
        "Mutations that the viewer may ask for now.",
    )
    household: Edge = one("Household", "household_id", "Whose it is.", filter=True)
    assessment: Edge = one("Assessment", "assessment_id", "What it is against.")
    new_assessment: Edge = one("Assessment", "new_assessment_id", "What came of it being upheld.")


@strawberry.type
class AppealQuery:
    appeals: Edge = root("Appeal", "Appeals that the viewer may see, newest first.")
