"""Mutations of referrals: passing needs on in batches, and reviewing them."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import strawberry
from strawberry import ID

from marketplace.domain.errors import Conflict
from marketplace.domain.exchange.referrals import ReviewDecision
from marketplace.domain.ids import key_of
from marketplace.services.exchange import referrals
from marketplace.services.exchange.referrals import ReferNeeds, Referred, ReviewNeed
from schema.exchange.needs import Need
from schema.exchange.referrals import Referral
from schema.payloads import Info, Payload, act_of, payload, user_errors
from schema.readgraph.read import read_many, read_one
from schema.writing import INPUT, KEY, VERSION, keys_of


@strawberry.input(description="Needs to pass on to the charity desk as one batch.")
class NeedReferInput:
    need_ids: list[ID] = strawberry.field(
        description="1 to 100 needs that are DRAFT or RETURNED, with consent in force."
    )
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> ReferNeeds:
        return ReferNeeds(need_ids=keys_of("Need", self.need_ids))


@strawberry.input(description="A decision on a referred need.")
class NeedReviewInput:
    id: ID = strawberry.field(description="The need.")
    decision: ReviewDecision = strawberry.field(description="What is decided.")
    reason: str | None = strawberry.field(
        description="Why, at most 500 characters; needed to RETURN and REJECT. The assistance "
        "desk reads it, the public never.",
        default=None,
    )
    expected_version: int | None = strawberry.field(description=VERSION, default=None)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> ReviewNeed:
        return ReviewNeed(
            need_id=key_of("Need", self.id),
            decision=ReviewDecision(self.decision),
            reason=self.reason,
            expected_version=self.expected_version,
        )


@strawberry.type(
    description="What came of referring a batch: a need that was not ready stands in `userErrors` "
    'with its place, such as ["input", "needIds", "3"]; the others were referred.'
)
class NeedReferPayload(Payload):
    referral: Referral | None = strawberry.field(
        description="The new referral; null where no need was ready.", default=None
    )
    needs: list[Need] = strawberry.field(
        description="The needs that were referred.", default_factory=list
    )


@strawberry.type(description="What came of reviewing a need.")
class NeedReviewPayload(Payload):
    need: Need | None = strawberry.field(
        description="The need as it is now; null where the review was refused.", default=None
    )


async def _referred(info: Info, done: Referred) -> NeedReferPayload:
    refusal = Conflict(*(done.refused[place] for place in sorted(done.refused)))
    return NeedReferPayload(
        referral=await read_one(info, "Referral", done.referral_id),
        needs=await read_many(info, "Need", done.need_ids),
        user_errors=user_errors(refusal, info.context.language) if done.refused else [],
    )


@strawberry.type
class ReferralMutations:
    @strawberry.mutation(
        description="Pass needs on to the charity desk: all that are ready, as one referral."
    )
    async def need_refer(
        self, info: Info, input: Annotated[NeedReferInput, INPUT]
    ) -> NeedReferPayload:
        async def doing() -> Referred:
            act = act_of(info, input)
            return await referrals.refer(info.context.database, act, input.to_command())

        return await payload(NeedReferPayload, info, doing(), partial(_referred, info))

    @strawberry.mutation(
        description="Decide on a referred need, by another person than who referred it. Once as "
        "many people approved as its value asks for, it is published without personal data."
    )
    async def need_review(
        self, info: Info, input: Annotated[NeedReviewInput, INPUT]
    ) -> NeedReviewPayload:
        async def doing() -> int:
            act = act_of(info, input)
            return await referrals.review(info.context.database, act, input.to_command())

        return await payload(NeedReviewPayload, info, doing(), partial(read_one, info, "Need"))
