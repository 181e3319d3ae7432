"""A consent: a household's leave to pass its needs on to charity, revocable any day."""

from __future__ import annotations

from enum import StrEnum


class ConsentStatus(StrEnum):
    GIVEN = "GIVEN"
    WITHDRAWN = "WITHDRAWN"
    LAPSED = "LAPSED"
