"""Mutations of organizations and their agreements."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import Annotated, TypeVar

import strawberry
from strawberry import ID

from marketplace.domain.errors import Forbidden, Text
from marketplace.domain.ids import key_of
from marketplace.domain.registry.agreements import SignAgreement
from marketplace.domain.registry.organizations import ApplyOrganization, OrganizationKind
from marketplace.services.acting import Act
from marketplace.services.registry import agreements, joining
from marketplace.services.registry.sealing import sealer_of
from schema.payloads import Info, Payload, act_of, payload
from schema.readgraph.read import read_one
from schema.registry.agreements import Agreement
from schema.registry.organizations import Organization
from schema.scalars import BigInt
from schema.writing import INPUT, KEY, VERSION, sealed_act

M = TypeVar("M", bound="OrganizationPayload")


@strawberry.input(description="An organization that wants to help, as it says itself.")
class OrganizationApplyInput:
    kind: OrganizationKind = strawberry.field(description="What it is.")
    name: str = strawberry.field(description="Its full name, 2 to 100 characters.")
    region_id: ID = strawberry.field(description="Where it is seated.")
    contact_name: str = strawberry.field(description="Whom to call; sealed at once.")
    contact_phone: str = strawberry.field(description="Under which number; sealed at once.")
    credit_code: str | None = strawberry.field(
        description="统一社会信用代码, 18 characters; only a volunteer group may be without.",
        default=None,
    )
    description: str = strawberry.field(
        description="What it does and wants to give, at most 1,000 characters.", default=""
    )
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> ApplyOrganization:
        return ApplyOrganization(
            kind=OrganizationKind(self.kind),
            name=self.name,
            region_id=key_of("Region", self.region_id),
            contact_name=self.contact_name,
            contact_phone=self.contact_phone,
            credit_code=self.credit_code,
            description=self.description,
        )


@strawberry.input(description="Which organization to move.")
class OrganizationMoveInput:
    id: ID = strawberry.field(description="The organization.")
    expected_version: int | None = strawberry.field(description=VERSION, default=None)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)


@strawberry.input(description="Which organization to verify.")
class OrganizationVerifyInput(OrganizationMoveInput):
    pass


@strawberry.input(description="Which organization to verify again.")
class OrganizationResumeInput(OrganizationMoveInput):
    pass


@strawberry.input(description="Which organization, and why; it can read the reason.")
class OrganizationReasonInput:
    id: ID = strawberry.field(description="The organization.")
    reason: str = strawberry.field(description="Why, 4 to 200 characters. Name nobody.")
    expected_version: int | None = strawberry.field(description=VERSION, default=None)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)


@strawberry.input(description="Which organization to reject, and why.")
class OrganizationRejectInput(OrganizationReasonInput):
    pass


@strawberry.input(description="Which organization to suspend, and why.")
class OrganizationSuspendInput(OrganizationReasonInput):
    pass


@strawberry.input(description="A category within which may be offered, and how much at most.")
class AgreementCategoryInput:
    category_id: ID = strawberry.field(description="The category, with all below it.")
    units_max: BigInt | None = strawberry.field(
        description="At most so much in all: base units, fen of cash, minutes of service.",
        default=None,
    )


@strawberry.input(description="A standing agreement with an organization.")
class AgreementSignInput:
    organization_id: ID = strawberry.field(description="With whom.")
    number: str = strawberry.field(description="The number on the paper.")
    valid_from: date = strawberry.field(description="The first day.")
    valid_until: date = strawberry.field(description="The last day, at most ten years later.")
    categories: list[AgreementCategoryInput] = strawberry.field(
        description="What it may offer; empty: everything.", default_factory=list
    )
    region_ids: list[ID] = strawberry.field(
        description="Where to, with all below; empty: anywhere.", default_factory=list
    )
    offer_max_fen: BigInt | None = strawberry.field(
        description="What one offer is worth at most, in fen.", default=None
    )
    total_max_fen: BigInt | None = strawberry.field(
        description="What all offers under it are worth at most, in fen.", default=None
    )
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> SignAgreement:
        return SignAgreement(
            organization_id=key_of("Organization", self.organization_id),
            number=self.number,
            valid_from=self.valid_from,
            valid_until=self.valid_until,
            categories={
                key_of("Category", each.category_id): each.units_max for each in self.categories
            },
            region_ids=tuple(key_of("Region", each) for each in self.region_ids),
            offer_max_fen=self.offer_max_fen,
            total_max_fen=self.total_max_fen,
        )


@strawberry.input(description="Which agreement to end, and why.")
class AgreementEndInput:
    id: ID = strawberry.field(description="The agreement.")
    reason: str = strawberry.field(description="Why, 4 to 200 characters.")
    expected_version: int | None = strawberry.field(description=VERSION, default=None)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)


@strawberry.type
class OrganizationPayload(Payload):
    organization: Organization | None = strawberry.field(
        description="The organization as it is now; null where it was refused.", default=None
    )


@strawberry.type(description="What came of applying.")
class OrganizationApplyPayload(Payload):
    reference: str | None = strawberry.field(
        description="By which the charity desk finds the application.", default=None
    )
    organization: Organization | None = strawberry.field(
        description="The organization, for who may see it.", default=None
    )


@strawberry.type(description="What came of verifying an organization.")
class OrganizationVerifyPayload(OrganizationPayload):
    pass


@strawberry.type(description="What came of rejecting an organization.")
class OrganizationRejectPayload(OrganizationPayload):
    pass


@strawberry.type(description="What came of suspending an organization.")
class OrganizationSuspendPayload(OrganizationPayload):
    pass


@strawberry.type(description="What came of verifying an organization again.")
class OrganizationResumePayload(OrganizationPayload):
    pass


@strawberry.type
class AgreementPayload(Payload):
    agreement: Agreement | None = strawberry.field(
        description="The agreement as it is now; null where it was refused.", default=None
    )


@strawberry.type(description="What came of signing an agreement.")
class AgreementSignPayload(AgreementPayload):
    pass


@strawberry.type(description="What came of ending an agreement.")
class AgreementEndPayload(AgreementPayload):
    pass


@strawberry.type(description="Whom to call at an organization, in the clear.")
class OrganizationContact:
    name: str = strawberry.field(description="Whom.")
    phone: str = strawberry.field(description="Under which number.")


async def _moved(
    of: type[M], info: Info, name: str, input: OrganizationMoveInput | OrganizationReasonInput
) -> M:
    async def doing() -> int:
        command = joining.MoveOrganization(
            organization_id=key_of("Organization", input.id),
            reason=getattr(input, "reason", ""),
            expected_version=input.expected_version,
        )
        return await joining.move(info.context.database, act_of(info, input), name, command)

    return await payload(of, info, doing(), partial(read_one, info, "Organization"))


@strawberry.type
class OrganizationContactQuery:
    @strawberry.field(
        description="Whom to call at an organization that applied, for the charity desk. That it "
        "was read and what for is recorded. By POST only."
    )
    async def organization_contact(
        self,
        info: Info,
        organization_id: Annotated[ID, strawberry.argument(description="Whose.")],
        purpose: Annotated[
            str, strawberry.argument(description="What you need it for, 4 to 200 characters.")
        ],
    ) -> OrganizationContact | None:
        context = info.context
        if context.by_get:
            raise Forbidden(Text("Ask by POST.", "请使用 POST 请求。"))
        act = Act(viewer=context.viewer, request_id=context.request_id)
        found = await joining.contact(
            context.database,
            act,
            sealer_of(context.settings),
            key_of("Organization", organization_id),
            purpose,
        )
        return OrganizationContact(name=found.name, phone=found.phone)


@strawberry.type
class OrganizationMutations:
    @strawberry.mutation(
        description="Apply as an organization that wants to help, without an account. The charity "
        "desk verifies it under an agreement. So many a day for a phone and for an address, then "
        "RATE_LIMITED."
    )
    async def organization_apply(
        self, info: Info, input: Annotated[OrganizationApplyInput, INPUT]
    ) -> OrganizationApplyPayload:
        context = info.context

        async def doing() -> joining.Applied:
            return await joining.apply(
                context.database,
                sealed_act(info, input),
                sealer_of(context.settings),
                input.to_command(),
                address=context.address,
            )

        async def read(done: joining.Applied) -> OrganizationApplyPayload:
            return OrganizationApplyPayload(
                reference=done.reference,
                organization=await read_one(info, "Organization", done.organization_id),
            )

        return await payload(OrganizationApplyPayload, info, doing(), read)

    @strawberry.mutation(
        description="Let an organization's offers open. It needs an agreement that is in force."
    )
    async def organization_verify(
        self, info: Info, input: Annotated[OrganizationVerifyInput, INPUT]
    ) -> OrganizationVerifyPayload:
        return await _moved(OrganizationVerifyPayload, info, "organizationVerify", input)

    @strawberry.mutation(description="Refuse an organization that applied, with a reason.")
    async def organization_reject(
        self, info: Info, input: Annotated[OrganizationRejectInput, INPUT]
    ) -> OrganizationRejectPayload:
        return await _moved(OrganizationRejectPayload, info, "organizationReject", input)

    @strawberry.mutation(
        description="Take all offers of an organization out of the market. What is reserved stays."
    )
    async def organization_suspend(
        self, info: Info, input: Annotated[OrganizationSuspendInput, INPUT]
    ) -> OrganizationSuspendPayload:
        return await _moved(OrganizationSuspendPayload, info, "organizationSuspend", input)

    @strawberry.mutation(
        description="Verify a suspended organization again: its offers are back as they were."
    )
    async def organization_resume(
        self, info: Info, input: Annotated[OrganizationResumeInput, INPUT]
    ) -> OrganizationResumePayload:
        return await _moved(OrganizationResumePayload, info, "organizationResume", input)

    @strawberry.mutation(
        description="Write down a standing agreement: what an organization may offer without "
        "asking. Offers outside it wait for offerApprove."
    )
    async def agreement_sign(
        self, info: Info, input: Annotated[AgreementSignInput, INPUT]
    ) -> AgreementSignPayload:
        async def doing() -> int:
            act = act_of(info, input)
            return await agreements.sign(info.context.database, act, input.to_command())

        read = partial(read_one, info, "Agreement")
        return await payload(AgreementSignPayload, info, doing(), read)

    @strawberry.mutation(
        description="End an agreement before its last day. What is open stays open; what is "
        "offered from now on waits for offerApprove."
    )
    async def agreement_end(
        self, info: Info, input: Annotated[AgreementEndInput, INPUT]
    ) -> AgreementEndPayload:
        async def doing() -> int:
            command = agreements.EndAgreement(
                agreement_id=key_of("Agreement", input.id),
                reason=input.reason,
                expected_version=input.expected_version,
            )
            return await agreements.end(info.context.database, act_of(info, input), command)

        read = partial(read_one, info, "Agreement")
        return await payload(AgreementEndPayload, info, doing(), read)
