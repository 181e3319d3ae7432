"""A conflict of lanes: government and charity may be paying for the same thing."""

from __future__ import annotations

from enum import StrEnum


class ConflictKind(StrEnum):
    OVERLAP = "OVERLAP"
    SAME_BROADER_CATEGORY = "SAME_BROADER_CATEGORY"
