"""Whether a text names somebody of a household, for what others than officers will read."""

from __future__ import annotations

from marketplace.domain.registry.identity import NUMBER_OF_NOBODY, NUMBER_OF_SOMEBODY
from marketplace.persistence.crypto import Sealer
from marketplace.persistence.database import Reading
from marketplace.persistence.registry import households

NAME_LENGTH_MIN = 2  # a single letter or character stands in any text


async def names_somebody(db: Reading, sealer: Sealer, household_id: int, text: str) -> bool:
    """Whether it holds the name of a member, or anything like a phone or identity number."""
    if NUMBER_OF_SOMEBODY.search(NUMBER_OF_NOBODY.sub("…", text)):
        return True
    said = _bare(text)
    for row in await households.members_of(db, household_id):
        name = sealer.open(row["name_sealed"], place=households.NAME, seal_id=row["seal_id"])
        if len(name.strip()) >= NAME_LENGTH_MIN and _bare(name) in said:
            return True
    return False


def _bare(text: str) -> str:
    return "".join(text.split()).casefold()
