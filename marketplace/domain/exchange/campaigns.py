"""A campaign: raises cash for one purpose in a period; its balance is a cash offer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from marketplace.domain.checks import (
    QUANTITY_MAX,
    REFERENCE_LENGTH_MAX,
    YEARS_AWAY_MAX,
    fault,
    near,
    text,
    within,
)
from marketplace.domain.days import county_day
from marketplace.domain.errors import Fault, InvalidInput, Text
from marketplace.domain.exchange.categories import CategoryFacts
from marketplace.domain.moves import Move
from marketplace.domain.registry.categories import CategoryKind
from marketplace.domain.registry.organizations import OrganizationKind

NOUN = Text("campaign", "募捐项目")
TITLE_LENGTH_MAX = 120
DESCRIPTION_LENGTH_MAX = 2_000
PERCENT_MAX = 1_000  # ten yuan to one
# A public fundraising plan is filed with the civil affairs bureau ten days before it begins.
FILED_BEFORE = timedelta(days=10)
# Only charities raise money in public; others give their own by offers.
RAISERS = frozenset({OrganizationKind.CHARITY, OrganizationKind.FEDERATION})


class CampaignStatus(StrEnum):
    DRAFT = "DRAFT"
    OPEN = "OPEN"
    CLOSED = "CLOSED"


class RemainderRule(StrEnum):
    """What becomes of what is left when a campaign is closed."""

    SPEND_ON = "SPEND_ON"
    HOLD = "HOLD"


MOVES: Mapping[str, Move[CampaignStatus]] = {
    "campaignUpdate": Move(
        before=frozenset({CampaignStatus.DRAFT, CampaignStatus.OPEN}), after=None
    ),
    "campaignOpen": Move(before=frozenset({CampaignStatus.DRAFT}), after=CampaignStatus.OPEN),
    "campaignClose": Move(
        before=frozenset({CampaignStatus.DRAFT, CampaignStatus.OPEN}), after=CampaignStatus.CLOSED
    ),
    "matchingFundCreate": Move(
        before=frozenset({CampaignStatus.DRAFT, CampaignStatus.OPEN}), after=None
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignTerms:
    """What an organizer says of a campaign.

    category_id        the purpose: cash pays for all that lies below it
    filing_number      备案编号; needed to open it, with the day it was filed
    household_max_fen  at most so much for one household
    """

    category_id: int
    title: str
    starts_at: datetime
    ends_at: datetime
    target_fen: int
    description: str = ""
    filing_number: str | None = None
    filed_on: date | None = None
    target_groups: int = 0
    household_max_fen: int | None = None
    remainder_rule: RemainderRule = RemainderRule.SPEND_ON


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateMatching:
    """Somebody adds `percent` fen to every 100 donated in a period, up to a cap."""

    campaign_id: int
    funder_name: str
    percent: int
    cap_fen: int
    starts_at: datetime | None = None  # none: with the campaign
    ends_at: datetime | None = None
    organization_id: int | None = None


def check_campaign(terms: CampaignTerms, category: CategoryFacts | None, *, now: datetime) -> None:
    """Raise InvalidInput with everything that no campaign can say."""
    faults = [
        *text("title", terms.title.strip(), 2, TITLE_LENGTH_MAX),
        *text("description", terms.description.strip(), 0, DESCRIPTION_LENGTH_MAX),
        *within("target_fen", terms.target_fen, 1, QUANTITY_MAX),
        *_purpose_faults(category),
        *_period_faults(terms, now),
        *_filing_faults(terms),
    ]
    if terms.household_max_fen is not None:
        faults += within("household_max_fen", terms.household_max_fen, 1, QUANTITY_MAX)
    if faults:
        raise InvalidInput(*faults)


def check_filed(terms: CampaignTerms, *, now: datetime) -> None:
    """Raise InvalidInput unless it may be opened: filed ten days before, and not over yet."""
    faults = [
        fault(
            name,
            "REQUIRED",
            "A campaign is filed with the civil affairs bureau before it is opened. "
            "Say its number and day with campaignUpdate.",
            "募捐项目须先向民政部门备案，请用 campaignUpdate 填写备案编号与日期。",
        )
        for name, value in (
            ("filing_number", terms.filing_number),
            ("filed_on", terms.filed_on),
        )
        if value is None
    ]
    if terms.ends_at <= now:
        faults.append(fault("ends_at", "INVALID", "Its end has passed.", "项目已过截止时间。"))
    if faults:
        raise InvalidInput(*faults)


def check_matching(command: CreateMatching, *, period: tuple[datetime, datetime]) -> None:
    """Raise InvalidInput with everything that no matching fund can say."""
    starts_at, ends_at = command.starts_at or period[0], command.ends_at or period[1]
    faults = [
        *text("funder_name", command.funder_name.strip(), 2, 100),
        *within("percent", command.percent, 1, PERCENT_MAX),
        *within("cap_fen", command.cap_fen, 1, QUANTITY_MAX),
    ]
    if not period[0] <= starts_at < ends_at <= period[1]:
        faults.append(
            fault(
                "starts_at",
                "INVALID",
                "The period lies within the campaign's, and ends after it begins.",
                "配捐时间须在项目期内，且结束晚于开始。",
            )
        )
    if faults:
        raise InvalidInput(*faults)


def matched(amount_fen: int, *, percent: int, left_fen: int) -> int:
    """What a fund adds to a donation: whole fen, rounded down, while its cap lasts.

    >>> matched(333, percent=50, left_fen=1_000), matched(333, percent=50, left_fen=100)
    (166, 100)
    """
    return min(amount_fen * percent // 100, left_fen)


def _purpose_faults(category: CategoryFacts | None) -> Iterator[Fault]:
    if category is None:
        yield fault("category_id", "NOT_FOUND", "There is no such category.", "没有此类别。")
        return
    narrow = category.unit is not None and category.kind is not CategoryKind.CASH
    if narrow and category.reference_price_fen is None:
        yield fault(
            "category_id",
            "NO_REFERENCE_PRICE",
            "Cash can be raised for this purpose only if it has a reference price.",
            "该用途没有参考价格，不能以资金捐助。",
        )


def _period_faults(terms: CampaignTerms, now: datetime) -> Iterator[Fault]:
    yield from near("starts_at", terms.starts_at, now)
    yield from near("ends_at", terms.ends_at, now)
    if terms.ends_at <= terms.starts_at:
        yield fault(
            "ends_at", "INVALID", "The end is not after the beginning.", "截止时间须晚于开始时间。"
        )
    elif terms.ends_at - terms.starts_at > YEARS_AWAY_MAX:
        yield fault("ends_at", "TOO_LARGE", "At most ten years.", "项目期限最长十年。")


def _filing_faults(terms: CampaignTerms) -> Iterator[Fault]:
    if terms.filing_number is not None:
        yield from text("filing_number", terms.filing_number.strip(), 4, REFERENCE_LENGTH_MAX)
    if terms.filed_on is None:
        return
    begins = county_day(terms.starts_at)
    if terms.filed_on > begins - FILED_BEFORE:
        yield fault(
            "filed_on",
            "INVALID",
            f"A campaign is filed at least {FILED_BEFORE.days} days before it begins.",
            f"募捐方案须在活动开始至少 {FILED_BEFORE.days} 日前备案。",
        )
