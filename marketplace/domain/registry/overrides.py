"""An override: another class than the computed one, which counts once a second person agrees."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from marketplace.domain.moves import Move


class OverrideStatus(StrEnum):
    PENDING = "PENDING"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"


MOVES: Mapping[str, Move[OverrideStatus]] = {
    "assessmentOverrideApprove": Move(
        before=frozenset({OverrideStatus.PENDING}), after=OverrideStatus.APPROVED
    ),
    "assessmentOverrideReject": Move(
        before=frozenset({OverrideStatus.PENDING}), after=OverrideStatus.REJECTED
    ),
}
