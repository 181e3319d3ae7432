"""Drafts and templates of offers in the graph, for the organization that writes them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
import strawberry

from marketplace.domain.exchange.offer_drafts import MOVES, OfferDraftStatus, Recurrence
from marketplace.domain.ids import opaque_id
from marketplace.domain.permissions import PROVIDERS
from marketplace.domain.registry.categories import CategoryKind
from marketplace.domain.registry.households import TargetGroup
from marketplace.persistence.tables.agreements import offer_drafts, offer_postings
from schema.context import Context
from schema.enums import described
from schema.exchange.offers import OfferPhoto, photos_of
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
    root,
)
from schema.registry.households import groups_in
from schema.scalars import BigInt

described(
    OfferDraftStatus,
    "Where a draft stands.",
    {
        OfferDraftStatus.DRAFT: "being written; or a template in use.",
        OfferDraftStatus.PUBLISHED: "became an offer.",
        OfferDraftStatus.DISCARDED: "thrown away.",
    },
)
described(
    Recurrence,
    "How often a template is posted by itself.",
    {
        Recurrence.NONE: "不重复, only when asked for.",
        Recurrence.WEEKLY: "每周, once a week.",
        Recurrence.MONTHLY: "每月, once a month.",
    },
)


@strawberry.type(description="Terms of an offer as far as they were said; null: not yet.")
class OfferDraftTerms:
    kind: CategoryKind | None = strawberry.field(description="Goods, cash or service.")
    category_id: strawberry.ID | None = strawberry.field(description="What it is.")
    quantity: BigInt | None = strawberry.field(description="How much in all.")
    title: str = strawberry.field(description="What to call it.")
    pack_size: BigInt | None = strawberry.field(description="In whole packs of so much.")
    household_max: BigInt | None = strawberry.field(description="At most so much a household.")
    delivery_min: BigInt | None = strawberry.field(description="At least so much a delivery.")
    deliveries_max: int | None = strawberry.field(description="At most so many deliveries.")
    visits_per_day: int | None = strawberry.field(description="At most so many visits a day.")
    target_groups: list[TargetGroup] = strawberry.field(description="Whom it is meant for.")
    latitude: float | None = strawberry.field(description="Where it starts from.")
    longitude: float | None = strawberry.field(description="Where it starts from.")
    radius_km: float | None = strawberry.field(description="How far it goes.")
    region_ids: list[strawberry.ID] = strawberry.field(description="Where it may go.")
    expires_at: datetime | None = strawberry.field(description="Until when.")


@strawberry.type(description="Why a template was not posted.")
class PostingRefusal:
    code: str = strawberry.field(description="For programs.")
    message: str = strawberry.field(description="For people.")


def _terms(kept: dict[str, Any]) -> OfferDraftTerms:
    kind, category, until = kept.get("kind"), kept.get("category_id"), kept.get("expires_at")
    plain = ("quantity", "pack_size", "household_max", "delivery_min", "deliveries_max")
    more = ("visits_per_day", "latitude", "longitude", "radius_km")
    return OfferDraftTerms(
        kind=None if kind is None else CategoryKind(kind),
        category_id=None if category is None else strawberry.ID(opaque_id("Category", category)),
        title=kept.get("title", ""),
        target_groups=[TargetGroup[each] for each in groups_in(kept.get("target_groups", 0))],
        region_ids=[strawberry.ID(opaque_id("Region", key)) for key in kept.get("region_ids", ())],
        expires_at=None if until is None else datetime.fromisoformat(until),
        **{name: kept.get(name) for name in (*plain, *more)},
    )


def _photos(kept: dict[str, Any]) -> list[OfferPhoto]:
    return photos_of(kept.get("photos"))


def _refusals(context: Context, kept: list[dict[str, str]] | None) -> list[PostingRefusal]:
    language = "en" if context.language == "en" else "zh"
    return [PostingRefusal(code=each["code"], message=each[language]) for each in kept or ()]


def _visible(row: Columns, scope: Scope) -> Condition:
    if scope.is_one_of(PROVIDERS):
        return row["organization_id"] == scope.organization_id
    return sa.false()


def _moves(context: Context, status: str, organization_id: int, is_template: bool) -> list[str]:
    viewer = context.viewer
    if viewer.role not in PROVIDERS or viewer.organization_id != organization_id:
        return []
    other = "offerPublish" if is_template else "offerFromTemplate"
    return [
        name
        for name, move in MOVES.items()
        if OfferDraftStatus(status) in move.before and name != other
    ]


@node(
    table=offer_drafts,
    visible=_visible,
    order=(Descending("createdAt"),),
    description="An offer that is being written, or a template to post the same again.",
)
class OfferDraft(Entity):
    name: str = column("name", "What its writers call it.", filter=True, order=True)
    status: OfferDraftStatus = column(
        "status", "Where it stands.", filter=OfferDraftStatus, order=True
    )
    is_template: bool = column("is_template", "Whether it is used again.", filter=True)
    terms: OfferDraftTerms = computed(("terms",), _terms, "What was said so far.")
    photos: list[OfferPhoto] = computed(("terms",), _photos, "Pictures, at most eight.")
    recurrence: Recurrence = column(
        "recurrence", "How often it is posted by itself.", filter=Recurrence
    )
    lasts_days: int | None = column(
        "lasts_days", "An offer made of a template ends after so many days."
    )
    next_at: datetime | None = column("next_at", "When it is posted next.", order=True)
    until: datetime | None = column("until", "It is not posted from then on.")
    last_refusals: list[PostingRefusal] = for_viewer(
        ("last_refusal",), _refusals, "Why it was not posted the last time; empty: it was."
    )
    created_at: datetime = column("created_at", "When it was written.", order=True)
    version: int = column("version", "Goes up with every change; for `expectedVersion`.")
    allowed_moves: list[str] = for_viewer(
        ("status", "organization_id", "is_template"),
        _moves,
        "Mutations that the viewer may ask for now.",
    )
    organization: Edge = one("Organization", "organization_id", "Whose it is.")
    offers: Edge = many(
        "Offer",
        "id",
        "What was posted from it.",
        through=Through(offer_postings, "offer_draft_id", "offer_id"),
    )


@strawberry.type
class OfferDraftQuery:
    offer_drafts: Edge = root("OfferDraft", "Drafts and templates of one's own organization.")
