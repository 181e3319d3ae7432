"""One assertion for the end of a test: nothing of cases, needs and offers contradicts itself."""

from __future__ import annotations

from marketplace.persistence.database import Database
from marketplace.persistence.exchange import invariants
from marketplace.persistence.oversight import invariants as of_cases


async def all_is_well(database: Database) -> None:
    async with database.snapshot() as db:
        facts = {**invariants.FACTS, **of_cases.FACTS}
        assert await invariants.broken(db, facts=facts) == []
