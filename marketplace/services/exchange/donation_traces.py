"""Following a yuan: what donors are told of where their donation went, by receipt and code."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from marketplace.domain.exchange.donations import parse_receipt
from marketplace.domain.registry.applications import TriesOf
from marketplace.persistence.crypto import Sealer
from marketplace.persistence.database import Database, Row
from marketplace.persistence.exchange import donation_outcomes, donations
from marketplace.services.exchange.donation_codes import code_digest
from marketplace.services.registry.applications import spend

KEY_MAX = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Traced:
    donation: Row
    outcomes: Sequence[Row]


async def trace(
    database: Database, sealer: Sealer, receipt: str, code: str, *, address: str
) -> Traced | None:
    """A donation with where it went; None unless the code belongs to the receipt.

    address   where the caller's packets come from. Raises RateLimited after too many tries.
    """
    await spend(database, sealer, TriesOf.TRACE_ADDRESS, address)
    parsed = parse_receipt(receipt[:40])
    if parsed is None or max(parsed) > KEY_MAX or len(code) > 40:
        return None
    async with database.read() as db:
        row = await donations.by_receipt(db, *parsed)
        given = code_digest(sealer, code)
        if row is None or not hmac.compare_digest(given, str(row["trace_digest"])):
            return None
        return Traced(row, await donation_outcomes.of(db, row["id"]))
