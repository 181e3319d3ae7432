"""Rows of consent texts: wordings that households agree to."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from marketplace.domain.exchange.consent_texts import taken
from marketplace.domain.exchange.consents import ConsentPurpose, RecipientClass
from marketplace.persistence.database import Reading, Values, Writing
from marketplace.persistence.tables import consent_texts


async def is_in_use(
    db: Reading,
    version: str,
    *,
    purpose: ConsentPurpose,
    recipient_class: RecipientClass,
    now: datetime,
) -> bool:
    """Whether a wording may be agreed to now, for this purpose and these recipients."""
    found = await db.scalar(
        sa.select(consent_texts.c.id).where(
            consent_texts.c.version == version,
            consent_texts.c.purpose == purpose,
            consent_texts.c.recipient_class == recipient_class,
            consent_texts.c.valid_from <= now,
            sa.or_(consent_texts.c.valid_until.is_(None), consent_texts.c.valid_until > now),
        )
    )
    return found is not None


async def add(db: Writing, values: Values) -> int:
    """Put a wording in; its key. Raises Conflict (TAKEN) where its version is taken."""
    try:
        return await db.insert(consent_texts, values)
    except sa.exc.IntegrityError as error:
        if "version" not in str(error.orig):
            raise
        raise taken(str(values["version"])) from error


async def exists(db: Reading, key: int) -> bool:
    return await db.scalar(sa.select(consent_texts.c.id).where(consent_texts.c.id == key)) == key


async def end(db: Writing, key: int, *, now: datetime) -> bool:
    """Let nobody agree to a wording any more; False if that is so already."""
    done = await db.execute(
        sa.update(consent_texts)
        .where(
            consent_texts.c.id == key,
            sa.or_(consent_texts.c.valid_until.is_(None), consent_texts.c.valid_until > now),
        )
        .values(valid_until=now)
    )
    return done == 1
