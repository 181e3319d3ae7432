"""A served market whose every account has a key, for tests that speak to it over HTTP."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from marketplace.persistence.tables import api_keys
from tests.fixtures.market import Market
from tests.fixtures.served import Served


@dataclass(frozen=True)
class Asking:
    """A server on this test's market, and a key for everyone in it."""

    market: Market
    server: Served

    def ask(
        self, who: str | None, document: str, variables: dict[str, Any], **headers: str
    ) -> dict[str, Any]:
        key = None if who is None else f"key-of-{who}"
        answer: dict[str, Any] = self.server.ask(document, variables, key=key, **headers).json()
        return answer

    def do(self, who: str, document: str, given: dict[str, Any], **headers: str) -> dict[str, Any]:
        """The one payload of a mutation that is understood."""
        answer = self.ask(who, document, {"input": given}, **headers)
        assert "errors" not in answer, answer
        (payload,) = answer["data"].values()
        return dict(payload)

    def read(self, who: str | None, document: str, **variables: Any) -> Any:
        """The one root field of a query that is understood."""
        answer = self.ask(who, document, variables)
        assert "errors" not in answer, answer
        (found,) = answer["data"].values()
        return found


async def give_keys(market: Market) -> None:
    """A key for everyone in the market, by name."""
    async with market.database.write() as db:
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
        await db.insert_many(api_keys, rows)
