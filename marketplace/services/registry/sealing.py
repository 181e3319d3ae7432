"""The sealer of a process, and putting everything under a new key."""

from __future__ import annotations

from functools import lru_cache

from marketplace.persistence.crypto import Sealer, sealer_from
from marketplace.persistence.database import Database
from marketplace.persistence.registry import sealed
from marketplace.settings import Settings


@lru_cache(maxsize=8)
def sealer_of(settings: Settings) -> Sealer:
    """The sealer of these settings, made once. Raises SettingsError as `sealer_from` does."""
    return sealer_from(settings)


async def reseal(database: Database, sealer: Sealer, *, batch: int = 500) -> int:
    """Put every sealed value under the key that seals now; how many were changed.

    Safe beside a running server and to run again: a batch is a transaction, a value that changed
    meanwhile is left to the next run. Once it returns 0, the old keys may leave the settings.
    """
    changed = 0
    for place in sealed.PLACES:
        last = 0
        while True:
            async with database.write() as db:
                rows = await sealed.after(db, place, last, batch)
                stale = [row for row in rows if not sealer.is_current(row.text)]
                for row in stale:
                    fresh = sealer.reseal(row.text, place=place.name, seal_id=row.seal_id)
                    changed += await sealed.replace(db, place, row, fresh)
            if not rows:
                break
            last = rows[-1].key
    return changed


async def broken(database: Database, sealer: Sealer) -> list[str]:
    """Places whose newest value does not open under the keys at hand; for a check-up."""
    async with database.read() as db:
        return [
            place.name
            for place in sealed.PLACES
            if (row := await sealed.newest(db, place)) is not None
            and not sealed.opens(sealer, place, row)
        ]
