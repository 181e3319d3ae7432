"""互为评定: of each result the office rates the provider, and the provider the office."""

from __future__ import annotations

from enum import StrEnum


class RatingSide(StrEnum):
    """Who rates: of one result each side once, and for good."""

    OFFICE = "OFFICE"
    PROVIDER = "PROVIDER"
