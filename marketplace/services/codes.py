"""One-time codes: six digits that prove who was told them, kept only as a keyed digest.

Try a code with `attempt` first, in a transaction of its own, so that a wrong guess counts even
where the act that it was for is refused; then `use` it up inside the act.
"""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta

from marketplace.domain.errors import Conflict
from marketplace.domain.messages import CODES_PER_HOUR_MAX, CodePurpose, new_code
from marketplace.persistence import codes
from marketplace.persistence.crypto import Sealer
from marketplace.persistence.database import Database, Writing

HOUR = timedelta(hours=1)
KEPT_FOR = timedelta(days=30)  # after its end, for who looks into what happened


async def issue(
    db: Writing,
    sealer: Sealer,
    *,
    purpose: CodePurpose,
    subject_id: int,
    now: datetime,
    valid_for: timedelta,
) -> str:
    """A new code for a subject, to be sent and then forgotten; the one before is good no more.

    Raises Conflict (TOO_MANY) where too many were made within an hour, or two at once.
    """
    made = await codes.issued_since(db, purpose=purpose, subject_id=subject_id, since=now - HOUR)
    code = new_code()
    if made >= CODES_PER_HOUR_MAX or not await codes.replace(
        db,
        purpose=purpose,
        subject_id=subject_id,
        digest=_digest(sealer, purpose, subject_id, code),
        now=now,
        expires_at=now + valid_for,
    ):
        raise Conflict.of(
            "id",
            "Too many codes were asked for. Use the last one, or wait an hour.",
            "验证码请求过于频繁，请使用最近一次的验证码，或一小时后再试。",
            code="TOO_MANY",
        )
    return code


async def attempt(
    database: Database, sealer: Sealer, *, purpose: CodePurpose, subject_id: int, code: str
) -> bool:
    """Whether the code is right; each call counts, and after five there is no right one.

    A transaction of its own: call it before, never inside, the one of the act.
    """
    async with database.write() as db:
        digest = await codes.count_try(
            db, purpose=purpose, subject_id=subject_id, now=database.now()
        )
    given = _digest(sealer, purpose, subject_id, code)
    return digest is not None and hmac.compare_digest(digest, given)


async def use(
    db: Writing, sealer: Sealer, *, purpose: CodePurpose, subject_id: int, code: str, now: datetime
) -> bool:
    """Use a code up, in the transaction of what it allows; False if it is not good any more."""
    digest = _digest(sealer, purpose, subject_id, code)
    return await codes.use(db, purpose=purpose, subject_id=subject_id, digest=digest, now=now)


async def forget(database: Database) -> int:
    """Delete codes that ran out long ago; how many. A chore."""
    async with database.write() as db:
        return await codes.forget_before(db, database.now() - KEPT_FOR)


def _digest(sealer: Sealer, purpose: CodePurpose, subject_id: int, code: str) -> str:
    return sealer.blind_index(code.strip(), place=f"one_time_codes.{purpose}.{subject_id}")
