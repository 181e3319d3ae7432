"""Rows of ratings: added once a side, never changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from marketplace.domain.exchange.ratings import already_rated
from marketplace.persistence.database import Reading, Row, Values, Writing
from marketplace.persistence.tables import needs, regions, result_ratings, results


async def result(db: Reading, result_id: int) -> Row | None:
    """Whom a result concerns: organizations, household, and tree_low of its region."""
    return await db.row(
        sa.select(
            results.c.id,
            results.c.organization_id,
            results.c.delivered_by_id,
            results.c.region_id,
            needs.c.household_id,
            regions.c.tree_low,
        )
        .join(needs, needs.c.id == results.c.need_id)
        .join(regions, regions.c.id == results.c.region_id)
        .where(results.c.id == result_id)
    )


async def add(db: Writing, values: Values) -> int:
    """Put a rating in; its key. Raises Conflict where its side has rated the result."""
    given = (
        result_ratings.c.result_id == values["result_id"],
        result_ratings.c.side == values["side"],
    )
    if await db.scalar(sa.select(result_ratings.c.id).where(*given)) is not None:
        raise already_rated()
    try:
        return await db.insert(result_ratings, values)
    except sa.exc.IntegrityError as error:  # by another at the same time
        raise already_rated() from error


async def counted(
    db: Reading,
    *,
    start: datetime,
    end: datetime,
    within: tuple[int, int] | None,
    organization_id: int | None,
) -> Sequence[Row]:
    """How often each side gave each score to results rated in start..end: side, score, n.

    within    interval of the subtree whose households count; None: everywhere
    """
    statement = (
        sa.select(result_ratings.c.side, result_ratings.c.score, sa.func.count().label("n"))
        .join(results, results.c.id == result_ratings.c.result_id)
        .join(regions, regions.c.id == results.c.region_id)
        .where(result_ratings.c.rated_at >= start, result_ratings.c.rated_at < end)
        .group_by(result_ratings.c.side, result_ratings.c.score)
    )
    if within is not None:
        statement = statement.where(regions.c.tree_low.between(*within))
    if organization_id is not None:
        statement = statement.where(results.c.organization_id == organization_id)
    return await db.rows(statement)
