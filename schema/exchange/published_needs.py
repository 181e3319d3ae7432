"""Published needs in the graph: the market as everyone sees it, redacted by nature."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
import strawberry

from marketplace.domain.exchange.allocations import LIVE_STATUSES
from marketplace.domain.permissions import PROVIDERS, STAFF
from marketplace.persistence.tables.exchange import allocations, offers, published_needs
from schema.enums import described
from schema.exchange.amounts import in_units, unit_of_category
from schema.exchange.meeting_edges import OFFERS_FOR
from schema.readgraph.declare import (
    Columns,
    Condition,
    Descending,
    Edge,
    Entity,
    Has,
    Scope,
    column,
    computed,
    many,
    node,
    one,
    root,
)
from schema.readgraph.references import referenced_by
from schema.registry.households import TargetGroup, groups_in
from schema.scalars import Quantity


class SeverityBand(StrEnum):
    """How urgent, in the four steps that the public is told."""

    CRITICAL = "CRITICAL"
    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"


described(
    SeverityBand,
    "How urgent a published need is.",
    {
        SeverityBand.CRITICAL: "特急, most urgent.",
        SeverityBand.HIGH: "紧急, urgent.",
        SeverityBand.MEDIUM: "一般, ordinary.",
        SeverityBand.LOW: "较缓, can wait.",
    },
)


def _visible(row: Columns, scope: Scope) -> Condition:
    """Everyone sees what is open; providers also what their own offers still serve or served."""
    if scope.is_one_of(STAFF):
        return sa.true()
    if not scope.is_one_of(PROVIDERS):
        return row["is_open"].is_(sa.true())
    allocation, offer = allocations.alias(), offers.alias()
    served = (
        sa.select(allocation.c.id)
        .select_from(allocation.join(offer, allocation.c.offer_id == offer.c.id))
        .where(
            allocation.c.need_id == row["need_id"],
            allocation.c.status.in_(sorted(LIVE_STATUSES)),
            offer.c.organization_id == scope.organization_id,
        )
    )
    return sa.or_(row["is_open"].is_(sa.true()), served.exists())


@node(
    table=published_needs,
    visible=_visible,
    order=(Descending("publishedAt"),),
    description="A need as everyone may see it: no household, township at most, bands for cash.",
)
class PublishedNeed(Entity):
    reference: str = referenced_by("P", "published_at")
    is_open: bool = column("is_open", "Whether it still asks for something.", filter=True)
    quantity: Quantity = computed(
        ("quantity", unit_of_category),
        in_units,
        "How much was open when it was published; of cash, the upper end of a band.",
    )
    severity_band: SeverityBand = column("severity_band", "How urgent.", filter=SeverityBand)
    urgency: int = column("urgency", "The same as a number, 4 the most urgent.", order=True)
    target_groups: list[TargetGroup] = computed(
        ("target_groups",), groups_in, "Groups the household belongs to.",
        filter=Has(TargetGroup),
    )  # fmt: skip
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
    published_at: datetime = column(
        "published_at", "When it came into the market.", filter=True, order=True
    )
    category: Edge = one("Category", "category_id", "What is needed.", filter=True)
    region: Edge = one("Region", "region_id", "The township, no closer.", filter=True)
    offers_that_could_serve: Edge = many(
        "Offer",
        "id",
        "Open offers that could serve it, by what everyone may know: all to the county's officers, "
        "its own to a provider, none to others.",
        through=OFFERS_FOR,
    )
    allocations: Edge = many(
        "Allocation",
        "need_id",
        "What was set aside for it, as far as the viewer may see.",
        here="need_id",
    )


@strawberry.type
class PublishedNeedQuery:
    published_needs: Edge = root("PublishedNeed", "The market: open needs, newest first.")
