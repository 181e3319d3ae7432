"""A cell of a handed-in table, as people type it, turned into a value or a reason why not."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from marketplace.domain.errors import Text

GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?")
PLAIN = re.compile(r"[+-]?\d+(\.\d*)?([eE]\+?\d{1,2})?")
LIST_SEPARATORS = re.compile(r"[;；、|，]")


class BadCell(ValueError):
    """A cell that cannot be taken as what its column wants; `code` and `text` say why."""

    def __init__(self, code: str, text: Text) -> None:
        super().__init__(text.en)
        self.code = code
        self.text = text


def whole(cell: str, low: int, high: int) -> int:
    """A whole number: "1,000", "１２" and "5.0" are taken, "2.5", "5 kg" and "many" are not.

    Codes: REQUIRED, NOT_A_NUMBER, NOT_WHOLE, TOO_SMALL, TOO_LARGE.

    >>> whole("１,２00", 1, 10_000), whole("5.0", 1, 10), whole("1e3", 1, 10_000)
    (1200, 5, 1000)
    """
    typed = _number_text(cell)
    if not typed:
        raise BadCell("REQUIRED", Text("A number is wanted here.", "此处必须填写数字。"))
    if not PLAIN.fullmatch(typed):
        raise _not_a_number(cell)
    value = Decimal(typed)
    if value != value.to_integral_value():
        raise BadCell(
            "NOT_WHOLE",
            Text(f"'{_shown(cell)}' is not a whole number.", f"“{_shown(cell)}”不是整数。"),
        )
    return int(_within(value, low, high, cell))


def decimal(cell: str, low: int, high: int) -> float:
    """A number with or without decimals, in low..high. Codes as `whole`.

    >>> decimal("27.95", -90, 90)
    27.95
    """
    typed = _number_text(cell)
    if not typed:
        raise BadCell("REQUIRED", Text("A number is wanted here.", "此处必须填写数字。"))
    try:
        value = Decimal(typed)
    except InvalidOperation:
        raise _not_a_number(cell) from None
    if not value.is_finite() or "_" in typed:
        raise _not_a_number(cell)
    _within(value, low, high, cell)
    return float(value)


def items(cell: str) -> tuple[str, ...]:
    """A list in one cell, separated by ; or 、 or |, without repeats.

    >>> items("ELDERLY; DISABLED、ELDERLY")
    ('ELDERLY', 'DISABLED')
    """
    parts = (part.strip() for part in LIST_SEPARATORS.split(cell))
    return tuple(dict.fromkeys(part for part in parts if part))


def share(text: str) -> Fraction:
    """A share from 0 to 1 as 1/4, 0.25 or 25%. Raises ValueError.

    >>> share("25%"), share("1/3")
    (Fraction(1, 4), Fraction(1, 3))
    """
    typed = unicodedata.normalize("NFKC", text).strip()
    value = Fraction(typed[:-1]) / 100 if typed.endswith("%") else Fraction(typed)
    if not 0 <= value <= 1:
        raise ValueError(f"{text!r} is not between 0 and 1.")
    return value


def _number_text(cell: str) -> str:
    typed = unicodedata.normalize("NFKC", cell).strip()
    return typed.replace(",", "") if GROUPED.fullmatch(typed) else typed


def _within(value: Decimal, low: int, high: int, cell: str) -> Decimal:
    if value < low:
        raise BadCell(
            "TOO_SMALL",
            Text(f"{_shown(cell)} is less than {low:,}.", f"{_shown(cell)} 小于 {low:,}。"),
        )
    if value > high:
        raise BadCell(
            "TOO_LARGE",
            Text(f"{_shown(cell)} is more than {high:,}.", f"{_shown(cell)} 大于 {high:,}。"),
        )
    return value


def _not_a_number(cell: str) -> BadCell:
    return BadCell(
        "NOT_A_NUMBER",
        Text(f"'{_shown(cell)}' is not a number.", f"“{_shown(cell)}”不是数字。"),
    )


def _shown(cell: str) -> str:
    """What was typed, short and printable: it goes to a terminal and into a report."""
    kept = "".join(c if c.isprintable() else "?" for c in cell)
    return kept if len(kept) <= 40 else kept[:39] + "…"
