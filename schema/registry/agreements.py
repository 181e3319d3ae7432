"""Agreements in the graph, for the organization itself and officers."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa

from marketplace.domain.moves import moves_from
from marketplace.domain.permissions import STAFF
from marketplace.domain.registry.agreements import MOVES, AgreementStatus
from marketplace.persistence.tables.agreements import (
    agreement_categories,
    agreement_regions,
    agreements,
)
from schema.context import Context
from schema.enums import described
from schema.readgraph.declare import (
    Columns,
    Condition,
    Descending,
    Edge,
    Entity,
    Scope,
    Through,
    column,
    computed,
    for_viewer,
    many,
    node,
    one,
)
from schema.registry.categories import money
from schema.scalars import Money

described(
    AgreementStatus,
    "Where an agreement stands.",
    {
        AgreementStatus.SIGNED: "binds from its first day to its last.",
        AgreementStatus.ENDED: "ended before its last day.",
    },
)


def _visible(row: Columns, scope: Scope) -> Condition:
    if scope.is_one_of(STAFF):
        return sa.true()
    return row["organization_id"] == scope.organization_id


def _moves(context: Context, status: str) -> list[str]:
    return list(moves_from(MOVES, context.viewer, AgreementStatus(status)))


@node(
    table=agreements,
    visible=_visible,
    order=(Descending("validUntil"),),
    description="合作协议: what an organization may offer without asking, how much, how long.",
)
class Agreement(Entity):
    number: str = column("number", "The number on the paper.", filter=True)
    status: AgreementStatus = column(
        "status", "Where it stands.", filter=AgreementStatus, order=True
    )
    valid_from: date = column("valid_from", "The first day.", order=True)
    valid_until: date = column("valid_until", "The last day.", order=True)
    offer_max: Money | None = computed(
        ("offer_max_fen",), money, "What one offer is worth at most; above it, an officer approves."
    )
    total_max: Money | None = computed(
        ("total_max_fen",), money, "What all that is offered under it is worth at most."
    )
    signed_at: datetime = column("signed_at", "When it was written down.")
    ended_at: datetime | None = column("ended_at", "When it was ended.")
    end_reason: str | None = column("end_reason", "Why it was ended.")
    version: int = column("version", "Goes up with every change; for `expectedVersion`.")
    allowed_moves: list[str] = for_viewer(
        ("status",), _moves, "Mutations that the viewer may ask for now."
    )
    organization: Edge = one("Organization", "organization_id", "Whose it is.")
    categories: Edge = many(
        "Category",
        "id",
        "What may be offered, with all below; empty: everything.",
        through=Through(agreement_categories, "agreement_id", "category_id"),
    )
    regions: Edge = many(
        "Region",
        "id",
        "Where to, with all below; empty: anywhere.",
        through=Through(agreement_regions, "agreement_id", "region_id"),
    )
