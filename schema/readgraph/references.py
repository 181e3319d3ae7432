"""References as fields: the numbers printed on papers, computed and looked up by id and year."""

from __future__ import annotations

from typing import Any

from marketplace.domain.ids import reference
from schema.readgraph.declare import Referenced, computed


def referenced(letter: str) -> Any:
    """The field `reference` of a node whose table has `created_at`."""
    return referenced_by(letter, "created_at")


def referenced_by(letter: str, moment: str) -> Any:
    """The field `reference`, with the year of a column `moment`."""

    def make(key: int, at: str) -> str:
        return reference(letter, int(at[:4]), key)

    said = f"The number printed on papers, such as {reference(letter, 2026, 123)}."
    return computed(("id", moment), make, said, filter=Referenced(letter, moment))
