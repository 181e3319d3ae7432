"""Mutations of government aid: deciding on it, before charity is asked."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import Annotated

import strawberry
from strawberry import ID

from marketplace.domain.exchange.government_aid import DecideAid, GovernmentAidKind
from marketplace.domain.ids import key_of
from marketplace.services.exchange import government_aid
from schema.exchange.government_aid import GovernmentAid
from schema.payloads import Info, Payload, act_of, payload
from schema.readgraph.read import read_one
from schema.scalars import BigInt
from schema.writing import INPUT, KEY, VERSION


@strawberry.input(description="A decision of the assistance desk on one household.")
class GovernmentAidDecideInput:
    household_id: ID = strawberry.field(description="Whose it is; never one's own.")
    kind: GovernmentAidKind = strawberry.field(description="Which aid was decided on.")
    granted: bool = strawberry.field(
        description="False: not entitled. That, too, is a decision that lets a need be referred."
    )
    amount_fen: BigInt = strawberry.field(
        description="What it is worth, in fen; 0 where nothing is granted.", default=BigInt(0)
    )
    starts_on: date = strawberry.field(description="The first day that it is for.")
    ends_on: date | None = strawberry.field(
        description="The last day; left out: until further notice.", default=None
    )
    covers_category_id: ID | None = strawberry.field(
        description="What it covers, or was asked for; left out: money for no stated purpose.",
        default=None,
    )
    covers_quantity: BigInt = strawberry.field(
        description="How many units of that category it gives: needs are reduced by them.",
        default=BigInt(0),
    )
    reason: str | None = strawberry.field(
        description="Why, at most 500 characters, no names; needed where nothing is granted.",
        default=None,
    )
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> DecideAid:
        category_id = self.covers_category_id
        return DecideAid(
            household_id=key_of("Household", self.household_id),
            kind=GovernmentAidKind(self.kind),
            granted=self.granted,
            amount_fen=self.amount_fen,
            starts_on=self.starts_on,
            ends_on=self.ends_on,
            covers_category_id=None if category_id is None else key_of("Category", category_id),
            covers_quantity=self.covers_quantity,
            reason=self.reason,
        )


@strawberry.input(description="Aid that ends before its time.")
class GovernmentAidEndInput:
    id: ID = strawberry.field(description="The decision.")
    ends_on: date | None = strawberry.field(
        description="The last day on which it counts; left out: today. The day before its first: "
        "it never began.",
        default=None,
    )
    covers_quantity: BigInt = strawberry.field(
        description="How many units of what it covers were really given by then; needs are "
        "reckoned with these from now on. Left out: none.",
        default=BigInt(0),
    )
    reason: str = strawberry.field(description="Why, 4 to 500 characters; no names.")
    expected_version: int | None = strawberry.field(description=VERSION, default=None)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> government_aid.EndAid:
        return government_aid.EndAid(
            aid_id=key_of("GovernmentAid", self.id),
            reason=self.reason,
            covers_quantity=self.covers_quantity,
            ends_on=self.ends_on,
            expected_version=self.expected_version,
        )


@strawberry.type(description="What came of ending aid.")
class GovernmentAidEndPayload(Payload):
    government_aid: GovernmentAid | None = strawberry.field(
        description="The decision as it is now; null where that was refused.", default=None
    )


@strawberry.type(description="What came of deciding on aid.")
class GovernmentAidDecidePayload(Payload):
    government_aid: GovernmentAid | None = strawberry.field(
        description="The decision; null where it was refused.", default=None
    )


@strawberry.type
class GovernmentAidMutations:
    @strawberry.mutation(
        description="Record what government gives a household, or that it is not entitled. What "
        "is left of its needs is computed anew in the same moment."
    )
    async def government_aid_decide(
        self, info: Info, input: Annotated[GovernmentAidDecideInput, INPUT]
    ) -> GovernmentAidDecidePayload:
        async def doing() -> int:
            act = act_of(info, input)
            return await government_aid.decide(info.context.database, act, input.to_command())

        read = partial(read_one, info, "GovernmentAid")
        return await payload(GovernmentAidDecidePayload, info, doing(), read)

    @strawberry.mutation(
        description="End aid before its time. What it gives no more, needs ask for again in the "
        "same moment."
    )
    async def government_aid_end(
        self, info: Info, input: Annotated[GovernmentAidEndInput, INPUT]
    ) -> GovernmentAidEndPayload:
        async def doing() -> int:
            act = act_of(info, input)
            return await government_aid.end(info.context.database, act, input.to_command())

        read = partial(read_one, info, "GovernmentAid")
        return await payload(GovernmentAidEndPayload, info, doing(), read)
