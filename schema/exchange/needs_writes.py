"""Mutations of needs: writing one down."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Annotated

import strawberry
from strawberry import ID

from marketplace.domain.exchange.needs import NeedTerms
from marketplace.domain.ids import key_of
from marketplace.services.exchange import needs
from schema.exchange.needs import Need
from schema.payloads import Info, Payload, act_of, payload
from schema.readgraph.read import read_one
from schema.scalars import BigInt
from schema.writing import INPUT, KEY


@strawberry.input(description="A new need of a household, as a draft.")
class NeedCreateInput:
    household_id: ID = strawberry.field(
        description="Whose need it is. It must have been assessed: its severity comes from there."
    )
    category_id: ID = strawberry.field(description="What is needed, in this category's unit.")
    quantity_asked: BigInt = strawberry.field(
        description="How much, before government aid is set off; fen for cash, visits of services."
    )
    quantity_min: BigInt = strawberry.field(
        description="Less than this is of no use; 1: any part helps.", default=BigInt(1)
    )
    visit_minutes: int | None = strawberry.field(
        description="How many minutes a visit takes, at most 1440; for services only. Left out: "
        "60.",
        default=None,
    )
    every_days: int | None = strawberry.field(
        description="At most one visit in so many days, 7 for weekly; for services only, left out: "
        "on any days.",
        default=None,
    )
    deadline: datetime | None = strawberry.field(
        description="By when it must come; left out: any time.", default=None
    )
    external_reference: str | None = strawberry.field(
        description="The number it goes by in your own books, unique, at most 64 characters.",
        default=None,
    )
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_terms(self) -> NeedTerms:
        return NeedTerms(
            household_id=key_of("Household", self.household_id),
            category_id=key_of("Category", self.category_id),
            quantity_asked=self.quantity_asked,
            quantity_min=self.quantity_min,
            visit_minutes=self.visit_minutes,
            every_days=self.every_days,
            deadline=self.deadline,
            external_reference=self.external_reference,
        )


@strawberry.type(description="What came of writing a need down.")
class NeedCreatePayload(Payload):
    need: Need | None = strawberry.field(
        description="The need, less what government aid gives; null where it was refused.",
        default=None,
    )


@strawberry.type
class NeedMutations:
    @strawberry.mutation(
        description="Write a need down as a draft. What government aid gives is set off first, "
        "once; if it gives all of it, there is no need."
    )
    async def need_create(
        self, info: Info, input: Annotated[NeedCreateInput, INPUT]
    ) -> NeedCreatePayload:
        async def doing() -> int:
            return await needs.create(info.context.database, act_of(info, input), input.to_terms())

        return await payload(NeedCreatePayload, info, doing(), partial(read_one, info, "Need"))
