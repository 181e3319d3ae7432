"""The names behind a plan's columns: townships, kinds of help and providers; nobody's own name."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from marketplace.persistence.database import Reading, Row
from marketplace.persistence.tables import (
    categories,
    needs,
    offers,
    organizations,
    plan_lines,
    regions,
)


async def townships(db: Reading) -> Sequence[Row]:
    """id, name_zh and name_en of all townships, in the order of the tree."""
    return await db.rows(
        sa.select(regions.c.id, regions.c.name_zh, regions.c.name_en)
        .where(regions.c.level == "TOWNSHIP")
        .order_by(regions.c.tree_low)
    )


async def townships_of_needs(db: Reading, *, first_id: int, last_id: int) -> Sequence[Row]:
    """need_id and township_id of the needs from one key to another that lie in a township.

    As the tree is now: a plan's own columns hold positions of the tree as it was.
    """
    township = regions.alias()
    return await db.rows(
        sa.select(needs.c.id.label("need_id"), township.c.id.label("township_id"))
        .join(regions, regions.c.id == needs.c.region_id)
        .join(
            township,
            sa.and_(
                township.c.level == "TOWNSHIP",
                regions.c.tree_low.between(township.c.tree_low, township.c.tree_high),
            ),
        )
        .where(needs.c.id.between(first_id, last_id))
    )


async def kinds(db: Reading) -> Sequence[Row]:
    """id, labels, unit and reference price of every category."""
    return await db.rows(
        sa.select(
            categories.c.id,
            categories.c.label_zh,
            categories.c.label_en,
            categories.c.unit,
            categories.c.reference_price_fen,
        )
    )


async def providers(db: Reading, plan_id: int) -> Sequence[Row]:
    """offer_id, organization_id and name of whoever gives something in a plan."""
    given = sa.select(plan_lines.c.offer_id).where(plan_lines.c.plan_id == plan_id)
    return await db.rows(
        sa.select(
            offers.c.id.label("offer_id"),
            organizations.c.id.label("organization_id"),
            organizations.c.name,
        )
        .join(organizations, organizations.c.id == offers.c.organization_id)
        .where(offers.c.id.in_(given))
    )
