"""Ratings in the graph: both sides of a result see how each rated the other."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import sqlalchemy as sa
import strawberry

from marketplace.domain.exchange.ratings import SCORE_MAX, SCORE_MIN, RatingSide
from marketplace.domain.ids import key_of
from marketplace.domain.permissions import PROVIDERS, SUPERVISION
from marketplace.persistence.tables.results import result_ratings, results
from marketplace.services.exchange import ratings
from schema.enums import described
from schema.exchange.results import DESKS
from schema.payloads import Info
from schema.readgraph.declare import (
    Columns,
    Condition,
    Descending,
    Edge,
    Entity,
    Scope,
    column,
    node,
    one,
    root,
)
from schema.registry.trees import in_region_of

described(
    RatingSide,
    "Who rates whom.",
    {
        RatingSide.OFFICE: "民政部门评定供给方, the office rates the provider's service.",
        RatingSide.PROVIDER: "供给方评定民政部门, the provider rates the office's service.",
    },
)


def _visible(row: Columns, scope: Scope) -> Condition:
    if scope.is_one_of(SUPERVISION):
        return sa.true()
    result = results.alias()
    if scope.is_one_of(PROVIDERS):
        mine: Condition = sa.or_(
            result.c.organization_id == scope.organization_id,
            result.c.delivered_by_id == scope.organization_id,
        )
    elif scope.is_one_of(DESKS):
        mine = in_region_of(scope, result.c.region_id)
    else:
        return sa.false()
    return sa.select(result.c.id).where(result.c.id == row["result_id"], mine).exists()


@node(
    table=result_ratings,
    visible=_visible,
    order=(Descending("ratedAt"),),
    description="互为评定: one side's rating of the other's service on a result; never changed.",
)
class ResultRating(Entity):
    side: RatingSide = column("side", "Who rates.", filter=RatingSide)
    score: int = column("score", "1 (poor) to 5 (excellent).", filter=True, order=True)
    comment: str | None = column("comment", "In words; it names nobody of the household.")
    rated_at: datetime = column("rated_at", "When.", filter=True, order=True)
    result: Edge = one("Result", "result_id", "Of which result.", filter=True)


@strawberry.type(description="How often a score was given.")
class RatingCount:
    score: int = strawberry.field(description="1 (poor) to 5 (excellent).")
    count: int = strawberry.field(description="How often.")


@strawberry.type(description="How one side rated the other over some time.")
class RatingSummary:
    side: RatingSide = strawberry.field(description="Who rates.")
    count: int = strawberry.field(description="How many ratings.")
    average: float | None = strawberry.field(description="Their mean; null without any.")
    scores: list[RatingCount] = strawberry.field(description="By score, all five.")


def _summary(side: RatingSide, scores: dict[int, int]) -> RatingSummary:
    count = sum(scores.values())
    total = sum(score * n for score, n in scores.items())
    return RatingSummary(
        side=side,
        count=count,
        average=total / count if count else None,
        scores=[
            RatingCount(score=score, count=scores.get(score, 0))
            for score in range(SCORE_MIN, SCORE_MAX + 1)
        ],
    )


@strawberry.type
class RatingQuery:
    result_ratings: Edge = root(
        "ResultRating", "Ratings that the viewer may see, newest first; for desks and providers."
    )

    @strawberry.field(
        description="How offices and providers rated each other in some days: for a desk in its "
        "region, of one provider or of all; for a provider about its own deliveries."
    )
    async def rating_summary(
        self,
        info: Info,
        from_: Annotated[
            date, strawberry.argument(name="from", description="The first day, by the calendar.")
        ],
        to: Annotated[date, strawberry.argument(description="The last day, included.")],
        organization_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Of one provider only.")
        ] = None,
    ) -> list[RatingSummary]:
        key = None if organization_id is None else key_of("Organization", organization_id)
        found = await ratings.summed_up(
            info.context.database,
            info.context.viewer,
            starts_on=from_,
            ends_on=to,
            organization_id=key,
        )
        return [_summary(side, scores) for side, scores in found.items()]
