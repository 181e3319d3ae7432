"""Feedback of a household without an account: by a printed number and a code sent to its phone.

Whatever is asked, the answer tells nobody which numbers or phones there are.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from marketplace.domain.errors import Conflict, Text
from marketplace.domain.exchange.feedback import (
    FeedbackFrom,
    FeedbackKind,
    FeedbackStatus,
    check_text,
)
from marketplace.domain.ids import reference
from marketplace.domain.messages import CodePurpose
from marketplace.domain.permissions import require
from marketplace.domain.registry.applications import TriesOf
from marketplace.persistence.crypto import Sealer
from marketplace.persistence.database import Database, Reading, Row
from marketplace.persistence.exchange import feedback
from marketplace.persistence.registry import households
from marketplace.services import codes, messages
from marketplace.services.acting import Act, once
from marketplace.services.exchange.feedback import LETTER, SubmitFeedback, file
from marketplace.services.registry.applications import spend

RESULT_LETTER = "J"
NUMBER = re.compile(rf"({RESULT_LETTER}|{LETTER})-(\d{{4}})-(\d{{6,18}})", re.ASCII)
CODE_VALID_FOR = timedelta(minutes=30)
CODE_LENGTH_MAX = 20
NUMBER_LENGTH_MAX = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitByCode:
    """`number`: of a result of the household, as it stands on its slip."""

    number: str
    code: str
    kind: FeedbackKind
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """How feedback stands, for whoever holds its number and the code."""

    number: str
    status: FeedbackStatus
    filed_at: datetime
    due_at: datetime
    reply: str | None


async def request_code(
    database: Database, act: Act, sealer: Sealer, number: str, phone: str, *, address: str
) -> None:
    """Send a code to a household's phone, where it and the number fit; else do nothing, as quietly.

    number    of a result to speak of, or of feedback to follow. Raises RateLimited.
    """
    require(act.viewer, "feedbackCodeRequest")
    number, phone = number.strip()[:NUMBER_LENGTH_MAX], phone[:NUMBER_LENGTH_MAX]
    await spend(database, sealer, TriesOf.CODE_ADDRESS, address)
    await spend(database, sealer, TriesOf.CODE_REFERENCE, number)
    now, given = database.now(), households.phone_index(sealer, phone)
    async with database.write() as db:
        row = await _of_number(db, number)
        if row is None or not hmac.compare_digest(row["phone_index"] or "", given):
            return
        try:
            code = await codes.issue(
                db,
                sealer,
                purpose=CodePurpose.FEEDBACK,
                subject_id=row["household_id"],
                now=now,
                valid_for=CODE_VALID_FOR,
            )
        except Conflict:
            return  # too many were made; to say so would say that it is there
        await messages.to_household(
            db,
            sealer,
            household_id=row["household_id"],
            text=_code_told(number, code),
            kind="feedback.code",
            now=now,
        )


async def submit(
    database: Database, act: Act, sealer: Sealer, command: SubmitByCode, *, address: str
) -> str:
    """File a household's feedback about a result of its own; the number to follow it by.

    Raises InvalidInput, Conflict (CODE_INVALID) where number and code do not belong together,
    RateLimited.
    """
    require(act.viewer, "feedbackSubmitByCode")
    check_text("text", command.text)
    row = await _proven(database, sealer, command.number, command.code, address)
    if row is None or row["result_id"] is None:
        raise _wrong_code()
    async with once(database, act, "feedbackSubmitByCode") as turn:
        now = database.now()
        used = await codes.use(
            turn.db,
            sealer,
            purpose=CodePurpose.FEEDBACK,
            subject_id=row["household_id"],
            code=command.code[:CODE_LENGTH_MAX],
            now=now,
        )
        if not used:
            raise _wrong_code()
        said = SubmitFeedback(kind=command.kind, text=command.text, result_id=row["result_id"])
        whose = {
            "household_id": row["household_id"],
            "region_id": row["region_id"],
            "filed_by": None,  # a code on its phone is no account
        }
        feedback_id = await file(turn, database, sealer, said, FeedbackFrom.HOUSEHOLD, whose, now)
        return reference(LETTER, now.year, feedback_id)


async def follow(
    database: Database, act: Act, sealer: Sealer, number: str, code: str, *, address: str
) -> Followed | None:
    """How feedback stands, with the reply; None where number and code do not belong together.

    A code is good for five looks. Raises RateLimited.
    """
    require(act.viewer, "feedbackStatus")
    row = await _proven(database, sealer, number, code, address)
    if row is None or row["feedback_id"] is None:
        return None
    async with database.read() as db:
        found = await feedback.find(db, row["feedback_id"])
    assert found is not None, "it was there a moment ago"
    sealed = found["reply_sealed"]
    return Followed(
        number=number.strip(),
        status=FeedbackStatus(found["status"]),
        filed_at=found["filed_at"],
        due_at=found["due_at"],
        reply=None
        if sealed is None
        else sealer.open(sealed, place=feedback.REPLY, seal_id=found["seal_id"]),
    )


async def _proven(
    database: Database, sealer: Sealer, number: str, code: str, address: str
) -> Row | None:
    """What a number is of, if the code is its household's; each guess counts, and looks alike."""
    await spend(database, sealer, TriesOf.STATUS_ADDRESS, address)
    async with database.read() as db:
        row = await _of_number(db, number.strip()[:NUMBER_LENGTH_MAX])
    is_right = await codes.attempt(
        database,
        sealer,
        purpose=CodePurpose.FEEDBACK,
        subject_id=row["household_id"] if row is not None else 0,
        code=code[:CODE_LENGTH_MAX],
    )
    return row if is_right else None


async def _of_number(db: Reading, number: str) -> Row | None:
    """The household, and the result or the feedback, that a printed number is of."""
    fits = NUMBER.fullmatch(number)
    if fits is None:
        return None
    row = (
        await feedback.household_of_result(db, int(fits[3]))
        if fits[1] == RESULT_LETTER
        else await feedback.household_of_feedback(db, int(fits[3]))
    )
    return row if row is not None and str(row["at"].year) == fits[2] else None


def _wrong_code() -> Conflict:
    return Conflict.of(
        "code",
        "Number and code do not belong together, or the code is no longer good. Ask for another.",
        "编号与验证码不符，或验证码已失效，请重新获取。",
        code="CODE_INVALID",
    )


def _code_told(number: str, code: str) -> Text:
    minutes = int(CODE_VALID_FOR.total_seconds() // 60)
    return Text(
        f"Your code for feedback on {number}: {code}. Good for {minutes} minutes.",
        f"反馈 {number} 的验证码：{code}，{minutes} 分钟内有效，请勿告知他人。",
    )
