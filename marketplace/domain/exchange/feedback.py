"""Feedback and complaints: a household or a provider writes, the competent desk replies in time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from marketplace.domain.checks import fault
from marketplace.domain.errors import Conflict, Fault, InvalidInput, Text
from marketplace.domain.exchange.policies import in_force
from marketplace.domain.exchange.results import DESK_OF, Desk
from marketplace.domain.moves import Move, check_move, moves_from
from marketplace.domain.permissions import PROVIDERS, Role, Viewer

TEXT_LENGTH_MAX = 2_000
REOPENED_MAX = 2
NOUN = Text("feedback", "反馈")


class FeedbackKind(StrEnum):
    PRAISE = "PRAISE"
    SUGGESTION = "SUGGESTION"
    QUESTION = "QUESTION"
    COMPLAINT = "COMPLAINT"


class FeedbackFrom(StrEnum):
    HOUSEHOLD = "HOUSEHOLD"
    PROVIDER = "PROVIDER"


class FeedbackStatus(StrEnum):
    OPEN = "OPEN"
    ANSWERED = "ANSWERED"
    CLOSED = "CLOSED"


# The system closes what was answered and not taken up again within the policy's days, too.
MOVES: Mapping[str, Move[FeedbackStatus]] = {
    "feedbackAnswer": Move(before=frozenset({FeedbackStatus.OPEN}), after=FeedbackStatus.ANSWERED),
    "feedbackForward": Move(before=frozenset({FeedbackStatus.OPEN}), after=FeedbackStatus.OPEN),
    "feedbackReopen": Move(before=frozenset({FeedbackStatus.ANSWERED}), after=FeedbackStatus.OPEN),
    "feedbackClose": Move(before=frozenset({FeedbackStatus.ANSWERED}), after=FeedbackStatus.CLOSED),
}
BY_DESK = frozenset({"feedbackAnswer", "feedbackForward"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackPolicy:
    """Within how many days a desk replies, and how long a reply can be taken up again."""

    version: str
    valid_from: date
    reply_days: Mapping[FeedbackKind, int]
    close_after: timedelta

    def due(self, kind: FeedbackKind, filed_at: datetime) -> datetime:
        return filed_at + timedelta(days=self.reply_days[kind])


POLICIES = (
    FeedbackPolicy(
        version="feedback-2023",
        valid_from=date(2023, 1, 1),
        reply_days={
            FeedbackKind.COMPLAINT: 15,
            FeedbackKind.QUESTION: 10,
            FeedbackKind.SUGGESTION: 30,
            FeedbackKind.PRAISE: 30,
        },
        close_after=timedelta(days=30),
    ),
)


def policy_on(day: date) -> FeedbackPolicy:
    """The policy in force on a day.

    >>> policy_on(date(2026, 11, 24)).reply_days[FeedbackKind.COMPLAINT]
    15
    """
    return in_force(POLICIES, day)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the rules ask of feedback, and of this viewer toward it.

    is_own    the viewer filed it, or it is of the viewer's household or organization
    """

    status: FeedbackStatus
    desk: Desk
    is_own: bool
    reopened: int


def competent(
    kind: FeedbackKind, side: FeedbackFrom, *, of_result: bool, asked: Desk | None
) -> Desk:
    """Who is to reply: the desk asked for; else charity of deliveries and to providers.

    Of the rest, complaints go to the county, above the office that they may be about.
    """
    if asked is not None:
        return asked
    if of_result or side is FeedbackFrom.PROVIDER:
        return Desk.CHARITY
    return Desk.ASSISTANCE if kind is FeedbackKind.COMPLAINT else Desk.TOWNSHIP


def check_text(name: str, value: str) -> None:
    """Raise InvalidInput for a text that says nothing, too much, or holds what no text does."""
    faults = list(_text_faults(name, value))
    if faults:
        raise InvalidInput(*faults)


def check_feedback_move(move: str, viewer: Viewer, found: Standing) -> None:
    """Raise Conflict where the state does not allow the move, or this person must not make it."""
    check_move(MOVES, move, found.status, NOUN)
    if move in BY_DESK and found.is_own:
        raise Conflict.of(
            "",
            "You wrote this down yourself, or it is of your own household; another person replies.",
            "该反馈由您本人登记或涉及您本人家庭，须由他人答复。",
            code="FOUR_EYES",
        )
    if move == "feedbackReopen" and found.reopened >= REOPENED_MAX:
        raise Conflict.of(
            "id",
            f"It was taken up again {REOPENED_MAX} times already. File new feedback.",
            f"该反馈已重新提出 {REOPENED_MAX} 次，请另行提交。",
            code="TOO_MANY",
        )


def may_touch(viewer: Viewer, move: str, found: Standing) -> bool:
    """Desks answer and forward what is theirs; whoever filed takes a reply up again or closes."""
    if move in BY_DESK:
        return DESK_OF.get(viewer.role) is found.desk
    return found.is_own


def allowed_moves(viewer: Viewer, found: Standing) -> tuple[str, ...]:
    """The mutations that this viewer may ask for now."""
    return tuple(
        move
        for move in moves_from(MOVES, viewer, found.status)
        if may_touch(viewer, move, found)
        and not (move in BY_DESK and found.is_own)
        and not (move == "feedbackReopen" and found.reopened >= REOPENED_MAX)
    )


def side_of(role: Role) -> FeedbackFrom:
    """For whom a role speaks."""
    return FeedbackFrom.PROVIDER if role in PROVIDERS else FeedbackFrom.HOUSEHOLD


def _text_faults(name: str, value: str) -> Iterator[Fault]:
    if not value.strip():
        yield fault(name, "REQUIRED", "Write what you have to say.", "请填写内容。")
    elif len(value) > TEXT_LENGTH_MAX:
        yield fault(
            name,
            "TOO_LARGE",
            f"At most {TEXT_LENGTH_MAX} characters.",
            f"最多 {TEXT_LENGTH_MAX} 个字符。",
        )
    if not all(line.isprintable() for line in value.split("\n")):
        yield fault(
            name, "INVALID", "No control characters but line breaks.", "除换行外不得含控制字符。"
        )
