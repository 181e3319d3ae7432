"""Offers in the graph: the public sees open ones of verified organizations."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
import strawberry

from marketplace.domain.exchange.offer_moderation import ModerationReason, from_kept
from marketplace.domain.exchange.offers import OfferStatus, allowed_moves
from marketplace.domain.permissions import MUTATIONS, PROVIDERS, STAFF
from marketplace.domain.registry.organizations import OrganizationStatus
from marketplace.persistence.tables.exchange import offer_regions, offers
from marketplace.persistence.tables.registry import organizations
from schema.context import Context
from schema.enums import described
from schema.exchange.amounts import in_units, unit_of_offer
from schema.exchange.meeting_edges import NEEDS_MET
from schema.readgraph.declare import (
    Columns,
    Condition,
    Descending,
    Edge,
    Entity,
    Has,
    Scope,
    Through,
    column,
    computed,
    for_viewer,
    many,
    node,
    one,
    root,
)
from schema.readgraph.references import referenced
from schema.registry.categories import CategoryKind
from schema.registry.households import TargetGroup, groups_in
from schema.scalars import Quantity

described(
    OfferStatus,
    "Where an offer stands.",
    {
        OfferStatus.DRAFT: "waits until its organization is verified, or for offerApprove.",
        OfferStatus.OPEN: "in the market.",
        OfferStatus.PAUSED: "out of the market for now.",
        OfferStatus.CLOSED: "closed; what is reserved stays reserved.",
        OfferStatus.EXPIRED: "its end has passed.",
    },
)


described(
    ModerationReason,
    "What of an offer is outside its organization's agreement.",
    {
        ModerationReason.NO_AGREEMENT: "no agreement is in force.",
        ModerationReason.CATEGORY: "its category is not agreed on.",
        ModerationReason.REGION: "it may go where nothing is agreed on.",
        ModerationReason.OFFER_MAX: "it is worth more than one offer may be.",
        ModerationReason.TOTAL_MAX: "all offers together are worth more than agreed.",
        ModerationReason.UNITS_MAX: "more of its category than agreed.",
    },
)


@strawberry.type(description="A picture of what is offered, kept elsewhere.")
class OfferPhoto:
    url: str | None = strawberry.field(description="Its https address.", default=None)
    file_id: str | None = strawberry.field(description="Or the id of its file.", default=None)
    caption: str = strawberry.field(description="What it shows.", default="")


def photos_of(kept: list[dict[str, str]] | None) -> list[OfferPhoto]:
    """Pictures as the row keeps them, as the graph says them."""
    return [
        OfferPhoto(url=each.url, file_id=each.file_id, caption=each.caption)
        for each in from_kept(kept)
    ]


def reasons_of(kept: list[str] | None) -> list[ModerationReason] | None:
    return None if kept is None else [ModerationReason(each) for each in kept]


def own_offer(scope: Scope, offer_id: sa.ColumnElement[int]) -> Condition:
    """Whether an offer is of the viewer's own organization."""
    offer = offers.alias()
    own = sa.select(offer.c.id).where(
        offer.c.id == offer_id, offer.c.organization_id == scope.organization_id
    )
    return own.exists()


def _visible(row: Columns, scope: Scope) -> Condition:
    if scope.is_one_of(STAFF):
        return sa.true()
    organization = organizations.alias()
    verified = sa.select(organization.c.id).where(
        organization.c.id == row["organization_id"],
        organization.c.status == OrganizationStatus.VERIFIED,
    )
    in_public = sa.and_(row["status"] == OfferStatus.OPEN, verified.exists())
    if scope.is_one_of(PROVIDERS):
        return sa.or_(in_public, row["organization_id"] == scope.organization_id)
    return in_public


def _of_own_or_staff(row: Columns, scope: Scope) -> Condition:
    """The number is between an organization and the officers; others could tell clients by it."""
    if scope.is_one_of(STAFF):
        return sa.true()
    return row["organization_id"] == scope.organization_id


def _moves(
    context: Context, status: str, organization_id: int, waits: list[str] | None
) -> list[str]:
    moves = allowed_moves(
        context.viewer, status=OfferStatus(status), organization_id=organization_id
    )
    may_approve = (
        status == OfferStatus.DRAFT and waits and context.viewer.role in MUTATIONS["offerApprove"]
    )
    return [*moves, *(("offerApprove",) if may_approve else ())]


def _remaining(row: Columns) -> sa.ColumnElement[Any]:
    return row["quantity"] - row["reserved"] - row["delivered"]


