"""Mutations of integrity cases up to the restriction: open, find, restrict."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Annotated, Protocol, TypeVar

import strawberry
from strawberry import ID

from marketplace.domain.ids import key_of
from marketplace.domain.oversight.integrity import CaseKind, OpenCase
from marketplace.domain.restrictions import RestrictionScope
from marketplace.services.acting import Act
from marketplace.services.oversight import cases
from marketplace.services.registry.sealing import sealer_of
from schema.oversight.integrity import IntegrityCase
from schema.payloads import Info, Payload, act_of, payload
from schema.readgraph.read import read_one
from schema.writing import INPUT, KEY, VERSION

if TYPE_CHECKING:
    from marketplace.persistence.crypto import Sealer
    from marketplace.persistence.database import Database

Command = TypeVar("Command")
Command_co = TypeVar("Command_co", covariant=True)
P = TypeVar("P", bound=Payload)

CASE = "The case."
TEXT = " 4 to 2,000 characters; it is sealed and read only for a stated purpose."


@strawberry.input(description="What is alleged, and of whom: a household or an organization.")
class IntegrityCaseOpenInput:
    kind: CaseKind = strawberry.field(description="What is alleged.")
    allegation: str = strawberry.field(description="What it rests on, in words." + TEXT)
    household_id: ID | None = strawberry.field(
        description="The household, of the first three kinds.", default=None
    )
    organization_id: ID | None = strawberry.field(
        description="The provider, of the other kinds.", default=None
    )
    allocation_id: ID | None = strawberry.field(
        description="Of a provider: what was not delivered, or was defective.", default=None
    )
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> OpenCase:
        return OpenCase(
            kind=CaseKind(self.kind),
            allegation=self.allegation,
            household_id=_key("Household", self.household_id),
            organization_id=_key("Organization", self.organization_id),
            allocation_id=_key("Allocation", self.allocation_id),
        )


@strawberry.input(description="That a case is found true, by you.")
class IntegrityCaseFindInput:
    id: ID = strawberry.field(description=CASE)
    finding: str = strawberry.field(description="What was found, and by what evidence." + TEXT)
    expected_version: int | None = strawberry.field(description=VERSION, default=None)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> cases.FindCase:
        return cases.FindCase(
            case_id=key_of("IntegrityCase", self.id),
            finding=self.finding,
            expected_version=self.expected_version,
        )


@strawberry.input(description="What a found case halts, and until when.")
class IntegrityCaseRestrictInput:
    id: ID = strawberry.field(description=CASE)
    scope: RestrictionScope = strawberry.field(
        description="Of a household CHARITY, GOVERNMENT or BOTH, of a provider OFFERS."
    )
    ends_on: date = strawberry.field(
        description="Its last day by the county's calendar, at most three years away."
    )
    grounds: str = strawberry.field(description="Why so much and so long." + TEXT)
    expected_version: int | None = strawberry.field(description=VERSION, default=None)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> cases.RestrictCase:
        return cases.RestrictCase(
            case_id=key_of("IntegrityCase", self.id),
            scope=RestrictionScope(self.scope),
            ends_on=self.ends_on,
            grounds=self.grounds,
            expected_version=self.expected_version,
        )


@strawberry.type(description="What came of a step in a case of integrity.")
class CasePayload(Payload):
    case: IntegrityCase | None = strawberry.field(
        description="The case as it is now; null where the step was refused.", default=None
    )


@strawberry.type(description="What came of opening a case.")
class IntegrityCaseOpenPayload(CasePayload):
    pass


@strawberry.type(description="What came of finding a case true.")
class IntegrityCaseFindPayload(CasePayload):
    pass


@strawberry.type(description="What came of restricting.")
class IntegrityCaseRestrictPayload(CasePayload):
    pass


@strawberry.type
class IntegrityCaseMutations:
    @strawberry.mutation(
        description="Open a case of integrity. Nothing is halted before two people found it true."
    )
    async def integrity_case_open(
        self, info: Info, input: Annotated[IntegrityCaseOpenInput, INPUT]
    ) -> IntegrityCaseOpenPayload:
        return await answered(IntegrityCaseOpenPayload, info, input, cases.open_case)

    @strawberry.mutation(
        description="Find a case true. It is FOUND once two different people of the desk said so."
    )
    async def integrity_case_find(
        self, info: Info, input: Annotated[IntegrityCaseFindInput, INPUT]
    ) -> IntegrityCaseFindPayload:
        return await answered(IntegrityCaseFindPayload, info, input, cases.find)

    @strawberry.mutation(
        description="Restrict what a found case asks for. In the same moment a household's needs "
        "are suspended and what was set aside for them goes back; or a provider and its offers are."
    )
    async def integrity_case_restrict(
        self, info: Info, input: Annotated[IntegrityCaseRestrictInput, INPUT]
    ) -> IntegrityCaseRestrictPayload:
        return await answered(IntegrityCaseRestrictPayload, info, input, cases.restrict)


class Asks(Protocol[Command_co]):
    """An input that knows the command which it stands for."""

    def to_command(self) -> Command_co: ...


async def answered(
    of: type[P],
    info: Info,
    input: Asks[Command],
    service: Callable[[Database, Act, Sealer, Command], Awaitable[int]],
) -> P:
    """Do what an input asks for and answer with its case, or with the refusal."""

    async def doing() -> int:
        context, act = info.context, act_of(info, input)
        sealer = sealer_of(context.settings)
        return await service(context.database, act, sealer, input.to_command())

    return await payload(of, info, doing(), case_of(info))


def case_of(info: Info) -> Callable[[int], Awaitable[object]]:
    """Reads the case of a payload."""
    return partial(read_one, info, "IntegrityCase")


def _key(kind: str, text: ID | None) -> int | None:
    return None if text is None else key_of(kind, text)
