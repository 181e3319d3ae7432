"""Rows of drafts and templates, of what was posted from them, and what is offered already."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from marketplace.domain.exchange.offer_drafts import OfferDraftStatus, Recurrence
from marketplace.domain.exchange.offers import OfferStatus
from marketplace.persistence.database import Reading, Row, Values, Writing
from marketplace.persistence.tables import (
    categories,
    offer_drafts,
    offer_postings,
    offers,
    regions,
)


async def add(db: Writing, values: Values) -> int:
    return await db.insert(offer_drafts, values)


async def lock(db: Writing, draft_id: int) -> Row | None:
    return await db.row(
        sa.select(offer_drafts).where(offer_drafts.c.id == draft_id).with_for_update()
    )


async def change(db: Writing, draft_id: int, values: Values) -> None:
    await db.execute(
        sa.update(offer_drafts)
        .where(offer_drafts.c.id == draft_id)
        .values(**values, version=offer_drafts.c.version + 1)
    )


async def posted(db: Writing, draft_id: int, period: str, offer_id: int) -> None:
    row = {"offer_draft_id": draft_id, "period": period, "offer_id": offer_id}
    await db.insert_many(offer_postings, [row])


async def was_posted(db: Reading, draft_id: int, period: str) -> bool:
    found = sa.select(offer_postings.c.offer_id).where(
        offer_postings.c.offer_draft_id == draft_id, offer_postings.c.period == period
    )
    return await db.scalar(found) is not None


async def due(db: Reading, *, now: datetime, limit: int) -> list[int]:
    """Templates whose next posting is due."""
    found = (
        sa.select(offer_drafts.c.id)
        .where(
            offer_drafts.c.status == OfferDraftStatus.DRAFT,
            offer_drafts.c.recurrence != Recurrence.NONE,
            offer_drafts.c.next_at <= now,
        )
        .order_by(offer_drafts.c.next_at, offer_drafts.c.id)
        .limit(limit)
    )
    return [row["id"] for row in await db.rows(found)]


async def value_offered(
    db: Reading, organization_id: int, *, since: datetime, excluding: int | None
) -> int:
    """What an organization's offers since a moment are worth, in fen: by reference prices."""
    worth = sa.case(
        (offers.c.kind == "CASH", offers.c.quantity),
        (
            offers.c.kind == "GOODS",
            offers.c.quantity * sa.func.coalesce(categories.c.reference_price_fen, 0),
        ),
        else_=0,
    )
    total = (
        sa.select(sa.func.coalesce(sa.func.sum(worth), 0))
        .select_from(offers.join(categories, categories.c.id == offers.c.category_id))
        .where(_counted(organization_id, since, excluding))
    )
    return int(str(await db.scalar(total)))


async def units_offered(
    db: Reading,
    organization_id: int,
    *,
    since: datetime,
    within: tuple[int, int],
    excluding: int | None,
) -> int:
    """Units of an organization's offers since a moment in a category's subtree."""
    total = (
        sa.select(sa.func.coalesce(sa.func.sum(offers.c.quantity), 0))
        .select_from(offers.join(categories, categories.c.id == offers.c.category_id))
        .where(_counted(organization_id, since, excluding), categories.c.tree_low.between(*within))
    )
    return int(str(await db.scalar(total)))


async def region_lows(db: Reading, region_ids: Sequence[int]) -> list[int]:
    rows = await db.rows(
        sa.select(regions.c.tree_low).where(regions.c.id.in_(list(region_ids)[:1_000]))
    )
    return [row["tree_low"] for row in rows]


def _counted(
    organization_id: int, since: datetime, excluding: int | None
) -> sa.ColumnElement[bool]:
    return sa.and_(
        offers.c.organization_id == organization_id,
        offers.c.created_at >= since,
        sa.true() if excluding is None else offers.c.id != excluding,
        offers.c.campaign_id.is_(None),  # what others gave
        offers.c.status != OfferStatus.DRAFT,
    )
