"""Assessments in the graph: for the household itself and officers of its region, with the why."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
import strawberry

from marketplace.domain.moves import moves_from
from marketplace.domain.permissions import STAFF, Role
from marketplace.domain.registry.assessments import EligibilityClass
from marketplace.domain.registry.assessments_told import told
from marketplace.domain.registry.overrides import MOVES, OverrideStatus
from marketplace.persistence.tables.decisions import assessment_overrides
from marketplace.persistence.tables.registry import assessments, households
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
from schema.registry.basis import RIGID_KINDS, DecisionBasis, RigidExpenditure, basis_of, rigid
from schema.registry.categories import money
from schema.registry.households import MAY_SEE_ASSESSMENT
from schema.registry.standing import (
    approved,
    day_of,
    due,
    is_last,
    ran_out,
    runs_out,
    standing_class,
)
from schema.registry.trees import IN_LANGUAGE, Language, of_household
from schema.scalars import Money

described(
    OverrideStatus,
    "Where an override of a class stands.",
    {
        OverrideStatus.PENDING: "it waits for a second person and counts for nothing yet.",
        OverrideStatus.APPROVED: "its class stands.",
        OverrideStatus.REJECTED: "the computed class stands.",
    },
)


def may_see(household_id: sa.ColumnElement[int], scope: Scope) -> Condition:
    """Whether the viewer may see what a household was assessed as."""
    if scope.role not in MAY_SEE_ASSESSMENT:
        return sa.false()
    home = households.alias()
    region = sa.select(home.c.region_id).where(home.c.id == household_id)
    return of_household(scope, household_id, region.scalar_subquery())


def _visible(row: Columns, scope: Scope) -> Condition:
    return may_see(row["household_id"], scope)


def _explained(
    context: Context,
    arguments: Mapping[str, object],
    trace: object,
    computed_class: str,
    override: str | None,
    reason: str | None,
    valid_until: str | None,
    lapsed: bool,
    due_at: str | None,
) -> list[str]:
    chosen = arguments.get("language")
    return told(
        trace,
        computed=EligibilityClass(computed_class),
        override=None if override is None else EligibilityClass(override),
        override_reason=reason,
        valid_until=day_of(valid_until),
        has_lapsed=bool(lapsed),
        due_on=day_of(due_at),
        language=chosen.value if isinstance(chosen, Language) else context.language,
    )


def _approved(name: str) -> Any:
    return lambda row: approved(row, name)


def _flag(value: object) -> bool:
    return bool(value)


def _as_it_is(value: object) -> object:
    return value


@node(
    table=assessments,
    visible=_visible,
    order=(Descending("assessedAt"),),
    description="家庭经济状况核对: what a household lives on and what followed; the latest stands.",
)
class Assessment(Entity):
    reference: str = referenced_by("E", "assessed_at")
    assessed_at: datetime = column("assessed_at", "When.", filter=True, order=True)
    policy_version: str = column("policy_version", "The lines and the formula that were applied.")
    member_count: int = column("member_count", "How many people it was reckoned for.")
    income: Money = computed(("income_fen_month",), money, "Of the whole household, a month.")
    property: Money = computed(("property_fen",), money, "财产, of the whole household.")
    rigid_expenditure: RigidExpenditure = computed(
        tuple(f"{name}_fen_month" for name in RIGID_KINDS),
        rigid,
        "What cannot be avoided, by kind, a month.",
    )
    computed_class: EligibilityClass = column(
        "eligibility_class", "What the published lines give.", filter=EligibilityClass
    )
    eligibility_class: EligibilityClass = computed(
        (standing_class,),
        _as_it_is,
        "What stands by it now: an override that a second person approved before the computed "
        "class, and NONE once the recognition ran out.",
    )
    severity: int = column("severity", "1 to 100.", filter=True, order=True)
    valid_until: datetime | None = computed(
        (runs_out,), _as_it_is, "When its class runs out; null: it does not by itself."
    )
    has_lapsed: bool = computed((ran_out,), _flag, "Whether its class has run out.")
    reassessment_due_on: date | None = computed(
        (due,), day_of, "When the household is to be looked at again; null: not by itself."
    )
    is_latest: bool = computed((is_last,), _flag, "Whether it is the one that stands.")
    explanation: list[str] = for_viewer(
        (
            "trace",
            "eligibility_class",
            _approved("eligibility_class"),
            _approved("reason"),
            runs_out,
            ran_out,
            due,
        ),
        _explained,
        "How class and severity came about, in plain words, for the household and its officers.",
        arguments=IN_LANGUAGE,
    )
    basis: DecisionBasis | None = computed(
        ("snapshot",),
        basis_of,
        "What it was based on, frozen when it was made; null of assessments from before that.",
    )
    household: Edge = one("Household", "household_id", "Whose it is.", filter=True)
    override: Edge = one(
        "AssessmentOverride", "id", "Another class that was proposed.", there="assessment_id"
    )


def _sees_override(row: Columns, scope: Scope) -> Condition:
    assessed = assessments.alias()
    of = sa.select(assessed.c.id).where(
        assessed.c.id == row["assessment_id"], may_see(assessed.c.household_id, scope)
    )
    if scope.role is Role.APPLICANT:  # learns what was decided, not what somebody thought of
        return sa.and_(row["status"] == OverrideStatus.APPROVED, of.exists())
    return of.exists()


def _override_moves(context: Context, status: str, proposed_by: int) -> list[str]:
    if context.viewer.account_id == proposed_by:
        return []
    return list(moves_from(MOVES, context.viewer, OverrideStatus(status)))


@node(
    table=assessment_overrides,
    visible=_sees_override,
    order=(Descending("proposedAt"),),
    description="Another class than the computed one; it counts once a second person approves.",
)
class AssessmentOverride(Entity):
    eligibility_class: EligibilityClass = column(
        "eligibility_class", "The class that is held to be right.", filter=EligibilityClass
    )
    reason: str = column("reason", "Why.")
    status: OverrideStatus = column("status", "Where it stands.", filter=OverrideStatus)
    proposed_at: datetime = column("proposed_at", "When.", filter=True, order=True)
    decided_at: datetime | None = column("decided_at", "When the second person decided.")
    decision_reason: str | None = column("decision_reason", "Why it was decided so.", roles=STAFF)
    version: int = column("version", "Goes up with every change; for `expectedVersion`.")
    allowed_moves: list[str] = for_viewer(
        ("status", "proposed_by"), _override_moves, "Mutations that the viewer may ask for now."
    )
    assessment: Edge = one("Assessment", "assessment_id", "What it is of.", filter=True)


@strawberry.type
class AssessmentQuery:
    assessments: Edge = root("Assessment", "Assessments that the viewer may see, newest first.")
    assessment_overrides: Edge = root(
        "AssessmentOverride", "Overrides of classes, newest first; PENDING ones wait for somebody."
    )
