"""Scalars of the graph, and the two small types for amounts: money and quantity."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import NewType

import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition

from marketplace.domain.errors import Text

INT64_MAX = 2**63 - 1
INT64_MIN = -(2**63)

BigInt = NewType("BigInt", int)

_WHOLE = re.compile(r"-?[0-9]{1,400}")
_RFC3339 = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


NO_TIME = Text(
    "DateTime must be RFC 3339 text with a time zone, such as 2026-11-24T08:00:00Z.",
    "DateTime 须为带时区的 RFC 3339 文本，例如 2026-11-24T08:00:00Z。",
)
NO_SUCH_TIME = Text("DateTime names a moment that does not exist.", "DateTime 所示时刻不存在。")
NO_DATE = Text("Date must be text such as 2026-11-24.", "Date 须为文本，例如 2026-11-24。")
NO_SUCH_DATE = Text("Date names a day that does not exist.", "Date 所示日期不存在。")
NOT_WHOLE = Text(
    'BigInt must be a whole number, best as text, such as "12000".',
    'BigInt 须为整数，建议以文本填写，例如 "12000"。',
)
OUT_OF_BOUNDS = Text(
    f"BigInt must lie between {INT64_MIN} and {INT64_MAX}.",
    f"BigInt 须在 {INT64_MIN} 至 {INT64_MAX} 之间。",
)
# A scalar does not know the client's language: it refuses in English, which is replaced later.
REFUSALS = (NO_TIME, NO_SUCH_TIME, NO_DATE, NO_SUCH_DATE, NOT_WHOLE, OUT_OF_BOUNDS)


def write_time(value: datetime | str) -> str:
    """A moment as RFC 3339 in UTC, ending in Z; text is passed on, since it was written by us."""
    if isinstance(value, str):
        return value
    if value.tzinfo is None:
        raise ValueError("A time needs its zone.")
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def read_time(value: object) -> datetime:
    """A moment from RFC 3339 text with its zone, as aware UTC."""
    if not isinstance(value, str) or not _RFC3339.fullmatch(value):
        raise GraphQLError(NO_TIME.en)
    try:
        return datetime.fromisoformat(_at_most_microseconds(value.upper())).astimezone(UTC)
    except (ValueError, OverflowError):
        raise GraphQLError(NO_SUCH_TIME.en) from None


def write_date(value: date | str) -> str:
    return value if isinstance(value, str) else value.isoformat()


def read_date(value: object) -> date:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise GraphQLError(NO_DATE.en)
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise GraphQLError(NO_SUCH_DATE.en) from None


def write_big_int(value: int | str) -> str:
    return str(value)


def read_big_int(value: object) -> int:
    """A whole number of 64 bits, from text or from a JSON integer."""
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        # Longer than any number of 64 bits: not read, only known to be too large.
        value = int(value) if len(value) <= 20 else INT64_MAX + 1
    if not isinstance(value, int) or isinstance(value, bool):
        raise GraphQLError(NOT_WHOLE.en)
    if not INT64_MIN <= value <= INT64_MAX:
        raise GraphQLError(OUT_OF_BOUNDS.en)
    return value


def _at_most_microseconds(text: str) -> str:
    return re.sub(r"(\.\d{6})\d+", r"\1", text)


SCALARS: dict[object, ScalarDefinition] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="A moment as RFC 3339 text in UTC, such as 2026-11-24T08:00:00Z.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
        serialize=write_time,
        parse_value=read_time,
    ),
    date: strawberry.scalar(
        name="Date",
        description="A calendar day of the county's time zone as ISO 8601 text: 2026-11-24.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3339#section-5.6",
        serialize=write_date,
        parse_value=read_date,
    ),
    BigInt: strawberry.scalar(
        name="BigInt",
        description=(
            "A whole number of 64 bits as text, since JavaScript's numbers are exact only up to "
            "2^53. Input may be text or a JSON integer."
        ),
        specified_by_url="https://262.ecma-international.org/11.0/#sec-bigint-objects",
        serialize=write_big_int,
        parse_value=read_big_int,
    ),
}


@strawberry.type(description="An amount of money, in the currency's smallest unit.")
class Money:
    amount: BigInt = strawberry.field(description="In the smallest unit: fen for CNY.")
    currency: str = strawberry.field(description="ISO 4217 code, such as CNY.", default="CNY")


@strawberry.type(description="How much of something, counted in whole units.")
class Quantity:
    value: BigInt = strawberry.field(description="How many whole units.")
    unit: str = strawberry.field(description="The category's unit, such as kg, piece or minute.")