def _maybe(value: int | None, unit: str | None) -> Quantity | None:
    return None if value is None else in_units(value, unit)


@node(
    table=offers,
    visible=_visible,
    order=(Descending("createdAt"),),
    description="供给: goods, cash or service hours that a provider is ready to give.",
)
class Offer(Entity):
    reference: str = referenced("O")
    title: str = column("title", "What the provider calls it; may be empty.", filter=True)
    kind: CategoryKind = column("kind", "Goods, cash or service.", filter=CategoryKind)
    status: OfferStatus = column(
        "status", "Where the offer stands.", filter=OfferStatus, order=True
    )
    quantity: Quantity = computed(("quantity", unit_of_offer), in_units, "What is given in all.")
    reserved: Quantity = computed(
        ("reserved", unit_of_offer), in_units, "What is set aside and not yet delivered."
    )
    delivered: Quantity = computed(("delivered", unit_of_offer), in_units, "What was delivered.")
    remaining: Quantity = computed((_remaining, unit_of_offer), in_units, "What is left.")
    pack_size: Quantity = computed(
        ("pack_size", unit_of_offer), in_units, "It is handed out in whole packs of this."
    )
    household_max: Quantity | None = computed(
        ("household_max", unit_of_offer), _maybe, "At most so much for one household."
    )
    delivery_min: Quantity = computed(
        ("delivery_min", unit_of_offer), in_units, "At least so much in one delivery."
    )
    deliveries_max: int | None = column("deliveries_max", "At most so many deliveries.")
    visits_per_day: int | None = column(
        "visits_per_day", "Of a service: at most so many visits a day, over all households."
    )
    target_groups: list[TargetGroup] = computed(
        ("target_groups",), groups_in, "Whom it is meant for; empty: anyone.",
        filter=Has(TargetGroup),
    )  # fmt: skip
    latitude: float | None = column("latitude", "Where it starts from, degrees north.")
    longitude: float | None = column("longitude", "Where it starts from, degrees east.")
    radius_km: float | None = column("radius_km", "How far it goes; null: any distance.")
    starts_at: datetime = column("starts_at", "From when on.", filter=True, order=True)
    expires_at: datetime | None = column(
        "expires_at",
        "Until when; null: until used up. Services have a period.",
        filter=True,
        order=True,
    )
    external_reference: str | None = column(
        "external_reference",
        "The number it goes by elsewhere; null to all but its organization and officers.",
        roles=STAFF | PROVIDERS,
        only=_of_own_or_staff,
        filter=True,
    )
    photos: list[OfferPhoto] = computed(("photos",), photos_of, "Pictures, at most eight.")
    moderation: list[ModerationReason] | None = computed(
        ("moderation",),
        reasons_of,
        "What of it is outside its organization's agreement; null: nothing. As a draft it waits "
        "for the charity desk's offerApprove; `approvedAt` says when that was given.",
        roles=STAFF | PROVIDERS,
        only=_of_own_or_staff,
    )
    approved_at: datetime | None = column(
        "approved_at", "When what is outside the agreement was approved.", roles=STAFF | PROVIDERS
    )
    created_at: datetime = column("created_at", "When it was posted.", filter=True, order=True)
    version: int = column("version", "Goes up with every change; for `expectedVersion`.")
    allowed_moves: list[str] = for_viewer(
        ("status", "organization_id", "moderation"),
        _moves,
        "Mutations that the viewer may ask for now.",
    )
    organization: Edge = one("Organization", "organization_id", "Who gives it.", filter=True)
    category: Edge = one(
        "Category", "category_id", "What it is; of cash, its purpose.", filter=True
    )
    campaign: Edge = one(
        "Campaign", "campaign_id", "Whose balance it is, or for which goods were given."
    )
    regions: Edge = many(
        "Region",
        "id",
        "Where it may go; empty: anywhere.",
        through=Through(offer_regions, "offer_id", "region_id"),
    )
    allocations: Edge = many("Allocation", "offer_id", "What was set aside of it.")
    could_meet: Edge = many(
        "PublishedNeed",
        "id",
        "Open needs that it could meet, the most urgent first, by what everyone may know: a need "
        "stands where its township does. Empty to all but providers and the county's officers.",
        through=NEEDS_MET,
    )
    plan_lines: Edge = many("PlanLine", "offer_id", "What plans proposed of it.")


@strawberry.type
class OfferQuery:
    offers: Edge = root("Offer", "Offers that the viewer may see, newest first.")
