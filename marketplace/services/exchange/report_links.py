"""Links to a plan's report: for a browser that cannot send a key, good for a short time."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from datetime import datetime, timedelta

from marketplace.domain.ids import reference
from marketplace.persistence.crypto import Sealer

GOOD_FOR = timedelta(minutes=30)
PLACE = "plans.report_link"
PASS_LENGTH_MAX = 128


def link(
    sealer: Sealer, *, plan_id: int, year: int, account_id: int, key_digest: str, now: datetime
) -> str:
    """Path and query of the report, for the holder of one key; it ends with the key, or in time.

    It carries the account and the time, signed together with plan and key, and no part of the key.
    """
    until = int((now + GOOD_FOR).timestamp())
    signed = _signature(sealer, plan_id, account_id, until, key_digest)
    number = reference("M", year, plan_id)
    return f"/plans/{number}/report?pass={account_id}.{until}.{signed}"


def account_of(passed: str, *, now: datetime) -> int | None:
    """The account that a pass says it is of; None where it is none, or no longer good.

    >>> account_of("7.9999999999.ab", now=datetime.fromisoformat("2026-11-24T00:00:00Z"))
    7
    """
    parts = passed.split(".") if len(passed) <= PASS_LENGTH_MAX else []
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts[:2]):
        return None
    account_id, until = int(parts[0]), int(parts[1])
    return account_id if now.timestamp() < until and account_id < 2**63 else None


def key_of_pass(sealer: Sealer, passed: str, *, plan_id: int, digests: Iterable[str]) -> str | None:
    """The digest, among those of the account's keys, that the pass was made for this plan with."""
    account_id, until, signed = passed.split(".")
    found = None
    for digest in digests:
        expected = _signature(sealer, plan_id, int(account_id), int(until), digest)
        if hmac.compare_digest(expected.encode(), signed.encode()):
            found = digest
    return found


def _signature(sealer: Sealer, plan_id: int, account_id: int, until: int, key_digest: str) -> str:
    return sealer.blind_index(f"{plan_id}/{account_id}/{until}/{key_digest}", place=PLACE)
