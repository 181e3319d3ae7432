"""A need: what government assistance leaves open, and how it comes before the charities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from marketplace.domain.checks import QUANTITY_MAX, REFERENCE_LENGTH_MAX, fault, near, text, within
from marketplace.domain.days import days_between
from marketplace.domain.errors import Fault, InvalidInput
from marketplace.domain.exchange.categories import CategoryFacts
from marketplace.domain.permissions import MUTATIONS, Viewer
from marketplace.domain.registry.categories import CategoryKind

VISIT_MINUTES_USUAL = 60
VISIT_MINUTES_MAX = 1_440
EVERY_DAYS_MAX = 366


class NeedStatus(StrEnum):
    DRAFT = "DRAFT"
    REFERRED = "REFERRED"
    RETURNED = "RETURNED"
    REJECTED = "REJECTED"
    PUBLISHED = "PUBLISHED"
    FULFILLED = "FULFILLED"
    CLOSED = "CLOSED"
    WITHDRAWN = "WITHDRAWN"
    EXPIRED = "EXPIRED"
    SUSPENDED = "SUSPENDED"


# From which states a mutation may move a need.
MOVES: Mapping[str, frozenset[NeedStatus]] = {
    "needRefer": frozenset({NeedStatus.DRAFT, NeedStatus.RETURNED}),
    "needReview": frozenset({NeedStatus.REFERRED}),
}
# From where a need is withdrawn when consent ends, or expires when its deadline has passed; later
# states have been served already.
WITHDRAWABLE = frozenset(
    {NeedStatus.DRAFT, NeedStatus.REFERRED, NeedStatus.RETURNED, NeedStatus.PUBLISHED}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedTerms:
    """What an officer writes down as a need.

    quantity_asked    in the category's unit, before government aid; fen for cash, visits of a
                      service
    quantity_min      less than this is of no use; 1: any part helps
    visit_minutes     how long a visit takes, of services only; none: an hour
    every_days        at most one visit in so many days, 7 for weekly; none: on any days
    """

    household_id: int
    category_id: int
    quantity_asked: int
    quantity_min: int = 1
    visit_minutes: int | None = None
    every_days: int | None = None
    deadline: datetime | None = None
    external_reference: str | None = None


def as_visits(terms: NeedTerms, category: CategoryFacts | None) -> NeedTerms:
    """The terms, with how long a visit takes where a service was asked for without saying so."""
    if category is None or category.kind is not CategoryKind.SERVICE:
        return terms
    return replace(
        terms,
        visit_minutes=VISIT_MINUTES_USUAL if terms.visit_minutes is None else terms.visit_minutes,
    )


def residual(
    terms: NeedTerms,
    category: CategoryFacts | None,
    *,
    covered_by_government: int,
    severity: int | None,
    now: datetime,
) -> int:
    """What is left open after government aid, above zero.

    covered_by_government    in the category's unit, what government aid gives of it
    severity                 of the latest assessment; None: the household was never assessed

    Raises InvalidInput with everything that stands in the way.
    """
    faults = [
        *_category_faults(category),
        *_terms_faults(terms, now),
        *_visit_faults(terms, category),
    ]
    if severity is None:
        faults.append(
            fault(
                "household_id",
                "ASSESSMENT_REQUIRED",
                "This household was never assessed, so how urgent its need is is unknown. "
                "Have it assessed first.",
                "该家庭尚未进行经济状况核对，无法确定紧急程度，请先完成核对。",
            )
        )
    left = terms.quantity_asked - covered_by_government
    if terms.quantity_asked > 0 and left <= 0:
        faults.append(
            fault(
                "quantity_asked",
                "COVERED_BY_GOVERNMENT",
                f"Government aid already gives {covered_by_government} of it: nothing is left "
                "for charity. Check the decisions on aid, or ask for more than they cover.",
                f"政府救助已覆盖 {covered_by_government}，没有需要慈善补充的部分；"
                "请核对救助决定，或填写超出部分。",
            )
        )
    elif 1 <= left < terms.quantity_min:
        faults.append(
            fault(
                "quantity_min",
                "TOO_LARGE",
                f"Only {left} are left open after government aid; the minimum cannot be more.",
                f"扣除政府救助后仅余 {left}，最低数量不能超过此数。",
            )
        )
    faults.extend(_pace_faults(terms, left, now))
    if faults:
        raise InvalidInput(*faults)
    return left


def allowed_moves(
    viewer: Viewer, *, status: NeedStatus, referred_by: int | None
) -> tuple[str, ...]:
    """The mutations that this viewer may ask for now; the need is one that the viewer may see."""
    return tuple(
        move
        for move, states in MOVES.items()
        if status in states
        and viewer.role in MUTATIONS[move]
        and not (move == "needReview" and viewer.account_id == referred_by)
    )


def _category_faults(category: CategoryFacts | None) -> Iterator[Fault]:
    if category is None:
        yield fault(
            "category_id",
            "NOT_FOUND",
            "There is no such category. Choose one from `categories`.",
            "没有此类别，请从 categories 中选择。",
        )
    elif category.unit is None:
        yield fault(
            "category_id",
            "CATEGORY_TOO_WIDE",
            "This category has no unit. Choose one below it.",
            "该类别过宽，没有计量单位，请选择其下级类别。",
        )


def _visit_faults(terms: NeedTerms, category: CategoryFacts | None) -> Iterator[Fault]:
    given = (("visit_minutes", terms.visit_minutes), ("every_days", terms.every_days))
    if category is not None and category.kind is not CategoryKind.SERVICE:
        for name, value in given:
            if value is not None:
                yield fault(
                    name,
                    "INVALID",
                    f"Only services are visits; this category is {category.kind}. Leave it out.",
                    f"仅服务类需求按上门次数计，该类别属于 {category.kind}，请留空。",
                )
        return
    for (name, value), most in zip(given, (VISIT_MINUTES_MAX, EVERY_DAYS_MAX), strict=True):
        if value is not None:
            yield from within(name, value, 1, most)


def _pace_faults(terms: NeedTerms, visits: int, now: datetime) -> Iterator[Fault]:
    """A recurring need asks for no more visits than there are such spans before its deadline."""
    if terms.deadline is None or terms.every_days is None or terms.every_days < 1:
        return
    spans = -(-days_between(now, terms.deadline) // terms.every_days)
    if visits > spans and terms.deadline > now:
        yield fault(
            "deadline",
            "TOO_SOON",
            f"{visits} visits, one in {terms.every_days} days, do not fit: {spans} fit before the "
            "deadline. Ask for fewer, more often, or set a later deadline.",
            f"每 {terms.every_days} 天一次，截止前只能安排 {spans} 次，少于所需的 {visits} 次；"
            "请减少次数、缩短间隔或推迟截止时间。",
        )


def _terms_faults(terms: NeedTerms, now: datetime) -> Iterator[Fault]:
    yield from within("quantity_asked", terms.quantity_asked, 1, QUANTITY_MAX)
    yield from within("quantity_min", terms.quantity_min, 1, QUANTITY_MAX)
    yield from near("deadline", terms.deadline, now)
    if terms.deadline is not None and terms.deadline <= now:
        yield fault(
            "deadline",
            "INVALID",
            "The deadline must lie in the future.",
            "截止时间须在当前时间之后。",
        )
    if terms.external_reference is not None:
        yield from text("external_reference", terms.external_reference, 1, REFERENCE_LENGTH_MAX)
