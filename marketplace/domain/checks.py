"""Checks that many nouns make of what a client sent; each yields the faults it finds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from marketplace.domain.errors import Fault, Text

QUANTITY_MAX = 10**12  # more than a year's rice of the county in grams; beyond is a typing error
REFERENCE_LENGTH_MAX = 64
YEARS_AWAY_MAX = timedelta(days=3_653)


def fault(name: str, code: str, en: str, zh: str) -> Fault:
    """A fault of one field; an empty name is the whole input."""
    return Fault((name,) if name else (), code, Text(en, zh))


def within(name: str, value: int, least: int, most: int) -> Iterator[Fault]:
    """A whole number lies in least..most.

    >>> [f.code for f in within("quantity", 0, 1, 10)]
    ['TOO_SMALL']
    """
    if value < least:
        yield fault(name, "TOO_SMALL", f"At least {least}.", f"不得小于 {least}。")
    elif value > most:
        yield fault(
            name,
            "TOO_LARGE",
            f"At most {most}. Check the number and the unit.",
            f"不得大于 {most}，请核对数字与单位。",
        )


def text(name: str, value: str, least: int, most: int) -> Iterator[Fault]:
    """A text has least..most characters, none of them a control character or a line break."""
    if len(value) < least:
        yield fault(name, "REQUIRED", f"At least {least} characters.", f"至少 {least} 个字符。")
    elif len(value) > most:
        yield fault(name, "TOO_LARGE", f"At most {most} characters.", f"最多 {most} 个字符。")
    if not value.isprintable():
        yield fault(
            name, "INVALID", "No control characters or line breaks.", "不得含控制字符或换行。"
        )


def near(name: str, moment: datetime | None, now: datetime) -> Iterator[Fault]:
    """A time is at most ten years away: beyond, someone mistyped the year."""
    if moment is not None and abs(moment - now) > YEARS_AWAY_MAX:
        yield fault(
            name,
            "INVALID",
            "This time is more than ten years away. Check the year.",
            "该时间与现在相差超过十年，请核对年份。",
        )
