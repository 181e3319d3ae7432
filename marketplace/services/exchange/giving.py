"""What goes on by itself on the givers' side: templates posted, campaigns ended, yuan traced."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from marketplace.persistence.database import Database
from marketplace.services.exchange.campaigns import close_overdue
from marketplace.services.exchange.donation_uses import attribute_all, tell_outcomes
from marketplace.services.exchange.offer_drafts import post_due

EVERY_S = 60.0
STEPS = (post_due, close_overdue, attribute_all, tell_outcomes)

log = logging.getLogger("aidloop.giving")


async def keep_up(database: Database) -> None:
    """Do all of it once; what goes wrong with one thing keeps no other from being done."""
    for step in STEPS:
        try:
            if done := await step(database):
                log.info("%s: %d", step.__name__, done)
        except Exception:  # the others have nothing to do with it
            log.exception("%s failed; it is tried again later", step.__name__)


async def keep_giving(database: Database, *, stop: asyncio.Event, every_s: float = EVERY_S) -> None:
    """Keep up until `stop` is set. It outlives every error; any number may run at once."""
    while not stop.is_set():
        await keep_up(database)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), every_s)
