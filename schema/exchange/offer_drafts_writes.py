"""Mutations of drafts and templates of offers, and the approval of offers that wait for it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Annotated

import strawberry
from strawberry import ID

from marketplace.domain.exchange.offer_drafts import Recurrence
from marketplace.domain.ids import key_of
from marketplace.domain.registry.categories import CategoryKind
from marketplace.domain.registry.households import TargetGroup
from marketplace.services.exchange import offer_drafts, offer_moderation
from marketplace.services.exchange.offer_drafts import MoveDraft, SaveDraft, UpdateDraft
from schema.exchange.offer_drafts import OfferDraft
from schema.exchange.offers import Offer
from schema.exchange.offers_writes import (
    CATEGORY,
    DELIVERIES_MAX,
    DELIVERY_MIN,
    EXPIRES,
    GROUPS,
    HOUSEHOLD_MAX,
    KIND,
    LATITUDE,
    LONGITUDE,
    PACK,
    PHOTOS,
    QUANTITY,
    RADIUS,
    REFERENCE,
    REGIONS,
    STARTS,
    TITLE,
    VISITS,
    OfferPhotoInput,
    photos_in,
)
from schema.payloads import Info, Payload, act_of, payload
from schema.readgraph.read import read_one
from schema.scalars import BigInt
from schema.writing import INPUT, KEY, VERSION, keys_of, mask_of

TURN: dict[str, Callable[..., object]] = {
    "category_id": partial(key_of, "Category"),
    "kind": lambda kind: CategoryKind(kind).value,
    "region_ids": partial(keys_of, "Region"),
    "target_groups": mask_of,
}


@strawberry.input(description="Terms of an offer, as far as they are known.")
class OfferDraftTermsInput:
    kind: CategoryKind | None = strawberry.field(description=KIND, default=None)
    category_id: ID | None = strawberry.field(description=CATEGORY, default=None)
    quantity: BigInt | None = strawberry.field(description=QUANTITY, default=None)
    title: str | None = strawberry.field(description=TITLE, default=None)
    pack_size: BigInt | None = strawberry.field(description=PACK, default=None)
    household_max: BigInt | None = strawberry.field(description=HOUSEHOLD_MAX, default=None)
    delivery_min: BigInt | None = strawberry.field(description=DELIVERY_MIN, default=None)
    deliveries_max: int | None = strawberry.field(description=DELIVERIES_MAX, default=None)
    visits_per_day: int | None = strawberry.field(description=VISITS, default=None)
    target_groups: list[TargetGroup] | None = strawberry.field(description=GROUPS, default=None)
    latitude: float | None = strawberry.field(description=LATITUDE, default=None)
    longitude: float | None = strawberry.field(description=LONGITUDE, default=None)
    radius_km: float | None = strawberry.field(description=RADIUS, default=None)
    region_ids: list[ID] | None = strawberry.field(description=REGIONS, default=None)
    starts_at: datetime | None = strawberry.field(description=STARTS, default=None)
    expires_at: datetime | None = strawberry.field(description=EXPIRES, default=None)
    external_reference: str | None = strawberry.field(description=REFERENCE, default=None)

    def said(self) -> dict[str, object]:
        """What was said, by the names of OfferTerms."""
        given = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return {
            name: TURN[name](value) if name in TURN else value
            for name, value in given.items()
            if value is not None
        }


@strawberry.input(description="An offer that is not finished, or a template.")
class OfferDraftInput:
    terms: OfferDraftTermsInput = strawberry.field(description="What is known so far.")
    name: str = strawberry.field(
        description="What you call it among yourselves, at most 120 characters.", default=""
    )
    photos: list[OfferPhotoInput] = strawberry.field(description=PHOTOS, default_factory=list)
    is_template: bool = strawberry.field(description="Whether it is used again.", default=False)
    recurrence: Recurrence = strawberry.field(
        description="Of a template: how often it is posted by itself.", default=Recurrence.NONE
    )
    lasts_days: int | None = strawberry.field(
        description="Of a template: each offer ends after so many days, 1 to 366. Services that "
        "recur need it.",
        default=None,
    )
    next_at: datetime | None = strawberry.field(
        description="Of what recurs: when it is posted first, and at which hour.", default=None
    )
    until: datetime | None = strawberry.field(
        description="Of what recurs: not from then on.", default=None
    )
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> SaveDraft:
        return SaveDraft(
            terms=self.terms.said(),
            photos=photos_in(self.photos),
            name=self.name,
            is_template=self.is_template,
            recurrence=Recurrence(self.recurrence),
            lasts_days=self.lasts_days,
            next_at=self.next_at,
            until=self.until,
        )


@strawberry.input(description="A draft as it shall be from now on, whole.")
class OfferDraftUpdateInput:
    id: ID = strawberry.field(description="The draft.")
    expected_version: int = strawberry.field(description=VERSION)
    draft: OfferDraftInput = strawberry.field(description="All of it.")
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)


@strawberry.input(description="Which draft.")
class OfferDraftMoveInput:
    id: ID = strawberry.field(description="The draft.")
    expected_version: int | None = strawberry.field(description=VERSION, default=None)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> MoveDraft:
        return MoveDraft(
            draft_id=key_of("OfferDraft", self.id), expected_version=self.expected_version
        )


@strawberry.input(description="Which draft to put on the market.")
class OfferPublishInput(OfferDraftMoveInput):
    pass


@strawberry.input(description="Which draft or template to throw away.")
class OfferDraftDiscardInput(OfferDraftMoveInput):
    pass


@strawberry.input(description="Which template to post, and what is other this time.")
class OfferFromTemplateInput:
    id: ID = strawberry.field(description="The template.")
    quantity: BigInt | None = strawberry.field(description=QUANTITY, default=None)
    expires_at: datetime | None = strawberry.field(description=EXPIRES, default=None)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> MoveDraft:
        return MoveDraft(
            draft_id=key_of("OfferDraft", self.id),
            quantity=self.quantity,
            expires_at=self.expires_at,
        )


@strawberry.input(description="Which offer to let open though it is outside the agreement.")
class OfferApproveInput:
    id: ID = strawberry.field(description="The offer.")
    expected_version: int | None = strawberry.field(description=VERSION, default=None)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)


@strawberry.type
class DraftPayload(Payload):
    offer_draft: OfferDraft | None = strawberry.field(
        description="The draft as it is now; null where it was refused.", default=None
    )


@strawberry.type(description="What came of saving a draft.")
class OfferDraftPayload(DraftPayload):
    pass


@strawberry.type(description="What came of saving a draft anew.")
class OfferDraftUpdatePayload(DraftPayload):
    pass


@strawberry.type(description="What came of throwing a draft away.")
class OfferDraftDiscardPayload(DraftPayload):
    pass


@strawberry.type
class PostedPayload(Payload):
    offer: Offer | None = strawberry.field(
        description="The offer; null where it was refused.", default=None
    )


@strawberry.type(description="What came of publishing a draft.")
class OfferPublishPayload(PostedPayload):
    pass


@strawberry.type(description="What came of posting a template.")
class OfferFromTemplatePayload(PostedPayload):
    pass


@strawberry.type(description="What came of approving an offer.")
class OfferApprovePayload(PostedPayload):
    pass


@strawberry.type
class OfferDraftMutations:
    @strawberry.mutation(
        description="Keep an offer that is not finished, or a template to post again and again. "
        "Nothing of it is on offer."
    )
    async def offer_draft(
        self, info: Info, input: Annotated[OfferDraftInput, INPUT]
    ) -> OfferDraftPayload:
        async def doing() -> int:
            act = act_of(info, input)
            return await offer_drafts.save(info.context.database, act, input.to_command())

        read = partial(read_one, info, "OfferDraft")
        return await payload(OfferDraftPayload, info, doing(), read)

    @strawberry.mutation(description="Save a draft or template anew, whole.")
    async def offer_draft_update(
        self, info: Info, input: Annotated[OfferDraftUpdateInput, INPUT]
    ) -> OfferDraftUpdatePayload:
        async def doing() -> int:
            command = UpdateDraft(
                draft_id=key_of("OfferDraft", input.id),
                expected_version=input.expected_version,
                save=input.draft.to_command(),
            )
            return await offer_drafts.update(info.context.database, act_of(info, input), command)

        read = partial(read_one, info, "OfferDraft")
        return await payload(OfferDraftUpdatePayload, info, doing(), read)

    @strawberry.mutation(description="Throw a draft or template away; its offers stay.")
    async def offer_draft_discard(
        self, info: Info, input: Annotated[OfferDraftDiscardInput, INPUT]
    ) -> OfferDraftDiscardPayload:
        async def doing() -> int:
            act = act_of(info, input)
            return await offer_drafts.discard(info.context.database, act, input.to_command())

        read = partial(read_one, info, "OfferDraft")
        return await payload(OfferDraftDiscardPayload, info, doing(), read)

    @strawberry.mutation(
        description="Put a draft on the market. Everything that it lacks is told at once."
    )
    async def offer_publish(
        self, info: Info, input: Annotated[OfferPublishInput, INPUT]
    ) -> OfferPublishPayload:
        async def doing() -> int:
            act = act_of(info, input)
            return await offer_drafts.publish(info.context.database, act, input.to_command())

        return await payload(OfferPublishPayload, info, doing(), partial(read_one, info, "Offer"))

    @strawberry.mutation(description="Put an offer on the market as a template says.")
    async def offer_from_template(
        self, info: Info, input: Annotated[OfferFromTemplateInput, INPUT]
    ) -> OfferFromTemplatePayload:
        async def doing() -> int:
            act = act_of(info, input)
            command = input.to_command()
            return await offer_drafts.from_template(info.context.database, act, command)

        read = partial(read_one, info, "Offer")
        return await payload(OfferFromTemplatePayload, info, doing(), read)

    @strawberry.mutation(
        description="Let an offer open that is outside its organization's agreement: its "
        "`moderation` says in what."
    )
    async def offer_approve(
        self, info: Info, input: Annotated[OfferApproveInput, INPUT]
    ) -> OfferApprovePayload:
        async def doing() -> int:
            command = offer_moderation.ApproveOffer(
                offer_id=key_of("Offer", input.id), expected_version=input.expected_version
            )
            act = act_of(info, input)
            return await offer_moderation.approve(info.context.database, act, command)

        return await payload(OfferApprovePayload, info, doing(), partial(read_one, info, "Offer"))
