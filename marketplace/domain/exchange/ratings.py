"""互为评定: of each result the office rates the provider's service, and the provider the office's."""

from __future__ import annotations

from enum import StrEnum


class RatingSide(StrEnum):
    """Who rates: of one result each side once, and for good."""

    OFFICE = "OFFICE"
    PROVIDER = "PROVIDER"
