"""Bringing blind indexes and what they show up to date, for rows older than an index."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.persistence.crypto import Sealer
from marketplace.persistence.database import Database
from marketplace.persistence.registry import duplicates, indexes


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexed:
    """How many rows changed, and how many households were looked through for duplicates."""

    members: int = 0
    households: int = 0
    looked_through: int = 0


async def bring_up_to_date(database: Database, sealer: Sealer, *, batch: int = 500) -> Indexed:
    """Index names and phones that are not indexed (as now), and note what looks alike.

    Safe beside a running server and to run again: a batch is a transaction.
    """
    changed = 0
    while True:
        async with database.write() as db:
            done = await indexes.name_members(db, sealer, limit=batch)
        changed += done
        if not done:
            break
    phones, looked_through, last = 0, 0, 0
    while True:
        async with database.write() as db:
            keys, done = await indexes.phone_households(db, sealer, after=last, limit=batch)
            phones += done
            await duplicates.note_households(db, keys, database.now())
        if not keys:
            return Indexed(members=changed, households=phones, looked_through=looked_through)
        looked_through, last = looked_through + len(keys), keys[-1]
