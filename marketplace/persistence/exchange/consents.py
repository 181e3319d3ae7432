"""Rows of consents: recording them, ending them, and telling whether one is in force."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from marketplace.domain.errors import Conflict
from marketplace.domain.exchange.consents import ConsentPurpose, ConsentStatus, RecipientClass
from marketplace.persistence.database import Reading, Row, Values, Writing
from marketplace.persistence.tables import consents, households, regions


def in_force(
    household_id: sa.ColumnElement[int], now: datetime | sa.BindParameter[datetime]
) -> sa.ColumnElement[bool]:
    """Whether the household of a row lets its needs be passed to providers at this time."""
    return (
        sa.select(consents.c.id)
        .where(
            consents.c.household_id == household_id,
            consents.c.status == ConsentStatus.GIVEN,
            consents.c.purpose == ConsentPurpose.CHARITABLE_ASSISTANCE,
            consents.c.recipient_class == RecipientClass.VERIFIED_PROVIDERS,
            consents.c.given_at <= now,
            sa.or_(consents.c.expires_at.is_(None), consents.c.expires_at > now),
        )
        .exists()
    )


async def add(db: Writing, values: Values) -> int:
    """Record a consent; its key. Raises Conflict if one for these recipients is in force."""
    try:
        return await db.insert(consents, values)
    except sa.exc.IntegrityError as error:
        if "uq_consents" not in str(error.orig) and "recipient_class" not in str(error.orig):
            raise
        raise Conflict.of(
            "household_id",
            "A consent of this household is in force already. Withdraw it first to replace it.",
            "该家庭已有有效授权；如需更换，请先撤回原授权。",
        ) from error


async def lock(db: Writing, consent_id: int) -> Row | None:
    """One consent with the position of its household's region, kept for this transaction."""
    return await db.row(
        sa.select(consents, regions.c.tree_low)
        .join(households, households.c.id == consents.c.household_id)
        .join(regions, regions.c.id == households.c.region_id)
        .where(consents.c.id == consent_id)
        .with_for_update(of=consents)
    )


async def end(
    db: Writing, consent_ids: Sequence[int], status: ConsentStatus, *, now: datetime
) -> list[Row]:
    """End those of the given consents that stand; id and household of each that ended."""
    statement = (
        sa.update(consents)
        .where(consents.c.id.in_(consent_ids), consents.c.status == ConsentStatus.GIVEN)
        .values(status=status, ended_at=now, version=consents.c.version + 1)
        .returning(consents.c.id, consents.c.household_id)
    )
    return sorted(await db.rows(statement), key=lambda row: int(row["id"]))


async def households_of_lapsed(db: Reading, *, now: datetime, limit: int) -> list[int]:
    """Households with a consent whose time has run out though nobody ended it yet."""
    statement = (
        sa.select(consents.c.household_id)
        .where(_stands(), consents.c.expires_at <= now)
        .order_by(consents.c.expires_at, consents.c.id)
        .limit(limit)
    )
    return list(dict.fromkeys(row["household_id"] for row in await db.rows(statement)))


async def lock_lapsed(
    db: Writing, *, now: datetime, limit: int, household_id: int | None = None
) -> list[int]:
    """Consents whose time has run out though nobody ended them yet; of one household, or of all."""
    statement = (
        sa.select(consents.c.id)
        .where(_stands(), consents.c.expires_at <= now)
        .order_by(consents.c.expires_at, consents.c.id)
        .limit(limit)
        .with_for_update(skip_locked=household_id is None)
    )
    if household_id is not None:
        statement = statement.where(consents.c.household_id == household_id)
    return [row["id"] for row in await db.rows(statement)]


def _stands() -> sa.ColumnElement[bool]:
    """Spelled out, so that the index of consents that will run out serves it."""
    return consents.c.status == sa.literal_column(f"'{ConsentStatus.GIVEN}'")
