"""Rows of ratings: added once a side, never changed."""

from __future__ import annotations

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
