"""Consent in force, as the graph's guard: what charity may see of a household."""

from __future__ import annotations

import sqlalchemy as sa

from marketplace.persistence.tables.exchange import consents
from schema.readgraph.declare import Condition, Scope


def in_force(household_id: sa.ColumnElement[int], scope: Scope) -> Condition:
    """Whether the household of a row lets its needs be passed to providers now.

    The words are those of the domain's ConsentStatus, ConsentPurpose and RecipientClass, which
    stand in a wing further right.
    """
    consent = consents.alias()
    return (
        sa.select(consent.c.id)
        .where(
            consent.c.household_id == household_id,
            consent.c.status == "GIVEN",
            consent.c.purpose == "CHARITABLE_ASSISTANCE",
            consent.c.recipient_class == "VERIFIED_PROVIDERS",
            consent.c.given_at <= scope.now,
            sa.or_(consent.c.expires_at.is_(None), consent.c.expires_at > scope.now),
        )
        .exists()
    )
