"""Needs that an offer could meet, and offers that could meet a need, before anyone plans."""

from __future__ import annotations

from marketplace.domain.checks import within
from marketplace.domain.errors import InvalidInput
from marketplace.domain.exchange.offers import OfferTerms
from marketplace.domain.permissions import Viewer, require
from marketplace.persistence.database import Database
from marketplace.persistence.exchange import meeting
from marketplace.persistence.exchange.meeting import Meeting as Meeting
from marketplace.services.exchange import offers

FIRST_MAX = 100


async def needs_meetable(
    database: Database, viewer: Viewer, terms: OfferTerms, *, first: int
) -> list[int]:
    """Public copies of open needs that an offer of these terms could meet, most urgent first.

    Raises all that offerPost would raise for the terms, Forbidden and Unauthenticated.
    """
    require(viewer, "needsMeetable")
    if wrong := list(within("first", first, 1, FIRST_MAX)):
        raise InvalidInput(*wrong)
    now = database.now()
    async with database.read() as db:
        checked = await offers.checked(db, viewer, terms, now=now)
        return await meeting.needs_for(db, checked, now=now, first=first)
