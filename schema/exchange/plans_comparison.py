"""How a simulation compares with its base plan: who gains, who loses, and what is served."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import cast

import strawberry
from strawberry import ID

from marketplace.domain.ids import opaque_id
from schema.context import Context
from schema.enums import described
from schema.exchange.published_needs import SeverityBand
from schema.scalars import BigInt, Money

FEW = "to the nearest five; null: fewer than five"


class ComparedBy(StrEnum):
    TOWNSHIP = "TOWNSHIP"
    TARGET_GROUP = "TARGET_GROUP"
    SEVERITY = "SEVERITY"
    CATEGORY = "CATEGORY"


described(
    ComparedBy,
    "By what households are told apart in a comparison.",
    {
        ComparedBy.TOWNSHIP: "乡镇, where they live; the key is the township's id.",
        ComparedBy.TARGET_GROUP: "分群, whom they belong to; the key is a TargetGroup.",
        ComparedBy.SEVERITY: "紧急程度, of the need; the key is a SeverityBand.",
        ComparedBy.CATEGORY: "类别, of the need; the key is the category's id.",
    },
)


@strawberry.type(description="Who gains and who loses in one part of the households.")
class PlanComparisonSlice:
    by: ComparedBy | None = strawberry.field(description="By what; null: all households.")
    key: str | None = strawberry.field(description="Which of them; null: all households.")
    households: int | None = strawberry.field(description=f"Households that ask, {FEW}.")
    gaining: int | None = strawberry.field(description=f"Households that get more, {FEW}.")
    losing: int | None = strawberry.field(description=f"Households that get less, {FEW}.")
    value_before: Money | None = strawberry.field(
        description="Reference value that the base serves, rounded; null: to fewer than five."
    )
    value_after: Money | None = strawberry.field(
        description="Reference value that the simulation serves, likewise."
    )


@strawberry.type(description="How far one level of precedence is served by either plan.")
class PlanComparisonLevel:
    is_floor: bool = strawberry.field(
        description="Whether it is the share of every need that comes first, or the rest."
    )
    severity_band: SeverityBand = strawberry.field(description="Of needs of this severity.")
    percent_before: int = strawberry.field(description="Share served by the base, in percent.")
    percent_after: int = strawberry.field(
        description="Share served by the simulation. A change that concerns fewer than five "
        "households is not shown."
    )


@strawberry.type(
    description="A simulation beside its base plan. Counts are rounded, and nothing is said about "
    "fewer than five households."
)
class PlanComparison:
    all: PlanComparisonSlice = strawberry.field(description="All households together.")
    slices: list[PlanComparisonSlice] = strawberry.field(
        description="By township, target group, severity and category, where five or more ask."
    )
    levels: list[PlanComparisonLevel] = strawberry.field(
        description="Share served by level of precedence, the first one first."
    )
    unchanged: bool | None = strawberry.field(
        description="Whether every need gets the same from both; null of earlier simulations."
    )
    value_difference: Money | None = strawberry.field(
        description="Reference value that the simulation serves more than the base, below zero "
        "where it serves less; exact; null of earlier simulations."
    )
    sentence: str = strawberry.field(description="In words, in the language of Accept-Language.")


def comparison_of(context: Context, stored: Mapping[str, object] | None) -> PlanComparison | None:
    """What was stored; None for a plan that is no simulation, or before it is computed."""
    if stored is None:
        return None
    everyone, is_zh = _slice(_mapping(stored["all"])), context.language == "zh-CN"
    return PlanComparison(
        all=everyone,
        slices=[_slice(_mapping(each)) for each in _list(stored["slices"])],
        levels=[_level(_mapping(each)) for each in _list(stored["levels"])],
        unchanged=cast("bool | None", stored.get("unchanged")),
        value_difference=_money(stored.get("value_difference")),
        sentence=_same(is_zh=is_zh)
        if stored.get("unchanged") is True
        else _sentence(everyone, is_zh=is_zh),
    )


def _slice(stored: Mapping[str, object]) -> PlanComparisonSlice:
    by = stored.get("by")
    key = stored.get("key")
    kinds = {"TOWNSHIP": "Region", "CATEGORY": "Category"}
    if by in kinds:
        key = opaque_id(kinds[str(by)], int(str(key)))
    return PlanComparisonSlice(
        by=None if by is None else ComparedBy(str(by)),
        key=None if key is None else ID(str(key)),
        households=_whole(stored["households"]),
        gaining=_whole(stored["gaining"]),
        losing=_whole(stored["losing"]),
        value_before=_money(stored["value_before"]),
        value_after=_money(stored["value_after"]),
    )


def _level(stored: Mapping[str, object]) -> PlanComparisonLevel:
    return PlanComparisonLevel(
        is_floor=bool(stored["floor"]),
        severity_band=SeverityBand(str(stored["band"])),
        percent_before=int(str(stored["percent_before"])),
        percent_after=int(str(stored["percent_after"])),
    )


def _same(*, is_zh: bool) -> str:
    if is_zh:
        return "与基准方案相比没有变化：每项需求所得相同。"
    return "Nothing changes: every need gets the same as in the base plan."


def _sentence(found: PlanComparisonSlice, *, is_zh: bool) -> str:
    if is_zh:
        gain = "不足五户" if found.gaining is None else f"约 {found.gaining} 户"
        lose = "不足五户" if found.losing is None else f"约 {found.losing} 户"
        return f"与基准方案相比，获得更多的家庭{gain}，获得更少的家庭{lose}。"
    gain = "fewer than five" if found.gaining is None else f"about {found.gaining}"
    lose = "fewer than five" if found.losing is None else f"about {found.losing}"
    return f"Compared with the base plan, {gain} households get more and {lose} get less."


def _whole(value: object) -> int | None:
    return None if value is None else int(str(value))


def _money(value: object) -> Money | None:
    return None if value is None else Money(amount=BigInt(int(str(value))))


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
