"""Restrictions in force, as a condition that every wing may ask for before it acts."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from marketplace.domain.restrictions import RestrictionScope
from marketplace.persistence.database import Reading
from marketplace.persistence.tables import restrictions


def in_force(
    household_id: sa.ColumnElement[int] | int,
    scopes: Collection[RestrictionScope],
    now: datetime | sa.BindParameter[datetime],
) -> sa.ColumnElement[bool]:
    """Whether a household is kept from a lane at this time; `scopes` as FROM_CHARITY."""
    return (
        sa.select(restrictions.c.id)
        .where(
            restrictions.c.household_id == household_id,
            restrictions.c.scope.in_(sorted(scopes)),
            _now(now),
        )
        .exists()
    )


async def household_is_under(
    db: Reading, household_id: int, scopes: Collection[RestrictionScope], *, now: datetime
) -> bool:
    """Whether a household is kept from a lane at this time."""
    return bool(await db.scalar(sa.select(in_force(household_id, scopes, now))))


async def organization_is_under(db: Reading, organization_id: int, *, now: datetime) -> bool:
    """Whether a provider is kept from offering at this time."""
    found = sa.select(restrictions.c.id).where(
        restrictions.c.organization_id == organization_id, _now(now)
    )
    return await db.scalar(found.limit(1)) is not None


def _now(now: datetime | sa.BindParameter[datetime]) -> sa.ColumnElement[bool]:
    return sa.and_(restrictions.c.ended_at.is_(None), restrictions.c.ends_at > now)
