"""Allocations in the graph: a provider sees those of its own offers, never the need behind."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
import strawberry

from marketplace.domain.exchange.allocations import (
    AllocationOrigin,
    AllocationStatus,
    CancelReason,
    ConfirmedHow,
    DeclineReason,
    DisputeReason,
    Settlement,
    allowed_moves,
)
from marketplace.domain.exchange.deliveries import Carrier
from marketplace.domain.permissions import COUNTY_OFFICERS, PROVIDERS, STAFF, SUPERVISION
from marketplace.persistence.tables.exchange import allocations, needs
from schema.context import Context
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
    many,
    node,
    one,
    root,
)
from schema.readgraph.references import referenced
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
        AllocationStatus.RESERVED: "set aside; the provider has yet to accept.",
        AllocationStatus.ACCEPTED: "the provider will give it.",
        AllocationStatus.DISPATCHED: "on its way.",
        AllocationStatus.DELIVERED: "handed over at the door.",
        AllocationStatus.CONFIRMED: "receipt was confirmed by someone else.",
        AllocationStatus.DISPUTED: "receipt is in question.",
        AllocationStatus.DECLINED: "the provider declined.",
        AllocationStatus.CANCELLED: "given back to offer and need.",
    },
)
described(
    CancelReason,
    "Why an allocation was cancelled.",
    {
        CancelReason.LAPSED: "The provider did not answer in time.",
        CancelReason.CONSENT: "The household's consent has ended.",
        CancelReason.RESTRICTION: "The household or the provider came under a restriction.",
        CancelReason.OFFER_WITHDRAWN: "The provider took the offer back.",
        CancelReason.NEED_WITHDRAWN: "The need was taken back.",
        CancelReason.OFFICER: "The charity desk cancelled it.",
    },
)
described(
    Carrier,
    "Who brings something to the door.",
    {
        Carrier.GRID: "网格员, the grid worker of the household's cell; so the provider never "
        "learns where it goes.",
        Carrier.PROVIDER: "供给方自送, the provider itself.",
    },
)
described(
    DeclineReason,
    "Why a provider declined.",
    {
        DeclineReason.OUT_OF_STOCK: "无货, it is not there any more.",
        DeclineReason.NO_CAPACITY: "无力承担, nobody or nothing to do it with.",
        DeclineReason.TOO_FAR: "过远, too far away.",
        DeclineReason.NOT_SUITABLE: "不适合, it does not fit what is needed.",
        DeclineReason.OTHER: "其他, something else.",
    },
)
described(
    DisputeReason,
    "What is wrong with a delivery.",
    {
        DisputeReason.NOT_RECEIVED: "未收到, nothing was received.",
        DisputeReason.LESS_RECEIVED: "数量不足, less was received.",
        DisputeReason.DEFECTIVE: "质量问题, it is spoiled or broken.",
        DisputeReason.NOT_AS_AGREED: "与约定不符, it is something else.",
        DisputeReason.OTHER: "其他, something else.",
    },
)
described(
    ConfirmedHow,
    "Whose word a confirmation is.",
    {
        ConfirmedHow.ACCOUNT: "由他人确认, of another person or the household, signed in.",
        ConfirmedHow.CODE: "凭验证码确认, of the household, by its one-time code.",
        ConfirmedHow.SETTLED: "经处理确认, of the charity desk, after a dispute.",
    },
)
described(
    Settlement,
    "How a dispute ends.",
    {
        Settlement.CONFIRMED: "确认, with what was received.",
        Settlement.CANCELLED: "取消, nothing was received.",
    },
)


# What happened to a household: nobody else learns whether it took its leave back or lost it.
OF_THE_HOUSEHOLD = (CancelReason.CONSENT, CancelReason.RESTRICTION)


def _may_be_told(row: Columns, scope: Scope) -> Condition:
    if scope.is_one_of(PROVIDERS):
        return row["cancel_reason"].not_in(OF_THE_HOUSEHOLD)
    return sa.true()


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


def _moves(context: Context, status: str, carrier: str) -> list[str]:
    return list(
        allowed_moves(context.viewer, status=AllocationStatus(status), carrier=Carrier(carrier))
    )


def _maybe(value: int | None, unit: str | None) -> Quantity | None:
    return None if value is None else in_units(value, unit)


def _served(step: str, description: str) -> Any:
    return computed((f"{step}_served", unit_served), _maybe, description)


def _drawn(step: str, description: str) -> Any:
    return computed((f"{step}_drawn", unit_drawn), _maybe, description)


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
        "cancel_reason",
        "Why it was cancelled, if it was. A provider is not told which of the reasons that lie "
        "with the household it was.",
        only=_may_be_told,
        filter=CancelReason,
    )
    created_at: datetime = column("created_at", "When it was set aside.", filter=True, order=True)
    ended_at: datetime | None = column(
        "ended_at", "When it came to its end.", filter=True, order=True
    )
    version: int = column("version", "Goes up with every change; for `expectedVersion`.")
    allowed_moves: list[str] = for_viewer(
        ("status", "carrier"), _moves, "Mutations that the viewer may ask for now."
    )
    carrier: Carrier = column("carrier", "Who brings it to the door.", filter=Carrier)
    reserved: Quantity | None = _served(
        "reserved", "What was set aside, in the need's unit; null until it is sent."
    )
    reserved_drawn: Quantity | None = _drawn("reserved", "The same in the offer's unit.")
    sent: Quantity | None = _served("sent", "What the giver sent, in the need's unit.")
    sent_drawn: Quantity | None = _drawn("sent", "The same in the offer's unit.")
    received: Quantity | None = _served("received", "What the household got, in the need's unit.")
    received_drawn: Quantity | None = _drawn("received", "The same in the offer's unit.")
    returned: Quantity | None = _served("returned", "What came back, in the need's unit.")
    returned_drawn: Quantity | None = _drawn("returned", "The same in the offer's unit.")
    lost_drawn: Quantity = computed(
        ("lost_drawn", unit_drawn),
        in_units,
        "What neither came to the household nor back, in the offer's unit.",
    )
    accepted_at: datetime | None = column("accepted_at", "When it was accepted.", filter=True)
    dispatched_at: datetime | None = column("dispatched_at", "When it was sent.", filter=True)
    delivered_at: datetime | None = column("delivered_at", "When it was handed over.", filter=True)
    confirmed_at: datetime | None = column(
        "confirmed_at", "When its receipt was confirmed.", filter=True
    )
    confirmed_how: ConfirmedHow | None = column("confirmed_how", "Whose word that is.")
    disputed_at: datetime | None = column("disputed_at", "When it was put in question.")
    dispute_reason: DisputeReason | None = column("dispute_reason", "What is said to be wrong.")
    dispute_note: str | None = column(
        "dispute_note", "More of it, as somebody wrote it; for the offices.", roles=STAFF
    )
    claimed: Quantity | None = computed(
        ("claimed_served", unit_served),
        _maybe,
        "What was received as whoever disputes says, in the need's unit.",
    )
    settled_at: datetime | None = column("settled_at", "When the charity desk settled it.")
    settle_note: str | None = column("settle_note", "How that was found.", roles=STAFF | PROVIDERS)
    decline_reason: DeclineReason | None = column(
        "decline_reason", "Why the provider declined, if it did.", filter=DeclineReason
    )
    decline_note: str | None = column(
        "decline_note", "More of it, as the provider wrote it.", roles=STAFF | PROVIDERS
    )
    cancel_note: str | None = column(
        "cancel_note", "More of why it was cancelled.", roles=STAFF | PROVIDERS
    )
    delivery: Edge = one("Delivery", "delivery_id", "The batch that it was sent in.", filter=True)
    check_ins: Edge = many("CheckIn", "allocation_id", "Who was at the door with it, and when.")
    need: Edge = one("Need", "need_id", "The need, for officers; null for providers.")
    published_need: Edge = one(
        "PublishedNeed", "need_id", "The need as everyone may see it.", there="need_id"
    )
    offer: Edge = one("Offer", "offer_id", "The offer it is of.", filter=True)
    result: Edge = one(
        "Result", "id", "What came of it, once it was confirmed.", there="allocation_id"
    )
    plan_line: Edge = one("PlanLine", "plan_line_id", "The line of the plan it came from.")


@strawberry.type
class AllocationQuery:
    allocations: Edge = root("Allocation", "Allocations that the viewer may see, newest first.")


__all__ = ["Allocation", "AllocationQuery", "Carrier"]
