"""Mutations of applications: submitting without an account, registering and rejecting."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import strawberry
from strawberry import ID

from marketplace.domain.errors import InvalidInput
from marketplace.domain.ids import key_of
from marketplace.domain.registry.applications import (
    ApplicationChannel,
    RejectReason,
    SubmitApplication,
)
from marketplace.services.registry import applications
from marketplace.services.registry.applications import RegisterApplication, RejectApplication
from marketplace.services.registry.sealing import sealer_of
from schema.payloads import Info, Payload, act_of, payload
from schema.readgraph.read import read_one
from schema.registry.applications import Application
from schema.registry.household_inputs import HouseholdInput
from schema.writing import INPUT, KEY, VERSION, sealed_act


@strawberry.input(description="What somebody in hardship says; it is sealed at once.")
class ApplicationSubmitInput:
    name: str = strawberry.field(description="Who applies, at most 100 characters.")
    phone: str = strawberry.field(
        description="Where the office can call, 7 to 12 digits; the code to follow it goes there."
    )
    region_code: str | None = strawberry.field(
        description="Where the household lives, by the code that stands in a printed link; a "
        "township or below.",
        default=None,
    )
    region_id: ID | None = strawberry.field(
        description="The same by id; one of the two is needed.", default=None
    )
    channel: ApplicationChannel = strawberry.field(
        description="QR or WEB; officers say PHONE or ONSITE.", default=ApplicationChannel.WEB
    )
    identity_number: str | None = strawberry.field(
        description="The number on the identity card, if it is at hand.", default=None
    )
    address: str = strawberry.field(description="Where it lives, in words.", default="")
    words: str = strawberry.field(
        description="What happened and what is needed, at most 1,000 characters.", default=""
    )
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> SubmitApplication:
        return SubmitApplication(
            region_id=None if self.region_id is None else key_of("Region", self.region_id),
            region_code=self.region_code,
            channel=ApplicationChannel(self.channel),
            name=self.name,
            phone=self.phone,
            identity_number=self.identity_number or None,
            address=self.address,
            words=self.words,
        )


@strawberry.input(description="Which application to register, and as what.")
class ApplicationRegisterInput:
    id: ID = strawberry.field(description="The application.")
    household_id: ID | None = strawberry.field(
        description="The household that it is of, where that is there already.", default=None
    )
    household: HouseholdInput | None = strawberry.field(
        description="The household as you write it down. With neither, it is made of what was "
        "submitted, with the applicant as its one member.",
        default=None,
    )
    region_id: ID | None = strawberry.field(
        description="Then: the village or grid cell, where the application names a township.",
        default=None,
    )
    expected_version: int | None = strawberry.field(description=VERSION, default=None)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> RegisterApplication:
        if self.household_id is not None and self.household is not None:
            raise InvalidInput.of(
                "household",
                "Say which household it is, or write a new one down, not both.",
                "请选择已有家庭或填写新家庭，二者只能选其一。",
            )
        return RegisterApplication(
            application_id=key_of("Application", self.id),
            household_id=None
            if self.household_id is None
            else key_of("Household", self.household_id),
            household=None if self.household is None else self.household.to_command(),
            region_id=None if self.region_id is None else key_of("Region", self.region_id),
            expected_version=self.expected_version,
        )


@strawberry.input(description="Which application comes to nothing, and why.")
class ApplicationRejectInput:
    id: ID = strawberry.field(description="The application.")
    why: RejectReason = strawberry.field(description="The kind of reason.")
    reason: str = strawberry.field(
        description="In words that the applicant can read, 4 to 500 characters."
    )
    expected_version: int | None = strawberry.field(description=VERSION, default=None)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> RejectApplication:
        return RejectApplication(
            application_id=key_of("Application", self.id),
            why=RejectReason(self.why),
            reason=self.reason,
            expected_version=self.expected_version,
        )


@strawberry.type(description="What an applicant holds on to.")
class ApplicationReceipt:
    reference: str = strawberry.field(
        description="Ask by it how the application stands, with a code sent to the phone."
    )


@strawberry.type(description="What came of submitting an application.")
class ApplicationSubmitPayload(Payload):
    receipt: ApplicationReceipt | None = strawberry.field(
        description="The receipt; null where it was refused.", default=None
    )


@strawberry.type(description="What came of registering an application.")
class ApplicationRegisterPayload(Payload):
    application: Application | None = strawberry.field(
        description="The application with its household; null where it was refused.", default=None
    )


@strawberry.type(description="What came of rejecting an application.")
class ApplicationRejectPayload(Payload):
    application: Application | None = strawberry.field(
        description="The application as it ended; null where that was refused.", default=None
    )


@strawberry.type
class ApplicationMutations:
    @strawberry.mutation(
        description="Ask for assistance, without an account. Keep the reference: by it and a code "
        "sent to the phone you learn how it stands. So many a day for a phone and for an address, "
        "then RATE_LIMITED."
    )
    async def application_submit(
        self, info: Info, input: Annotated[ApplicationSubmitInput, INPUT]
    ) -> ApplicationSubmitPayload:
        async def doing() -> str:
            context = info.context
            return await applications.submit(
                context.database,
                sealed_act(info, input),
                sealer_of(context.settings),
                input.to_command(),
                address=context.address,
            )

        async def read(made: str) -> ApplicationReceipt:
            return ApplicationReceipt(reference=made)

        return await payload(ApplicationSubmitPayload, info, doing(), read)

    @strawberry.mutation(
        description="Make a household of an application, or say which one it is. The applicant is "
        "told by message."
    )
    async def application_register(
        self, info: Info, input: Annotated[ApplicationRegisterInput, INPUT]
    ) -> ApplicationRegisterPayload:
        async def doing() -> int:
            context = info.context
            sealer = sealer_of(context.settings)
            act = sealed_act(info, input)
            return await applications.register(context.database, act, sealer, input.to_command())

        read = partial(read_one, info, "Application")
        return await payload(ApplicationRegisterPayload, info, doing(), read)

    @strawberry.mutation(
        description="End an application with a reason. The applicant is told by message."
    )
    async def application_reject(
        self, info: Info, input: Annotated[ApplicationRejectInput, INPUT]
    ) -> ApplicationRejectPayload:
        async def doing() -> int:
            context = info.context
            sealer = sealer_of(context.settings)
            act = act_of(info, input)
            return await applications.reject(context.database, act, sealer, input.to_command())

        read = partial(read_one, info, "Application")
        return await payload(ApplicationRejectPayload, info, doing(), read)
