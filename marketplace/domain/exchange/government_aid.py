"""Government aid: what the public purse gives a household before anyone else is asked."""

from __future__ import annotations

from enum import StrEnum


class GovernmentAidKind(StrEnum):
    SUBSISTENCE_ALLOWANCE = "SUBSISTENCE_ALLOWANCE"
    EXTREME_POVERTY_SUPPORT = "EXTREME_POVERTY_SUPPORT"
    TEMPORARY_ASSISTANCE = "TEMPORARY_ASSISTANCE"
    MEDICAL = "MEDICAL"
    EDUCATION = "EDUCATION"
    HOUSING = "HOUSING"
    DISASTER = "DISASTER"
