"""Every place where sealed values stand, and reading and replacing them one place at a time."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from marketplace.persistence.crypto import SealBroken, Sealer
from marketplace.persistence.database import Reading, Writing
from marketplace.persistence.tables import metadata


class Place(NamedTuple):
    """`name` is what seals are bound to: table and column without its ending."""

    name: str
    table: sa.Table
    column: str


class SealedRow(NamedTuple):
    key: int
    seal_id: str
    text: str


# Named by the columns themselves, so that a new sealed column is rotated and checked, too.
PLACES = tuple(
    Place(f"{table.name}.{column.name.removesuffix('_sealed')}", table, column.name)
    for table in metadata.sorted_tables
    for column in table.columns
    if column.name.endswith("_sealed")
)


async def after(db: Reading, place: Place, key: int, limit: int) -> list[SealedRow]:
    """The next sealed values of a place in the order of the rows' keys."""
    rows = await db.rows(
        _values(place).where(place.table.c.id > key).order_by(place.table.c.id).limit(limit)
    )
    return [SealedRow(*row.values()) for row in rows]


async def newest(db: Reading, place: Place) -> SealedRow | None:
    row = await db.row(_values(place).order_by(place.table.c.id.desc()).limit(1))
    return None if row is None else SealedRow(*row.values())


async def replace(db: Writing, place: Place, row: SealedRow, fresh: str) -> int:
    """Put a value in the place of the one that was read; 0 where it changed meanwhile."""
    column = place.table.c[place.column]
    return await db.execute(
        sa.update(place.table)
        .where(place.table.c.id == row.key, column == row.text)
        .values({column: fresh})
    )


def opens(sealer: Sealer, place: Place, row: SealedRow) -> bool:
    try:
        sealer.open(row.text, place=place.name, seal_id=row.seal_id)
    except SealBroken:
        return False
    return True


def _values(place: Place) -> sa.Select[tuple[int, str, str]]:
    table, column = place.table, place.table.c[place.column]
    return sa.select(table.c.id, table.c.seal_id, column).where(column.is_not(None))
