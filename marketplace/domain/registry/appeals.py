"""An appeal: a household holds its class to be wrong, and another person looks at it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from marketplace.domain.checks import REFERENCE_LENGTH_MAX, fault
from marketplace.domain.errors import Conflict, Fault, InvalidInput
from marketplace.domain.moves import Move
from marketplace.domain.permissions import Role

DECIDED_WITHIN = timedelta(days=30)
FILED_WITHIN = timedelta(days=60)
REASON_LENGTH_MIN, REASON_LENGTH_MAX = 4, 1_000


class AppealStatus(StrEnum):
    OPEN = "OPEN"
    UPHELD = "UPHELD"
    DISMISSED = "DISMISSED"


class AppealDecision(StrEnum):
    UPHOLD = "UPHOLD"
    DISMISS = "DISMISS"


AFTER = {
    AppealDecision.UPHOLD: AppealStatus.UPHELD,
    AppealDecision.DISMISS: AppealStatus.DISMISSED,
}

# Which of the two it becomes is what the mutation says.
MOVES: Mapping[str, Move[AppealStatus]] = {
    "appealDecide": Move(before=frozenset({AppealStatus.OPEN}), after=None),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileAppeal:
    """An appeal against a household's latest assessment.

    evidence_reference    where the household's paper is kept; officers who file for it must say it
    """

    household_id: int
    reason: str
    evidence_reference: str | None = None


def check_appeal(
    command: FileAppeal,
    *,
    by: Role,
    assessed_at: datetime | None,
    is_open: bool,
    was_appealed: bool,
    now: datetime,
) -> None:
    """Raise InvalidInput or Conflict with what keeps this appeal from being filed.

    assessed_at     of the latest assessment; None: there is none to appeal against
    is_open         another appeal of the household waits for its decision
    was_appealed    this assessment was appealed against before
    """
    faults = list(_faults(command, by))
    if faults:
        raise InvalidInput(*faults)
    if assessed_at is None:
        raise Conflict.of(
            "household_id",
            "This household was never assessed, so there is nothing to appeal against.",
            "该家庭尚未核对，没有可申诉的结果。",
            code="ASSESSMENT_REQUIRED",
        )
    if is_open or was_appealed:
        raise Conflict.of(
            "household_id",
            "There is an appeal against this assessment already. Wait for its decision, or for the "
            "new assessment.",
            "针对该核对结果已有申诉，请等待审定或重新核对。",
            code="ALREADY_FILED",
        )
    if now - assessed_at > FILED_WITHIN:
        raise Conflict.of(
            "household_id",
            f"An appeal is filed within {FILED_WITHIN.days} days of the assessment. Ask the "
            "township office to assess the household anew.",
            f"申诉须在核对后 {FILED_WITHIN.days} 日内提出，请向乡镇民政所申请重新核对。",
            code="DEADLINE_PASSED",
        )


def check_decision(reason: str, *, decided_by: int | None, not_by: frozenset[int]) -> None:
    """Raise Conflict (FOUR_EYES) for who assessed, approved or filed; InvalidInput without reason.

    not_by    accounts of those who had a hand in what is appealed against, or in the appeal
    """
    if decided_by in not_by:
        raise Conflict.of(
            "",
            "You assessed this household, or filed this appeal; another person must decide on it.",
            "您参与了该家庭的核对或代为提交申诉，须由他人审定。",
            code="FOUR_EYES",
        )
    faults = list(_reason_faults(reason))
    if faults:
        raise InvalidInput(*faults)


def _faults(command: FileAppeal, by: Role) -> Iterator[Fault]:
    yield from _reason_faults(command.reason)
    evidence = (command.evidence_reference or "").strip()
    if by is not Role.APPLICANT and not evidence:
        yield fault(
            "evidence_reference",
            "REQUIRED",
            "Say where the household's own paper or recording is kept: you file this for it.",
            "代为提交申诉须注明家庭书面材料或录音的存放位置。",
        )
    if len(evidence) > REFERENCE_LENGTH_MAX:
        yield fault(
            "evidence_reference",
            "TOO_LARGE",
            f"At most {REFERENCE_LENGTH_MAX} characters.",
            f"最多 {REFERENCE_LENGTH_MAX} 个字符。",
        )


def _reason_faults(reason: str) -> Iterator[Fault]:
    length = len(reason.strip())
    if not REASON_LENGTH_MIN <= length <= REASON_LENGTH_MAX:
        yield fault(
            "reason",
            "REQUIRED" if length < REASON_LENGTH_MIN else "TOO_LARGE",
            f"Say why in {REASON_LENGTH_MIN} to {REASON_LENGTH_MAX} characters.",
            f"请说明理由（{REASON_LENGTH_MIN} 至 {REASON_LENGTH_MAX} 个字符）。",
        )
