"""Ratings in the graph: both sides of a result see how each rated the other."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
import strawberry

from marketplace.domain.exchange.ratings import RatingSide
from marketplace.domain.permissions import PROVIDERS, SUPERVISION
from marketplace.persistence.tables.results import result_ratings, results
from schema.enums import described
from schema.exchange.results import DESKS
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


@strawberry.type
class RatingQuery:
    result_ratings: Edge = root(
        "ResultRating", "Ratings that the viewer may see, newest first; for desks and providers."
    )
