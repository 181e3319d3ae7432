"""The code on a donation's receipt: made of the row, so that only its digest is kept."""

from __future__ import annotations

from marketplace.persistence.crypto import Sealer

LENGTH = 12
ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # 32, without what is read amiss


def trace_code(sealer: Sealer, seal_id: str) -> str:
    """Sixty bits that nobody guesses, the same again for whoever repeats the request."""
    number = int(sealer.blind_index(seal_id, place="donations.trace_code"), 16)
    return "".join(ALPHABET[(number >> (5 * place)) & 31] for place in range(LENGTH))


def code_digest(sealer: Sealer, code: str) -> str:
    """What is kept of a code."""
    return sealer.blind_index(code.upper(), place="donations.trace")
