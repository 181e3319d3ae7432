"""A category: what can be needed and offered, in which unit, and at which reference price."""

from __future__ import annotations

from enum import StrEnum


class CategoryKind(StrEnum):
    GOODS = "GOODS"
    CASH = "CASH"
    SERVICE = "SERVICE"
