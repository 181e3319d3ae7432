"""Schedules: what the house does by itself on certain days, by the county's clock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from marketplace.domain.checks import within
from marketplace.domain.days import COUNTY_TIME
from marketplace.domain.errors import InvalidInput
from marketplace.domain.moves import Move
from marketplace.domain.permissions import Role


class ScheduleKind(StrEnum):
    """Which desk arranges it stands in ARRANGED_BY."""

    NIGHTLY_PLAN = "NIGHTLY_PLAN"
    REFERRAL = "REFERRAL"


class DraftStatus(StrEnum):
    """A prepared referral waits for a person of the assistance desk."""

    PREPARED = "PREPARED"
    SENT = "SENT"
    DISCARDED = "DISCARDED"


ARRANGED_BY: Mapping[ScheduleKind, Role] = {
    ScheduleKind.NIGHTLY_PLAN: Role.CHARITY_OFFICER,
    ScheduleKind.REFERRAL: Role.ASSISTANCE_OFFICER,
}

MOVES: Mapping[str, Move[DraftStatus]] = {
    "referralSend": Move(before=frozenset({DraftStatus.PREPARED}), after=DraftStatus.SENT),
    "referralDraftDiscard": Move(
        before=frozenset({DraftStatus.PREPARED}), after=DraftStatus.DISCARDED
    ),
}


def check_times(*, weekday: int | None, hour: int) -> None:
    """Raise InvalidInput for what is no time of a day or no day of a week."""
    faults = list(within("hour", hour, 0, 23))
    if weekday is not None:
        faults += within("weekday", weekday, 1, 7)
    if faults:
        raise InvalidInput(*faults)


def is_due(now: datetime, *, weekday: int | None, hour: int) -> bool:
    """Whether a schedule that did not run yet today runs now, by the county's clock.

    A server that was down at the hour runs it later that day, and does not make up for days before.

    >>> monday = datetime(2026, 11, 23, 1, tzinfo=COUNTY_TIME)
    >>> [is_due(monday, weekday=day, hour=1) for day in (None, 1, 2)]
    [True, True, False]
    >>> is_due(monday, weekday=None, hour=2)
    False
    """
    local = now.astimezone(COUNTY_TIME)
    return local.hour >= hour and weekday in (None, local.isoweekday())
