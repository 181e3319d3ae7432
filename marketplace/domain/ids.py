"""Opaque ids and human references: how a row's key looks from outside."""

from __future__ import annotations

import base64
import binascii

from marketplace.domain.errors import InvalidId

KEY_MAX = 2**63 - 1


def opaque_id(kind: str, key: int) -> str:
    """The id under which the outside knows a row.

    >>> opaque_id("Offer", 7)
    'T2ZmZXI6Nw'
    """
    # Letters, digits and a colon never give "+" or "/", so the plain alphabet is the safe one, too;
    # lists make thousands of these.
    return binascii.b2a_base64(f"{kind}:{key}".encode(), newline=False).rstrip(b"=").decode()


def parse_id(text: str) -> tuple[str, int]:
    """Kind and key behind an opaque id. Raises InvalidId for anything this house never gave out.

    >>> parse_id("T2ZmZXI6Nw")
    ('Offer', 7)
    """
    if not 0 < len(text) <= 128:
        raise InvalidId(text)
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        kind, _, digits = raw.decode("ascii").partition(":")
    except (binascii.Error, UnicodeError, ValueError):
        raise InvalidId(text) from None
    if not (kind.isalpha() and digits.isascii() and digits.isdigit() and len(digits) <= 19):
        raise InvalidId(text)
    key = int(digits)
    # Only the one canonical spelling is an id, so that caches and logs know each row by one name.
    if not 0 < key <= KEY_MAX or opaque_id(kind, key) != text.rstrip("="):
        raise InvalidId(text)
    return kind, key


def key_of(kind: str, text: str) -> int:
    """The row key of an opaque id of a given kind. Raises InvalidId if it is of another kind."""
    found, key = parse_id(text)
    if found != kind:
        raise InvalidId(text)
    return key


def reference(letter: str, year: int, key: int) -> str:
    """The number printed on papers.

    >>> reference("O", 2026, 123)
    'O-2026-000123'
    """
    return f"{letter}-{year}-{key:06d}"
