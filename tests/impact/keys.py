"""A key for everyone in a test's market: key-of-NAME."""

from __future__ import annotations

import hashlib

from marketplace.persistence.tables import api_keys
from tests.fixtures.market import Market


async def give_keys(market: Market) -> None:
    rows = [
        {
            "account_id": viewer.account_id,
            "prefix": "key-of",
            "digest": hashlib.sha256(f"key-of-{who}".encode()).hexdigest(),
            "created_at": market.database.now(),
        }
        for who, viewer in market.viewer.items()
        if viewer.account_id
    ]
    async with market.database.write() as db:
        await db.insert_many(api_keys, rows)
