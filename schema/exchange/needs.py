"""Needs in the graph: for officers, by role and region; the charity desk's end with consent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa
import strawberry

from marketplace.domain.exchange.needs import NeedStatus, allowed_moves
from marketplace.domain.permissions import STAFF, Role
from marketplace.persistence.tables.exchange import needs
from schema.context import Context
from schema.enums import described
from schema.exchange.amounts import in_units, unit_of_category
from schema.exchange.explained import PLAN, SHORTFALL_CELLS, Shortfall, shortfall_of
from schema.exchange.residuals import Residual, residual_of
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
from schema.readgraph.references import referenced
from schema.registry.consent import in_force
from schema.registry.households import MAY_SEE_ASSESSMENT
from schema.registry.trees import in_region_of, of_household
from schema.scalars import Quantity

described(
    NeedStatus,
    "Where a need stands.",
    {
        NeedStatus.DRAFT: "written down, not yet referred.",
        NeedStatus.REFERRED: "with the charity desk.",
        NeedStatus.RETURNED: "sent back to the assistance desk with a reason.",
        NeedStatus.REJECTED: "turned down by the charity desk.",
        NeedStatus.PUBLISHED: "in the market.",
        NeedStatus.FULFILLED: "every unit was received and confirmed.",
        NeedStatus.CLOSED: "its results were acknowledged.",
        NeedStatus.WITHDRAWN: "taken back, or its consent has ended.",
        NeedStatus.EXPIRED: "its deadline has passed.",
        NeedStatus.SUSPENDED: "halted by a restriction.",
    },
)


def visible(row: Columns, scope: Scope) -> Condition:
    """Officers by role and region; charity what was referred to it while consent is in force."""
    if scope.role is Role.CHARITY_OFFICER:
        return sa.and_(
            row["status"] != NeedStatus.DRAFT,
            row["referral_id"].is_not(None),
            in_region_of(scope, row["region_id"]),
            in_force(row["household_id"], scope),
        )
    return of_household(scope, row["household_id"], row["region_id"])


def _moves(context: Context, status: str, referred_by: int | None) -> list[str]:
    return list(allowed_moves(context.viewer, status=NeedStatus(status), referred_by=referred_by))


def _difference(whole: str, part: str) -> Callable[[Columns], sa.ColumnElement[int]]:
    return lambda row: row[whole] - row[part]


@node(
    table=needs,
    visible=visible,
    order=(Descending("createdAt"),),
    description="救助需求: what government assistance leaves open for a household; for officers.",
)
class Need(Entity):
    reference: str = referenced("N")
    status: NeedStatus = column("status", "Where the need stands.", filter=NeedStatus, order=True)
    severity: int = column(
        "severity", "How urgent, 1 to 100, by the latest assessment.", filter=True, order=True
    )
    quantity: Quantity = computed(
        ("quantity", unit_of_category), in_units, "What government aid leaves open."
    )
    quantity_asked: Quantity = computed(
        ("quantity_asked", unit_of_category), in_units, "What was asked for at first."
    )
    quantity_by_government: Quantity = computed(
        ("quantity_by_government", unit_of_category), in_units, "What government aid gives of it."
    )
    residual: Residual | None = computed(
        ("residual", "quantity_asked", "quantity_by_government", "overlap", unit_of_category),
        residual_of,
        "How what is left open was reckoned, step by step; null for roles that may not see which "
        "aid a household gets.",
        roles=MAY_SEE_ASSESSMENT | {Role.CHARITY_OFFICER},
    )
    overlap: Quantity = computed(
        ("overlap", unit_of_category),
        in_units,
        "What government gives beyond that: units that charity has in hand, or of a need that was "
        "withdrawn since government meets it whole.",
    )
    covered: Quantity = computed(
        ("covered", unit_of_category), in_units, "What live allocations set aside or gave."
    )
    remaining: Quantity = computed(
        (_difference("quantity", "covered"), unit_of_category), in_units, "What is still open."
    )
    quantity_min: Quantity = computed(
        ("quantity_min", unit_of_category), in_units, "Less than this is of no use."
    )
    visit_minutes: int | None = column(
        "visit_minutes", "Of a service: how many minutes a visit takes; the quantity is visits."
    )
    every_days: int | None = column(
        "every_days",
        "Of a recurring service: at most one visit in so many days, 7 for weekly; null: on any "
        "days.",
        filter=True,
    )
    deadline: datetime | None = column(
        "deadline", "By when it must come; null: any time.", filter=True, order=True
    )
    external_reference: str | None = column(
        "external_reference", "The number it goes by elsewhere.", roles=STAFF, filter=True
    )
    created_at: datetime = column(
        "created_at", "When it was written down.", filter=True, order=True
    )
    published_at: datetime | None = column(
        "published_at", "When it came into the market.", filter=True, order=True
    )
    due_at: datetime | None = column(
        "due_at",
        "Of a referred need: by when it should be reviewed; of a returned one: be back.",
        filter=True,
        order=True,
    )
    version: int = column("version", "Goes up with every change; for `expectedVersion`.")
    allowed_moves: list[str] = for_viewer(
        ("status", "referred_by"), _moves, "Mutations that the viewer may ask for now."
    )
    shortfall: Shortfall | None = for_viewer(
        SHORTFALL_CELLS,
        shortfall_of,
        "Why a plan leaves it short; null where it was not in the plan, and of plans from before "
        "this was kept.",
        arguments=PLAN,
    )
    household: Edge = one("Household", "household_id", "Whose need it is.", filter=True)
    category: Edge = one("Category", "category_id", "What is needed.", filter=True)
    region: Edge = one("Region", "region_id", "Where the household lives.", filter=True)
    published_need: Edge = one(
        "PublishedNeed", "id", "Its public copy, once there is one.", there="need_id"
    )
    conflicts: Edge = many(
        "AidConflict", "need_id", "Where government may be paying for the same thing."
    )
    allocations: Edge = many("Allocation", "need_id", "What was set aside for it.")
    results: Edge = many("Result", "need_id", "What came of it.")
    plan_lines: Edge = many("PlanLine", "need_id", "What plans proposed for it.")


@strawberry.type
class NeedQuery:
    needs: Edge = root("Need", "Needs that the viewer may see, newest first; for officers.")
