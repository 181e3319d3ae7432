"""A referral: the batch in which the assistance desk passes needs to the charity desk."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from marketplace.domain.checks import fault
from marketplace.domain.errors import Conflict, Fault, InvalidInput
from marketplace.domain.exchange.needs import MOVES, NeedStatus
from marketplace.domain.exchange.review_policies import POLICY as POLICY
from marketplace.domain.exchange.review_policies import ReviewPolicy as ReviewPolicy
from marketplace.domain.own_household import OWN_CASE
from marketplace.domain.restrictions import under_restriction
from marketplace.domain.states import any_in_chinese, in_chinese

LINES_MAX = 100
REASON_LENGTH_MAX = 500


class ReviewDecision(StrEnum):
    APPROVE = "APPROVE"
    RETURN = "RETURN"
    REJECT = "REJECT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What the rules of referral and review ask of a need."""

    status: NeedStatus
    consent_in_force: bool
    deadline: datetime | None
    household_id: int
    referred_by: int | None
    restricted: bool = False  # the household, from charity
    government_decided: bool = True


def check_line(line: Line, *, own_household: int | None, now: datetime) -> Fault | None:
    """What keeps a need from being referred; None if nothing does."""
    if line.status not in MOVES["needRefer"]:
        return _wrong_state("needRefer", line.status)
    if bad := _not_presentable(line, own_household=own_household, now=now):
        return bad
    if not line.government_decided:
        return fault(
            "",
            "DECISION_REQUIRED",
            "Government comes first: record with governmentAidDecide what it gives this household, "
            "or that it is not entitled. Then refer what is left.",
            "政府救助优先：请先用 governmentAidDecide 登记救助决定（包括不予救助），"
            "再转介剩余需求。",
        )
    return None


def check_review(
    line: Line,
    decision: ReviewDecision,
    reason: str | None,
    *,
    reviewer: int,
    reviewed_before: Collection[int],
    own_household: int | None,
    now: datetime,
) -> None:
    """Raise InvalidInput or Conflict with what keeps this person from deciding so.

    reviewer           the account
    reviewed_before    accounts that reviewed the need in this round, that is, in this referral
    """
    if line.status not in MOVES["needReview"]:
        raise Conflict(_wrong_state("needReview", line.status))
    if bad := _reason_fault(decision, reason):
        raise InvalidInput(bad)
    if reviewer == line.referred_by or reviewer in reviewed_before:
        raise Conflict(
            fault(
                "",
                "FOUR_EYES",
                "You referred or reviewed this need yourself; another person must decide.",
                "您本人已转介或审核过该需求，须由他人审核。",
            )
        )
    # A need that cannot be published any more may still be sent back or refused.
    bad = _not_presentable(line, own_household=own_household, now=now)
    if bad and (decision is ReviewDecision.APPROVE or bad.code == "FOUR_EYES"):
        raise Conflict(bad)


def _not_presentable(line: Line, *, own_household: int | None, now: datetime) -> Fault | None:
    if own_household is not None and own_household == line.household_id:
        return OWN_CASE
    if line.restricted:
        return under_restriction("")
    if not line.consent_in_force:
        return fault(
            "",
            "CONSENT_REQUIRED",
            "The household's consent is missing or has ended. Record it with consentGive first.",
            "该家庭尚未授权或授权已终止，请先用 consentGive 登记授权。",
        )
    if line.deadline is not None and line.deadline <= now:
        return fault(
            "",
            "DEADLINE_PASSED",
            "The deadline has passed. Write the need down anew with a later one.",
            "该需求已过截止时间，请重新登记并设置新的截止时间。",
        )
    return None


def _reason_fault(decision: ReviewDecision, reason: str | None) -> Fault | None:
    length = len((reason or "").strip())
    if decision is not ReviewDecision.APPROVE and length == 0:
        return fault(
            "reason",
            "REQUIRED",
            "Say why, so that the assistance desk knows what to do next.",
            "请说明理由，以便救助口后续处理。",
        )
    if length > REASON_LENGTH_MAX:
        return fault(
            "reason",
            "TOO_LARGE",
            f"At most {REASON_LENGTH_MAX} characters.",
            f"最多 {REASON_LENGTH_MAX} 个字符。",
        )
    return None


def _wrong_state(move: str, status: NeedStatus) -> Fault:
    allowed = ", ".join(sorted(MOVES[move]))
    return fault(
        "",
        "CONFLICT",
        f"The need is {status}; this is possible only when it is {allowed}.",
        f"该需求当前状态为{in_chinese(status)}，"
        f"仅在状态为{any_in_chinese(MOVES[move])}时可执行此操作。",
    )
