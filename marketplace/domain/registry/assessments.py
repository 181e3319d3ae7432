"""An assessment: what a household lives on, what it must spend, and what follows from that."""

from __future__ import annotations

from enum import StrEnum


class EligibilityClass(StrEnum):
    """救助类别: which lane of government assistance a household may take."""

    SUBSISTENCE_ALLOWANCE = "SUBSISTENCE_ALLOWANCE"
    EXTREME_POVERTY = "EXTREME_POVERTY"
    LOW_INCOME_EDGE = "LOW_INCOME_EDGE"
    RIGID_EXPENDITURE = "RIGID_EXPENDITURE"
    NONE = "NONE"
