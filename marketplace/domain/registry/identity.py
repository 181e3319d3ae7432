"""The resident identity number (GB 11643): eighteen places, a birthday inside, a check digit."""

from __future__ import annotations

import re
import unicodedata
from datetime import date

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECKS = "10X98765432"
# Phones and identity numbers, however they are spaced: "138 0013 8000", "138-0013-8000".
NUMBER_OF_SOMEBODY = re.compile(r"\d(?:[\s().·/‐-―－-]{0,3}\d){6}")
# What looks alike and is of nobody: a reference, a date, a span of years.
NUMBER_OF_NOBODY = re.compile(
    r"(?<!\w)[A-Z]-\d{4}-\d{6,}(?!\d)"
    r"|(?<!\d)(?<!\d[-/. ])(?:19|20)\d{2}[-/.]"
    r"(?:\d{1,2}[-/.]\d{1,2}|(?:19|20)\d{2})(?![-/. ]?\d)",
    re.ASCII,
)


def check_digit(first_17: str) -> str:
    """The eighteenth place.

    >>> check_digit("11010519491231002")
    'X'
    """
    total = sum(weight * int(digit) for weight, digit in zip(WEIGHTS, first_17, strict=True))
    return CHECKS[total % 11]


def born_on(number: str) -> date | None:
    """The birthday in a number that is well formed; None for one that is not.

    number   as `compact` leaves it: no spaces, a capital X

    >>> born_on("11010519491231002X"), born_on("110105194912310021")
    (datetime.date(1949, 12, 31), None)
    """
    first, last = number[:17], number[17:]
    if not (first.isascii() and first.isdigit() and len(first) == 17):
        return None
    if last != check_digit(first):
        return None
    try:
        return date(int(first[6:10]), int(first[10:12]), int(first[12:14]))
    except ValueError:
        return None


def compact(number: str) -> str:
    """A number without spaces and hyphens, in plain ASCII forms and capitals.

    >>> compact(" １３８-0000 ００００x")
    '13800000000X'
    """
    folded = unicodedata.normalize("NFKC", number).upper()
    return "".join(c for c in folded if not c.isspace() and unicodedata.category(c) != "Pd")


def has_number_of_somebody(text: str) -> bool:
    """Whether a text that is kept in the open has what looks like a phone or identity number.

    >>> has_number_of_somebody("138 0013 8000"), has_number_of_somebody("H-2026-000123")
    (True, False)
    """
    return NUMBER_OF_SOMEBODY.search(NUMBER_OF_NOBODY.sub("…", text)) is not None
