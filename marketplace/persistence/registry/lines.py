"""Rows of assistance lines."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from marketplace.domain.errors import Text
from marketplace.domain.registry.assessments import Area, Lines
from marketplace.persistence.database import Reading, Writing
from marketplace.persistence.tables import assistance_lines

LINES_MAX = 10_000  # of all counties and years
AMOUNTS = (
    "version",
    "county_code",
    "valid_from",
    "subsistence_fen_month",
    "disposable_income_fen_month",
    "edge_percent",
    "property_months",
    "edge_property_months",
    "subsistence_review_months",
    "extreme_review_months",
    "edge_review_months",
    "rigid_review_months",
    "rigid_valid_months",
    "is_assumption",
)


async def every(db: Reading) -> list[Lines]:
    rows = await db.rows(
        sa.select(assistance_lines).order_by(assistance_lines.c.id).limit(LINES_MAX)
    )
    return [
        Lines(
            area=Area(row["area"]),
            note=Text(row["note_en"], row["note_zh"]),
            **{name: row[name] for name in AMOUNTS},
        )
        for row in rows
    ]


async def lock(db: Writing) -> None:
    """Make those who set lines take turns."""
    if db.dialect == "postgresql":
        await db.execute(sa.text("LOCK TABLE assistance_lines IN SHARE ROW EXCLUSIVE MODE"))


async def add(db: Writing, of: Sequence[Lines], **more: object) -> list[int]:
    return await db.insert_keys(
        assistance_lines,
        [
            {name: getattr(lines, name) for name in AMOUNTS}
            | {"area": lines.area, "note_en": lines.note.en, "note_zh": lines.note.zh}
            | more
            for lines in of
        ],
    )
