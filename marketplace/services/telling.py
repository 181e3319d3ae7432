"""Telling everyone: notifications, webhooks and messages to households, round after round."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from marketplace.persistence.crypto import Sealer
from marketplace.persistence.database import Database
from marketplace.services import messages, notifications, webhook_sending
from marketplace.services.channels import Channel, channel_of
from marketplace.services.feed import Sight, feed_bell
from marketplace.settings import Settings

IDLE_S = 2.0  # how often to look for what another process wrote, or what is due by now
TROUBLE_S = 10.0

log = logging.getLogger("aidloop.telling")


async def keep_telling(
    database: Database, settings: Settings, sealer: Sealer, sight: Sight, *, stop: asyncio.Event
) -> None:
    """Tell until `stop` is set. It outlives every error; any number may run at once."""
    channel = channel_of(settings)
    bell = feed_bell(database)
    while not stop.is_set():
        # Listening begins before looking, so that no ring falls in between.
        ringing: asyncio.Future[object] = asyncio.ensure_future(bell.heard(IDLE_S))
        try:
            if not await tell(database, settings, sealer, channel, sight):
                await _first(stop, ringing)
        except Exception:  # it must go on as long as the program does
            log.exception("telling failed; it is tried again later")
            await _first(stop, asyncio.ensure_future(asyncio.sleep(TROUBLE_S)))
        finally:
            ringing.cancel()


async def tell(
    database: Database, settings: Settings, sealer: Sealer, channel: Channel, sight: Sight
) -> bool:
    """One round; whether there was anything to do. What fails keeps nothing else from going on."""
    private_allowed = settings.webhook_private_targets
    language = settings.language

    steps: list[Callable[[], Awaitable[int]]] = [
        lambda: notifications.produce(database, sight),
        lambda: webhook_sending.produce(database, sight),
        lambda: webhook_sending.send_due(database, sealer, sight, private_allowed=private_allowed),
        lambda: messages.send_due(database, sealer, channel, language=language),
    ]
    done, trouble = 0, None
    for step in steps:
        try:
            done += await step()
        except Exception as error:  # the other steps have nothing to do with it
            trouble = error
    if trouble is not None:
        raise trouble
    return done > 0


async def _first(stop: asyncio.Event, other: asyncio.Future[object]) -> None:
    stopping: asyncio.Future[object] = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait([stopping, other], return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        other.cancel()
