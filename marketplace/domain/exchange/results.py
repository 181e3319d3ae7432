"""A result: what came of an allocation, told to three desks that each acknowledge their copy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from marketplace.domain.checks import fault
from marketplace.domain.errors import Fault
from marketplace.domain.exchange.policies import in_force
from marketplace.domain.moves import Move, moves_from
from marketplace.domain.permissions import Role, Viewer
from marketplace.domain.states import in_chinese

AT_ONCE_MAX = 100


class Desk(StrEnum):
    """Who gets a copy, and who is competent for feedback."""

    CHARITY = "CHARITY"
    ASSISTANCE = "ASSISTANCE"
    TOWNSHIP = "TOWNSHIP"


class ResultStatus(StrEnum):
    """Of a copy, and of a result: it is ACKNOWLEDGED once all of its copies are."""

    SENT = "SENT"
    ACKNOWLEDGED = "ACKNOWLEDGED"


# Of copies.
MOVES: Mapping[str, Move[ResultStatus]] = {
    "resultAcknowledge": Move(
        before=frozenset({ResultStatus.SENT}), after=ResultStatus.ACKNOWLEDGED
    ),
}
DESK_OF: Mapping[Role, Desk] = {
    Role.CHARITY_OFFICER: Desk.CHARITY,
    Role.ASSISTANCE_OFFICER: Desk.ASSISTANCE,
    Role.TOWNSHIP_OFFICER: Desk.TOWNSHIP,
}
# Who hears of what a desk leaves lying: the township's county bureau, each desk's supervision.
ABOVE: Mapping[Desk, Role] = {
    Desk.TOWNSHIP: Role.ASSISTANCE_OFFICER,
    Desk.ASSISTANCE: Role.AUDITOR,
    Desk.CHARITY: Role.AUDITOR,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultPolicy:
    """Within how many days each desk acknowledges, from a day on."""

    version: str
    valid_from: date
    days: Mapping[Desk, int]

    def due(self, desk: Desk, sent_at: datetime) -> datetime:
        return sent_at + timedelta(days=self.days[desk])


POLICIES = (
    ResultPolicy(
        version="results-2023",
        valid_from=date(2023, 1, 1),
        days={Desk.CHARITY: 5, Desk.ASSISTANCE: 5, Desk.TOWNSHIP: 7},
    ),
)


def policy_on(day: date) -> ResultPolicy:
    """The policy in force on a day; before the first one, the first one.

    >>> policy_on(date(2026, 11, 24)).version
    'results-2023'
    """
    return in_force(POLICIES, day)


def check_copy(
    status: ResultStatus, *, household_id: int, own_household: int | None
) -> Fault | None:
    """What keeps a desk from acknowledging its copy; None if nothing does."""
    if own_household is not None and own_household == household_id:
        return fault(
            "",
            "FOUR_EYES",
            "This is your own household's case; another person must acknowledge it.",
            "这是您本人家庭的事项，须由他人签收。",
        )
    if status is ResultStatus.SENT:
        return None
    return fault(
        "",
        "CONFLICT",
        "Your desk's copy is ACKNOWLEDGED; this is possible only when it is SENT.",
        f"本单位的反馈件当前状态为{in_chinese(status)}，"
        f"仅在状态为{in_chinese(ResultStatus.SENT)}时可执行此操作。",
    )


def allowed_moves(viewer: Viewer, *, status: ResultStatus, desk: Desk) -> tuple[str, ...]:
    """The mutations that this viewer may ask for now on a copy of this desk."""
    if DESK_OF.get(viewer.role) is not desk:
        return ()
    return moves_from(MOVES, viewer, status)
