"""What a decision was based on, as the graph says the frozen record that is kept with it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import strawberry

from marketplace.domain.registry.assessments import EligibilityClass
from schema.registry.categories import money
from schema.registry.households import TargetGroup
from schema.scalars import Money

RIGID_KINDS = ("medical", "education", "disability_care", "housing", "disaster")


@strawberry.type(description="刚性支出: what cannot be avoided, a month for the whole household.")
class RigidExpenditure:
    medical: Money = strawberry.field(description="医疗.")
    education: Money = strawberry.field(description="教育.")
    disability_care: Money = strawberry.field(description="残疾照护.")
    housing: Money = strawberry.field(description="住房.")
    disaster: Money = strawberry.field(description="灾害.")


@strawberry.type(description="The record that a decision was based on: frozen, and naming nobody.")
class DecisionBasis:
    assessed_at: datetime | None = strawberry.field(
        description="Of the assessment that stood; null for an assessment itself, or without one."
    )
    eligibility_class: EligibilityClass | None = strawberry.field(
        description="The class that stood; null for an assessment itself, or without one."
    )
    severity: int | None = strawberry.field(
        description="1 to 100; null for an assessment itself, or without one."
    )
    members: int | None = strawberry.field(description="How many people.")
    target_groups: list[TargetGroup] = strawberry.field(description="Groups it belonged to.")
    unsupported: bool | None = strawberry.field(
        description="Whether nobody could work or was bound to give support."
    )
    income: Money | None = strawberry.field(description="Of the household, a month.")
    property: Money | None = strawberry.field(description="财产.")
    rigid_expenditure: RigidExpenditure | None = strawberry.field(description="By kind, a month.")
    lines_version: str | None = strawberry.field(description="Which published lines.")
    subsistence_line: Money | None = strawberry.field(description="低保标准, per head and month.")
    formula: str | None = strawberry.field(description="The version of the formula.")


def rigid(*fen: int) -> RigidExpenditure:
    """Fen by kind, in the order of RIGID_KINDS."""
    paid: list[Any] = [money(each) for each in fen]
    return RigidExpenditure(**dict(zip(RIGID_KINDS, paid, strict=True)))


def basis_of(kept: dict[str, Any] | None) -> DecisionBasis | None:
    """The record as it was kept; None where none was."""
    if not kept:
        return None
    lines: dict[str, Any] = kept.get("lines") or {}
    spent: dict[str, Any] | None = kept.get("rigidFenMonth")
    keys = ("medical", "education", "disabilityCare", "housing", "disaster")
    return DecisionBasis(
        assessed_at=kept.get("assessedAt"),
        eligibility_class=kept.get("eligibilityClass"),
        severity=kept.get("severity"),
        members=kept.get("members"),
        target_groups=kept.get("targetGroups") or [],
        unsupported=kept.get("unsupported"),
        income=money(kept.get("incomeFenMonth")),
        property=money(kept.get("propertyFen")),
        rigid_expenditure=rigid(*(spent[key] for key in keys)) if spent else None,
        lines_version=lines.get("version"),
        subsistence_line=money(lines.get("subsistenceFenMonth")),
        formula=kept.get("formula"),
    )
