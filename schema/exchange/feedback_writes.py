"""Mutations of feedback: filing it, replying, passing it on, taking it up again, closing it."""

from __future__ import annotations

from collections.abc import Awaitable
from functools import partial
from typing import Annotated, TypeVar

import strawberry
from strawberry import ID

from marketplace.domain.ids import key_of
from marketplace.services.exchange import feedback
from marketplace.services.exchange.feedback import MoveFeedback, SubmitFeedback
from marketplace.services.registry.sealing import sealer_of
from schema.exchange.feedback import Feedback, FeedbackKind
from schema.exchange.results import Desk
from schema.payloads import Info, Payload, act_of, payload
from schema.readgraph.read import read_one
from schema.writing import INPUT, KEY, VERSION

TEXT = "At most 2,000 characters, line breaks and all; it is sealed, and may name people."


@strawberry.input(description="What a household or a provider has to say.")
class FeedbackSubmitInput:
    kind: FeedbackKind = strawberry.field(description="What it is.")
    text: str = strawberry.field(description=TEXT)
    household_id: ID | None = strawberry.field(
        description="Whose it is, where an officer writes it down for a household.", default=None
    )
    result_id: ID | None = strawberry.field(
        description="The result that it is about, if it is about one.", default=None
    )
    desk: Desk | None = strawberry.field(
        description="Who is to reply. Not given: the charity desk of deliveries and to providers, "
        "the assistance desk of other complaints, the township of all else.",
        default=None,
    )
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> SubmitFeedback:
        return SubmitFeedback(
            kind=FeedbackKind(self.kind),
            text=self.text,
            household_id=None
            if self.household_id is None
            else key_of("Household", self.household_id),
            result_id=None if self.result_id is None else key_of("Result", self.result_id),
            desk=None if self.desk is None else Desk(self.desk),
        )


@strawberry.input(description="A reply to feedback.")
class FeedbackAnswerInput:
    id: ID = strawberry.field(description="The feedback.")
    text: str = strawberry.field(description=TEXT)
    expected_version: int | None = strawberry.field(description=VERSION, default=None)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> MoveFeedback:
        return MoveFeedback(
            feedback_id=key_of("Feedback", self.id),
            text=self.text,
            expected_version=self.expected_version,
        )


@strawberry.input(description="Why a reply does not do.")
class FeedbackReopenInput(FeedbackAnswerInput):
    pass


@strawberry.input(description="Which desk is to reply instead.")
class FeedbackForwardInput:
    id: ID = strawberry.field(description="The feedback.")
    desk: Desk = strawberry.field(description="Another desk than the one that has it.")
    expected_version: int | None = strawberry.field(description=VERSION, default=None)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> MoveFeedback:
        return MoveFeedback(
            feedback_id=key_of("Feedback", self.id),
            desk=Desk(self.desk),
            expected_version=self.expected_version,
        )


@strawberry.input(description="Which feedback is settled.")
class FeedbackCloseInput:
    id: ID = strawberry.field(description="The feedback.")
    expected_version: int | None = strawberry.field(description=VERSION, default=None)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> MoveFeedback:
        return MoveFeedback(
            feedback_id=key_of("Feedback", self.id), expected_version=self.expected_version
        )


@strawberry.type
class FeedbackPayload(Payload):
    feedback: Feedback | None = strawberry.field(
        description="The feedback as it is now; null where it was refused.", default=None
    )


@strawberry.type(description="What came of filing feedback.")
class FeedbackSubmitPayload(FeedbackPayload):
    pass


@strawberry.type(description="What came of replying to feedback.")
class FeedbackAnswerPayload(FeedbackPayload):
    pass


@strawberry.type(description="What came of passing feedback on.")
class FeedbackForwardPayload(FeedbackPayload):
    pass


@strawberry.type(description="What came of taking feedback up again.")
class FeedbackReopenPayload(FeedbackPayload):
    pass


@strawberry.type(description="What came of closing feedback.")
class FeedbackClosePayload(FeedbackPayload):
    pass


P = TypeVar("P", bound=FeedbackPayload)


async def _told(of: type[P], info: Info, doing: Awaitable[int]) -> P:
    return await payload(of, info, doing, partial(read_one, info, "Feedback"))


@strawberry.type
class FeedbackMutations:
    @strawberry.mutation(
        description="File feedback or a complaint for one's own household, for a household of "
        "one's region, or for one's own organization."
    )
    async def feedback_submit(
        self, info: Info, input: Annotated[FeedbackSubmitInput, INPUT]
    ) -> FeedbackSubmitPayload:
        async def doing() -> int:
            database, sealer = info.context.database, sealer_of(info.context.settings)
            return await feedback.submit(database, act_of(info, input), sealer, input.to_command())

        return await _told(FeedbackSubmitPayload, info, doing())

    @strawberry.mutation(
        description="Reply to feedback, as the desk that is to; never to what one filed oneself."
    )
    async def feedback_answer(
        self, info: Info, input: Annotated[FeedbackAnswerInput, INPUT]
    ) -> FeedbackAnswerPayload:
        async def doing() -> int:
            database, sealer = info.context.database, sealer_of(info.context.settings)
            return await feedback.answer(database, act_of(info, input), sealer, input.to_command())

        return await _told(FeedbackAnswerPayload, info, doing())

    @strawberry.mutation(
        description="Pass feedback on to the desk that is competent; its day to reply stays."
    )
    async def feedback_forward(
        self, info: Info, input: Annotated[FeedbackForwardInput, INPUT]
    ) -> FeedbackForwardPayload:
        async def doing() -> int:
            act = act_of(info, input)
            return await feedback.forward(info.context.database, act, input.to_command())

        return await _told(FeedbackForwardPayload, info, doing())

    @strawberry.mutation(
        description="Take answered feedback up again, saying why the reply does not do; twice at "
        "most. The desk has its days again."
    )
    async def feedback_reopen(
        self, info: Info, input: Annotated[FeedbackReopenInput, INPUT]
    ) -> FeedbackReopenPayload:
        async def doing() -> int:
            database, sealer = info.context.database, sealer_of(info.context.settings)
            return await feedback.reopen(database, act_of(info, input), sealer, input.to_command())

        return await _told(FeedbackReopenPayload, info, doing())

    @strawberry.mutation(description="Say that a reply does, as who filed the feedback.")
    async def feedback_close(
        self, info: Info, input: Annotated[FeedbackCloseInput, INPUT]
    ) -> FeedbackClosePayload:
        async def doing() -> int:
            act = act_of(info, input)
            return await feedback.close(info.context.database, act, input.to_command())

        return await _told(FeedbackClosePayload, info, doing())
