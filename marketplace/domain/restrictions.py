"""A restriction: what a household or a provider is kept from, for how long, and what says so."""

from __future__ import annotations

from enum import StrEnum

from marketplace.domain.checks import fault
from marketplace.domain.errors import Fault


class RestrictionScope(StrEnum):
    """What is halted: of a household one lane or both, of a provider its offers."""

    CHARITY = "CHARITY"
    GOVERNMENT = "GOVERNMENT"
    BOTH = "BOTH"
    OFFERS = "OFFERS"


class RestrictionEnd(StrEnum):
    """Why a restriction is over."""

    LAPSED = "LAPSED"
    CLOSED = "CLOSED"
    DISMISSED = "DISMISSED"


# Scopes that keep a household from each lane.
FROM_CHARITY = frozenset({RestrictionScope.CHARITY, RestrictionScope.BOTH})
FROM_GOVERNMENT = frozenset({RestrictionScope.GOVERNMENT, RestrictionScope.BOTH})


def under_restriction(name: str) -> Fault:
    """The fault of what a restricted household cannot have now; `name` is the input's field."""
    return fault(
        name,
        "UNDER_RESTRICTION",
        "The household is under a restriction. Wait for its end, or have its case decided.",
        "该家庭处于限制期内，请待限制期满，或由有权人员处理相关事项。",
    )
