"""Feedback of a household without an account: a code to its phone, the words, the reply."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from marketplace.domain.errors import Forbidden
from marketplace.services.exchange import feedback_by_code
from marketplace.services.exchange.feedback_by_code import Followed, SubmitByCode
from marketplace.services.registry.sealing import sealer_of
from schema.exchange.feedback import FeedbackKind, FeedbackStatus
from schema.exchange.feedback_writes import TEXT
from schema.payloads import Info, Payload, act_of, payload
from schema.registry.personal_data import POST_ONLY
from schema.writing import INPUT


@strawberry.input(description="Of which result or feedback, and the household's phone.")
class FeedbackCodeRequestInput:
    reference: str = strawberry.field(
        description="The number on the slip: of a result to speak of, or of feedback to follow."
    )
    phone: str = strawberry.field(description="The phone that the household is registered with.")


@strawberry.type(description="The same whatever was asked, so that it tells nobody what is there.")
class FeedbackCodeRequestPayload(Payload):
    accepted: bool | None = strawberry.field(
        description="True: if both fit, a code is on its way to the phone.", default=None
    )


@strawberry.input(description="What a household has to say of a result, proven by a code.")
class FeedbackSubmitByCodeInput:
    reference: str = strawberry.field(description="The number of the result, from the slip.")
    code: str = strawberry.field(description="The code sent to the phone; good for one feedback.")
    kind: FeedbackKind = strawberry.field(description="What it is.")
    text: str = strawberry.field(description=TEXT)

    def to_command(self) -> SubmitByCode:
        return SubmitByCode(
            number=self.reference, code=self.code, kind=FeedbackKind(self.kind), text=self.text
        )


@strawberry.type(description="What came of filing feedback by a code.")
class FeedbackSubmitByCodePayload(Payload):
    reference: str | None = strawberry.field(
        description="The number to follow it by; null where it was refused.", default=None
    )


@strawberry.type(description="How feedback stands, for whoever holds its number and the code.")
class FeedbackFollowed:
    reference: str = strawberry.field(description="Its number.")
    status: FeedbackStatus = strawberry.field(description="Where it stands.")
    filed_at: datetime = strawberry.field(description="When it was filed.")
    due_at: datetime = strawberry.field(description="By when to reply.")
    reply: str | None = strawberry.field(description="The latest reply.")


@strawberry.type
class FeedbackByCodeMutations:
    @strawberry.mutation(
        description="Ask for a code to give feedback, or to follow it, without an account; sent to "
        "the household's phone, good for 30 minutes. The answer is the same whether the two belong "
        "together or not."
    )
    async def feedback_code_request(
        self, info: Info, input: Annotated[FeedbackCodeRequestInput, INPUT]
    ) -> FeedbackCodeRequestPayload:
        async def doing() -> None:
            context = info.context
            await feedback_by_code.request_code(
                context.database,
                act_of(info, input),
                sealer_of(context.settings),
                input.reference,
                input.phone,
                address=context.address,
            )

        async def read(_: None) -> bool:
            return True

        return await payload(FeedbackCodeRequestPayload, info, doing(), read)

    @strawberry.mutation(
        description="File a household's feedback about a result of its own, without an account, by "
        "the code sent to its phone."
    )
    async def feedback_submit_by_code(
        self, info: Info, input: Annotated[FeedbackSubmitByCodeInput, INPUT]
    ) -> FeedbackSubmitByCodePayload:
        async def doing() -> str:
            context = info.context
            return await feedback_by_code.submit(
                context.database,
                act_of(info, input),
                sealer_of(context.settings),
                input.to_command(),
                address=context.address,
            )

        async def read(number: str) -> str:
            return number

        return await payload(FeedbackSubmitByCodePayload, info, doing(), read)


@strawberry.type
class FeedbackByCodeQuery:
    @strawberry.field(
        description="How a household's feedback stands, with the reply. Null where number and code "
        "do not belong together; a code is good for five looks. By POST only."
    )
    async def feedback_status(
        self,
        info: Info,
        reference: Annotated[str, strawberry.argument(description="The number of the feedback.")],
        code: Annotated[str, strawberry.argument(description="The code sent to the phone.")],
    ) -> FeedbackFollowed | None:
        context = info.context
        if context.by_get:
            raise Forbidden(POST_ONLY)
        found = await feedback_by_code.follow(
            context.database,
            act_of(info, None),
            sealer_of(context.settings),
            reference,
            code,
            address=context.address,
        )
        return None if found is None else _shown(found)


def _shown(found: Followed) -> FeedbackFollowed:
    return FeedbackFollowed(
        reference=found.number,
        status=found.status,
        filed_at=found.filed_at,
        due_at=found.due_at,
        reply=found.reply,
    )
