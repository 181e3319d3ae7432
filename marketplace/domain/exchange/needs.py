"""A need: what government assistance leaves open, and how it comes before the charities."""

from __future__ import annotations

from enum import StrEnum


class NeedStatus(StrEnum):
    DRAFT = "DRAFT"
    REFERRED = "REFERRED"
    RETURNED = "RETURNED"
    REJECTED = "REJECTED"
    PUBLISHED = "PUBLISHED"
    FULFILLED = "FULFILLED"
    CLOSED = "CLOSED"
    WITHDRAWN = "WITHDRAWN"
    EXPIRED = "EXPIRED"
    SUSPENDED = "SUSPENDED"
