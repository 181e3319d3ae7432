"""A consent: a household's leave to pass its needs on to charity, revocable any day."""

from __future__ import annotations

from enum import StrEnum


class ConsentStatus(StrEnum):
    GIVEN = "GIVEN"
    WITHDRAWN = "WITHDRAWN"
    LAPSED = "LAPSED"


class ConsentPurpose(StrEnum):
    """What the household agrees to; a further purpose never opens the market by itself."""

    CHARITABLE_ASSISTANCE = "CHARITABLE_ASSISTANCE"


class RecipientClass(StrEnum):
    """Who may learn of it; a narrower class comes with a rule of what may be matched."""

    VERIFIED_PROVIDERS = "VERIFIED_PROVIDERS"


class HowGiven(StrEnum):
    """How the household said yes."""

    SIGNED = "SIGNED"
    ONLINE = "ONLINE"
    VERBAL_WITNESSED = "VERBAL_WITNESSED"
