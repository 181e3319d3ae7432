"""Telling everyone: events into inboxes and lines, lines to webhooks, messages to households."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from marketplace.persistence.crypto import Sealer
from marketplace.persistence.database import Database
from marketplace.services import messages, notifications, webhook_sending
from marketplace.services.channels import channel_of
from marketplace.services.feed import Sight, feed_bell
from marketplace.services.jobs import Bell
from marketplace.settings import Settings

IDLE_S = 2.0  # how often to look for what another process wrote, or what is due by now
TROUBLE_S = 10.0

Step = Callable[[], Awaitable[int]]

log = logging.getLogger("aidloop.telling")


async def keep_telling(
    database: Database, settings: Settings, sealer: Sealer, sight: Sight, *, stop: asyncio.Event
) -> None:
    """Tell until `stop` is set. It outlives every error; any number may run at once.

    Each step goes at its own pace: a server that answers slowly keeps no message waiting.
    """
    channel, bell = channel_of(settings), feed_bell(database)
    private_allowed, language = settings.webhook_private_targets, settings.language

    steps: dict[str, Step] = {
        "notifications": lambda: notifications.produce(database, sight),
        "webhooks": lambda: webhook_sending.produce(database, sight),
        "deliveries": lambda: webhook_sending.send_due(
            database, sealer, sight, private_allowed=private_allowed
        ),
        "messages": lambda: messages.send_due(database, sealer, channel, language=language),
    }
    async with asyncio.TaskGroup() as group:
        for name, step in steps.items():
            group.create_task(_keep(name, step, bell, stop), name=name)


async def _keep(name: str, step: Step, bell: Bell, stop: asyncio.Event) -> None:
    while not stop.is_set():
        # Listening begins before looking, so that no ring falls in between.
        ringing = asyncio.ensure_future(bell.heard(IDLE_S))
        try:
            if not await step():
                await _first(stop.wait(), ringing)
        except Exception:  # it must go on as long as the program does
            log.exception("%s failed; it is tried again later", name)
            await _first(stop.wait(), asyncio.sleep(TROUBLE_S))
        finally:
            ringing.cancel()


async def _first(*awaited: Awaitable[object]) -> None:
    """Wait until one of these is done, and for none of them any longer."""
    tasks = [asyncio.ensure_future(each) for each in awaited]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
