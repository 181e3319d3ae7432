"""Government aid in the graph: decisions on a household, for itself and officers of its region."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
import strawberry

from marketplace.domain.exchange.government_aid import GovernmentAidKind
from marketplace.domain.permissions import MUTATIONS, STAFF
from marketplace.persistence.tables.exchange import government_aids
from marketplace.persistence.tables.registry import categories
from schema.context import Context
from schema.enums import described
from schema.exchange.amounts import in_units
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
    many,
    node,
    one,
    root,
)
from schema.readgraph.references import referenced_by
from schema.registry.assessments import may_see
from schema.registry.basis import DecisionBasis, basis_of
from schema.registry.categories import money
from schema.scalars import Money, Quantity

described(
    GovernmentAidKind,
    "政府救助: what the public purse gives.",
    {
        GovernmentAidKind.SUBSISTENCE_ALLOWANCE: "低保金, subsistence allowance.",
        GovernmentAidKind.EXTREME_POVERTY_SUPPORT: "特困供养, support in extreme poverty.",
        GovernmentAidKind.TEMPORARY_ASSISTANCE: "临时救助, temporary assistance.",
        GovernmentAidKind.MEDICAL: "医疗救助, medical.",
        GovernmentAidKind.EDUCATION: "教育救助, education.",
        GovernmentAidKind.HOUSING: "住房救助, housing.",
        GovernmentAidKind.DISASTER: "受灾救助, disaster relief.",
    },
)


def _visible(row: Columns, scope: Scope) -> Condition:
    return may_see(row["household_id"], scope)


def _unit_covered(row: Columns) -> sa.ColumnElement[str]:
    category = categories.alias()
    found = sa.select(category.c.unit).where(category.c.id == row["covers_category_id"])
    return found.scalar_subquery()


def _covered(units: int, unit: str | None) -> Quantity | None:
    return None if unit is None else in_units(units, unit)


def _moves(context: Context, granted: bool, ended_at: str | None, ends_on: str | None) -> list[str]:
    today = context.database.now().date().isoformat()
    goes_on = bool(granted) and ended_at is None and (ends_on is None or str(ends_on) > today)
    may = context.viewer.role in MUTATIONS["governmentAidEnd"]
    return ["governmentAidEnd"] if goes_on and may else []


@node(
    table=government_aids,
    visible=_visible,
    order=(Descending("decidedAt"),),
    description="政府救助决定: what the assistance desk decided on a household; government first.",
)
class GovernmentAid(Entity):
    reference: str = referenced_by("Z", "decided_at")
    kind: GovernmentAidKind = column("kind", "Which aid.", filter=GovernmentAidKind, order=True)
    granted: bool = column(
        "granted", "False: it was decided, and the household is not entitled.", filter=True
    )
    amount: Money = computed(("amount_fen",), money, "What it is worth.")
    starts_on: date = column("starts_on", "The first day that it is for.", filter=True, order=True)
    ends_on: date | None = column(
        "ends_on", "The last day; null: until further notice.", filter=True
    )
    covers: Quantity | None = computed(
        ("covers_quantity", _unit_covered),
        _covered,
        "The units that it gives of the category it covers; null where it is money alone.",
    )
    reason: str | None = column("reason", "Why it was decided so.")
    decided_at: datetime = column("decided_at", "When.", filter=True, order=True)
    ended_at: datetime | None = column("ended_at", "When it was ended early, if it was.")
    end_reason: str | None = column("end_reason", "Why it was ended early.", roles=STAFF)
    basis: DecisionBasis | None = computed(
        ("snapshot",), basis_of, "What it was based on, frozen; null where none was kept."
    )
    version: int = column("version", "Goes up with every change; for `expectedVersion`.")
    allowed_moves: list[str] = for_viewer(
        ("granted", "ended_at", "ends_on"), _moves, "Mutations that the viewer may ask for now."
    )
    household: Edge = one("Household", "household_id", "Whose it is.", filter=True)
    category: Edge = one(
        "Category", "covers_category_id", "What it covers or was asked for.", filter=True
    )
    conflicts: Edge = many(
        "AidConflict", "aid_id", "Needs for which charity may be paying for the same thing."
    )


@strawberry.type
class GovernmentAidQuery:
    government_aids: Edge = root(
        "GovernmentAid", "Decisions on government aid that the viewer may see, newest first."
    )
