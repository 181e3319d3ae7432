"""What a computed plan says of itself: who may be told, and what of it may be said."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from weakref import WeakKeyDictionary

import numpy as np

from marketplace.domain.exchange.disclosure import rounded
from marketplace.domain.exchange.explained import (
    MARK,
    PlanLineCode,
    ShortfallKind,
    ShortfallLacking,
    ShortfallRule,
)
from marketplace.domain.exchange.plans import LeftAsideReason, PlanKind, PlanStatus
from marketplace.domain.exchange.publishing import severity_band
from marketplace.domain.ids import reference
from marketplace.domain.permissions import COUNTY_OFFICERS, SUPERVISION, Viewer
from marketplace.persistence.database import Database, Row
from marketplace.persistence.exchange import explained as rows
from marketplace.persistence.exchange import plan_records as records
from marketplace.services.exchange.numbers import IntArray, ints
from marketplace.services.exchange.plan_records import unpacked
from marketplace.services.exchange.plans import in_reach

KEPT = 8  # plans, each some megabytes for a hundred thousand needs
READERS = COUNTY_OFFICERS | SUPERVISION
COMPUTED = frozenset({PlanStatus.PROPOSED, PlanStatus.APPROVED, PlanStatus.DISCARDED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One level of precedence. position 0 comes first, of `count`.

    is_floor   whether it is the share of every need that comes first; None: the policy has none
    band       severity of the gravest units at it
    """

    position: int
    count: int
    is_floor: bool | None
    band: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortfall:
    """Why a need is short of `units`; counts of other needs are rounded, None: fewer than five."""

    kind: ShortfallKind
    units: int
    level: Level | None = None
    lacking: ShortfallLacking | None = None
    rules: tuple[ShortfallRule, ...] = ()
    left_aside: LeftAsideReason | None = None
    offers: int = 0
    outranking: int | None = None
    tied: int | None = None
    estimate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LineReason:
    """Why a line: levels of its first and last unit, units in the floor share, nearness of offers.

    band           of the need's severity
    rank, offers   the rank of its offer by distance, of so many that could; 0: not known
    """

    code: PlanLineCode | None
    first: Level | None
    last: Level | None
    floor_units: int
    band: str
    rank: int
    offers: int
    is_cash: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cell:
    """What lacks of a category in a place; exact, so not for showing as it is.

    is_rest   the townships of a county that are not told apart
    gain      level that one unit more would serve; None: not known
    value     reference value of a unit in fen; 0: none
    """

    category_id: int
    region_id: int
    is_rest: bool
    units: int
    households: int
    largest: int
    gain: Level | None
    value: int
    estimate: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldOf:
    """The plan that is told of: its key, its number on papers, when it was computed."""

    plan_id: int
    reference: str
    finished_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Explained:
    """What was kept with a plan, ready to be looked up in."""

    order: str
    severity: IntArray
    floor: IntArray
    needs: IntArray
    names: Mapping[str, Sequence[str]]
    short: Mapping[str, IntArray]
    lines: Mapping[str, IntArray]
    cells: Mapping[str, IntArray]

    def level(self, position: int) -> Level | None:
        if not 0 <= position < len(self.severity):
            return None
        is_floor = bool(self.floor[position]) if self.order == "floor" else None
        band = severity_band(max(1, int(self.severity[position])))
        return Level(position=position, count=len(self.severity), is_floor=is_floor, band=band)

    def shortfall(self, need_id: int) -> Shortfall | None:
        """Of one need; None where the plan does not know it."""
        at = _found(self.short["need"], need_id)
        if at is None:
            known = _found(self.needs, need_id) is not None
            return Shortfall(kind=ShortfallKind.COMPLETE, units=0) if known else None

        def of(name: str) -> int:
            return int(self.short[name][at])

        lack, aside, bits = of("lack"), of("aside"), of("rules")
        return Shortfall(
            kind=ShortfallKind(self.names["kinds"][of("kind")]),
            units=of("units"),
            level=self.level(of("level")),
            lacking=ShortfallLacking(self.names["lacks"][lack]) if lack >= 0 else None,
            rules=tuple(
                ShortfallRule(name)
                for bit, name in enumerate(self.names["hindrances"])
                if bits >> bit & 1
            ),
            left_aside=LeftAsideReason(self.names["reasons"][aside]) if aside >= 0 else None,
            offers=of("offers"),
            outranking=rounded(of("needs_higher")),
            tied=rounded(of("needs_equal")),
            estimate=bool(of("estimate")),
        )

    def reason(self, need_id: int, offer_id: int) -> LineReason | None:
        """Of the line between a need and an offer."""
        a, b = (int(np.searchsorted(self.lines["need"], need_id + add)) for add in (0, 1))
        at = _found(self.lines["offer"][a:b], offer_id)
        if at is None:
            return None

        def of(name: str) -> int:
            return int(self.lines[name][a + at])

        code = of("code")
        return LineReason(
            code=PlanLineCode(self.names["codes"][code]) if code >= 0 else None,
            first=self.level(of("first")),
            last=self.level(of("last")),
            floor_units=of("floor"),
            band=severity_band(of("severity")),
            rank=of("rank"),
            offers=of("offers"),
            is_cash=bool(of("cash")),
        )

    def shortages(self) -> list[Cell]:
        """By category and place, what one unit more would do most for comes first."""
        cells = {name: column.tolist() for name, column in self.cells.items()}
        return [
            Cell(
                category_id=cells["category"][at],
                region_id=cells["region"][at],
                is_rest=bool(cells["merged"][at]),
                units=cells["units"][at],
                households=cells["households"][at],
                largest=cells["largest"][at],
                gain=self.level(cells["level"][at]),
                value=cells["value"][at],
                estimate=bool(cells["estimate"][at]),
            )
            for at in range(len(cells["category"]))
        ]


