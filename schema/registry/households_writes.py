"""Mutations of households: registering one."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import strawberry

from marketplace.services.registry import households
from marketplace.services.registry.sealing import sealer_of
from schema.payloads import Info, Payload, payload
from schema.readgraph.read import read_one
from schema.registry.household_inputs import HouseholdInput
from schema.registry.households import Household
from schema.registry.writing import INPUT, KEY, sealed_act


@strawberry.input(description="A household to register.")
class HouseholdRegisterInput(HouseholdInput):
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)


@strawberry.type(description="What came of registering a household.")
class HouseholdRegisterPayload(Payload):
    household: Household | None = strawberry.field(
        description="The household; null where it was refused.", default=None
    )


@strawberry.type
class HouseholdMutations:
    @strawberry.mutation(
        description="Register a household with its members, sealed at once. Nobody belongs to two: "
        "look with householdFind first."
    )
    async def household_register(
        self, info: Info, input: Annotated[HouseholdRegisterInput, INPUT]
    ) -> HouseholdRegisterPayload:
        async def doing() -> int:
            context = info.context
            act, sealer = sealed_act(info, input), sealer_of(context.settings)
            return await households.register(context.database, act, sealer, input.to_command())

        read = partial(read_one, info, "Household")
        return await payload(HouseholdRegisterPayload, info, doing(), read)
