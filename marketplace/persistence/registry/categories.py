"""Rows of categories: the tree as a list, and merging a list into it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from marketplace.domain.registry.categories import CategoryKind, CategoryRow
from marketplace.persistence.database import Reading, Row, Writing
from marketplace.persistence.registry.trees import Merged, merge
from marketplace.persistence.tables import categories


async def every(db: Reading) -> dict[str, Row]:
    """All categories by code, in pre-order: parents before children."""
    rows = await db.rows(sa.select(categories).order_by(categories.c.tree_low))
    return {row["code"]: row for row in rows}


def as_list(kept: Mapping[str, Row]) -> list[CategoryRow]:
    """Rows as the values that they were loaded from."""
    codes = {row["id"]: code for code, row in kept.items()}
    return [_value(row, codes.get(row["parent_id"])) for row in kept.values()]


async def save(
    db: Writing,
    rows: Sequence[CategoryRow],
    tree: Mapping[str, tuple[int, int]],
    kept: Mapping[str, Row],
) -> Merged:
    """Merge the whole tree, which holds what is kept, too."""
    wanted = {row.code: _columns(row, tree[row.code]) for row in rows}
    return await merge(db, categories, wanted, {row.code: row.parent for row in rows}, kept)


def _value(row: Row, parent: str | None) -> CategoryRow:
    names = ("code", "unit", "reference_price_fen", "label_zh", "label_en")
    return CategoryRow(
        parent=parent, kind=CategoryKind(row["kind"]), **{name: row[name] for name in names}
    )


def _columns(row: CategoryRow, interval: tuple[int, int]) -> dict[str, object]:
    return {
        "code": row.code,
        "kind": row.kind.value,
        "unit": row.unit,
        "reference_price_fen": row.reference_price_fen,
        "label_zh": row.label_zh,
        "label_en": row.label_en,
        "tree_low": interval[0],
        "tree_high": interval[1],
    }