class _Shelf:
    """The plans asked about last, in this process; what was kept with a plan never changes."""

    def __init__(self) -> None:
        self.found: OrderedDict[int, Explained] = OrderedDict()
        self.turn = asyncio.Lock()

    async def of(self, database: Database, plan_id: int) -> Explained | None:
        async with self.turn:
            if plan_id in self.found:
                self.found.move_to_end(plan_id)
                return self.found[plan_id]
            async with database.read() as db:
                data = await records.explained_of(db, plan_id)
            if data is None:
                return None
            made = await asyncio.to_thread(_made, data)
            if made is not None:
                self.found[plan_id] = made
                while len(self.found) > KEPT:
                    self.found.popitem(last=False)
            return made


_SHELVES: WeakKeyDictionary[Database, _Shelf] = WeakKeyDictionary()


async def explained(database: Database, plan_id: int) -> Explained | None:
    """What a plan says of itself; None where nothing was kept with it (in this form)."""
    return await _SHELVES.setdefault(database, _Shelf()).of(database, plan_id)


async def readable(database: Database, viewer: Viewer, plan_id: int) -> ToldOf | None:
    """The plan, where this viewer may be told of its outcome; None elsewhere.

    The desks and supervision, as they may see plans; everybody else what stands: proposals that
    are computed and not discarded.
    """
    async with database.read() as db:
        row = await rows.plan(db, plan_id)
    return _told_of(row) if row is not None and _may(viewer, row) else None


async def current(database: Database, viewer: Viewer, place: int) -> ToldOf | None:
    """The latest standing plan of the county round a place, where the viewer may be told of it."""
    async with database.read() as db:
        row = await rows.current(db, place)
    if row is None or (viewer.role in READERS and not _may(viewer, row)):
        return None
    return _told_of(row)


def _told_of(row: Row) -> ToldOf:
    return ToldOf(
        plan_id=row["id"],
        reference=reference("M", row["created_at"].year, row["id"]),
        finished_at=row["finished_at"],
    )


def _may(viewer: Viewer, row: Row) -> bool:
    if viewer.role in READERS:
        everywhere = viewer.role in SUPERVISION
        return row["status"] in COMPUTED and (everywhere or in_reach(viewer, row["region_low"]))
    return row["kind"] == PlanKind.PROPOSAL and row["status"] in rows.STANDING


def _made(data: bytes) -> Explained | None:
    kept = unpacked(data)
    if kept.get("mark") != MARK:
        return None
    levels = _columns(kept["levels"], "severity", "floor")
    return Explained(
        order=str(kept["order"]),
        severity=levels["severity"],
        floor=levels["floor"],
        needs=ints(cast("list[int]", kept["needs"])),
        names=cast("Mapping[str, Sequence[str]]", kept["names"]),
        short=_columns(kept["short"]),
        lines=_columns(kept["lines"]),
        cells=_columns(kept["cells"]),
    )


def _columns(kept: object, *names: str) -> dict[str, IntArray]:
    columns = cast("Mapping[str, list[int]]", kept)
    return {name: ints(columns[name]) for name in names or columns}


def _found(keys: IntArray, key: int) -> int | None:
    """Where a key stands in sorted ones."""
    at = int(np.searchsorted(keys, key))
    return at if at < len(keys) and int(keys[at]) == key else None
