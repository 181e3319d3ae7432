"""Rows of restrictions: putting one in, ending it, and what it halted of a provider."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from marketplace.domain.exchange.offers import OfferStatus
from marketplace.domain.restrictions import FROM_CHARITY, RestrictionEnd
from marketplace.persistence.crypto import Sealer, new_seal_id
from marketplace.persistence.database import Reading, Row, Values, Writing
from marketplace.persistence.tables import (
    integrity_cases,
    offers,
    organizations,
    restricted_offers,
    restrictions,
)

GROUNDS = "restrictions.grounds"


async def add(db: Writing, sealer: Sealer, grounds: str, values: Values) -> int:
    """Put a restriction in; its key."""
    seal_id = new_seal_id()
    sealed = sealer.seal(grounds, place=GROUNDS, seal_id=seal_id)
    return await db.insert(restrictions, {**values, "seal_id": seal_id, "grounds_sealed": sealed})


async def of_case(db: Reading, case_id: int) -> Row | None:
    return await db.row(sa.select(restrictions).where(restrictions.c.case_id == case_id))


async def end(db: Writing, restriction_id: int, reason: RestrictionEnd, *, now: datetime) -> bool:
    """End a restriction that stands; False where it has ended already."""
    done = await db.execute(
        sa.update(restrictions)
        .where(restrictions.c.id == restriction_id, restrictions.c.ended_at.is_(None))
        .values(ended_at=now, end_reason=reason)
    )
    return done == 1


async def keeps_from_charity(db: Reading, household_id: int) -> bool:
    """Whether a restriction that nobody ended keeps a household's needs suspended."""
    found = sa.select(restrictions.c.id).where(
        restrictions.c.household_id == household_id,
        restrictions.c.scope.in_(sorted(FROM_CHARITY)),
        restrictions.c.ended_at.is_(None),
    )
    return await db.scalar(found.limit(1)) is not None


async def standing_of_organization(db: Reading, organization_id: int) -> Row | None:
    """The oldest restriction of a provider that nobody ended."""
    return await db.row(
        sa.select(restrictions)
        .where(restrictions.c.organization_id == organization_id, restrictions.c.ended_at.is_(None))
        .order_by(restrictions.c.id)
        .limit(1)
    )


async def lock_organization(db: Writing, organization_id: int) -> Row | None:
    """A provider's row, kept for this transaction; rows that point to it may still be added."""
    return await db.row(
        sa.select(organizations)
        .where(organizations.c.id == organization_id)
        .with_for_update(key_share=True)
    )


async def due(db: Reading, *, now: datetime, limit: int) -> list[int]:
    """Cases whose restriction has run out though nobody ended it yet, the oldest first."""
    statement = (
        sa.select(restrictions.c.case_id)
        .join(integrity_cases, integrity_cases.c.id == restrictions.c.case_id)
        .where(restrictions.c.ended_at.is_(None), restrictions.c.ends_at <= now)
        .order_by(restrictions.c.ends_at, restrictions.c.id)
        .limit(limit)
    )
    return [row["case_id"] for row in await db.rows(statement)]


async def pause(db: Writing, restriction_id: int, offer_ids: Sequence[int]) -> list[int]:
    """Pause those of the locked offers that are open, and remember which."""
    paused = await db.rows(
        sa.update(offers)
        .where(offers.c.id.in_(offer_ids), offers.c.status == OfferStatus.OPEN)
        .values(status=OfferStatus.PAUSED, version=offers.c.version + 1)
        .returning(offers.c.id)
    )
    ids = sorted(int(row["id"]) for row in paused)
    rows = [{"restriction_id": restriction_id, "offer_id": each} for each in ids]
    await db.insert_many(restricted_offers, rows)
    return ids


async def hand_over(db: Writing, restriction_id: int, to_restriction_id: int) -> None:
    """What one restriction paused stays paused by another one that stands."""
    await db.execute(
        sa.update(restricted_offers)
        .where(restricted_offers.c.restriction_id == restriction_id)
        .values(restriction_id=to_restriction_id)
    )


async def resume(db: Writing, restriction_id: int, *, now: datetime) -> list[int]:
    """Open again what a restriction paused and nobody moved since; ends that passed stay paused."""
    paused = sa.select(restricted_offers.c.offer_id).where(
        restricted_offers.c.restriction_id == restriction_id
    )
    locked = await db.rows(
        sa.select(offers.c.id)
        .where(offers.c.id.in_(paused))
        .order_by(offers.c.id)
        .with_for_update()
    )
    opened = await db.rows(
        sa.update(offers)
        .where(
            offers.c.id.in_([row["id"] for row in locked]),
            offers.c.status == OfferStatus.PAUSED,
            sa.or_(offers.c.expires_at.is_(None), offers.c.expires_at > now),
        )
        .values(status=OfferStatus.OPEN, version=offers.c.version + 1)
        .returning(offers.c.id)
    )
    await db.execute(
        sa.delete(restricted_offers).where(restricted_offers.c.restriction_id == restriction_id)
    )
    return sorted(int(row["id"]) for row in opened)
