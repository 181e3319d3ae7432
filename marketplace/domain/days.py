"""The county's calendar: which day a moment is there, and which whole days a period has."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone

# All of China keeps one time, without summer time.
COUNTY_TIME = timezone(timedelta(hours=8), "CST")


def county_day(moment: datetime) -> date:
    """The day in the county at a moment.

    >>> county_day(datetime.fromisoformat("2026-11-24T18:00:00Z"))
    datetime.date(2026, 11, 25)
    """
    return moment.astimezone(COUNTY_TIME).date()


def first_day(moment: datetime) -> date:
    """The first day that begins at a moment or after it.

    >>> midnight = datetime(2026, 11, 24, tzinfo=COUNTY_TIME)
    >>> first_day(midnight), first_day(midnight + timedelta(hours=9))
    (datetime.date(2026, 11, 24), datetime.date(2026, 11, 25))
    """
    local = moment.astimezone(COUNTY_TIME)
    begun = local.timetz().replace(tzinfo=None) > time()
    return local.date() + timedelta(days=1 if begun else 0)


def last_day(moment: datetime) -> date:
    """The last day that something ending at a moment has a part in.

    >>> midnight = datetime(2026, 11, 24, tzinfo=COUNTY_TIME)
    >>> last_day(midnight), last_day(midnight + timedelta(hours=9))
    (datetime.date(2026, 11, 23), datetime.date(2026, 11, 24))
    """
    return (moment.astimezone(COUNTY_TIME) - timedelta(microseconds=1)).date()


def days_between(starts_at: datetime, ends_at: datetime) -> int:
    """How many days a period has for visits; 0 where it holds none."""
    return max(0, (last_day(ends_at) - first_day(starts_at)).days + 1)
