"""needPledge: a provider sets part of an own offer aside for one published need."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import strawberry
from strawberry import ID

from marketplace.domain.ids import key_of
from marketplace.services.exchange import pledges
from marketplace.services.exchange.pledges import PledgeNeed
from schema.exchange.allocations import Allocation
from schema.payloads import Info, Payload, act_of, payload
from schema.readgraph.read import read_one
from schema.scalars import BigInt
from schema.writing import INPUT, KEY


@strawberry.input(description="What of an own offer to set aside for which published need.")
class NeedPledgeInput:
    offer_id: ID = strawberry.field(description="An open offer of your organization.")
    published_need_id: ID = strawberry.field(description="An open need of the market.")
    units: BigInt = strawberry.field(
        description="How much, in the need's unit: visits of a service, fen of a cash need. Money "
        "for a thing is drawn at its reference price."
    )
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> PledgeNeed:
        return PledgeNeed(
            offer_id=key_of("Offer", self.offer_id),
            published_need_id=key_of("PublishedNeed", self.published_need_id),
            units=self.units,
        )


@strawberry.type(
    description="What came of a pledge. `NOT_SERVED` stands for all reasons that lie with the "
    "household, and does not say which."
)
class NeedPledgePayload(Payload):
    allocation: Allocation | None = strawberry.field(
        description="What was set aside; accept it before `reservedUntil`, or it lapses. Null "
        "where it was refused.",
        default=None,
    )


@strawberry.type
class PledgeMutations:
    @strawberry.mutation(
        description="认领: set part of an own offer aside for one published need, by all rules of "
        "matching. It lapses if it is not accepted in time."
    )
    async def need_pledge(
        self, info: Info, input: Annotated[NeedPledgeInput, INPUT]
    ) -> NeedPledgePayload:
        async def doing() -> int:
            context, act = info.context, act_of(info, input)
            hours = context.settings.pledge_hours
            return await pledges.pledge(context.database, act, input.to_command(), hours=hours)

        read = partial(read_one, info, "Allocation")
        return await payload(NeedPledgePayload, info, doing(), read)
