"""The lines of assistance by county, area and day: what was set, and what the package has."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import date
from functools import cache
from importlib import resources

from marketplace.domain.errors import InvalidInput, Text
from marketplace.domain.registry.assessments import Area, Lines
from marketplace.persistence.database import Reading
from marketplace.persistence.registry import lines as rows


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


async def known_lines(db: Reading) -> list[Lines]:
    """What was set, and what the package has of other days: it gives way to what a county sets."""
    known = await rows.every(db)
    there = {(lines.county_code, lines.area, lines.valid_from) for lines in known}
    return known + [
        lines
        for lines in from_package()
        if (lines.county_code, lines.area, lines.valid_from) not in there
    ]


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
