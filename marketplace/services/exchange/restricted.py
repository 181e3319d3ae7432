"""What a restriction stops in the government's lane."""

from __future__ import annotations

from datetime import datetime

from marketplace.domain.errors import Conflict
from marketplace.domain.restrictions import FROM_GOVERNMENT, under_restriction
from marketplace.persistence import restrictions
from marketplace.persistence.database import Reading


async def may_be_granted(db: Reading, household_id: int, *, now: datetime) -> None:
    """Raise Conflict (UNDER_RESTRICTION) where a restriction keeps a household from aid.

    Holds until the transaction ends where the household's row is locked.
    """
    if await restrictions.household_is_under(db, household_id, FROM_GOVERNMENT, now=now):
        raise Conflict(under_restriction("household_id"))
