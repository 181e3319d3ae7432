"""What time ends by itself: consents that ran out, needs past their deadline, offers past theirs.

The market looks at the clock itself, so nothing overdue is ever matched; this chore makes the
states say so, closes public copies, and frees what was reserved for lapsed consents.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass

import sqlalchemy as sa

from marketplace.domain.events import Event
from marketplace.domain.exchange.needs import NeedStatus
from marketplace.domain.exchange.offers import OfferStatus
from marketplace.persistence import events
from marketplace.persistence.database import Database, Writing
from marketplace.persistence.exchange import needs, offers, published_needs
from marketplace.services.exchange import consents

AT_ONCE_MAX = 500
EVERY_S = 60.0

log = logging.getLogger("aidloop.expiry")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    consents: int
    needs: int
    offers: int


async def expire(database: Database) -> Expired:
    """End what is overdue, at most a few hundred of each; run it again for the rest."""
    return Expired(
        consents=await consents.lapse(database),
        needs=await _expire_needs(database),
        offers=await _expire_offers(database),
    )


async def keep_expiring(
    database: Database, *, stop: asyncio.Event, every_s: float = EVERY_S
) -> None:
    """Expire until `stop` is set. It outlives database errors; any number may run at once."""
    while not stop.is_set():
        try:
            done = await expire(database)
            if done != Expired(consents=0, needs=0, offers=0):
                log.info("expired: %s", done)
        except (sa.exc.SQLAlchemyError, OSError, TimeoutError):
            log.exception("the database gave an error; expiring is tried again later")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), every_s)


async def _expire_needs(database: Database) -> int:
    """What is reserved for an expired need stays reserved: it may be on its way."""
    async with database.write() as db:
        due = await needs.lock_overdue(db, now=database.now(), limit=AT_ONCE_MAX)
        if due:
            await needs.change(db, due, {"status": NeedStatus.EXPIRED})
            await published_needs.close(db, due)
            await _tell(db, database, "need.expired", "Need", due)
        return len(due)


async def _expire_offers(database: Database) -> int:
    async with database.write() as db:
        due = await offers.lock_overdue(db, now=database.now(), limit=AT_ONCE_MAX)
        if due:
            await offers.change_many(db, due, {"status": OfferStatus.EXPIRED})
            await _tell(db, database, "offer.expired", "Offer", due)
        return len(due)


async def _tell(db: Writing, database: Database, kind: str, entity: str, ids: list[int]) -> None:
    now = database.now()
    await events.append_many(
        db, [Event(kind=kind, at=now, entity=entity, entity_id=each) for each in ids]
    )
