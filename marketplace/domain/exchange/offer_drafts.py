"""Drafts and templates of offers: what is written down before it is on offer, and posted again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from marketplace.domain.days import COUNTY_TIME, county_day
from marketplace.domain.errors import Text
from marketplace.domain.moves import Move

NOUN = Text("draft", "草稿")


class OfferDraftStatus(StrEnum):
    DRAFT = "DRAFT"
    PUBLISHED = "PUBLISHED"
    DISCARDED = "DISCARDED"


class Recurrence(StrEnum):
    NONE = "NONE"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"


_DRAFT = frozenset({OfferDraftStatus.DRAFT})
MOVES: Mapping[str, Move[OfferDraftStatus]] = {
    "offerDraftUpdate": Move(before=_DRAFT, after=OfferDraftStatus.DRAFT),
    "offerPublish": Move(before=_DRAFT, after=OfferDraftStatus.PUBLISHED),
    "offerFromTemplate": Move(before=_DRAFT, after=OfferDraftStatus.DRAFT),
    "offerDraftDiscard": Move(before=_DRAFT, after=OfferDraftStatus.DISCARDED),
}


def period_of(recurrence: Recurrence, moment: datetime) -> str:
    """The name of the period that a moment lies in, by the county's calendar.

    >>> from datetime import UTC
    >>> period_of(Recurrence.WEEKLY, datetime(2026, 11, 22, 17, tzinfo=UTC))
    '2026-W48'
    >>> period_of(Recurrence.MONTHLY, datetime(2026, 11, 30, 16, tzinfo=UTC))
    '2026-12'
    """
    local = county_day(moment)
    if recurrence is Recurrence.WEEKLY:
        year, week, _ = local.isocalendar()
        return f"{year}-W{week:02d}"
    return f"{local:%Y-%m}"


def next_after(recurrence: Recurrence, moment: datetime) -> datetime:
    """The same hour a week later, or on the same day of the next month, or on its last day.

    >>> from datetime import UTC
    >>> next_after(Recurrence.MONTHLY, datetime(2026, 1, 31, 1, tzinfo=UTC)).date().isoformat()
    '2026-02-28'
    """
    if recurrence is Recurrence.WEEKLY:
        return moment + timedelta(days=7)
    local = moment.astimezone(COUNTY_TIME)
    first = (local.replace(day=1) + timedelta(days=32)).replace(day=1)
    last = (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    return first.replace(day=min(local.day, last.day)).astimezone(UTC)
