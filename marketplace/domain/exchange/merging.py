"""Two households that are one: whose consent stands, and which of two equal needs lives on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from marketplace.domain.exchange.consents import ConsentStatus
from marketplace.domain.exchange.needs import WITHDRAWABLE, NeedStatus

# The further a need has come, the more would be lost with it.
PROGRESS = (
    NeedStatus.DRAFT,
    NeedStatus.RETURNED,
    NeedStatus.REFERRED,
    NeedStatus.SUSPENDED,
    NeedStatus.PUBLISHED,
)
OPEN = WITHDRAWABLE | {NeedStatus.SUSPENDED}


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentWord:
    """A consent as far as a merger asks: when it was given, and when it was taken back."""

    id: int
    household_id: int
    status: ConsentStatus
    recipient_class: str
    given_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenNeed:
    """A need that charity has not served yet; low and high are its category's subtree.

    is_served   something is set aside for it, on its way or received
    """

    id: int
    household_id: int
    status: NeedStatus
    low: int
    high: int
    is_served: bool


def consents_to_end(words: Sequence[ConsentWord], *, kept_id: int) -> list[int]:
    """Consents that do not outlive a merger, by id: the last word of either household stands.

    A consent ends where either household took one back after it was given; of two that stand
    the surviving household's does.
    """
    taken_back = [
        word.ended_at
        for word in words
        if word.status is ConsentStatus.WITHDRAWN and word.ended_at is not None
    ]
    last = max(taken_back, default=None)
    standing = [word for word in words if word.status is ConsentStatus.GIVEN]
    ended = {word.id for word in standing if last is not None and word.given_at <= last}
    stood: set[str] = set()
    for word in sorted(standing, key=lambda w: (w.household_id != kept_id, w.id)):
        if word.id in ended or word.recipient_class in stood:
            ended.add(word.id)
        else:
            stood.add(word.recipient_class)
    return sorted(ended)


@dataclass(frozen=True, slots=True)
class Settled:
    """What becomes of needs for the same thing.

    withdrawn   ids of needs that the other household's need stands for
    doubled     pairs of ids that both live on, since both are being served: for a person to see to
    """

    withdrawn: tuple[int, ...]
    doubled: tuple[tuple[int, int], ...]


def settle_needs(kept: Collection[OpenNeed], merged: Collection[OpenNeed]) -> Settled:
    """Of two needs of the same kind, one from each household, the one that came further stays."""
    withdrawn: set[int] = set()
    doubled: list[tuple[int, int]] = []
    for theirs in sorted(merged, key=lambda need: need.id):
        for ours in sorted(kept, key=lambda need: need.id):
            if {ours.id, theirs.id} & withdrawn or not _overlap(ours, theirs):
                continue
            if ours.is_served and theirs.is_served:
                doubled.append((ours.id, theirs.id))
            elif _rank(theirs) > _rank(ours):
                withdrawn.add(ours.id)
            else:
                withdrawn.add(theirs.id)
    return Settled(tuple(sorted(withdrawn)), tuple(doubled))


def _overlap(one: OpenNeed, other: OpenNeed) -> bool:
    return one.low <= other.high and other.low <= one.high


def _rank(need: OpenNeed) -> tuple[bool, int]:
    return need.is_served, PROGRESS.index(need.status)
