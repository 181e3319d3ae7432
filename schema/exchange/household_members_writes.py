"""Mutations of members who come to a household or leave it."""

from __future__ import annotations

from datetime import date
from typing import Annotated, TypeVar

import strawberry
from strawberry import ID

from marketplace.domain.ids import key_of
from marketplace.domain.registry.household_changes import AddMember, EndMember, MemberEventKind
from marketplace.services.exchange import household_members
from marketplace.services.registry.sealing import sealer_of
from schema.payloads import Info, Payload, payload
from schema.readgraph.read import read_one
from schema.registry.household_inputs import MemberInput
from schema.registry.households import Household
from schema.writing import INPUT, KEY, VERSION, sealed_act


@strawberry.input(description="A person who comes to a household.")
class MemberAddInput:
    household_id: ID = strawberry.field(description="Which household.")
    member: MemberInput = strawberry.field(description="Who it is.")
    on: date = strawberry.field(description="Since which day.")
    reason: str = strawberry.field(
        description="Why, at most 500 characters: married, came back, …", default=""
    )
    already_counted: bool = strawberry.field(
        description="Whether the household's head count has this person in it already.",
        default=False,
    )
    expected_version: int | None = strawberry.field(description=VERSION, default=None)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> AddMember:
        return AddMember(
            household_id=key_of("Household", self.household_id),
            member=self.member.to_member(),
            on=self.on,
            reason=self.reason,
            already_counted=self.already_counted,
            expected_version=self.expected_version,
        )


@strawberry.input(description="A child that was born into a household.")
class MemberBornInput:
    household_id: ID = strawberry.field(description="Which household.")
    member: MemberInput = strawberry.field(description="The child.")
    on: date = strawberry.field(description="The birthday.")
    expected_version: int | None = strawberry.field(description=VERSION, default=None)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> AddMember:
        return AddMember(
            household_id=key_of("Household", self.household_id),
            member=self.member.to_member(),
            on=self.on,
            expected_version=self.expected_version,
        )


@strawberry.input(description="A member who died.")
class MemberDeceasedInput:
    member_id: ID = strawberry.field(description="Who; the id as personalData gives it.")
    on: date = strawberry.field(description="The day of death.")
    new_head_id: ID | None = strawberry.field(
        description="Who heads the household from now on, where it was the head.", default=None
    )
    expected_version: int | None = strawberry.field(description=VERSION, default=None)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> EndMember:
        return EndMember(
            member_id=key_of("Member", self.member_id),
            on=self.on,
            new_head_id=key_of("Member", self.new_head_id) if self.new_head_id else None,
            expected_version=self.expected_version,
        )


@strawberry.input(description="A member who left, or who was entered by mistake.")
class MemberRemoveInput(MemberDeceasedInput):
    reason: str = strawberry.field(description="Why, 4 to 500 characters.", default="")

    def to_command(self) -> EndMember:
        ended = MemberDeceasedInput.to_command(self)
        return EndMember(
            member_id=ended.member_id,
            on=ended.on,
            reason=self.reason,
            new_head_id=ended.new_head_id,
            expected_version=ended.expected_version,
        )


@strawberry.type(description="What came of adding a member.")
class MemberAddPayload(Payload):
    household: Household | None = strawberry.field(
        description="The household; null where it was refused.", default=None
    )


@strawberry.type(description="What came of recording a birth.")
class MemberBornPayload(MemberAddPayload):
    pass


@strawberry.type(description="What came of recording a death.")
class MemberDeceasedPayload(MemberAddPayload):
    pass


@strawberry.type(description="What came of ending a membership.")
class MemberRemovePayload(MemberAddPayload):
    pass


P = TypeVar("P", bound=MemberAddPayload)


@strawberry.type
class HouseholdMemberMutations:
    @strawberry.mutation(description="Add a person to a household. Nobody belongs to two.")
    async def member_add(
        self, info: Info, input: Annotated[MemberAddInput, INPUT]
    ) -> MemberAddPayload:
        return await _add(MemberAddPayload, info, input, MemberEventKind.ADDED)

    @strawberry.mutation(description="Record that a child was born into a household.")
    async def member_born(
        self, info: Info, input: Annotated[MemberBornInput, INPUT]
    ) -> MemberBornPayload:
        return await _add(MemberBornPayload, info, input, MemberEventKind.BORN)

    @strawberry.mutation(
        description="Record that a member died. With the last one the household is closed, and "
        "its needs are withdrawn in the same moment."
    )
    async def member_deceased(
        self, info: Info, input: Annotated[MemberDeceasedInput, INPUT]
    ) -> MemberDeceasedPayload:
        return await _end(MemberDeceasedPayload, info, input, MemberEventKind.DECEASED)

    @strawberry.mutation(
        description="Record that a member left. With the last one the household is closed."
    )
    async def member_remove(
        self, info: Info, input: Annotated[MemberRemoveInput, INPUT]
    ) -> MemberRemovePayload:
        return await _end(MemberRemovePayload, info, input, MemberEventKind.LEFT)


async def _add(
    of: type[P], info: Info, input: MemberAddInput | MemberBornInput, kind: MemberEventKind
) -> P:
    async def doing() -> int:
        context = info.context
        act, sealer = sealed_act(info, input), sealer_of(context.settings)
        command = input.to_command()
        return await household_members.add(context.database, act, sealer, command, kind)

    async def read(key: int) -> object:
        return await read_one(info, "Household", key)

    return await payload(of, info, doing(), read)


async def _end(of: type[P], info: Info, input: MemberDeceasedInput, kind: MemberEventKind) -> P:
    async def doing() -> int:
        context = info.context
        act, sealer = sealed_act(info, input), sealer_of(context.settings)
        command = input.to_command()
        return await household_members.end(context.database, act, sealer, command, kind)

    async def read(key: int) -> object:
        return await read_one(info, "Household", key)

    return await payload(of, info, doing(), read)
