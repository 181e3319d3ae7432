"""planSimulate: what a plan would be under another policy, or with other offers."""

from __future__ import annotations

import strawberry
from strawberry import ID

from marketplace.domain.exchange.plans import PolicyOrder
from marketplace.domain.ids import key_of
from marketplace.services.exchange import simulations
from marketplace.services.exchange.simulations import SimulatePlan
from schema.exchange.offers_writes import OfferPostInput
from schema.exchange.plans import Plan
from schema.payloads import Info, Payload, act_of, payload
from schema.readgraph.read import read_one
from schema.scalars import BigInt
from schema.writing import KEY, keys_of


@strawberry.input(description="An offer, and how much of it there would be in all.")
class OfferQuantityInput:
    offer_id: ID = strawberry.field(description="The offer.")
    quantity: BigInt = strawberry.field(
        description="The whole quantity, or budget in fen; what is spoken for already stays so."
    )


@strawberry.input(description="What to change in a base plan. What is left out stays as it is.")
class PlanSimulateInput:
    base_plan_id: ID | None = strawberry.field(
        description="The plan to compare with; default: the latest of the whole county.",
        default=None,
    )
    order: PolicyOrder | None = strawberry.field(
        description="Which units come first; default: as in the base plan.", default=None
    )
    floor_share_percent: int | None = strawberry.field(
        description="The share of each need that comes first, 1 to 100, where the order is FLOOR; "
        "default: as in the base plan, or 25.",
        default=None,
    )
    offers_added: list[OfferPostInput] = strawberry.field(
        description="Offers that nobody posted yet, at most 100.", default_factory=list
    )
    offers_withdrawn: list[ID] = strawberry.field(
        description="Offers of the base plan's market to do without, at most 100.",
        default_factory=list,
    )
    quantities: list[OfferQuantityInput] = strawberry.field(
        description="Offers of the base plan's market with other quantities, at most 100.",
        default_factory=list,
    )
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> SimulatePlan:
        return SimulatePlan(
            base_plan_id=None if self.base_plan_id is None else key_of("Plan", self.base_plan_id),
            order=self.order,
            floor_share_percent=self.floor_share_percent,
            added=tuple(offer.to_terms() for offer in self.offers_added),
            withdrawn=keys_of("Offer", self.offers_withdrawn),
            quantities=tuple(
                (key_of("Offer", each.offer_id), each.quantity) for each in self.quantities
            ),
        )


@strawberry.type(description="The simulation, waiting for a worker.")
class PlanSimulatePayload(Payload):
    plan: Plan | None = strawberry.field(
        description="The plan as it stands now; its `comparison` comes with its end.", default=None
    )


@strawberry.type
class SimulationMutations:
    @strawberry.mutation(
        description="Ask what a plan would be under another policy or with other offers; a worker "
        "computes it, and it is never approved. Follow planProgress, then read `comparison`."
    )
    async def plan_simulate(self, info: Info, input: PlanSimulateInput) -> PlanSimulatePayload:
        doing = simulations.simulate(info.context.database, act_of(info, input), input.to_command())
        return await payload(
            PlanSimulatePayload, info, doing, lambda key: read_one(info, "Plan", key)
        )
