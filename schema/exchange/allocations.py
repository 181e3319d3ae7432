"""Allocations in the graph: a provider sees those of its own offers, never the need behind."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
import strawberry

from marketplace.domain.exchange.allocations import (
    AllocationOrigin,
    AllocationStatus,
    CancelReason,
)
from marketplace.domain.permissions import COUNTY_OFFICERS, PROVIDERS, SUPERVISION
from marketplace.persistence.tables.exchange import allocations, needs
from schema.enums import described
from schema.exchange.amounts import days_of, in_units, unit_drawn, unit_served
from schema.exchange.offers import own_offer
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
from schema.readgraph.references import referenced
from schema.registry.moves import no_moves
from schema.registry.trees import in_region_of, of_household
from schema.scalars import Quantity

described(
    AllocationOrigin,
    "Where an allocation comes from.",
    {
        AllocationOrigin.PLAN: "匹配方案, an approved plan.",
        AllocationOrigin.PLEDGE: "认领, a provider chose the need itself.",
    },
)
described(
    AllocationStatus,
    "Where an allocation stands.",
    {
        AllocationStatus.RESERVED: "已预留, set aside; the provider has yet to accept.",
        AllocationStatus.ACCEPTED: "已接受, the provider will give it.",
        AllocationStatus.DISPATCHED: "已发出, on its way.",
        AllocationStatus.DELIVERED: "已送达, handed over at the door.",
        AllocationStatus.CONFIRMED: "已确认, receipt was confirmed by someone else.",
        AllocationStatus.DISPUTED: "有异议, receipt is in question.",
        AllocationStatus.DECLINED: "已谢绝, the provider declined.",
        AllocationStatus.CANCELLED: "已取消, given back to offer and need.",
    },
)
described(
    CancelReason,
    "Why an allocation was cancelled.",
    {
        CancelReason.LAPSED: "The provider did not answer in time.",
        CancelReason.CONSENT: "The household's consent has ended.",
        CancelReason.RESTRICTION: "The household came under a restriction.",
        CancelReason.OFFER_WITHDRAWN: "The provider took the offer back.",
        CancelReason.NEED_WITHDRAWN: "The need was taken back.",
        CancelReason.OFFICER: "The charity desk cancelled it.",
    },
)


def _visible(row: Columns, scope: Scope) -> Condition:
    if scope.is_one_of(SUPERVISION):
        return sa.true()
    if scope.is_one_of(PROVIDERS):
        return own_offer(scope, row["offer_id"])
    need = needs.alias()
    if scope.is_one_of(COUNTY_OFFICERS):
        mine = in_region_of(scope, need.c.region_id)
    else:
        mine = of_household(scope, need.c.household_id, need.c.region_id)
    return sa.select(need.c.id).where(need.c.id == row["need_id"], mine).exists()


@node(
    table=allocations,
    visible=_visible,
    order=(Descending("createdAt"),),
    description="匹配: a quantity of one offer set aside for one need, and what became of it.",
)
class Allocation(Entity):
    reference: str = referenced("A")
    status: AllocationStatus = column(
        "status", "Where it stands.", filter=AllocationStatus, order=True
    )
    origin: AllocationOrigin = column("origin", "Where it comes from.", filter=AllocationOrigin)
    served: Quantity = computed(
        ("units_served", unit_served), in_units, "What the need gets, in the need's unit."
    )
    drawn: Quantity = computed(
        ("units_drawn", unit_drawn), in_units, "What the offer gives, in the offer's unit."
    )
    visits: list[date] | None = computed(
        ("visit_days",),
        days_of,
        "Of a service: suggested days of its visits, with no day of the offer given away twice and "
        "one visit at most in each span of a recurring need; fewer than visits where the days do "
        "not hold them. Null of goods and cash.",
    )
    reserved_until: datetime | None = column(
        "reserved_until", "Until when the provider may accept.", filter=True, order=True
    )
    cancel_reason: CancelReason | None = column(
        "cancel_reason", "Why it was cancelled, if it was.", filter=CancelReason
    )
    created_at: datetime = column("created_at", "When it was set aside.", filter=True, order=True)
    ended_at: datetime | None = column(
        "ended_at", "When it came to its end.", filter=True, order=True
    )
    version: int = column("version", "Goes up with every change; for `expectedVersion`.")
    allowed_moves: list[str] = for_viewer(
        ("status",), no_moves, "Mutations that the viewer may ask for now."
    )
    need: Edge = one("Need", "need_id", "The need, for officers; null for providers.")
    published_need: Edge = one(
        "PublishedNeed", "need_id", "The need as everyone may see it.", there="need_id"
    )
    offer: Edge = one("Offer", "offer_id", "The offer it is of.", filter=True)
    plan_line: Edge = one("PlanLine", "plan_line_id", "The line of the plan it came from.")


@strawberry.type
class AllocationQuery:
    allocations: Edge = root("Allocation", "Allocations that the viewer may see, newest first.")
