"""Rows of regions: the tree as a list, and merging a list into it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from marketplace.domain.registry.regions import LocationSource, RegionKey, RegionLevel, RegionRow
from marketplace.persistence.database import Reading, Row, Writing
from marketplace.persistence.registry.trees import Merged, merge
from marketplace.persistence.tables import regions


async def every(db: Reading) -> dict[RegionKey, Row]:
    """All regions by scheme and code, in pre-order: parents before children."""
    rows = await db.rows(sa.select(regions).order_by(regions.c.tree_low))
    return {(row["scheme"], row["code"]): row for row in rows}


def as_list(kept: Mapping[RegionKey, Row]) -> list[RegionRow]:
    """Rows as the values that they were loaded from; a stand-in's coordinates are left out."""
    keys = {row["id"]: key for key, row in kept.items()}
    return [_value(row, keys.get(row["parent_id"])) for row in kept.values()]


async def save(
    db: Writing,
    rows: Sequence[RegionRow],
    tree: Mapping[RegionKey, tuple[int, int]],
    kept: Mapping[RegionKey, Row],
) -> Merged:
    """Merge the whole tree, which holds what is kept, too."""
    wanted = {row.key: _columns(row, tree[row.key]) for row in rows}
    return await merge(db, regions, wanted, {row.key: row.parent for row in rows}, kept)


async def by_id(db: Reading, region_id: int) -> Row | None:
    return await db.row(sa.select(regions).where(regions.c.id == region_id))


async def by_code(db: Reading, scheme: str, code: str) -> Row | None:
    return await db.row(
        sa.select(regions).where(regions.c.scheme == scheme, regions.c.code == code)
    )


def _value(row: Row, parent: RegionKey | None) -> RegionRow:
    own = row["location_source"] == LocationSource.OWN
    return RegionRow(
        scheme=row["scheme"],
        code=row["code"],
        parent=parent,
        level=RegionLevel(row["level"]),
        name_zh=row["name_zh"],
        name_en=row["name_en"],
        latitude=row["latitude"] if own else None,
        longitude=row["longitude"] if own else None,
    )


def _columns(row: RegionRow, interval: tuple[int, int]) -> dict[str, object]:
    return {
        "level": row.level.value,
        "scheme": row.scheme,
        "code": row.code,
        "name_zh": row.name_zh,
        "name_en": row.name_en,
        "latitude": row.latitude,
        "longitude": row.longitude,
        "location_source": row.location_source.value,
        "tree_low": interval[0],
        "tree_high": interval[1],
    }
