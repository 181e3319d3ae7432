"""Mutations of households: registering one, telling it, and that two of them are two."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import Annotated

import strawberry
from strawberry import ID

from marketplace.domain.ids import key_of
from marketplace.services.registry import households, telling
from marketplace.services.registry.sealing import sealer_of
from schema.payloads import Info, Payload, act_of, payload
from schema.readgraph.read import read_one
from schema.registry.household_inputs import HouseholdInput
from schema.registry.household_records import HowTold, PossibleDuplicate
from schema.registry.households import Household
from schema.writing import INPUT, KEY, sealed_act


@strawberry.input(description="A household to register.")
class HouseholdRegisterInput(HouseholdInput):
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)


@strawberry.type(description="What came of registering a household.")
class HouseholdRegisterPayload(Payload):
    household: Household | None = strawberry.field(
        description="The household; null where it was refused.", default=None
    )


@strawberry.input(description="That a household was told what it may be entitled to.")
class HouseholdTellInput:
    household_id: ID = strawberry.field(description="Which household.")
    how: HowTold = strawberry.field(description="How it was told.")
    told_on: date = strawberry.field(description="On which day, not before its latest assessment.")
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> telling.TellHousehold:
        return telling.TellHousehold(
            household_id=key_of("Household", self.household_id),
            how=HowTold(self.how),
            told_on=self.told_on,
        )


@strawberry.input(description="Two households that look alike and are two.")
class HouseholdDuplicateDismissInput:
    id: ID = strawberry.field(description="The possible duplicate; its other side goes with it.")
    reason: str = strawberry.field(description="How you know, 4 to 500 characters.")
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> telling.DismissDuplicate:
        return telling.DismissDuplicate(
            duplicate_id=key_of("PossibleDuplicate", self.id), reason=self.reason
        )


@strawberry.type(description="What came of recording that a household was told.")
class HouseholdTellPayload(Payload):
    household: Household | None = strawberry.field(
        description="The household; null where it was refused.", default=None
    )


@strawberry.type(description="What came of looking at a possible duplicate.")
class HouseholdDuplicateDismissPayload(Payload):
    possible_duplicate: PossibleDuplicate | None = strawberry.field(
        description="The pair as it was decided; null where it was refused.", default=None
    )


@strawberry.type
class HouseholdMutations:
    @strawberry.mutation(
        description="应知尽知: record that a household was told what it may be entitled to."
    )
    async def household_tell(
        self, info: Info, input: Annotated[HouseholdTellInput, INPUT]
    ) -> HouseholdTellPayload:
        async def doing() -> int:
            act = act_of(info, input)
            return await telling.tell(info.context.database, act, input.to_command())

        read = partial(read_one, info, "Household")
        return await payload(HouseholdTellPayload, info, doing(), read)

    @strawberry.mutation(
        description="Say that two households that look alike are two; householdMerge says that "
        "they are one."
    )
    async def household_duplicate_dismiss(
        self, info: Info, input: Annotated[HouseholdDuplicateDismissInput, INPUT]
    ) -> HouseholdDuplicateDismissPayload:
        async def doing() -> int:
            act = act_of(info, input)
            return await telling.dismiss(info.context.database, act, input.to_command())

        read = partial(read_one, info, "PossibleDuplicate")
        return await payload(HouseholdDuplicateDismissPayload, info, doing(), read)

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
