"""A category: what can be needed and offered, in which unit, and at which reference price."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from marketplace.domain.checks import fault
from marketplace.domain.errors import Fault, InvalidInput, Text
from marketplace.domain.registry.trees import numbered


class CategoryKind(StrEnum):
    GOODS = "GOODS"
    CASH = "CASH"
    SERVICE = "SERVICE"


# Base units: what quantities of a matchable subtree are counted in, whatever the bag.
UNITS: Mapping[str, Text] = {
    "kg": Text("kg", "公斤"),
    "litre": Text("litre", "升"),
    "piece": Text("piece", "件"),
    "pair": Text("pair", "双（副）"),
    "set": Text("set", "套"),
    "box": Text("box", "盒"),
    "bag": Text("bag", "袋"),
    "can": Text("can", "罐"),
    "pack": Text("pack", "包"),
    "parcel": Text("parcel", "份"),
    "item": Text("item", "项"),
    "fen": Text("fen", "分"),
    "visit": Text("visit", "次"),
    "minute": Text("minute", "分钟"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryRow:
    """One category of a list that is loaded.

    unit                  none: above the subtrees within which things can be matched
    reference_price_fen   of one unit; none exactly where there is no unit
    """

    code: str
    parent: str | None
    kind: CategoryKind
    unit: str | None
    reference_price_fen: int | None
    label_zh: str
    label_en: str


def tree_of(rows: Sequence[CategoryRow]) -> dict[str, tuple[int, int]]:
    """Code -> interval of the subtree.

    Raises InvalidInput with every fault: codes twice, cycles, unknown parents, a leaf without a
    unit, a unit that no one knows, a subtree with two units or two kinds, a price without a unit.
    """
    by_code = {row.code: row for row in rows}
    faults = [
        *(_twice(rows) if len(by_code) < len(rows) else ()),
        *(found for row in rows for found in _row_faults(row, by_code)),
    ]
    parents = {row.parent for row in rows}
    faults.extend(
        fault(
            row.code,
            "REQUIRED",
            f"{row.code}: a category with none below it needs a unit.",
            f"{row.code}：末级类别须有计量单位。",
        )
        for row in rows
        if row.unit is None and row.code not in parents
    )
    if faults:
        raise InvalidInput(*faults)
    return numbered({row.code: row.parent for row in rows})


def _row_faults(row: CategoryRow, by_code: Mapping[str, CategoryRow]) -> Iterator[Fault]:
    if row.unit is not None and row.unit not in UNITS:
        yield fault(
            row.code,
            "INVALID",
            f"{row.code}: {row.unit!r} is no unit. Known: {', '.join(UNITS)}.",
            f"{row.code}：计量单位 {row.unit} 不在列表中。",
        )
    if (row.unit is None) != (row.reference_price_fen is None) or row.reference_price_fen == 0:
        yield fault(
            row.code,
            "INVALID",
            f"{row.code}: a unit and a price above zero stand together, or neither.",
            f"{row.code}：计量单位与大于零的参考价格须同时填写或同时留空。",
        )
    if (row.kind is CategoryKind.CASH) != (row.unit == "fen") and row.unit is not None:
        yield fault(
            row.code,
            "INVALID",
            f"{row.code}: cash is counted in fen, and nothing else is.",
            f"{row.code}：资金以分计量，其他类别不得以分计量。",
        )
    if row.kind is CategoryKind.SERVICE and row.unit not in (None, "visit"):
        yield fault(
            row.code,
            "INVALID",
            f"{row.code}: what is needed of a service is counted in visits.",
            f"{row.code}：服务类需求以次数计量。",
        )
    parent = by_code.get(row.parent or "")
    if parent is None:
        return
    if parent.unit is not None and parent.unit != row.unit:
        yield fault(
            row.code,
            "TWO_UNITS",
            f"{row.code} is counted in {row.unit}, {parent.code} above it in {parent.unit}: what "
            "can be matched has one unit.",
            f"{row.code} 以 {row.unit} 计量，上级 {parent.code} 以 {parent.unit} 计量，须一致。",
        )
    if parent.kind is not row.kind:
        yield fault(
            row.code,
            "INVALID",
            f"{row.code} is {row.kind}, {parent.code} above it {parent.kind}.",
            f"{row.code} 的种类 {row.kind} 与上级 {parent.code} 的 {parent.kind} 不一致。",
        )


def _twice(rows: Sequence[CategoryRow]) -> Iterator[Fault]:
    seen: set[str] = set()
    for row in rows:
        if row.code in seen:
            yield fault(
                row.code, "DUPLICATE", f"{row.code} stands twice.", f"{row.code} 重复出现。"
            )
        seen.add(row.code)
