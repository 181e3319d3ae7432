"""Bringing the blind indexes of what is there up to date, after an upgrade."""

from __future__ import annotations

import asyncio

from marketplace.cli import console
from marketplace.cli.serving import ready
from marketplace.domain.errors import Text
from marketplace.persistence.database import Database
from marketplace.services.registry import indexing
from marketplace.services.registry.sealing import sealer_of
from marketplace.settings import Settings


def index() -> None:
    """Index names and phones of households that are older than these indexes.

    Safe beside a running server, and to run again. Look-ups by name and hints at duplicates are
    complete afterwards.
    """
    settings = Settings.from_env()
    ready(settings)

    async def done() -> indexing.Indexed:
        database = Database(settings.url)
        try:
            return await indexing.bring_up_to_date(database, sealer_of(settings))
        finally:
            await database.close()

    made = asyncio.run(done())
    console.say(
        Text(
            f"{made.members} members and {made.households} phones indexed, "
            f"{made.looked_through} households looked through for duplicates.",
            f"已建立 {made.members} 名成员和 {made.households} 个电话的索引，"
            f"已查重 {made.looked_through} 户。",
        )
    )
