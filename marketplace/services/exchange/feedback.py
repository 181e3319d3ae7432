"""Feedback and complaints: filing them, and what becomes of them until they are closed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from marketplace.domain.days import county_day
from marketplace.domain.errors import Forbidden, InvalidInput, NotFound, Text
from marketplace.domain.exchange.feedback import (
    NOUN,
    FeedbackFrom,
    FeedbackKind,
    FeedbackStatus,
    Standing,
    check_feedback_move,
    check_text,
    competent,
    may_touch,
    policy_on,
    side_of,
)
from marketplace.domain.exchange.results import Desk
from marketplace.domain.ids import reference
from marketplace.domain.moves import check_version
from marketplace.domain.permissions import Role, Viewer
from marketplace.persistence.crypto import Sealer, new_seal_id
from marketplace.persistence.database import Database, Reading, Row
from marketplace.persistence.exchange import facts, feedback
from marketplace.services import messages
from marketplace.services.acting import Act, Turn, once, record
from marketplace.services.exchange.reach import in_reach, in_scope

LETTER = "F"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitFeedback:
    """What somebody has to say.

    household_id    whose it is, where an officer writes it down; a household's own needs none
    result_id       what it is about, where it is about one
    desk            who is to reply; none: as the rules say
    """

    kind: FeedbackKind
    text: str
    household_id: int | None = None
    result_id: int | None = None
    desk: Desk | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveFeedback:
    """One step; `text` is the reply, or why it is taken up again."""

    feedback_id: int
    text: str | None = None
    desk: Desk | None = None
    expected_version: int | None = None


async def submit(database: Database, act: Act, sealer: Sealer, command: SubmitFeedback) -> int:
    """File feedback for one's household, a household of one's region, or one's organization.

    Its key. Raises InvalidInput, Conflict for an officer's own household, NotFound for a household
    or result that is not the viewer's to speak of.
    """
    async with once(database, act, "feedbackSubmit") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["feedback"]))
        check_text("text", command.text)
        side = side_of(act.viewer.role)
        whose = await _whose(turn, act.viewer, side, command)
        whose["filed_by"] = act.viewer.account_id
        feedback_id = await file(turn, database, sealer, command, side, whose, database.now())
        turn.outcome = {"feedback": feedback_id}
        return feedback_id


async def file(
    turn: Turn,
    database: Database,
    sealer: Sealer,
    command: SubmitFeedback,
    side: FeedbackFrom,
    whose: Mapping[str, object],
    now: datetime,
) -> int:
    """Write down what was found good, in the transaction at hand, with its day; its key.

    whose    columns that say whose it is, of which region, and by which account
    """
    seal_id = new_seal_id()
    desk = competent(
        command.kind, side, of_result=command.result_id is not None, asked=command.desk
    )
    values = {
        **whose,
        "from_side": side,
        "result_id": command.result_id,
        "kind": command.kind,
        "desk": desk,
        "status": FeedbackStatus.OPEN,
        "seal_id": seal_id,
        "text_sealed": sealer.seal(command.text.strip(), place=feedback.TEXT, seal_id=seal_id),
        "filed_at": now,
        "due_at": policy_on(county_day(now)).due(command.kind, now),
    }
    feedback_id = await feedback.add(turn.db, values)
    told = {"feedbackKind": command.kind, "from": side, "desk": desk}
    await record(turn, database, "feedback.submitted", "Feedback", feedback_id, **told)
    return feedback_id


async def answer(database: Database, act: Act, sealer: Sealer, command: MoveFeedback) -> int:
    """Reply, as the competent desk; its key. A household with a phone is told that there is one."""
    async with once(database, act, "feedbackAnswer") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["feedback"]))
        row = await _for_move(turn, "feedbackAnswer", command)
        check_text("text", command.text or "")
        now = database.now()
        reply = (command.text or "").strip()
        values = {
            "status": FeedbackStatus.ANSWERED,
            "reply_sealed": sealer.seal(reply, place=feedback.REPLY, seal_id=row["seal_id"]),
            "answered_by": act.viewer.account_id,
            "answered_at": now,
        }
        await feedback.change(turn.db, [row["id"]], values)
        if row["household_id"] is not None:
            await messages.to_household(
                turn.db,
                sealer,
                household_id=row["household_id"],
                text=_answered(reference(LETTER, row["filed_at"].year, row["id"])),
                kind="feedback.answered",
                now=now,
            )
        in_time = now <= row["due_at"]
        await _done(turn, database, "feedback.answered", row, {"inTime": in_time})
        return int(row["id"])


async def forward(database: Database, act: Act, command: MoveFeedback) -> int:
    """Pass it on to the desk that is competent; the day by which to reply stays. Its key."""
    async with once(database, act, "feedbackForward") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["feedback"]))
        row = await _for_move(turn, "feedbackForward", command)
        if command.desk is None or command.desk == row["desk"]:
            raise InvalidInput.of(
                "desk", "Choose another desk than the one that has it.", "请选择其他单位。"
            )
        # The next desk has not been late yet.
        moved = {"desk": command.desk, "escalated_at": None}
        await feedback.change(turn.db, [row["id"]], moved)
        told = {"from": row["desk"], "to": command.desk}
        await _done(turn, database, "feedback.forwarded", row, told)
        return int(row["id"])


async def reopen(database: Database, act: Act, sealer: Sealer, command: MoveFeedback) -> int:
    """Say why the reply does not do; the desk has its days again. Its key."""
    async with once(database, act, "feedbackReopen") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["feedback"]))
        row = await _for_move(turn, "feedbackReopen", command)
        check_text("text", command.text or "")
        now, seal_id = database.now(), row["seal_id"]
        before = sealer.open(row["text_sealed"], place=feedback.TEXT, seal_id=seal_id)
        replied = sealer.open(row["reply_sealed"], place=feedback.REPLY, seal_id=seal_id)
        whole = f"{before}\n\n> {replied}\n\n{(command.text or '').strip()}"
        values = {
            "status": FeedbackStatus.OPEN,
            "text_sealed": sealer.seal(whole, place=feedback.TEXT, seal_id=seal_id),
            "due_at": policy_on(county_day(now)).due(FeedbackKind(row["kind"]), now),
            "escalated_at": None,
            "reopened": row["reopened"] + 1,
        }
        await feedback.change(turn.db, [row["id"]], values)
        await _done(turn, database, "feedback.reopened", row, {"times": row["reopened"] + 1})
        return int(row["id"])


async def close(database: Database, act: Act, command: MoveFeedback) -> int:
    """Say that the reply does, as who filed it. Its key."""
    async with once(database, act, "feedbackClose") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["feedback"]))
        row = await _for_move(turn, "feedbackClose", command)
        closed = {
            "status": FeedbackStatus.CLOSED,
            "closed_at": database.now(),
            "closed_by": act.viewer.account_id,
        }
        await feedback.change(turn.db, [row["id"]], closed)
        await _done(turn, database, "feedback.closed", row, {})
        return int(row["id"])


async def standing(db: Reading, viewer: Viewer, row: Row) -> Standing:
    """What the rules ask of feedback and of this viewer toward it."""
    own_household = await facts.household_of(db, viewer.account_id)
    own = (
        row["filed_by"] == viewer.account_id
        or (own_household is not None and own_household == row["household_id"])
        or (viewer.organization_id is not None and viewer.organization_id == row["organization_id"])
    )
    return Standing(
        status=FeedbackStatus(row["status"]),
        desk=Desk(row["desk"]),
        is_own=own,
        reopened=row["reopened"],
    )


def may_see(viewer: Viewer, row: Row, found: Standing) -> bool:
    """As the graph's rule of who sees feedback."""
    if found.is_own or viewer.role is Role.AUDITOR:
        return True
    mine = {
        Role.TOWNSHIP_OFFICER: {Desk.TOWNSHIP},
        Role.ASSISTANCE_OFFICER: {Desk.TOWNSHIP, Desk.ASSISTANCE},
        Role.CHARITY_OFFICER: {Desk.CHARITY},
    }
    return found.desk in mine.get(viewer.role, set()) and in_scope(viewer, row["tree_low"])


