"""Messages to households: put in line with what they tell of, then sent at least once."""

from __future__ import annotations

from datetime import datetime

import orjson

from marketplace.domain.errors import Text
from marketplace.persistence import messages
from marketplace.persistence.crypto import Sealer
from marketplace.persistence.database import Writing


async def to_household(
    db: Writing, sealer: Sealer, *, household_id: int, text: Text, kind: str, now: datetime
) -> bool:
    """Put a message in line in this transaction; False where the household has no phone.

    kind    what it is about, such as "delivery.code"; it is shown and logged, the text never is
    """
    phone = await messages.phone_of_household(db, sealer, household_id)
    if phone is None:
        return False
    await _enqueue(db, sealer, household_id, phone, text, kind, now)
    return True


async def to_phone(
    db: Writing, sealer: Sealer, *, phone: str, text: Text, kind: str, now: datetime
) -> None:
    """Put a message in line for a phone that is no household's yet."""
    await _enqueue(db, sealer, None, phone, text, kind, now)


async def _enqueue(
    db: Writing,
    sealer: Sealer,
    household_id: int | None,
    phone: str,
    text: Text,
    kind: str,
    now: datetime,
) -> None:
    said = orjson.dumps({"en": text.en, "zh": text.zh}).decode()
    await messages.enqueue(
        db, sealer, household_id=household_id, phone=phone, text=said, kind=kind, now=now
    )
