"""Mutations of offers: post, update, pause, resume, close."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, TypeVar, cast

import strawberry
from strawberry import ID, UNSET

from marketplace.domain.checks import fault
from marketplace.domain.errors import InvalidInput
from marketplace.domain.exchange.offer_moderation import Photo
from marketplace.domain.exchange.offers import OfferTerms, TermsPatch
from marketplace.domain.ids import key_of
from marketplace.domain.registry.categories import CategoryKind
from marketplace.domain.registry.households import TargetGroup
from marketplace.services.exchange import offers
from schema.exchange.offers import Offer
from schema.payloads import Info, Payload, act_of, payload
from schema.readgraph.read import read_one
from schema.scalars import BigInt
from schema.writing import INPUT, KEY, VERSION, keys_of, mask_of

KIND = "Goods, cash or service."
CATEGORY = (
    "What it is, in the category's unit; of cash, its purpose, which is all that lies below it: "
    "such cash may pay for food of every kind."
)
QUANTITY = "How much in all: base units of goods, fen of cash, minutes of a service."
TITLE = "What to call it, at most 120 characters. Everyone can read it: name nobody."
PACK = "It is handed out in whole packs of so many base units; the quantity is a multiple of it."
HOUSEHOLD_MAX = "At most so much for one household."
DELIVERY_MIN = "At least so much in one delivery."
DELIVERIES_MAX = "At most so many deliveries."
VISITS = "At most so many visits a day, over all households; for services only."
GROUPS = "Whom it is meant for; empty: anyone."
LATITUDE = "Where it starts from, degrees north. Needs `longitude`."
LONGITUDE = "Where it starts from, degrees east. Needs `latitude`."
RADIUS = (
    "How far it goes, in kilometres. Without coordinates it starts from the region of your "
    "organization."
)
REGIONS = "Where it may go, at most 100 regions with all below them; empty: anywhere."
STARTS = "From when on; left out: at once."
EXPIRES = "Until when; left out: until it is used up or closed. Services need it."
PHOTOS = "Pictures kept elsewhere, at most eight."
REFERENCE = "The number it goes by in your own books, unique, at most 64 characters."

M = TypeVar("M", bound="MovePayload")

if TYPE_CHECKING:
    from marketplace.persistence.database import Database
    from marketplace.services.acting import Act

    Move = Callable[[Database, Act, offers.MoveOffer], Awaitable[int]]


@strawberry.input(description="A picture that is kept elsewhere: an address or a file id.")
class OfferPhotoInput:
    url: str | None = strawberry.field(description="Its https address.", default=None)
    file_id: str | None = strawberry.field(description="Or the id of its file.", default=None)
    caption: str = strawberry.field(
        description="What it shows, at most 100 characters. Show and name nobody.", default=""
    )


def photos_in(given: Sequence[OfferPhotoInput]) -> tuple[Photo, ...]:
    """Pictures of an input, not checked yet."""
    return tuple(Photo(url=p.url, file_id=p.file_id, caption=p.caption.strip()) for p in given)


@strawberry.input(description="A new offer of the viewer's organization.")
class OfferPostInput:
    kind: CategoryKind = strawberry.field(description=KIND)
    category_id: ID = strawberry.field(description=CATEGORY)
    quantity: BigInt = strawberry.field(description=QUANTITY)
    title: str = strawberry.field(description=TITLE, default="")
    pack_size: BigInt = strawberry.field(description=PACK, default=BigInt(1))
    household_max: BigInt | None = strawberry.field(description=HOUSEHOLD_MAX, default=None)
    delivery_min: BigInt = strawberry.field(description=DELIVERY_MIN, default=BigInt(1))
    deliveries_max: int | None = strawberry.field(description=DELIVERIES_MAX, default=None)
    visits_per_day: int | None = strawberry.field(description=VISITS, default=None)
    target_groups: list[TargetGroup] = strawberry.field(description=GROUPS, default_factory=list)
    latitude: float | None = strawberry.field(description=LATITUDE, default=None)
    longitude: float | None = strawberry.field(description=LONGITUDE, default=None)
    radius_km: float | None = strawberry.field(description=RADIUS, default=None)
    region_ids: list[ID] = strawberry.field(description=REGIONS, default_factory=list)
    starts_at: datetime | None = strawberry.field(description=STARTS, default=None)
    expires_at: datetime | None = strawberry.field(description=EXPIRES, default=None)
    external_reference: str | None = strawberry.field(description=REFERENCE, default=None)
    photos: list[OfferPhotoInput] = strawberry.field(description=PHOTOS, default_factory=list)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_terms(self) -> OfferTerms:
        return OfferTerms(
            kind=CategoryKind(self.kind),
            category_id=key_of("Category", self.category_id),
            quantity=self.quantity,
            title=self.title,
            pack_size=self.pack_size,
            household_max=self.household_max,
            delivery_min=self.delivery_min,
            deliveries_max=self.deliveries_max,
            visits_per_day=self.visits_per_day,
            target_groups=mask_of(self.target_groups),
            latitude=self.latitude,
            longitude=self.longitude,
            radius_km=self.radius_km,
            region_ids=keys_of("Region", self.region_ids),
            starts_at=self.starts_at,
            expires_at=self.expires_at,
            external_reference=self.external_reference,
        )


@strawberry.input(description="Other terms of an offer. What is left out stays; null removes it.")
class OfferUpdateInput:
    id: ID = strawberry.field(description="The offer.")
    expected_version: int = strawberry.field(description=VERSION)
    kind: CategoryKind | None = strawberry.field(
        description=KIND + " Fixed once part of it is reserved.", default=UNSET
    )
    category_id: ID | None = strawberry.field(
        description=CATEGORY + " Fixed once part of it is reserved.", default=UNSET
    )
    quantity: BigInt | None = strawberry.field(
        description=QUANTITY + " Never below what is reserved and delivered.", default=UNSET
    )
    title: str | None = strawberry.field(description=TITLE, default=UNSET)
    pack_size: BigInt | None = strawberry.field(
        description=PACK + " Fixed once part of it is reserved.", default=UNSET
    )
    household_max: BigInt | None = strawberry.field(description=HOUSEHOLD_MAX, default=UNSET)
    delivery_min: BigInt | None = strawberry.field(description=DELIVERY_MIN, default=UNSET)
    deliveries_max: int | None = strawberry.field(description=DELIVERIES_MAX, default=UNSET)
    visits_per_day: int | None = strawberry.field(description=VISITS, default=UNSET)
    target_groups: list[TargetGroup] | None = strawberry.field(description=GROUPS, default=UNSET)
    latitude: float | None = strawberry.field(description=LATITUDE, default=UNSET)
    longitude: float | None = strawberry.field(description=LONGITUDE, default=UNSET)
    radius_km: float | None = strawberry.field(description=RADIUS, default=UNSET)
    region_ids: list[ID] | None = strawberry.field(description=REGIONS, default=UNSET)
    starts_at: datetime | None = strawberry.field(description=STARTS, default=UNSET)
    expires_at: datetime | None = strawberry.field(description=EXPIRES, default=UNSET)
    external_reference: str | None = strawberry.field(description=REFERENCE, default=UNSET)
    photos: list[OfferPhotoInput] | None = strawberry.field(description=PHOTOS, default=UNSET)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> offers.UpdateOffer:
        """Raises InvalidInput where null is given for what every offer has."""
        named = (f.name for f in dataclasses.fields(self) if f.name in TermsPatch.__annotations__)
        given = {name: getattr(self, name) for name in named if getattr(self, name) is not UNSET}
        empty = [name for name, value in given.items() if value is None and name not in CAN_GO]
        if empty:
            raise InvalidInput(
                *(
                    fault(
                        name,
                        "REQUIRED",
                        "Every offer has this: give a value, or leave it out to keep it.",
                        "此项必填：请填写，或省略以保持不变。",
                    )
                    for name in empty
                )
            )
        turned = {name: TURN[name](given[name]) if name in TURN else given[name] for name in given}
        return offers.UpdateOffer(
            offer_id=key_of("Offer", self.id),
            expected_version=self.expected_version,
            patch=cast(TermsPatch, turned),
            photos=photos_in(self.photos or ()) if self.photos is not UNSET else None,
        )


# Terms that an offer may do without.
CAN_GO = frozenset(
    {
        "household_max",
        "deliveries_max",
        "visits_per_day",
        "latitude",
        "longitude",
        "radius_km",
        "starts_at",
        "expires_at",
        "external_reference",
    }
)
TURN: dict[str, Callable[..., object]] = {
    "kind": CategoryKind,
    "category_id": partial(key_of, "Category"),
    "region_ids": partial(keys_of, "Region"),
    "target_groups": mask_of,
}


@strawberry.input(description="Which offer to move.")
class OfferMoveInput:
    id: ID = strawberry.field(description="The offer.")
    expected_version: int | None = strawberry.field(description=VERSION, default=None)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> offers.MoveOffer:
        return offers.MoveOffer(
            offer_id=key_of("Offer", self.id), expected_version=self.expected_version
        )


@strawberry.input(description="Which offer to take out of the market for a while.")
class OfferPauseInput(OfferMoveInput):
    pass


@strawberry.input(description="Which offer to open again.")
class OfferResumeInput(OfferMoveInput):
    pass


@strawberry.input(description="Which offer to end for good.")
class OfferCloseInput(OfferMoveInput):
    pass


@strawberry.type
class MovePayload(Payload):
    offer: Offer | None = strawberry.field(
        description="The offer as it is now; null where it was refused.", default=None
    )


@strawberry.type(description="What came of posting an offer.")
class OfferPostPayload(MovePayload):
    pass


@strawberry.type(description="What came of changing an offer.")
class OfferUpdatePayload(MovePayload):
    pass


@strawberry.type(description="What came of pausing an offer.")
class OfferPausePayload(MovePayload):
    pass


@strawberry.type(description="What came of resuming an offer.")
class OfferResumePayload(MovePayload):
    pass


@strawberry.type(description="What came of closing an offer.")
class OfferClosePayload(MovePayload):
    pass


async def _moved(of: type[M], info: Info, move: Move, input: OfferMoveInput) -> M:
    async def doing() -> int:
        return await move(info.context.database, act_of(info, input), input.to_command())

    return await payload(of, info, doing(), partial(read_one, info, "Offer"))


@strawberry.type
class OfferMutations:
    @strawberry.mutation(
        description="Put an offer of one's own organization on the market. It is open at once if "
        "the organization is verified and its agreement covers the offer. Else it waits as a "
        "draft: `moderation` says what is outside the agreement, and the charity desk decides by "
        "offerApprove; an organization that is not verified waits for its verification."
    )
    async def offer_post(
        self, info: Info, input: Annotated[OfferPostInput, INPUT]
    ) -> OfferPostPayload:
        async def doing() -> int:
            act, photos = act_of(info, input), photos_in(input.photos)
            return await offers.post(info.context.database, act, input.to_terms(), photos=photos)

        return await payload(OfferPostPayload, info, doing(), partial(read_one, info, "Offer"))

    @strawberry.mutation(description="Change the terms of an offer of one's own organization.")
    async def offer_update(
        self, info: Info, input: Annotated[OfferUpdateInput, INPUT]
    ) -> OfferUpdatePayload:
        async def doing() -> int:
            act = act_of(info, input)
            return await offers.update(info.context.database, act, input.to_command())

        return await payload(OfferUpdatePayload, info, doing(), partial(read_one, info, "Offer"))

    @strawberry.mutation(
        description="Take an open offer out of the market for a while. What is reserved stays."
    )
    async def offer_pause(
        self, info: Info, input: Annotated[OfferPauseInput, INPUT]
    ) -> OfferPausePayload:
        return await _moved(OfferPausePayload, info, offers.pause, input)

    @strawberry.mutation(
        description="Open a paused offer again, or a draft once its organization is verified."
    )
    async def offer_resume(
        self, info: Info, input: Annotated[OfferResumeInput, INPUT]
    ) -> OfferResumePayload:
        return await _moved(OfferResumePayload, info, offers.resume, input)

    @strawberry.mutation(
        description="End an offer for good. What is reserved stays reserved and can be delivered."
    )
    async def offer_close(
        self, info: Info, input: Annotated[OfferCloseInput, INPUT]
    ) -> OfferClosePayload:
        return await _moved(OfferClosePayload, info, offers.close, input)
