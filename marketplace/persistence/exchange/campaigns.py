"""Rows of campaigns and matching funds, and the cash offer that is a campaign's balance."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from marketplace.domain.errors import Conflict
from marketplace.domain.exchange.campaigns import CampaignStatus
from marketplace.persistence.database import Reading, Row, Values, Writing
from marketplace.persistence.tables import campaigns, matching_funds, offers, organizations


async def add(db: Writing, values: Values) -> int:
    """A new campaign; its key. Raises Conflict where the filing number is taken."""
    try:
        return await db.insert(campaigns, values)
    except sa.exc.IntegrityError as error:
        raise _taken(error) from error


async def lock(db: Writing, campaign_id: int) -> Row | None:
    """A campaign with its organization's status, its row kept for this transaction."""
    return await db.row(
        sa.select(
            campaigns,
            organizations.c.status.label("organization_status"),
        )
        .join(organizations, organizations.c.id == campaigns.c.organization_id)
        .where(campaigns.c.id == campaign_id)
        .with_for_update(of=campaigns)
    )


async def change(db: Writing, campaign_id: int, values: Values) -> None:
    """Write changed columns of a locked campaign and count its version up."""
    try:
        await db.execute(
            sa.update(campaigns)
            .where(campaigns.c.id == campaign_id)
            .values(**values, version=campaigns.c.version + 1)
        )
    except sa.exc.IntegrityError as error:
        raise _taken(error) from error


async def count(
    db: Writing, campaign_id: int, *, donated: int = 0, matched: int = 0, goods: int = 0
) -> None:
    """Add to the sums of a locked campaign; what is taken away is below zero."""
    await db.execute(
        sa.update(campaigns)
        .where(campaigns.c.id == campaign_id)
        .values(
            donated_fen=campaigns.c.donated_fen + donated,
            matched_fen=campaigns.c.matched_fen + matched,
            goods_fen=campaigns.c.goods_fen + goods,
        )
    )


async def balance_offer(db: Reading, campaign_id: int) -> Row | None:
    """The cash offer of a campaign; None while it is a draft."""
    return await db.row(
        sa.select(offers).where(offers.c.campaign_id == campaign_id, offers.c.kind == "CASH")
    )


async def grow(db: Writing, offer_id: int, units: int) -> None:
    """Add to what an offer has in all. Its version stays: no term was changed."""
    await db.execute(
        sa.update(offers).where(offers.c.id == offer_id).values(quantity=offers.c.quantity + units)
    )


async def shrink(db: Writing, offer_id: int, units: int) -> bool:
    """Take from what is neither reserved nor delivered; False if there is not so much left."""
    left = offers.c.quantity - offers.c.reserved - offers.c.delivered
    done = await db.execute(
        sa.update(offers)
        .where(offers.c.id == offer_id, left >= units)
        .values(quantity=offers.c.quantity - units)
    )
    return done == 1


async def overdue(db: Reading, *, now: datetime, limit: int) -> list[int]:
    """Open campaigns whose end has passed."""
    found = (
        sa.select(campaigns.c.id)
        .where(campaigns.c.status == CampaignStatus.OPEN, campaigns.c.ends_at <= now)
        .order_by(campaigns.c.id)
        .limit(limit)
    )
    return [row["id"] for row in await db.rows(found)]


async def add_fund(db: Writing, values: Values) -> int:
    return await db.insert(matching_funds, values)


async def lock_funds(db: Writing, campaign_id: int, *, at: datetime) -> Sequence[Row]:
    """Funds of a campaign that match what is received at a moment, the eldest first, locked."""
    return await db.rows(
        sa.select(matching_funds)
        .where(
            matching_funds.c.campaign_id == campaign_id,
            matching_funds.c.starts_at <= at,
            matching_funds.c.ends_at > at,
        )
        .order_by(matching_funds.c.id)
        .with_for_update()
    )


async def draw_fund(db: Writing, fund_id: int, fen: int) -> None:
    """Match so much more (less, below zero); the database keeps it within the cap."""
    await db.execute(
        sa.update(matching_funds)
        .where(matching_funds.c.id == fund_id)
        .values(matched_fen=matching_funds.c.matched_fen + fen)
    )


def _taken(error: sa.exc.IntegrityError) -> Exception:
    if "filing_number" not in str(error.orig):
        return error
    return Conflict.of(
        "filing_number",
        "Another campaign has this filing number.",
        "该备案编号已被其他项目使用。",
        code="TAKEN",
    )
