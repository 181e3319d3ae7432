"""The lines of assistance by county, area and day: what was set, and what the package has."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import date
from functools import cache
from importlib import resources

from marketplace.domain.errors import InvalidInput, NotFound, Text
from marketplace.domain.permissions import Role, Viewer
from marketplace.domain.registry.assessments import Area, Lines
from marketplace.domain.registry.lines import check_lines
from marketplace.persistence.database import Database, Reading
from marketplace.persistence.registry import lines as rows
from marketplace.persistence.registry import regions
from marketplace.services.acting import Act, once, record


def lines_of(
    county_code: str | None, area: Area, on: date, known: Sequence[Lines] | None = None
) -> Lines:
    """The lines in force in a county on a day. Raises InvalidInput (POLICY_MISSING) without any.

    known   those of `known_lines`; left out: what comes with the package
    """
    fitting = [
        lines
        for lines in (from_package() if known is None else known)
        if lines.county_code == county_code and lines.area is area and lines.valid_from <= on
    ]
    if not fitting:
        raise InvalidInput.of(
            "household_id",
            f"No lines of assistance are known for county {county_code or '?'} ({area.lower()}) "
            f"on {on}. Put them in with assistanceLinesSet.",
            f"缺少 {county_code or '?'} {on} 适用的救助标准，请先用 assistanceLinesSet 录入。",
            code="POLICY_MISSING",
        )
    return max(fitting, key=lambda lines: lines.valid_from)


async def set_lines(database: Database, act: Act, lines: Lines) -> int:
    """Put in a county's lines for a year; their key. What has counted is never changed.

    What the package has of a county is written down before the county's first own lines, and
    never asked again after them. Raises InvalidInput, Conflict (PAST_LINES, TAKEN), NotFound for
    a county outside the viewer's region.
    """
    async with once(database, act, "assistanceLinesSet") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["lines"]))
        await rows.lock(turn.db)
        await _in_reach(turn.db, act.viewer, lines.county_code)
        known = await known_lines(turn.db)
        check_lines(lines, known, today=database.now().date())
        await rows.add(turn.db, [k for k in _package_of(known) if _place(k) == _place(lines)])
        by, now = act.viewer.account_id, database.now()
        (key,) = await rows.add(turn.db, [lines], set_by=by, set_at=now)
        told = {"version": lines.version, "county": lines.county_code, "area": str(lines.area)}
        await record(turn, database, "assistance_lines.set", "AssistanceLines", key, **told)
        turn.outcome = {"lines": key}
        return key


async def seed(database: Database) -> int:
    """Write down what the package has of counties that have no lines; how many."""
    async with database.write() as db:
        await rows.lock(db)
        lacking = _package_of(await known_lines(db))
        await rows.add(db, lacking)
        return len(lacking)


async def known_lines(db: Reading) -> list[Lines]:
    """What was set, and what the package has of counties that set none."""
    there = await rows.every(db)
    places = {_place(lines) for lines in there}
    return there + [lines for lines in from_package() if _place(lines) not in places]


def _package_of(known: Sequence[Lines]) -> list[Lines]:
    """Those of known lines that stand in no table yet: the very ones of the package."""
    of_package = {id(lines) for lines in from_package()}
    return [lines for lines in known if id(lines) in of_package]


def _place(lines: Lines) -> tuple[str, Area]:
    return lines.county_code, lines.area


async def _in_reach(db: Reading, viewer: Viewer, county_code: str) -> None:
    """An officer sets the lines of the own county, the operator those of any."""
    county = await regions.by_code(db, "GB/T 2260", county_code)
    if county is None:
        raise InvalidInput.of(
            "county_code",
            "No region has this code. Give the county's six digits (GB/T 2260).",
            "没有此行政区划代码，请填写 6 位县级代码（GB/T 2260）。",
            code="NOT_FOUND",
        )
    inside = viewer.region_low <= county["tree_low"] <= viewer.region_high
    if viewer.role is not Role.ADMIN and not inside:
        raise NotFound


@cache
def from_package() -> tuple[Lines, ...]:
    """Every line of the file; the numbers of a row say what its headings say."""
    data = resources.files("marketplace.data").joinpath("assistance_lines.csv")
    return tuple(
        Lines(
            version=row["version"],
            county_code=row["county_code"],
            area=Area(row["area"]),
            valid_from=date.fromisoformat(row["valid_from"]),
            subsistence_fen_month=int(row["subsistence_fen_month"]),
            disposable_income_fen_month=int(row["disposable_income_fen_month"]),
            edge_percent=int(row["edge_percent"]),
            property_months=int(row["property_months"]),
            edge_property_months=int(row["edge_property_months"]),
            is_assumption=row["is_assumption"] == "yes",
            note=Text(row["note_en"], row["note_zh"]),
        )
        for row in csv.DictReader(data.read_text(encoding="utf-8").splitlines())
    )
