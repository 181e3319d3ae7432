"""Mutations of appeals: filing one, and deciding on it."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import strawberry
from strawberry import ID

from marketplace.domain.ids import key_of
from marketplace.domain.registry.appeals import AppealDecision, FileAppeal
from marketplace.services.registry import appeals
from schema.payloads import Info, Payload, act_of, payload
from schema.readgraph.read import read_one
from schema.registry.appeals import Appeal
from schema.writing import INPUT, KEY, VERSION


@strawberry.input(description="A household's objection to what it was assessed as.")
class AppealFileInput:
    household_id: ID = strawberry.field(description="Whose appeal it is.")
    reason: str = strawberry.field(description="Why the class is wrong, 4 to 1000 characters.")
    evidence_reference: str | None = strawberry.field(
        description="Where the household's own paper or recording is kept, at most 64 characters; "
        "officers who file for it must say it.",
        default=None,
    )
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> FileAppeal:
        return FileAppeal(
            household_id=key_of("Household", self.household_id),
            reason=self.reason,
            evidence_reference=self.evidence_reference,
        )


@strawberry.input(description="A decision on an appeal, by who had no hand in what it is against.")
class AppealDecideInput:
    id: ID = strawberry.field(description="The appeal.")
    decision: AppealDecision = strawberry.field(description="What is decided.")
    reason: str = strawberry.field(description="Why, 4 to 1000 characters; the household reads it.")
    expected_version: int | None = strawberry.field(description=VERSION, default=None)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> appeals.DecideAppeal:
        return appeals.DecideAppeal(
            appeal_id=key_of("Appeal", self.id),
            decision=AppealDecision(self.decision),
            reason=self.reason,
            expected_version=self.expected_version,
        )


@strawberry.type(description="What came of filing an appeal.")
class AppealFilePayload(Payload):
    appeal: Appeal | None = strawberry.field(
        description="The appeal; null where it was refused.", default=None
    )


@strawberry.type(description="What came of deciding on an appeal.")
class AppealDecidePayload(Payload):
    appeal: Appeal | None = strawberry.field(
        description="The appeal as it is now; null where the decision was refused.", default=None
    )


@strawberry.type
class AppealMutations:
    @strawberry.mutation(
        description="File an appeal against a household's latest assessment, within 60 days of it: "
        "by the household, or for it by an officer with evidence."
    )
    async def appeal_file(
        self, info: Info, input: Annotated[AppealFileInput, INPUT]
    ) -> AppealFilePayload:
        async def doing() -> int:
            act = act_of(info, input)
            return await appeals.file(info.context.database, act, input.to_command())

        return await payload(AppealFilePayload, info, doing(), partial(read_one, info, "Appeal"))

    @strawberry.mutation(
        description="Decide on an appeal, within 30 days, by another person than who assessed. If "
        "it is upheld, the household is assessed anew, by another person again."
    )
    async def appeal_decide(
        self, info: Info, input: Annotated[AppealDecideInput, INPUT]
    ) -> AppealDecidePayload:
        async def doing() -> int:
            act = act_of(info, input)
            return await appeals.decide(info.context.database, act, input.to_command())

        return await payload(AppealDecidePayload, info, doing(), partial(read_one, info, "Appeal"))
