"""Fieldwork in the graph: visits and checks of monitored households, for officers by region."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
import strawberry

from marketplace.domain.fieldwork.monitoring import CheckOutcome
from marketplace.domain.fieldwork.visits import NEAR_M, VisitKind
from marketplace.domain.permissions import SUPERVISION, Role
from marketplace.persistence.tables.fieldwork import monitoring_checks, visits
from schema.enums import described
from schema.readgraph.declare import (
    Columns,
    Condition,
    Descending,
    Edge,
    Entity,
    Scope,
    column,
    node,
    one,
    root,
)
from schema.readgraph.references import referenced
from schema.registry.households import MonitoringCategory
from schema.registry.trees import OF_THE_REGION, own_household, within_reach

described(
    VisitKind,
    "What a visit is.",
    {
        VisitKind.HOME_VISIT: "入户探访, a home visit.",
        VisitKind.FREE_CLINIC: "义诊, a free clinic.",
        VisitKind.DOORSTEP_HAIRCUT: "上门理发, a haircut at the door.",
        VisitKind.WISH_TRIP: "心愿出行, a trip that somebody wished for.",
    },
)
described(
    CheckOutcome,
    "What a check of a monitored household found.",
    {
        CheckOutcome.NO_CHANGE: "无变化, nothing new.",
        CheckOutcome.RISK_FOUND: "发现风险, a risk that someone must look at.",
        CheckOutcome.MATCHED: "已匹配帮扶, matched with help that there is.",
        CheckOutcome.RISK_GONE: "风险消除, the risk is gone.",
    },
)


def _visible(row: Columns, scope: Scope) -> Condition:
    if scope.is_one_of(OF_THE_REGION | SUPERVISION):
        return within_reach(scope, row["region_id"])
    if scope.role is Role.APPLICANT:
        return own_household(scope, row["household_id"])
    return sa.false()


@node(
    table=visits,
    visible=_visible,
    order=(Descending("visitedAt"),),
    description="探访: who was where, when, and how many people it reached. Its note is sealed.",
)
class Visit(Entity):
    reference: str = referenced("V")
    kind: VisitKind = column("kind", "What it is.", filter=VisitKind)
    visited_at: datetime = column("visited_at", "When it was made.", filter=True, order=True)
    distance_m: int | None = column(
        "distance_m",
        "Metres from the household's place, or the region's; null where one is not known.",
    )
    is_far: bool = column(
        "is_far",
        f"Whether a visit to a door was checked in more than {NEAR_M} m from it.",
        filter=True,
    )
    persons_reached: int = column("persons_reached", "Person-times, 人次; 0: nobody was met.")
    created_at: datetime = column("created_at", "When it was checked in.", filter=True, order=True)
    household: Edge = one("Household", "household_id", "To whom, if to one.", filter=True)
    region: Edge = one("Region", "region_id", "Where.", filter=True)


@node(
    table=monitoring_checks,
    visible=_visible,
    order=(Descending("checkedAt"),),
    description="排查: a check of a household in one of the three monitored categories, matched "
    "against what help there is.",
)
class MonitoringCheck(Entity):
    reference: str = referenced("K")
    monitoring_category: MonitoringCategory = column(
        "monitoring_category", "The household's category that day.", filter=MonitoringCategory
    )
    outcome: CheckOutcome = column("outcome", "What was found.", filter=CheckOutcome)
    persons: int = column("persons", "Person-times, 人次.")
    checked_at: datetime = column("checked_at", "When it was made.", filter=True, order=True)
    created_at: datetime = column("created_at", "When it was recorded.", filter=True, order=True)
    household: Edge = one("Household", "household_id", "Whom.", filter=True)
    region: Edge = one("Region", "region_id", "Where it lived that day.", filter=True)


@strawberry.type
class FieldworkQuery:
    visits: Edge = root("Visit", "Visits that the viewer may see, newest first; for officers.")
    monitoring_checks: Edge = root(
        "MonitoringCheck", "Checks of monitored households, newest first; for officers."
    )
