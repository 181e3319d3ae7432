"""Following an application without an account: by its reference and a code sent to the phone.

Whatever is asked, the answer tells nobody which references or phones there are: a wrong one costs
as much as a right one, and looks the same.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from marketplace.domain.errors import Conflict, NotFound, Text
from marketplace.domain.events import Event
from marketplace.domain.messages import CodePurpose
from marketplace.domain.permissions import Role, require
from marketplace.domain.registry.applications import LETTER, TriesOf
from marketplace.persistence import events
from marketplace.persistence.crypto import Sealer
from marketplace.persistence.database import Database, Reading, Row
from marketplace.persistence.registry import applications, households
from marketplace.services import codes, messages
from marketplace.services.acting import Act
from marketplace.services.registry.applications import Submitted, opened, spend
from marketplace.services.registry.households import within
from marketplace.services.registry.personal_data import purpose_said

REFERENCE = re.compile(rf"{LETTER}-(\d{{4}})-(\d{{6,18}})", re.ASCII)
CODE_VALID_FOR = timedelta(minutes=30)
CODE_LENGTH_MAX = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """How an application stands, for whoever holds its reference and the code."""

    reference: str
    status: str
    submitted_at: datetime
    handled_at: datetime | None
    why: str | None
    reason: str | None


async def request_code(
    database: Database, act: Act, sealer: Sealer, reference: str, phone: str, *, address: str
) -> None:
    """Send a code to the phone of an application, where both fit; else do nothing, as quietly.

    Raises RateLimited by address and by reference, whatever they are.
    """
    require(act.viewer, "applicationCodeRequest")
    reference, phone = reference.strip()[:40], phone[:40]
    await spend(database, sealer, TriesOf.CODE_ADDRESS, address)
    await spend(database, sealer, TriesOf.CODE_REFERENCE, reference)
    now = database.now()
    given = households.phone_index(sealer, phone)
    async with database.write() as db:
        row = await _of_reference(db, reference)
        if row is None or not hmac.compare_digest(row["phone_index"] or "", given):
            return
        try:
            code = await codes.issue(
                db,
                sealer,
                purpose=CodePurpose.APPLICATION_FOLLOW,
                subject_id=row["id"],
                now=now,
                valid_for=CODE_VALID_FOR,
            )
        except Conflict:
            return  # too many were made; to say so would say that it is there
        minutes = int(CODE_VALID_FOR.total_seconds() // 60)
        text = Text(
            f"Your code to follow {reference}: {code}. Good for {minutes} minutes.",
            f"查询申请 {reference} 的验证码：{code}，{minutes} 分钟内有效，请勿告知他人。",
        )
        clear = opened(sealer, row).phone
        kind = "application.code"
        await messages.to_phone(db, sealer, phone=clear, text=text, kind=kind, now=now)


async def follow(
    database: Database, act: Act, sealer: Sealer, reference: str, code: str, *, address: str
) -> Followed | None:
    """How an application stands; None where reference and code do not belong together.

    A code is good for five looks. Raises RateLimited by address.
    """
    require(act.viewer, "applicationStatus")
    reference = reference.strip()[:40]
    await spend(database, sealer, TriesOf.STATUS_ADDRESS, address)
    async with database.read() as db:
        row = await _of_reference(db, reference)
    is_right = await codes.attempt(
        database,
        sealer,
        purpose=CodePurpose.APPLICATION_FOLLOW,
        subject_id=row["id"] if row is not None else 0,
        code=code[:CODE_LENGTH_MAX],
    )
    if row is None or not is_right:
        return None
    return Followed(
        reference=reference,
        status=row["status"],
        submitted_at=row["created_at"],
        handled_at=row["handled_at"],
        why=row["reject_reason"],
        reason=opened(sealer, row).reason or None,
    )


async def details(
    database: Database, act: Act, sealer: Sealer, application_id: int, purpose: str
) -> Submitted:
    """What was submitted, in the clear; who read it and why is written in the same transaction.

    Raises Unauthenticated or Forbidden by role, NotFound outside the viewer's scope, InvalidInput.
    """
    require(act.viewer, "applicationDetails")
    purpose = purpose_said(purpose)
    async with database.write() as db:
        row = await applications.found(db, application_id)
        is_auditor = act.viewer.role is Role.AUDITOR
        if row is None or not (is_auditor or within(act.viewer, row["region_low"])):
            raise NotFound
        await events.append(
            db,
            Event(
                kind="application.viewed",
                at=database.now(),
                entity="Application",
                entity_id=application_id,
                account_id=act.viewer.account_id,
                data={"purpose": purpose, "role": act.viewer.role},
                request_id=act.request_id,
            ),
        )
    return opened(sealer, row)


async def _of_reference(db: Reading, reference: str) -> Row | None:
    """The application that a printed number is of."""
    fits = REFERENCE.fullmatch(reference)
    if fits is None:
        return None
    row = await applications.found(db, int(fits[2]))
    return row if row is not None and str(row["created_at"].year) == fits[1] else None
