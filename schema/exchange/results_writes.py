"""Mutations of results: each desk acknowledges its own copies."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import strawberry
from strawberry import ID

from marketplace.domain.errors import Conflict
from marketplace.domain.ids import key_of
from marketplace.services.exchange import ratings, results
from marketplace.services.exchange.ratings import RateResult
from marketplace.services.exchange.results import Acknowledged, AcknowledgeResults
from marketplace.services.registry.sealing import sealer_of
from schema.exchange.results import Result, ResultCopy
from schema.payloads import Info, Payload, act_of, payload, user_errors
from schema.readgraph.read import read_many, read_one
from schema.writing import INPUT, KEY, keys_of


@strawberry.input(description="Results whose copies your desk has taken note of.")
class ResultAcknowledgeInput:
    result_ids: list[ID] = strawberry.field(
        description="1 to 100 results that your desk has not acknowledged yet."
    )
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> AcknowledgeResults:
        return AcknowledgeResults(result_ids=keys_of("Result", self.result_ids))


@strawberry.type(
    description="What came of acknowledging: a result that could not be stands in `userErrors` "
    'with its place, such as ["input", "resultIds", "3"]; the others were acknowledged.'
)
class ResultAcknowledgePayload(Payload):
    copies: list[ResultCopy] = strawberry.field(
        description="Your desk's copies that were acknowledged.", default_factory=list
    )


async def _acknowledged(info: Info, done: Acknowledged) -> ResultAcknowledgePayload:
    refusal = Conflict(*(done.refused[place] for place in sorted(done.refused)))
    return ResultAcknowledgePayload(
        copies=await read_many(info, "ResultCopy", done.copy_ids),
        user_errors=user_errors(refusal, info.context.language) if done.refused else [],
    )


@strawberry.input(description="A rating of the other side's service on a result.")
class ResultRateInput:
    result_id: ID = strawberry.field(description="The result.")
    score: int = strawberry.field(description="1 (poor) to 5 (excellent).")
    comment: str | None = strawberry.field(
        description="In words, at most 300 characters. Both sides read it, so it names nobody of "
        "the household; it is refused if it does.",
        default=None,
    )
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> RateResult:
        return RateResult(
            result_id=key_of("Result", self.result_id), score=self.score, comment=self.comment
        )


@strawberry.type(description="What came of rating a result.")
class ResultRatePayload(Payload):
    result: Result | None = strawberry.field(
        description="The result with its ratings; null where it was refused.", default=None
    )


@strawberry.type
class ResultMutations:
    @strawberry.mutation(
        description="Acknowledge your own desk's copies of results. Once every desk has "
        "acknowledged all results of a fulfilled need, the need is closed."
    )
    async def result_acknowledge(
        self, info: Info, input: Annotated[ResultAcknowledgeInput, INPUT]
    ) -> ResultAcknowledgePayload:
        async def doing() -> Acknowledged:
            act = act_of(info, input)
            return await results.acknowledge(info.context.database, act, input.to_command())

        return await payload(ResultAcknowledgePayload, info, doing(), partial(_acknowledged, info))

    @strawberry.mutation(
        description="互为评定: rate the other side's service on a result. The offices rate the "
        "provider, the provider rates the offices; each side once, and for good."
    )
    async def result_rate(
        self, info: Info, input: Annotated[ResultRateInput, INPUT]
    ) -> ResultRatePayload:
        async def doing() -> int:
            context = info.context
            return await ratings.rate(
                context.database,
                act_of(info, input),
                sealer_of(context.settings),
                input.to_command(),
            )

        return await payload(ResultRatePayload, info, doing(), partial(read_one, info, "Result"))
