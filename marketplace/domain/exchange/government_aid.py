"""Government aid: what the public purse gives a household before anyone else is asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from marketplace.domain.checks import QUANTITY_MAX, fault, within
from marketplace.domain.errors import Conflict, Fault, InvalidInput

REASON_LENGTH_MIN, REASON_LENGTH_MAX = 4, 500
AMOUNT_FEN_MAX = 100_000_000  # a million yuan for one household is a typing error


class GovernmentAidKind(StrEnum):
    SUBSISTENCE_ALLOWANCE = "SUBSISTENCE_ALLOWANCE"
    EXTREME_POVERTY_SUPPORT = "EXTREME_POVERTY_SUPPORT"
    TEMPORARY_ASSISTANCE = "TEMPORARY_ASSISTANCE"
    MEDICAL = "MEDICAL"
    EDUCATION = "EDUCATION"
    HOUSING = "HOUSING"
    DISASTER = "DISASTER"


@dataclass(frozen=True, slots=True, kw_only=True)
class AidGranted:
    """One decision, as the arithmetic of the residual sees it.

    category_low..category_high     interval of the subtree that it covers (nested sets, inclusive)
    covers_quantity                 units of that subtree that it provides
    starts_on..ends_on              days on which it counts, inclusive; no end: until further notice
    """

    category_low: int
    category_high: int
    covers_quantity: int
    starts_on: date
    ends_on: date | None = None
    granted: bool = True

    def overlaps(self, low: int, high: int) -> bool:
        """Whether it counts toward a need of that subtree.

        Aid with rice counts toward a need of staple food, and aid with staple food toward a need
        of rice: in a tree the two subtrees overlap exactly where one lies in the other.
        """
        return self.category_low <= high and low <= self.category_high

    def stands(self, on: date) -> bool:
        """Whether it is in force on that day."""
        return self.starts_on <= on and (self.ends_on is None or on <= self.ends_on)


class Counted(NamedTuple):
    """Units that another need of the household, in this subtree, counts as provided since a day."""

    category_low: int
    category_high: int
    units: int
    on: date


def covered_by_government(
    asked: int,
    *,
    category_low: int,
    category_high: int,
    aids: Iterable[AidGranted],
    on: date,
    counted: Iterable[Counted] = (),
) -> int:
    """Units of what is asked that government aid provides, 0..asked; the residual is the need.

    counted   of the household's other needs, oldest first: the same sack of rice is not set off
              twice, whether as rice or as staple food. Each draws on aid that stood on its day,
              on what has ended since first, then on the narrowest.

    >>> rice = AidGranted(category_low=3, category_high=3, covers_quantity=30,
    ...                   starts_on=date(2026, 1, 1))
    >>> covered_by_government(100, category_low=2, category_high=4, aids=[rice],
    ...                       on=date(2026, 2, 1))
    30
    """
    if asked <= 0:
        raise ValueError(f"asked must be above zero, not {asked}")
    begun = [aid for aid in aids if aid.granted and aid.starts_on <= on]
    begun.sort(key=lambda aid: (aid.stands(on), aid.category_high - aid.category_low))
    left = [aid.covers_quantity for aid in begun]
    for low, high, units, day in counted:
        for place, aid in enumerate(begun):
            if aid.stands(day) and aid.overlaps(low, high):
                drawn = min(units, left[place])
                left[place] -= drawn
                units -= drawn
    provided = sum(
        rest
        for aid, rest in zip(begun, left, strict=True)
        if aid.stands(on) and aid.overlaps(category_low, category_high)
    )
    return min(asked, provided)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideAid:
    """A decision of the assistance desk on one household.

    granted=False   decided, and not entitled: it covers nothing, and says that government was asked
    covers_*        the category and units of it that a need is reduced by; neither: money alone
    """

    household_id: int
    kind: GovernmentAidKind
    amount_fen: int
    starts_on: date
    ends_on: date | None = None
    granted: bool = True
    covers_category_id: int | None = None
    covers_quantity: int = 0
    reason: str | None = None


def check_aid(command: DecideAid) -> None:
    """Raise InvalidInput with everything in the decision that cannot be."""
    faults = list(_faults(command))
    if faults:
        raise InvalidInput(*faults)


def check_end(
    *,
    granted: bool,
    has_ended: bool,
    starts_on: date,
    ends_on_before: date | None,
    covers_before: int,
    ends_on: date,
    covers: int,
    reason: str,
) -> None:
    """Raise Conflict where there is nothing to end, InvalidInput for an end that cannot be."""
    if not granted or has_ended or (ends_on_before is not None and ends_on >= ends_on_before):
        raise Conflict.of(
            "id" if not granted or has_ended else "ends_on",
            "Only aid that was granted and goes on beyond that day can be ended.",
            "仅可提前终止已批准且在该日之后仍有效的救助。",
        )
    faults = [*within("covers_quantity", covers, 0, covers_before)]
    if ends_on < starts_on - timedelta(days=1):
        faults.append(
            fault(
                "ends_on",
                "INVALID",
                "The end lies before the day before its first: give that day if it never began.",
                "结束日期过早；如从未开始，请填写起始日的前一天。",
            )
        )
    if not REASON_LENGTH_MIN <= len(reason.strip()) <= REASON_LENGTH_MAX:
        faults.append(
            fault(
                "reason",
                "REQUIRED" if len(reason.strip()) < REASON_LENGTH_MIN else "TOO_LARGE",
                f"Say why in {REASON_LENGTH_MIN} to {REASON_LENGTH_MAX} characters.",
                f"请说明理由（{REASON_LENGTH_MIN} 至 {REASON_LENGTH_MAX} 个字符）。",
            )
        )
    if faults:
        raise InvalidInput(*faults)


def _faults(command: DecideAid) -> Iterator[Fault]:
    yield from within("amount_fen", command.amount_fen, 0, AMOUNT_FEN_MAX)
    yield from within("covers_quantity", command.covers_quantity, 0, QUANTITY_MAX)
    if command.ends_on is not None and command.ends_on < command.starts_on:
        yield fault(
            "ends_on", "INVALID", "The end lies before the start.", "结束日期早于开始日期。"
        )
    if not command.granted and (command.amount_fen or command.covers_quantity):
        yield fault(
            "granted",
            "INVALID",
            "What was not granted gives nothing: leave amount and coverage at zero.",
            "未批准的救助不提供任何内容，金额与抵扣数量须为零。",
        )
    said = (command.reason or "").strip()
    if len(said) > REASON_LENGTH_MAX:
        yield fault(
            "reason",
            "TOO_LARGE",
            f"At most {REASON_LENGTH_MAX} characters.",
            f"最多 {REASON_LENGTH_MAX} 个字符。",
        )
    if not command.granted and not said:
        yield fault(
            "reason",
            "REQUIRED",
            "Say why the household is not entitled; it may ask.",
            "请说明不予救助的理由，以便答复申请家庭。",
        )
    if command.covers_quantity and command.covers_category_id is None:
        yield fault(
            "covers_category_id",
            "REQUIRED",
            "Say which category these units are of.",
            "请选择抵扣数量所属的类别。",
        )
