"""The columns of files of needs, offers and pairs, and how a heading finds its column."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from marketplace.domain.errors import Fault, Language, Text

BRACKETED = re.compile(r"[(（\[](.*?)[)）\]]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """`zh` and `others` are headings that mean the same; what stands in brackets is ignored."""

    key: str
    zh: str
    others: tuple[str, ...] = ()
    required: bool = False

    @property
    def text(self) -> Text:
        return Text(self.key, self.zh)


NEEDS = (
    Column(key="need_id", zh="需求编号", others=("id", "need", "编号"), required=True),
    Column(key="category", zh="类别", others=("类别代码", "物资类别", "需求类别"), required=True),
    Column(key="quantity", zh="数量", others=("units", "需求数量"), required=True),
    Column(key="severity", zh="困难程度", others=("urgency", "紧急程度", "严重程度")),
    Column(key="region", zh="区划代码", others=("region_code", "地区", "行政区划")),
    Column(key="latitude", zh="纬度", others=("lat",)),
    Column(key="longitude", zh="经度", others=("lon", "lng")),
    Column(key="groups", zh="人群", others=("target_groups", "对象类别", "分群")),
    Column(key="household", zh="家庭编号", others=("household_id", "recipient", "家庭", "户")),
    Column(key="date", zh="日期", others=("created_at", "登记日期", "申请日期")),
)
OFFERS = (
    Column(key="offer_id", zh="供给编号", others=("id", "offer", "编号"), required=True),
    Column(key="category", zh="类别", others=("类别代码", "物资类别", "供给类别"), required=True),
    Column(key="quantity", zh="数量", others=("units", "供给数量"), required=True),
    Column(key="organization", zh="单位", others=("organisation", "provider", "组织", "捐赠单位")),
    Column(key="regions", zh="服务地区", others=("region", "区划代码", "服务区划")),
    Column(key="latitude", zh="纬度", others=("lat",)),
    Column(key="longitude", zh="经度", others=("lon", "lng")),
    Column(key="radius_km", zh="服务半径", others=("radius", "半径", "服务半径公里")),
    Column(key="groups", zh="人群", others=("target_groups", "对象类别", "分群")),
    Column(key="household_max", zh="每户上限", others=("max_per_household", "每户限量")),
    Column(key="date", zh="日期", others=("created_at", "登记日期", "捐赠日期")),
)
PAIRS = (
    Column(key="need_id", zh="需求编号", others=("need",), required=True),
    Column(key="offer_id", zh="供给编号", others=("offer",), required=True),
    Column(key="cost", zh="成本", others=("distance", "单位成本", "距离")),
)
PLAN = (
    Column(key="need_id", zh="需求编号"),
    Column(key="offer_id", zh="供给编号"),
    Column(key="units", zh="数量"),
    Column(key="unit_cost", zh="单位成本"),
    Column(key="need_category", zh="需求类别"),
    Column(key="offer_category", zh="供给类别"),
    Column(key="household", zh="家庭编号"),
    Column(key="organization", zh="单位"),
    Column(key="region", zh="区划代码"),
)


@dataclass(frozen=True, slots=True)
class Headings:
    """Where each column stands (by key), what stood in brackets, and headings nobody knows."""

    at: Mapping[str, int]
    shown: Mapping[str, str]
    brackets: Mapping[str, str]
    unknown: tuple[str, ...]


def find_columns(
    name: str, headings: tuple[str, ...], columns: tuple[Column, ...]
) -> tuple[Headings, tuple[Fault, ...]]:
    """Columns of the file `name` by heading, and what is missing or stands there twice.

    Codes: MISSING_COLUMN, DUPLICATE_COLUMN.
    """
    names: dict[str, str] = {}
    for column in columns:
        for spelling in (column.key, column.zh, *column.others):
            names[_bare(spelling)] = column.key
    at: dict[str, int] = {}
    brackets: dict[str, str] = {}
    unknown: list[str] = []
    faults: list[Fault] = []
    for index, heading in enumerate(headings):
        key = names.get(_bare(heading))
        if key is None:
            unknown.append(heading)
        elif key in at:
            faults.append(_duplicate(name, headings[at[key]], heading))
        else:
            at[key] = index
            if found := BRACKETED.search(heading):
                brackets[key] = found.group(1).strip()
    faults += [
        _missing(name, column) for column in columns if column.required and column.key not in at
    ]
    shown = {key: headings[index] for key, index in at.items()}
    return Headings(at, shown, brackets, tuple(unknown)), tuple(faults)


def plan_headings(language: Language) -> tuple[str, ...]:
    return tuple(column.text.said_in(language) for column in PLAN)


def _bare(heading: str) -> str:
    """As compared: half-width, lower case, without brackets, blanks, hyphens and underscores."""
    plain = unicodedata.normalize("NFKC", BRACKETED.sub("", heading)).casefold()
    return re.sub(r"[\s\-_]+", "", plain)


def _missing(name: str, column: Column) -> Fault:
    return Fault(
        (name, "1", column.key),
        "MISSING_COLUMN",
        Text(
            f"{name}: the column '{column.key}' is missing (heading {column.key} or {column.zh}).",
            f"{name}：缺少“{column.zh}”列（表头写作 {column.zh} 或 {column.key}）。",
        ),
    )


def _duplicate(name: str, first: str, again: str) -> Fault:
    return Fault(
        (name, "1", again),
        "DUPLICATE_COLUMN",
        Text(
            f"{name}: the headings '{first}' and '{again}' mean the same column.",
            f"{name}：表头“{first}”与“{again}”是同一列。",
        ),
    )
