"""Periods of services: the minutes that an offer gives, and the days that it has to give them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from marketplace.domain.checks import fault, within
from marketplace.domain.days import days_between
from marketplace.domain.errors import Fault
from marketplace.domain.registry.categories import CategoryKind

VISITS_PER_DAY_MAX = 10_000
MINUTES_A_DAY = 1_440


def service_faults(
    kind: CategoryKind,
    *,
    minutes: int,
    visits_per_day: int | None,
    period: tuple[datetime | None, datetime | None],
    now: datetime,
) -> Iterator[Fault]:
    """What keeps an offer from being minutes of a service in a period (start, end), visit by visit.

    Of goods and cash, that it says how many visits.
    """
    if kind is not CategoryKind.SERVICE:
        if visits_per_day is not None:
            yield fault(
                "visits_per_day",
                "INVALID",
                "Only services have visits. Leave it out, or offer a service.",
                "仅服务类供给有每日上门次数，请留空或改为服务。",
            )
        return
    if visits_per_day is not None:
        yield from within("visits_per_day", visits_per_day, 1, VISITS_PER_DAY_MAX)
    starts_at, ends_at = max(period[0] or now, now), period[1]
    if ends_at is None:
        yield fault(
            "expires_at",
            "REQUIRED",
            "A service is offered within a period: say until when.",
            "服务须在一定期间内提供，请填写截止时间。",
        )
        return
    days = days_between(starts_at, ends_at)
    if days == 0 and ends_at > starts_at:
        yield fault(
            "expires_at",
            "TOO_SOON",
            "This period holds no whole day for a visit. Set a later end.",
            "该期间内没有可上门的完整日期，请推迟截止时间。",
        )
    elif days and visits_per_day is not None and visits_per_day > 0:
        yield from _minutes_faults(minutes, visits_per_day, days)


def _minutes_faults(minutes: int, visits_per_day: int, days: int) -> Iterator[Fault]:
    most = visits_per_day * days * MINUTES_A_DAY
    if minutes > most:
        yield fault(
            "quantity",
            "TOO_LARGE",
            f"{days} days of {visits_per_day} visits hold at most {most} minutes. Check the "
            "number: services are offered in minutes.",
            f"{days} 天、每天 {visits_per_day} 次上门最多 {most} 分钟；服务以分钟计，请核对数量。",
        )
