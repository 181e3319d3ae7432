"""A region: one place in the tree from province down to grid cell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from marketplace.domain.checks import fault
from marketplace.domain.errors import Fault, InvalidInput
from marketplace.domain.registry.trees import numbered

GB_2260 = "GB/T 2260"  # county and above
NBS_12 = "NBS-12"  # the statistics bureau's codes below: 9 digits a town, 12 a village
LOCAL = "LOCAL"  # grid cells, which no standard numbers

RegionKey = tuple[str, str]  # scheme and code


class RegionLevel(StrEnum):
    PROVINCE = "PROVINCE"
    PREFECTURE = "PREFECTURE"
    COUNTY = "COUNTY"
    TOWNSHIP = "TOWNSHIP"
    VILLAGE = "VILLAGE"
    GRID = "GRID"


class LocationSource(StrEnum):
    """Where a region's coordinates come from; a stand-in is never passed off as its own."""

    OWN = "OWN"
    PARENT = "PARENT"
    NONE = "NONE"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionRow:
    """One region of a list that is loaded; degrees, or none where they are not known."""

    scheme: str
    code: str
    parent: RegionKey | None
    level: RegionLevel
    name_zh: str
    name_en: str = ""
    latitude: float | None = None
    longitude: float | None = None
    location_source: LocationSource = LocationSource.NONE

    @property
    def key(self) -> RegionKey:
        return self.scheme, self.code


def tree_of(rows: Sequence[RegionRow]) -> dict[RegionKey, tuple[int, int]]:
    """Scheme and code -> interval of the subtree.

    Raises InvalidInput with every fault: a code twice, cycles, unknown parents, a region that is
    not below its parent's level, coordinates out of range or half.
    """
    by_key = {row.key: row for row in rows}
    faults = [found for row in rows for found in _faults(row, by_key)]
    if len(by_key) < len(rows):
        faults.extend(_twice(rows))
    if faults:
        raise InvalidInput(*faults)
    return numbered({row.key: row.parent for row in rows})


def located(rows: Sequence[RegionRow]) -> list[RegionRow]:
    """The rows with what has no coordinates standing where its parent stands, and saying so.

    rows   parents before children
    """
    done: dict[RegionKey, RegionRow] = {}
    for row in rows:
        above = done.get(row.parent) if row.parent else None
        if row.latitude is not None:
            row = replace(row, location_source=LocationSource.OWN)
        elif above is not None and above.latitude is not None:
            row = replace(
                row,
                latitude=above.latitude,
                longitude=above.longitude,
                location_source=LocationSource.PARENT,
            )
        done[row.key] = row
    return list(done.values())


def region_code(text: str) -> str:
    """A code as it is kept: without the zeros that pad it to six or twelve digits.

    >>> [region_code(c) for c in ("360000", "361000", "361027000000", "361027100000")]
    ['36', '3610', '361027', '361027100']
    >>> region_code("361027100001"), region_code("361002001-1")
    ('361027100001', '361002001-1')
    """
    if not text.isdigit() or len(text) not in (6, 9, 12):
        return text
    for length, width in ((2, 6), (4, 6), (6, 9), (9, 12)):
        if len(text) >= width and not text[length:].strip("0"):
            return text[:length]
    return text


def _faults(row: RegionRow, by_key: Mapping[RegionKey, RegionRow]) -> Iterator[Fault]:
    levels = list(RegionLevel)
    above = by_key.get(row.parent) if row.parent else None
    if above is not None and levels.index(above.level) >= levels.index(row.level):
        yield fault(
            row.code,
            "INVALID",
            f"{row.code} is a {row.level} and cannot lie in the {above.level} {above.code}.",
            f"{row.code}（{row.level}）不能隶属于 {above.code}（{above.level}）。",
        )
    given = (row.latitude is None, row.longitude is None)
    if given == (True, True):
        return
    latitude, longitude = row.latitude, row.longitude
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        yield fault(
            row.code,
            "INVALID",
            f"{row.code}: latitude -90..90 and longitude -180..180 stand together, or neither.",
            f"{row.code}：纬度与经度须同时填写且在有效范围内，或同时留空。",
        )


def _twice(rows: Sequence[RegionRow]) -> Iterator[Fault]:
    seen: set[RegionKey] = set()
    for row in rows:
        if row.key in seen:
            yield fault(
                row.code, "DUPLICATE", f"{row.code} stands twice.", f"{row.code} 重复出现。"
            )
        seen.add(row.key)
