"""An offer: what a provider can give, how much of it is left, and until when."""

from __future__ import annotations

from enum import StrEnum


class OfferStatus(StrEnum):
    DRAFT = "DRAFT"
    OPEN = "OPEN"
    PAUSED = "PAUSED"
    CLOSED = "CLOSED"
    EXPIRED = "EXPIRED"
