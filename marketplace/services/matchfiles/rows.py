"""Needs and offers as their files give them: every cell checked, good rows as plain columns."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from marketplace.domain.errors import Text
from marketplace.services.importing import cells
from marketplace.services.importing.cells import BadCell
from marketplace.services.importing.headings import Column, Headings, find_columns
from marketplace.services.importing.tables import Table
from marketplace.services.matchfiles.columns import NEEDS, OFFERS
from marketplace.services.matchfiles.faults import Faults

QUANTITY_MAX = 10**15  # real files reach 10^14; sums of a million such rows still fit
COUNT_MAX = 10**9
SEVERITY_MAX = 100
RADIUS_MAX_KM = 20_040  # half-way round the earth
TEXT_MAX = 200

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedRow:
    """One need; latitude and longitude are both there or both None, `date` sorts as text.

    quantity_min    less is of no use           offers_max    of so many offers at most; 0 no limit
    """

    number: int
    id: str
    category: str
    quantity: int
    severity: int
    region: str
    place: tuple[float, float] | None
    groups: tuple[str, ...]
    household: str
    date: str
    quantity_min: int = 1
    offers_max: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferRow:
    """One offer; no region, group or radius is no restriction, `household_max` 0 no limit.

    delivery_min    to each need that it serves    deliveries_max    needs at most; 0 no limit
    """

    number: int
    id: str
    category: str
    quantity: int
    organization: str
    regions: tuple[str, ...]
    place: tuple[float, float] | None
    radius_km: float | None
    groups: tuple[str, ...]
    household_max: int
    date: str
    delivery_min: int = 1
    deliveries_max: int = 0


@dataclass(slots=True)
class Cells:
    """One row being read: every bad cell is reported, the row is good if there was none."""

    table: str
    headings: Headings
    number: int
    cells: tuple[str, ...]
    faults: Faults
    good: bool = field(default=True)

    def text(self, key: str) -> str:
        index = self.headings.at.get(key)
        return "" if index is None else self.cells[index]

    def refuse(self, key: str, fault: BadCell) -> None:
        self.good = False
        heading = self.headings.shown.get(key, key)
        self.faults.add(self.table, self.number, heading, fault.code, fault.text)

    def read(self, key: str, parse: Callable[[str], T], default: T) -> T:
        """The parsed cell; the default where it is empty, or bad (which is reported)."""
        typed = self.text(key)
        if not typed:
            return default
        try:
            return parse(typed)
        except BadCell as fault:
            self.refuse(key, fault)
            return default

    def required(self, key: str, parse: Callable[[str], T], default: T) -> T:
        if not self.text(key):
            self.refuse(key, BadCell("REQUIRED", Text("This cell is empty.", "此单元格不能为空。")))
        return self.read(key, parse, default)

    def label(self, key: str) -> str:
        return self.read(key, _label, "")

    def place(self) -> tuple[float, float] | None:
        """Both coordinates or none; one alone is a fault."""
        latitude = self.read("latitude", lambda typed: cells.decimal(typed, -90, 90), None)
        longitude = self.read("longitude", lambda typed: cells.decimal(typed, -180, 180), None)
        for one, other in (("latitude", "longitude"), ("longitude", "latitude")):
            if self.text(one) and not self.text(other):
                why = Text("One coordinate is of no use alone.", "经纬度须同时填写。")
                self.refuse(other, BadCell("REQUIRED", why))
        return None if latitude is None or longitude is None else (latitude, longitude)


def read_needs(table: Table, faults: Faults) -> tuple[NeedRow, ...]:
    """The good rows of a file of needs; what is wrong with the others goes into `faults`."""

    def need(row: Cells) -> NeedRow:
        quantity = row.required("quantity", _quantity, 1)
        least = row.read("quantity_min", _quantity, 1)
        if least > quantity and row.good:
            why = Text("More than the need asks for.", "大于需求数量。")
            row.refuse("quantity_min", BadCell("TOO_LARGE", why))
        return NeedRow(
            number=row.number,
            id=row.required("need_id", _label, ""),
            category=row.required("category", _label, ""),
            quantity=quantity,
            quantity_min=least,
            offers_max=row.read("offers_max", _count, 0),
            severity=row.read("severity", lambda typed: cells.whole(typed, 1, SEVERITY_MAX), 1),
            region=row.label("region"),
            place=row.place(),
            groups=row.read("groups", cells.items, ()),
            household=row.label("household"),
            date=row.read("date", moment, ""),
        )

    return _read(table, NEEDS, faults, need)


def read_offers(table: Table, faults: Faults) -> tuple[OfferRow, ...]:
    """The good rows of a file of offers; what is wrong with the others goes into `faults`."""

    def offer(row: Cells) -> OfferRow:
        radius = row.read("radius_km", lambda typed: cells.decimal(typed, 0, RADIUS_MAX_KM), None)
        place = row.place()
        if radius is not None and place is None and row.good:
            why = Text(
                "A radius needs the offer's latitude and longitude.",
                "填写服务半径须同时填写经纬度。",
            )
            row.refuse("radius_km", BadCell("REQUIRED", why))
        return OfferRow(
            number=row.number,
            id=row.required("offer_id", _label, ""),
            category=row.required("category", _label, ""),
            quantity=row.required("quantity", _quantity, 1),
            organization=row.label("organization"),
            regions=row.read("regions", cells.items, ()),
            place=place,
            radius_km=radius,
            groups=row.read("groups", cells.items, ()),
            household_max=row.read("household_max", _quantity, 0),
            delivery_min=row.read("delivery_min", _quantity, 1),
            deliveries_max=row.read("deliveries_max", _count, 0),
            date=row.read("date", moment, ""),
        )

    return _read(table, OFFERS, faults, offer)


def moment(cell: str) -> str:
    """A date, with or without a time, as text that sorts in time (UTC where a zone is given).

    >>> moment("2026/1/9"), moment("2026年11月24日"), moment("2026-11-24T08:00:00+08:00")
    ('2026-01-09 00:00:00', '2026-11-24 00:00:00', '2026-11-24 00:00:00')
    """
    typed = re.sub(r"[年月/.]", "-", cell[:10]) + cell[10:]
    typed = typed.replace("日", "").strip()
    typed = re.sub(r"-(\d)(?=\D|$)", r"-0\1", typed)
    try:
        at = datetime.fromisoformat(typed)
    except ValueError:
        why = Text(
            "This is no date; write it as 2026-11-24.", "日期格式不正确，请写作 2026-11-24。"
        )
        raise BadCell("NOT_A_DATE", why) from None
    if at.tzinfo is not None:
        at = at.astimezone(UTC).replace(tzinfo=None)
    return at.isoformat(" ", "seconds")


Read = TypeVar("Read", NeedRow, OfferRow)


def _read(
    table: Table, columns: tuple[Column, ...], faults: Faults, build: Callable[[Cells], Read]
) -> tuple[Read, ...]:
    headings, wrong = find_columns(table.name, table.headings, columns)
    faults.extend(wrong)
    if wrong:
        return ()
    first_at: dict[str, int] = {}
    good: list[Read] = []
    for number, values in table.rows:
        row = Cells(table.name, headings, number, values, faults)
        read = build(row)
        first = first_at.setdefault(read.id, number) if read.id else number
        if first != number:
            why = Text(f"Row {first} has the same number.", f"与第 {first} 行编号重复。")
            row.refuse(columns[0].key, BadCell("DUPLICATE", why))
        if row.good:
            good.append(read)
    return tuple(good)


def _quantity(typed: str) -> int:
    return cells.whole(typed, 1, QUANTITY_MAX)


def _count(typed: str) -> int:
    return cells.whole(typed, 1, COUNT_MAX)


def _label(typed: str) -> str:
    if len(typed) > TEXT_MAX:
        why = Text(f"At most {TEXT_MAX} characters.", f"最多 {TEXT_MAX} 个字符。")
        raise BadCell("TOO_LARGE", why)
    if not typed.isprintable():
        why = Text("No control characters or line breaks.", "不得含控制字符或换行。")
        raise BadCell("INVALID", why)
    return typed
