"""Schedules: what the house does by itself on certain days, by the county's clock."""

from __future__ import annotations

from enum import StrEnum


class ScheduleKind(StrEnum):
    NIGHTLY_PLAN = "NIGHTLY_PLAN"
    REFERRAL = "REFERRAL"


class DraftStatus(StrEnum):
    """A prepared referral waits for a person of the assistance desk."""

    PREPARED = "PREPARED"
    SENT = "SENT"
    DISCARDED = "DISCARDED"
