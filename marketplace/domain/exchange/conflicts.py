"""A conflict of lanes: government and charity pay, or may be paying, for the same thing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from marketplace.domain.checks import fault
from marketplace.domain.errors import Conflict, Text
from marketplace.domain.exchange.residuals import AID_NAMES, Aid, Asked, Drawn


class ConflictKind(StrEnum):
    """OVERLAP: units that both lanes give. SAME_BROADER_CATEGORY: look whether it is the same."""

    OVERLAP = "OVERLAP"
    SAME_BROADER_CATEGORY = "SAME_BROADER_CATEGORY"


@dataclass(frozen=True, slots=True)
class LaneConflict:
    aid_id: int
    need_id: int
    kind: ConflictKind
    units: int
    text: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class InHand:
    """Units of a need that a provider has accepted or given, and the days that they are for."""

    need_id: int
    units: int
    starts_on: date
    ends_on: date | None


def check_not_given_twice(aid: Aid, needs: Sequence[Asked], in_hand: Sequence[InHand]) -> None:
    """Raise Conflict (CHARITY_GIVES) where aid would give what charity has accepted or given.

    aid     about to be granted; what the household's needs leave open beside charity it may give
    """
    given: dict[int, int] = {}
    for each in in_hand:
        if _meet(aid, each.starts_on, each.ends_on):
            given[each.need_id] = given.get(each.need_id, 0) + each.units
    same = [need for need in needs if _same_category(aid, need)]
    by_charity = sum(given.get(need.id, 0) for need in same)
    open_units = sum(
        max(0, need.asked - need.drawn - given.get(need.id, 0)) for need in same if need.is_reckoned
    )
    if by_charity and aid.units > open_units:
        raise Conflict(
            fault(
                "covers_quantity",
                "CHARITY_GIVES",
                f"Charity has accepted or given {by_charity} of this category for the same "
                f"period, so government can cover at most {open_units}. Nothing is paid twice: "
                "grant less, or for another period or category.",
                f"同一时期慈善方已承接或已提供该类别 {by_charity}，政府救助最多可再覆盖 "
                f"{open_units}；同一事项不得重复救助，请调整数量、期间或类别。",
            )
        )


def conflicts(
    needs: Sequence[Asked],
    aids: Sequence[Aid],
    drawn: Mapping[int, Drawn],
    broader: Mapping[int, tuple[int, int]],
    unit: Mapping[int, str],
) -> Iterator[LaneConflict]:
    """What has to be looked at: units given twice, and aid of the same broader category.

    broader    by aid, the subtree of the category above what it covers; none above the widest
    unit       by need
    """
    for need in needs:
        if not need.is_reckoned:
            continue
        for aid in aids:
            name, units = AID_NAMES[aid.kind], drawn[need.id].twice.get(aid.id, 0)
            if units:
                yield LaneConflict(
                    aid.id,
                    need.id,
                    ConflictKind.OVERLAP,
                    units,
                    Text(
                        f"{name.en} gives {units} {unit[need.id]} that charity has in hand, too.",
                        f"{name.zh}与慈善方已安排的 {units} {unit[need.id]} 重复。",
                    ),
                )
            elif _is_near(need, aid, broader.get(aid.id)):
                yield LaneConflict(
                    aid.id,
                    need.id,
                    ConflictKind.SAME_BROADER_CATEGORY,
                    0,
                    Text(
                        f"{name.en} gives something of the same broader category in the same "
                        "period: look whether it meets this need, too.",
                        f"同一时期的{name.zh}涉及同一上级类别，请核实是否已满足该需求。",
                    ),
                )


def _is_near(need: Asked, aid: Aid, broader: tuple[int, int] | None) -> bool:
    return (
        broader is not None
        and broader[0] <= need.category_low <= broader[1]
        and not _same_category(aid, need)
        and (aid.ends_on is None or aid.ends_on >= need.created_on)
    )


def _same_category(aid: Aid, need: Asked) -> bool:
    return aid.category_low <= need.category_high and need.category_low <= aid.category_high


def _meet(aid: Aid, starts_on: date, ends_on: date | None) -> bool:
    return (ends_on is None or aid.starts_on <= ends_on) and (
        aid.ends_on is None or starts_on <= aid.ends_on
    )
