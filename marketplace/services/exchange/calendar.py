"""The calendar: what the desks arranged for certain hours is done when they come."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from marketplace.persistence.database import Database
from marketplace.services.exchange.nightly import plan_tonight
from marketplace.services.exchange.referral_calendar import prepare_referrals

EVERY_S = 60.0

log = logging.getLogger("aidloop.calendar")


async def keep_calendar(
    database: Database, *, stop: asyncio.Event, every_s: float = EVERY_S
) -> None:
    """Look until `stop` is set. It outlives every error; any number may run at once."""
    while not stop.is_set():
        for step in (plan_tonight, prepare_referrals):
            try:
                done = await step(database)
                if done:
                    log.info("%s: %d", step.__name__, done)
            except Exception:  # it must go on as long as the program does
                log.exception("%s failed; it is tried again later", step.__name__)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), every_s)
