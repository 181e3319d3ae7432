"""Mutations of restricted cases: recovery, appeal, its decision, closing and dismissing."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import strawberry
from strawberry import ID

from marketplace.domain.ids import key_of
from marketplace.domain.oversight.integrity import AppealOutcome, Recovery
from marketplace.services.oversight import outcomes
from schema.oversight.integrity_writes import CASE, TEXT, CasePayload, answered, case_of
from schema.payloads import Info, act_of, payload
from schema.scalars import BigInt
from schema.writing import INPUT, KEY, VERSION


@strawberry.input(description="What is to be paid back, what was received of it, or both.")
class IntegrityCaseRecoverInput:
    id: ID = strawberry.field(description=CASE)
    ordered_fen: BigInt | None = strawberry.field(
        description="The order: how many fen in all, given once; 0: nothing is to be paid back.",
        default=None,
    )
    received_fen: BigInt = strawberry.field(
        description="How many fen came in now, never more than is due.", default=BigInt(0)
    )
    received_on: date | None = strawberry.field(
        description="On which day they came in.", default=None
    )
    receipt: str | None = strawberry.field(description="The receipt's number.", default=None)
    expected_version: int | None = strawberry.field(description=VERSION, default=None)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> outcomes.RecoverCase:
        return outcomes.RecoverCase(
            case_id=key_of("IntegrityCase", self.id),
            recovery=Recovery(
                ordered_fen=self.ordered_fen,
                received_fen=self.received_fen,
                received_on=self.received_on,
                receipt=self.receipt,
            ),
            expected_version=self.expected_version,
        )


@strawberry.input(description="An appeal against the restriction of one's own case.")
class IntegrityCaseAppealInput:
    id: ID = strawberry.field(description=CASE)
    appeal: str = strawberry.field(description="Why it is wrong." + TEXT)
    expected_version: int | None = strawberry.field(description=VERSION, default=None)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> outcomes.AppealCase:
        return outcomes.AppealCase(
            case_id=key_of("IntegrityCase", self.id),
            appeal=self.appeal,
            expected_version=self.expected_version,
        )


@strawberry.input(description="The decision on an appeal.")
class IntegrityCaseDecideAppealInput:
    id: ID = strawberry.field(description=CASE)
    outcome: AppealOutcome = strawberry.field(description="What is decided.")
    reason: str = strawberry.field(description="Why." + TEXT)
    expected_version: int | None = strawberry.field(description=VERSION, default=None)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> outcomes.DecideAppeal:
        return outcomes.DecideAppeal(
            case_id=key_of("IntegrityCase", self.id),
            outcome=AppealOutcome(self.outcome),
            reason=self.reason,
            expected_version=self.expected_version,
        )


@strawberry.input(description="That a recovered case is over.")
class IntegrityCaseCloseInput:
    id: ID = strawberry.field(description=CASE)
    reason: str = strawberry.field(description="Why." + TEXT)
    expected_version: int | None = strawberry.field(description=VERSION, default=None)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> outcomes.EndCase:
        return outcomes.EndCase(
            case_id=key_of("IntegrityCase", self.id),
            reason=self.reason,
            expected_version=self.expected_version,
        )


@strawberry.input(description="That a case is dropped.")
class IntegrityCaseDismissInput(IntegrityCaseCloseInput):
    pass


@strawberry.type(description="What came of ordering or receiving back.")
class IntegrityCaseRecoverPayload(CasePayload):
    pass


@strawberry.type(description="What came of appealing.")
class IntegrityCaseAppealPayload(CasePayload):
    pass


@strawberry.type(description="What came of deciding an appeal.")
class IntegrityCaseDecideAppealPayload(CasePayload):
    pass


@strawberry.type(description="What came of closing a case.")
class IntegrityCaseClosePayload(CasePayload):
    pass


@strawberry.type(description="What came of dropping a case.")
class IntegrityCaseDismissPayload(CasePayload):
    pass


@strawberry.type
class IntegrityOutcomeMutations:
    @strawberry.mutation(
        description="Order an amount back, or note what was received. Once nothing is due the case "
        "is RECOVERED, and can be closed."
    )
    async def integrity_case_recover(
        self, info: Info, input: Annotated[IntegrityCaseRecoverInput, INPUT]
    ) -> IntegrityCaseRecoverPayload:
        async def doing() -> int:
            act = act_of(info, input)
            return await outcomes.recover(info.context.database, act, input.to_command())

        return await payload(IntegrityCaseRecoverPayload, info, doing(), case_of(info))

    @strawberry.mutation(
        description="Appeal against a restriction, as the household or the provider itself. It "
        "stands until another person decided."
    )
    async def integrity_case_appeal(
        self, info: Info, input: Annotated[IntegrityCaseAppealInput, INPUT]
    ) -> IntegrityCaseAppealPayload:
        return await answered(IntegrityCaseAppealPayload, info, input, outcomes.appeal)

    @strawberry.mutation(
        description="Decide an appeal, by another person than who ordered the restriction. "
        "Granted, the case is dismissed and everything put back in the same moment."
    )
    async def integrity_case_decide_appeal(
        self, info: Info, input: Annotated[IntegrityCaseDecideAppealInput, INPUT]
    ) -> IntegrityCaseDecideAppealPayload:
        return await answered(IntegrityCaseDecideAppealPayload, info, input, outcomes.decide_appeal)

    @strawberry.mutation(
        description="Close a recovered case. Its restriction ends, and needs go back where they "
        "were: published again if consent stands and the deadline is ahead."
    )
    async def integrity_case_close(
        self, info: Info, input: Annotated[IntegrityCaseCloseInput, INPUT]
    ) -> IntegrityCaseClosePayload:
        return await answered(IntegrityCaseClosePayload, info, input, outcomes.close)

    @strawberry.mutation(
        description="Drop a case from any state: everything is put back, and it stands in nobody's "
        "file. Once restricted, by another person than who ordered that."
    )
    async def integrity_case_dismiss(
        self, info: Info, input: Annotated[IntegrityCaseDismissInput, INPUT]
    ) -> IntegrityCaseDismissPayload:
        return await answered(IntegrityCaseDismissPayload, info, input, outcomes.dismiss)
