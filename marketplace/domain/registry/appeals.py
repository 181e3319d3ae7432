"""An appeal: a household holds its class to be wrong, and another person looks at it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from marketplace.domain.moves import Move

DECIDED_WITHIN = timedelta(days=30)
FILED_WITHIN = timedelta(days=60)


class AppealStatus(StrEnum):
    OPEN = "OPEN"
    UPHELD = "UPHELD"
    DISMISSED = "DISMISSED"


class AppealDecision(StrEnum):
    UPHOLD = "UPHOLD"
    DISMISS = "DISMISS"


# Which of the two it becomes is what the mutation says.
MOVES: Mapping[str, Move[AppealStatus]] = {
    "appealDecide": Move(before=frozenset({AppealStatus.OPEN}), after=None),
}
