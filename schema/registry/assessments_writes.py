"""Mutations of assessments: assessing, and deciding on an override as the second person."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import strawberry
from strawberry import ID

from marketplace.domain.ids import key_of
from marketplace.domain.registry.assessments import Circumstances, EligibilityClass
from marketplace.services.registry import assessing
from schema.payloads import Info, Payload, act_of, payload
from schema.readgraph.read import read_one
from schema.registry.assessments import Assessment, AssessmentOverride
from schema.scalars import BigInt
from schema.writing import INPUT, KEY, VERSION

MONTH = "Fen a month for the whole household; left out: none."


@strawberry.input(description="刚性支出: what cannot be avoided, fen a month, by kind.")
class RigidExpenditureInput:
    medical: BigInt = strawberry.field(description=MONTH, default=BigInt(0))
    education: BigInt = strawberry.field(description=MONTH, default=BigInt(0))
    disability_care: BigInt = strawberry.field(description=MONTH, default=BigInt(0))
    housing: BigInt = strawberry.field(description=MONTH, default=BigInt(0))
    disaster: BigInt = strawberry.field(description=MONTH, default=BigInt(0))


@strawberry.input(description="Another class than the lines give, and why that one is right.")
class OverrideInput:
    eligibility_class: EligibilityClass = strawberry.field(description="The class.")
    reason: str = strawberry.field(description="Why, 4 to 500 characters. No names.")


@strawberry.input(description="What was found; heads and groups are those of the household.")
class HouseholdAssessInput:
    household_id: ID = strawberry.field(description="Whose circumstances they are.")
    income_fen_month: BigInt = strawberry.field(
        description="Income of the whole household, fen a month."
    )
    property_fen: BigInt = strawberry.field(
        description="财产 of the whole household, in fen.", default=BigInt(0)
    )
    rigid_expenditure: RigidExpenditureInput | None = strawberry.field(
        description="What cannot be avoided; left out: nothing.", default=None
    )
    unsupported: bool = strawberry.field(
        description="Nobody in it can work, and nobody is bound and able to support it.",
        default=False,
    )
    override: OverrideInput | None = strawberry.field(
        description="Another class than the lines give; it counts once another person approves.",
        default=None,
    )
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> assessing.AssessHousehold:
        rigid = self.rigid_expenditure or RigidExpenditureInput()
        override = self.override
        return assessing.AssessHousehold(
            household_id=key_of("Household", self.household_id),
            found=Circumstances(
                member_count=1,  # the household's own take its place
                income_fen_month=self.income_fen_month,
                property_fen=self.property_fen,
                medical_fen_month=rigid.medical,
                education_fen_month=rigid.education,
                disability_care_fen_month=rigid.disability_care,
                housing_fen_month=rigid.housing,
                disaster_fen_month=rigid.disaster,
                unsupported=self.unsupported,
            ),
            override=EligibilityClass(override.eligibility_class) if override else None,
            override_reason=override.reason if override else None,
        )


@strawberry.input(description="Which override, decided by another person than who proposed it.")
class AssessmentOverrideApproveInput:
    id: ID = strawberry.field(description="The override.")
    reason: str | None = strawberry.field(
        description="Why, 4 to 500 characters; needed to reject.", default=None
    )
    expected_version: int | None = strawberry.field(description=VERSION, default=None)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> assessing.DecideOverride:
        return assessing.DecideOverride(
            override_id=key_of("AssessmentOverride", self.id),
            reason=self.reason,
            expected_version=self.expected_version,
        )


@strawberry.input(description="Which override, and why it does not count.")
class AssessmentOverrideRejectInput(AssessmentOverrideApproveInput):
    pass


@strawberry.type(description="What came of assessing a household.")
class HouseholdAssessPayload(Payload):
    assessment: Assessment | None = strawberry.field(
        description="The new assessment, which stands from now on; null where it was refused.",
        default=None,
    )


@strawberry.type(description="What came of approving an override.")
class AssessmentOverrideApprovePayload(Payload):
    override: AssessmentOverride | None = strawberry.field(
        description="The override as it is now; null where it was refused.", default=None
    )


@strawberry.type(description="What came of rejecting an override.")
class AssessmentOverrideRejectPayload(Payload):
    override: AssessmentOverride | None = strawberry.field(
        description="The override as it is now; null where it was refused.", default=None
    )


@strawberry.type
class AssessmentMutations:
    @strawberry.mutation(
        description="Write down what a household lives on. Class and severity follow from the "
        "county's published lines, step by step; it stands until the next one."
    )
    async def household_assess(
        self, info: Info, input: Annotated[HouseholdAssessInput, INPUT]
    ) -> HouseholdAssessPayload:
        async def doing() -> int:
            act = act_of(info, input)
            return await assessing.assess(info.context.database, act, input.to_command())

        read = partial(read_one, info, "Assessment")
        return await payload(HouseholdAssessPayload, info, doing(), read)

    @strawberry.mutation(description="Let another class than the computed one stand.")
    async def assessment_override_approve(
        self, info: Info, input: Annotated[AssessmentOverrideApproveInput, INPUT]
    ) -> AssessmentOverrideApprovePayload:
        async def doing() -> int:
            act = act_of(info, input)
            return await assessing.approve_override(info.context.database, act, input.to_command())

        read = partial(read_one, info, "AssessmentOverride", field="override")
        return await payload(AssessmentOverrideApprovePayload, info, doing(), read)

    @strawberry.mutation(description="Leave the computed class as it stands.")
    async def assessment_override_reject(
        self, info: Info, input: Annotated[AssessmentOverrideRejectInput, INPUT]
    ) -> AssessmentOverrideRejectPayload:
        async def doing() -> int:
            act = act_of(info, input)
            return await assessing.reject_override(info.context.database, act, input.to_command())

        read = partial(read_one, info, "AssessmentOverride", field="override")
        return await payload(AssessmentOverrideRejectPayload, info, doing(), read)
