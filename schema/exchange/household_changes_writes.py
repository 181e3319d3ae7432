"""Mutations of households that move, are merged or split, with their needs."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import strawberry
from strawberry import ID

from marketplace.domain.ids import key_of, opaque_id
from marketplace.domain.registry.household_changes import (
    MergeHouseholds,
    MoveHousehold,
    SplitHousehold,
)
from marketplace.services.exchange import (
    household_changes,
    household_merging,
    household_splitting,
)
from marketplace.services.registry.sealing import sealer_of
from schema.exchange.needs import Need
from schema.payloads import Info, Payload, payload
from schema.readgraph.read import read_many, read_one
from schema.registry.households import Household
from schema.writing import INPUT, KEY, VERSION, keys_of, sealed_act

REASON = "Why, 4 to 500 characters; it is kept with the record."


@strawberry.input(description="Where a household lives from now on.")
class HouseholdMoveInput:
    household_id: ID = strawberry.field(description="Which household.")
    region_id: ID = strawberry.field(description="The village, community or grid cell.")
    moved_on: date = strawberry.field(description="Since which day.")
    reason: str = strawberry.field(description=REASON)
    address: str = strawberry.field(
        description="The new address; left out: it is not known.", default=""
    )
    latitude: float | None = strawberry.field(
        description="Degrees north; with longitude.", default=None
    )
    longitude: float | None = strawberry.field(
        description="Degrees east; with latitude.", default=None
    )
    expected_version: int | None = strawberry.field(description=VERSION, default=None)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> MoveHousehold:
        return MoveHousehold(
            household_id=key_of("Household", self.household_id),
            region_id=key_of("Region", self.region_id),
            moved_on=self.moved_on,
            reason=self.reason,
            address=self.address,
            latitude=self.latitude,
            longitude=self.longitude,
            expected_version=self.expected_version,
        )


@strawberry.input(description="Two entries that are one household.")
class HouseholdMergeInput:
    household_id: ID = strawberry.field(description="The one that lives on.")
    merged_id: ID = strawberry.field(description="The one that is merged into it.")
    reason: str = strawberry.field(description=REASON)
    expected_version: int | None = strawberry.field(description=VERSION, default=None)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> MergeHouseholds:
        return MergeHouseholds(
            household_id=key_of("Household", self.household_id),
            merged_id=key_of("Household", self.merged_id),
            reason=self.reason,
            expected_version=self.expected_version,
        )


@strawberry.input(description="Members who are a household of their own from now on.")
class HouseholdSplitInput:
    household_id: ID = strawberry.field(description="The household that they leave.")
    member_ids: list[ID] = strawberry.field(
        description="Who goes, not everyone; ids as personalData gives them."
    )
    head_id: ID = strawberry.field(description="Who of them heads the new household.")
    region_id: ID = strawberry.field(description="The village or grid cell where they live.")
    split_on: date = strawberry.field(description="Since which day.")
    reason: str = strawberry.field(description=REASON)
    new_head_id: ID | None = strawberry.field(
        description="Who of those who stay heads the household, where its head goes.", default=None
    )
    need_ids: list[ID] = strawberry.field(
        description="Drafts that go with them.", default_factory=list
    )
    address: str = strawberry.field(description="Where they live, in words.", default="")
    phone: str | None = strawberry.field(description="How to call them.", default=None)
    expected_version: int | None = strawberry.field(description=VERSION, default=None)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> SplitHousehold:
        return SplitHousehold(
            household_id=key_of("Household", self.household_id),
            member_ids=keys_of("Member", self.member_ids),
            head_id=key_of("Member", self.head_id),
            region_id=key_of("Region", self.region_id),
            split_on=self.split_on,
            reason=self.reason,
            new_head_id=key_of("Member", self.new_head_id) if self.new_head_id else None,
            need_ids=keys_of("Need", self.need_ids),
            address=self.address,
            phone=self.phone or None,
            expected_version=self.expected_version,
        )


@strawberry.type(description="Something set aside that no longer reaches a household.")
class UnfittingAllocation:
    allocation_id: ID = strawberry.field(description="The allocation, which stays as it is.")
    reference: str = strawberry.field(description="The number printed on papers.")
    why: str = strawberry.field(
        description="REGION: the offer is for other regions. RADIUS: it is too far away."
    )


@strawberry.type(description="What came of a household's move.")
class HouseholdMovePayload(Payload):
    household: Household | None = strawberry.field(
        description="The household; null where it was refused, or left your region.", default=None
    )
    unfitting: list[UnfittingAllocation] = strawberry.field(
        description="What is set aside for it and no longer reaches it, for the desks to decide.",
        default_factory=list,
    )


@strawberry.type(description="What came of a merger.")
class HouseholdMergePayload(Payload):
    household: Household | None = strawberry.field(
        description="The household that lives on; null where it was refused.", default=None
    )
    doubled_needs: list[Need] = strawberry.field(
        description="Needs for the same thing that are both being served: see to them.",
        default_factory=list,
    )


@strawberry.type(description="What came of splitting a household.")
class HouseholdSplitPayload(Payload):
    household: Household | None = strawberry.field(
        description="The new household; null where it was refused.", default=None
    )


@strawberry.type
class HouseholdChangeMutations:
    @strawberry.mutation(
        description="Let a household live elsewhere. Its needs go with it; what is set aside for "
        "them and no longer reaches it is told."
    )
    async def household_move(
        self, info: Info, input: Annotated[HouseholdMoveInput, INPUT]
    ) -> HouseholdMovePayload:
        async def doing() -> household_changes.Moved:
            context = info.context
            act, sealer = sealed_act(info, input), sealer_of(context.settings)
            return await household_changes.move(context.database, act, sealer, input.to_command())

        async def read(moved: household_changes.Moved) -> HouseholdMovePayload:
            return HouseholdMovePayload(
                household=await read_one(info, "Household", moved.household_id),
                unfitting=[_shown(each) for each in moved.unfitting],
            )

        return await payload(HouseholdMovePayload, info, doing(), read)

    @strawberry.mutation(
        description="Let one entry live on in another: members, needs, consents, aid. The last "
        "word about consent stands; of two needs for the same thing the one that came further "
        "stays."
    )
    async def household_merge(
        self, info: Info, input: Annotated[HouseholdMergeInput, INPUT]
    ) -> HouseholdMergePayload:
        async def doing() -> household_merging.Merged:
            context = info.context
            act, sealer = sealed_act(info, input), sealer_of(context.settings)
            return await household_merging.merge(context.database, act, sealer, input.to_command())

        async def read(merged: household_merging.Merged) -> HouseholdMergePayload:
            needs: list[Any] = await read_many(info, "Need", list(merged.doubled))
            return HouseholdMergePayload(
                household=await read_one(info, "Household", merged.household_id),
                doubled_needs=needs,
            )

        return await payload(HouseholdMergePayload, info, doing(), read)

    @strawberry.mutation(
        description="Make a household of some members of another one. It starts without an "
        "assessment and without consent."
    )
    async def household_split(
        self, info: Info, input: Annotated[HouseholdSplitInput, INPUT]
    ) -> HouseholdSplitPayload:
        async def doing() -> int:
            context = info.context
            act, sealer = sealed_act(info, input), sealer_of(context.settings)
            return await household_splitting.split(
                context.database, act, sealer, input.to_command()
            )

        async def read(key: int) -> object:
            return await read_one(info, "Household", key)

        return await payload(HouseholdSplitPayload, info, doing(), read)


def _shown(each: household_changes.Unfitting) -> UnfittingAllocation:
    return UnfittingAllocation(
        allocation_id=ID(opaque_id("Allocation", each.allocation_id)),
        reference=each.reference,
        why=each.why,
    )
