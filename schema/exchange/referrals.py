"""Referrals and reviews in the graph: what passed from the assistance desk to the charity desk."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
import strawberry

from marketplace.domain.exchange.referrals import ReviewDecision
from marketplace.domain.permissions import COUNTY_OFFICERS, FIELD_OFFICERS, SUPERVISION
from marketplace.persistence.tables.exchange import need_reviews, needs, referrals
from schema.enums import described
from schema.readgraph.declare import (
    Columns,
    Condition,
    Descending,
    Edge,
    Entity,
    Scope,
    column,
    many,
    node,
    one,
    root,
)
from schema.readgraph.references import referenced_by
from schema.registry.trees import in_region_of

described(
    ReviewDecision,
    "What a reviewer decided on a referred need.",
    {
        ReviewDecision.APPROVE: "同意, fit to be published.",
        ReviewDecision.RETURN: "退回, back to the assistance desk, to be referred again.",
        ReviewDecision.REJECT: "否决, turned down for good.",
    },
)
BOTH_DESKS = COUNTY_OFFICERS | SUPERVISION


def _visible(row: Columns, scope: Scope) -> Condition:
    """Both desks, as far as a need that the referral passed on is of their region."""
    if not scope.is_one_of(BOTH_DESKS):
        return sa.false()
    if scope.is_one_of(SUPERVISION):
        return sa.true()
    need, review = needs.alias(), need_reviews.alias()
    waiting = sa.select(need.c.id).where(
        need.c.referral_id == row["id"], in_region_of(scope, need.c.region_id)
    )
    # A need that was sent back and referred again is found by its review alone.
    reviewed = sa.select(review.c.id).where(
        review.c.referral_id == row["id"], _of_region(scope, review.c.need_id)
    )
    return sa.or_(waiting.exists(), reviewed.exists())


def _review_visible(row: Columns, scope: Scope) -> Condition:
    """Both desks and the field, each for the needs of its region."""
    if scope.is_one_of(SUPERVISION):
        return sa.true()
    if scope.is_one_of(COUNTY_OFFICERS | FIELD_OFFICERS):
        return _of_region(scope, row["need_id"])
    return sa.false()


def _of_region(scope: Scope, need_id: sa.ColumnElement[int]) -> Condition:
    need = needs.alias()
    region = sa.select(need.c.region_id).where(need.c.id == need_id)
    return in_region_of(scope, region.scalar_subquery())


@node(
    table=referrals,
    visible=_visible,
    order=(Descending("referredAt"),),
    description="衔接转介: a batch of needs passed from the assistance desk to the charity desk.",
)
class Referral(Entity):
    reference: str = referenced_by("R", "referred_at")
    referred_at: datetime = column("referred_at", "When.", filter=True, order=True)
    due_at: datetime | None = column(
        "due_at",
        "By when all of it should be decided on; null of those from before this was kept.",
        filter=True,
        order=True,
    )
    line_count: int = column("line_count", "How many needs it passed on.")
    needs: Edge = many("Need", "referral_id", "Those of its needs that are in their latest round.")
    reviews: Edge = many("NeedReview", "referral_id", "What was decided on its needs.")


@node(
    table=need_reviews,
    visible=_review_visible,
    order=(Descending("reviewedAt"),),
    description="审核: what one person decided on one need in one referral.",
)
class NeedReview(Entity):
    decision: ReviewDecision = column("decision", "What was decided.", filter=ReviewDecision)
    reason: str | None = column("reason", "Why, as the reviewer wrote it.")
    reviewed_at: datetime = column("reviewed_at", "When.", filter=True, order=True)
    need: Edge = one("Need", "need_id", "The need.", filter=True)
    referral: Edge = one("Referral", "referral_id", "In which round.", filter=True)


@strawberry.type
class ReferralQuery:
    referrals: Edge = root("Referral", "Referrals, newest first; for both desks.")
