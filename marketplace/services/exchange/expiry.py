"""What time ends by itself: consents, needs and offers past their end, what nobody accepted.

The market looks at the clock itself, so nothing overdue is ever matched; this chore makes the
states say so, closes public copies, and frees what was reserved for lapsed consents, or for
longer than a reservation is kept; classes run out, and aid that begins is reckoned with. It also
forgets idempotency keys that are too old to count.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import sqlalchemy as sa

from marketplace.domain.events import Event
from marketplace.domain.exchange.allocations import CancelReason
from marketplace.domain.exchange.needs import NeedStatus
from marketplace.domain.exchange.offers import OfferStatus
from marketplace.persistence import events, idempotency
from marketplace.persistence.database import Database, Writing
from marketplace.persistence.exchange import consents as consent_rows
from marketplace.persistence.exchange import needs, offers, published_needs, withdrawals
from marketplace.services import codes
from marketplace.services.acting import KEPT_FOR
from marketplace.services.exchange import (
    consents,
    escalating,
    plan_records,
    residuals,
    results,
)
from marketplace.services.registry import applications, assessing

AT_ONCE_MAX = 500
EVERY_S = 60.0
# Of the database as a whole, not of one row: trying row by row is of no use.
TROUBLE = (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError, OSError)

log = logging.getLogger("aidloop.expiry")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    consents: int = 0
    needs: int = 0
    offers: int = 0
    allocations: int = 0
    idempotency_keys: int = 0
    application_tries: int = 0
    plan_markets: int = 0
    codes: int = 0
    results_overdue: int = 0
    feedback_overdue: int = 0
    feedback_closed: int = 0
    needs_closed: int = 0
    classes: int = 0
    aids_begun: int = 0


async def expire(database: Database) -> Expired:
    """End what is overdue, at most a few hundred of each; run it again for the rest.

    What goes wrong with one kind of thing, or with one household, is logged and keeps nothing
    else from ending; it is tried again the next time.
    """
    return Expired(
        consents=await _tried(_lapse_consents, database),
        needs=await _tried(_expire_needs, database),
        offers=await _tried(_expire_offers, database),
        allocations=await _tried(_lapse_allocations, database),
        idempotency_keys=await _tried(_forget_keys, database),
        application_tries=await _tried(applications.forget_tries, database),
        plan_markets=await _tried(plan_records.forget, database),
        codes=await _tried(codes.forget, database),
        results_overdue=await _tried(escalating.escalate_results, database),
        feedback_overdue=await _tried(escalating.escalate_feedback, database),
        feedback_closed=await _tried(escalating.close_answered_feedback, database),
        needs_closed=await _tried(results.close_done, database),
        classes=await _tried(assessing.lapse, database),
        aids_begun=await _tried(residuals.settle_begun, database),
    )


async def keep_expiring(
    database: Database, *, stop: asyncio.Event, every_s: float = EVERY_S
) -> None:
    """Expire until `stop` is set. It outlives every error; any number may run at once."""
    while not stop.is_set():
        try:
            done = await expire(database)
            if done != Expired():
                log.info("expired: %s", done)
        except Exception:  # it must go on as long as the program does
            log.exception("expiring failed; it is tried again later")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), every_s)


async def _tried(step: Callable[[Database], Awaitable[int]], database: Database) -> int:
    try:
        return await step(database)
    except Exception:  # the other steps have nothing to do with it
        log.exception("%s failed; it is tried again later", step.__name__.strip("_"))
        return 0


async def _lapse_consents(database: Database) -> int:
    async def due() -> list[int]:
        async with database.read() as db:
            return await consent_rows.households_of_lapsed(
                db, now=database.now(), limit=AT_ONCE_MAX
            )

    return await _at_once_or_each(
        lambda only: consents.lapse(database, household_id=only), due, "the consent of household"
    )


async def _lapse_allocations(database: Database) -> int:
    async def due() -> list[int]:
        async with database.read() as db:
            return await withdrawals.lapsed(db, now=database.now(), limit=AT_ONCE_MAX)

    async def lapse(only: int | None) -> int:
        async with database.write() as db:
            now = database.now()
            rows = await withdrawals.cancel_lapsed(db, now=now, limit=AT_ONCE_MAX, only=only)
            told = [
                Event(
                    kind="allocation.cancelled",
                    at=now,
                    entity="Allocation",
                    entity_id=row["id"],
                    data={"reason": CancelReason.LAPSED, "unitsDrawn": row["units_drawn"]},
                )
                for row in rows
            ]
            await events.append_many(db, told)
            return len(rows)

    return await _at_once_or_each(lapse, due, "allocation")


async def _at_once_or_each(
    end: Callable[[int | None], Awaitable[int]], due: Callable[[], Awaitable[list[int]]], of: str
) -> int:
    """End all in one transaction; if that fails, each alone, so that one blocks no other."""
    try:
        return await end(None)
    except TROUBLE:
        raise
    except Exception:
        log.warning("cannot end all at once; trying each alone", exc_info=True)
    done = 0
    for key in await due():
        try:
            done += await end(key)
        except TROUBLE:
            raise
        except Exception:  # someone must look at this one, and the others must not wait
            log.exception("%s %d cannot be ended", of, key)
    return done


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


async def _forget_keys(database: Database) -> int:
    async with database.write() as db:
        return await idempotency.forget_before(db, database.now() - KEPT_FOR)


async def _tell(db: Writing, database: Database, kind: str, entity: str, ids: list[int]) -> None:
    now = database.now()
    await events.append_many(
        db, [Event(kind=kind, at=now, entity=entity, entity_id=each) for each in ids]
    )
