"""Rows of consents: recording them, ending them, and telling whether one is in force."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from marketplace.domain.exchange.consents import ConsentPurpose, ConsentStatus, RecipientClass
from marketplace.persistence.tables import consents


def in_force(household_id: sa.ColumnElement[int], now: datetime) -> sa.ColumnElement[bool]:
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
