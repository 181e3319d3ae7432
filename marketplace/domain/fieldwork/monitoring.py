"""A check of a monitored household: how many of its people were looked at, and what was found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from marketplace.domain.checks import fault
from marketplace.domain.errors import Fault
from marketplace.domain.fieldwork.visits import AHEAD_MAX, LATE_MAX


class CheckOutcome(StrEnum):
    NO_CHANGE = "NO_CHANGE"
    RISK_FOUND = "RISK_FOUND"
    MATCHED = "MATCHED"
    RISK_GONE = "RISK_GONE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A household that was checked and matched against what help there is (排查匹配).

    persons       how many of its people were checked; none: all
    checked_at    none: now
    """

    household_id: int
    outcome: CheckOutcome = CheckOutcome.NO_CHANGE
    persons: int | None = None
    checked_at: datetime | None = None


def check_faults(
    check: Check, *, monitored: bool, member_count: int, now: datetime
) -> Iterator[Fault]:
    """Everything that keeps this from being a check of one of the three monitored categories."""
    if not monitored:
        yield fault(
            "household_id",
            "NOT_MONITORED",
            "This household is in none of the monitored categories.",
            "该家庭不属于三类监测对象。",
        )
    if check.persons is not None and not 1 <= check.persons <= member_count:
        yield fault(
            "persons",
            "INVALID",
            f"Between 1 and {member_count}, as many as the household has.",
            f"须在 1 至 {member_count} 之间，不超过家庭人口。",
        )
    at = check.checked_at
    if at is not None and not now - LATE_MAX <= at <= now + AHEAD_MAX:
        yield fault(
            "checked_at",
            "INVALID",
            f"A check is recorded within {LATE_MAX.days} days, and not before it was made.",
            f"排查须在 {LATE_MAX.days} 日内登记，且不得早于实际发生。",
        )