async def _whose(
    turn: Turn, viewer: Viewer, side: FeedbackFrom, command: SubmitFeedback
) -> dict[str, object]:
    """Columns that say whose it is. Raises NotFound, Conflict, InvalidInput, Forbidden."""
    about = None
    if command.result_id is not None:
        about = await feedback.result_parties(turn.db, command.result_id)
        if about is None:
            raise NotFound
    if side is FeedbackFrom.PROVIDER:
        if viewer.organization_id is None:
            raise Forbidden
        if about is not None and viewer.organization_id not in (
            about["organization_id"],
            about["delivered_by_id"],
        ):
            raise NotFound
        region_id = await feedback.region_of_organization(turn.db, viewer.organization_id)
        return {"organization_id": viewer.organization_id, "region_id": region_id}
    household_id = command.household_id
    if viewer.role is Role.APPLICANT:
        household_id = household_id or await facts.household_of(turn.db, viewer.account_id)
    if household_id is None:
        raise InvalidInput.of(
            "household_id", "Say whose feedback this is.", "请填写反馈所属家庭。", code="REQUIRED"
        )
    place = await facts.household(turn.db, household_id)
    await in_reach(turn.db, viewer, place)
    assert place is not None, "what is not there is out of reach"
    if about is not None and about["household_id"] != household_id:
        raise NotFound
    return {"household_id": household_id, "region_id": place["region_id"]}


async def _for_move(turn: Turn, move: str, command: MoveFeedback) -> Row:
    """The row, locked, if the viewer may move it so. Raises NotFound, Forbidden, Conflict."""
    viewer = turn.act.viewer
    row = await feedback.lock(turn.db, command.feedback_id)
    if row is None:
        raise NotFound
    found = await standing(turn.db, viewer, row)
    if not may_see(viewer, row, found):
        raise NotFound
    if not may_touch(viewer, move, found):
        raise Forbidden
    check_feedback_move(move, viewer, found)
    check_version(NOUN, command.expected_version, row["version"])
    return row


async def _done(
    turn: Turn, database: Database, kind: str, row: Row, told: dict[str, object]
) -> None:
    await record(turn, database, kind, "Feedback", row["id"], **told)
    turn.outcome = {"feedback": row["id"]}


def _answered(number: str) -> Text:
    return Text(
        f"Your feedback {number} was answered. Read it by this number and a code, or ask your "
        "township office.",
        f"您提交的反馈 {number} 已有答复，可凭编号和验证码查看，或向乡镇民政所查询。",
    )
