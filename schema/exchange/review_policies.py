"""Review policies: how many people approve what, by when, and how many a week."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Annotated

import sqlalchemy as sa
import strawberry
from strawberry import ID

from marketplace.domain.exchange.review_policies import Band
from marketplace.domain.exchange.review_policies import ReviewPolicy as Policy
from marketplace.domain.ids import key_of
from marketplace.domain.permissions import STAFF
from marketplace.persistence.tables.pledges import review_policies
from marketplace.services.exchange import review_policies as service
from schema.payloads import Info, Payload, act_of, payload
from schema.readgraph.declare import (
    Columns,
    Condition,
    Descending,
    Edge,
    Entity,
    Scope,
    column,
    computed,
    node,
    one,
    root,
)
from schema.readgraph.read import read_one
from schema.scalars import BigInt
from schema.writing import INPUT, KEY


@strawberry.type(description="How many different people approve a need of such a worth.")
class ReviewBand:
    from_fen: BigInt = strawberry.field(
        description="Needs worth so much at reference prices, in fen, or more."
    )
    approvals: int = strawberry.field(description="So many people approve before it is published.")


def _bands(stored: Sequence[Mapping[str, int]]) -> list[ReviewBand]:
    return [
        ReviewBand(from_fen=BigInt(each["fromFen"]), approvals=each["approvals"]) for each in stored
    ]


def _visible(_row: Columns, scope: Scope) -> Condition:
    """Whoever works with needs may know by which rules they are decided."""
    return sa.true() if scope.is_one_of(STAFF) else sa.false()


@node(
    table=review_policies,
    visible=_visible,
    order=(Descending("validFrom"),),
    description="审核政策: by which rules a charity desk reviews; every change is a version.",
)
class ReviewPolicy(Entity):
    policy_version: int = column("version", "Counts up within the region.")
    bands: list[ReviewBand] = computed(("bands",), _bands, "By worth, the lowest first.")
    review_days: int = column("review_days", "A referred need is due so many days later.")
    resubmit_days: int = column("resubmit_days", "A returned need should be back in so many days.")
    weekly_capacity: int | None = column(
        "weekly_capacity", "Needs that the desk reviews in a week; null: any number."
    )
    valid_from: datetime = column("valid_from", "Since when.", filter=True, order=True)
    set_at: datetime = column("set_at", "When it was set.")
    region: Edge = one("Region", "region_id", "Where, and below it.", filter=True)


@strawberry.input(description="A band of worth.")
class ReviewBandInput:
    from_fen: BigInt = strawberry.field(description="From so much on, in fen; the first from 0.")
    approvals: int = strawberry.field(description="So many different people approve, 1 to 5.")


@strawberry.input(description="A further version of a region's review policy.")
class ReviewPolicySetInput:
    bands: list[ReviewBandInput] = strawberry.field(description="1 to 10 bands, rising.")
    review_days: int = strawberry.field(description="Days to review a need, 1 to 365.", default=5)
    resubmit_days: int = strawberry.field(
        description="Days to bring a returned need back, 1 to 365.", default=10
    )
    weekly_capacity: int | None = strawberry.field(
        description="Needs that the desk reviews in a week; null: any number.", default=None
    )
    region_id: ID | None = strawberry.field(
        description="Where; default: your own region.", default=None
    )
    valid_from: datetime | None = strawberry.field(
        description="From when on; default: at once.", default=None
    )
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> service.SetReviewPolicy:
        return service.SetReviewPolicy(
            policy=Policy(
                bands=tuple(Band(each.from_fen, each.approvals) for each in self.bands),
                review_days=self.review_days,
                resubmit_days=self.resubmit_days,
                weekly_capacity=self.weekly_capacity,
            ),
            region_id=None if self.region_id is None else key_of("Region", self.region_id),
            valid_from=self.valid_from,
        )


@strawberry.type(description="What came of setting a review policy.")
class ReviewPolicySetPayload(Payload):
    review_policy: ReviewPolicy | None = strawberry.field(
        description="The new version; null where it was refused.", default=None
    )


@strawberry.type
class ReviewPolicyQuery:
    review_policies: Edge = root("ReviewPolicy", "Review policies of all versions; for officers.")


@strawberry.type
class ReviewPolicyMutations:
    @strawberry.mutation(
        description="Set how many people approve a need of which worth, deadlines and capacity. "
        "What was decided before stays so."
    )
    async def review_policy_set(
        self, info: Info, input: Annotated[ReviewPolicySetInput, INPUT]
    ) -> ReviewPolicySetPayload:
        async def doing() -> int:
            act = act_of(info, input)
            return await service.put(info.context.database, act, input.to_command())

        read = partial(read_one, info, "ReviewPolicy")
        return await payload(ReviewPolicySetPayload, info, doing(), read)
