"""Shortages: what a plan leaves open by category and township, and what one unit more would do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from marketplace.domain.errors import Forbidden, InvalidInput, Text
from marketplace.domain.exchange.disclosure import rounded, rounded_amount
from marketplace.domain.permissions import OFFICERS, Viewer, require
from marketplace.domain.registry.categories import UNITS
from marketplace.persistence.database import Database, Reading, Row
from marketplace.persistence.exchange import explained as rows
from marketplace.services.exchange import explained
from marketplace.services.exchange.explained import Cell, Level, ToldOf
from marketplace.services.exchange.explained_sentence import SEVERITIES, lowered

FEN_PER_YUAN = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What of which plan; None: all that the viewer may, of the latest plan that stands."""

    plan_id: int | None = None
    region_id: int | None = None
    category_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortage:
    """What lacks of a category in a place, rounded, as it may be told.

    is_rest   of the townships of a county where fewer than five households lack it
    gain      level that one unit more would serve; None: not known
    value     reference value of a unit in fen; None: it has none
    """

    region_id: int
    region: Text
    is_rest: bool
    category_id: int
    category: Text
    unit: str
    units: int
    households: int
    gain: Level | None
    value: int | None
    estimate: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Shortages of a plan, what one unit more would do most for first."""

    plan: ToldOf
    shortages: tuple[Shortage, ...]


async def ask(database: Database, viewer: Viewer, asked: Ask) -> Found | None:
    """What a plan leaves open; None where no plan that the viewer may be told of says it.

    A region below a township stands for its township. Raises Unauthenticated or Forbidden by role,
    Forbidden outside an officer's region, InvalidInput for an unknown region or category.
    """
    require(viewer, "shortages")
    async with database.read() as db:
        region = await _region(db, viewer, asked.region_id)
        category = await _category(db, asked.category_id)
        at = await _place(db, viewer, region)
    plan = await _plan(database, viewer, asked.plan_id, at)
    kept = None if plan is None else await explained.explained(database, plan.plan_id)
    if plan is None or kept is None:
        return None
    cells = kept.shortages()
    async with database.read() as db:
        places = await rows.regions_of(db, (cell.region_id for cell in cells))
        kinds = await rows.categories_of(db, (cell.category_id for cell in cells))
    found = [
        _told(cell, places[cell.region_id], kinds[cell.category_id])
        for cell in cells
        if _within(region, places.get(cell.region_id))
        and _within(category, kinds.get(cell.category_id))
    ]
    return Found(plan=plan, shortages=tuple(each for each in found if each is not None))


def sentence(shortage: Shortage) -> Text:
    """A shortage in words."""
    what, where = shortage.category, shortage.region
    amount = _amount(shortage.units, shortage.unit)
    rest = Text(", elsewhere", "其他地方") if shortage.is_rest else Text("", "")
    said = Text(
        f"{where.en}{rest.en}: about {amount.en} of {lowered(what.en)} short for about "
        f"{shortage.households} households.",
        f"{where.zh}{rest.zh}：约 {shortage.households} 户家庭共缺{what.zh}约 {amount.zh}。",
    )
    if shortage.gain is None:
        return said
    more = _more(shortage)
    return Text(f"{said.en} {more.en}", said.zh + more.zh)


def _amount(units: int, unit: str) -> Text:
    if unit == "fen":
        yuan = f"{units / FEN_PER_YUAN:,.2f}"
        return Text(f"CNY {yuan}", f"{yuan} 元")
    said = UNITS.get(unit, Text(unit, unit))
    return Text(f"{units:,} {said.en}", f"{units:,} {said.zh}")


def _more(shortage: Shortage) -> Text:
    assert shortage.gain is not None, "it is known"
    level = shortage.gain
    severity, one = SEVERITIES[level.band], _amount(1, shortage.unit)
    share = {
        True: Text("the floor share", "保底部分"),
        False: Text("what lies beyond the floor share", "保底以外部分"),
        None: Text("units", "部分"),
    }[level.is_floor]
    worth = Text("", "")
    if shortage.value is not None and shortage.unit != "fen":
        value = _amount(shortage.value, "fen")
        worth = Text(f", worth {value.en}", f"，价值 {value.zh}")
    guess = Text(" (an estimate)", "（估计）") if shortage.estimate else Text("", "")
    return Text(
        f"{one.en} more would serve {share.en} of a need of {severity.en} severity"
        f"{worth.en}{guess.en}.",
        f"每增加 {one.zh}，可满足{severity.zh}需求的{share.zh}{worth.zh}{guess.zh}。",
    )


def _told(cell: Cell, place: Row, kind: Row) -> Shortage | None:
    households = rounded(cell.households)
    units = rounded_amount(cell.units, households=cell.households, largest=cell.largest)
    if households is None or units is None:
        return None
    return Shortage(
        region_id=cell.region_id,
        region=Text(place["name_en"] or place["name_zh"], place["name_zh"]),
        is_rest=cell.is_rest,
        category_id=cell.category_id,
        category=Text(kind["label_en"] or kind["label_zh"], kind["label_zh"]),
        unit=kind["unit"] or "unit",
        units=units,
        households=households,
        gain=cell.gain,
        value=cell.value or None,
        estimate=cell.estimate,
    )


def _within(tree: Mapping[str, object] | Row | None, node: Row | None) -> bool:
    if node is None:
        return False
    return tree is None or bool(tree["tree_low"] <= node["tree_low"] <= tree["tree_high"])


async def _region(db: Reading, viewer: Viewer, region_id: int | None) -> Row | None:
    """The region that is asked about; None: all. Raises Forbidden, InvalidInput."""
    own = None
    if viewer.role in OFFICERS:
        if viewer.region_id is None:
            raise Forbidden
        own = await rows.place(db, viewer.region_id)
    if region_id is None:
        return own
    found = await rows.place(db, region_id)
    if found is None:
        raise InvalidInput.of(
            "region_id", "There is no such region.", "没有此行政区划。", code="NOT_FOUND"
        )
    if own is not None and not _within(own, found):
        raise Forbidden
    return found


async def _category(db: Reading, category_id: int | None) -> Row | None:
    if category_id is None:
        return None
    found = await rows.category(db, category_id)
    if found is None:
        raise InvalidInput.of(
            "category_id", "There is no such category.", "没有此类别。", code="NOT_FOUND"
        )
    return found


async def _place(db: Reading, viewer: Viewer, region: Row | None) -> int | None:
    """Round which place the latest plan is looked for."""
    if region is not None:
        return int(region["tree_low"])
    if viewer.organization_id is not None:
        return await rows.seat(db, viewer.organization_id)
    return viewer.region_low if viewer.region_id is not None else None


async def _plan(
    database: Database, viewer: Viewer, plan_id: int | None, at: int | None
) -> ToldOf | None:
    if plan_id is not None:
        return await explained.readable(database, viewer, plan_id)
    return None if at is None else await explained.current(database, viewer, at)
