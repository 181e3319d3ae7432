"""Rows of government aid."""

from __future__ import annotations

from datetime import datetime

from marketplace.domain.exchange.government_aid import DecideAid
from marketplace.persistence.database import Writing
from marketplace.persistence.tables import government_aids


def aid_row(command: DecideAid, *, decided_by: int | None, now: datetime) -> dict[str, object]:
    return {
        "household_id": command.household_id,
        "kind": command.kind,
        "granted": command.granted,
        "amount_fen": command.amount_fen,
        "starts_on": command.starts_on,
        "ends_on": command.ends_on,
        "covers_category_id": command.covers_category_id,
        "covers_quantity": command.covers_quantity,
        "decided_by": decided_by,
        "decided_at": now,
        "reason": (command.reason or "").strip() or None,
        "counted_at": now if command.starts_on <= now.date() else None,
    }


async def add(db: Writing, row: dict[str, object]) -> int:
    return await db.insert(government_aids, row)
