"""Categories: loading a list into the tree, and the list that comes with the package."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from importlib import resources

from marketplace.domain.registry.categories import CategoryKind, CategoryRow, tree_of
from marketplace.persistence.database import Database
from marketplace.persistence.registry import categories
from marketplace.persistence.registry.trees import Merged


def from_package() -> list[CategoryRow]:
    """What a county hands out, with units and reference prices, parents first."""
    data = resources.files("marketplace.data").joinpath("categories.csv")
    return [
        CategoryRow(
            code=row["code"],
            parent=row["parent"] or None,
            kind=CategoryKind(row["kind"]),
            unit=row["unit"] or None,
            reference_price_fen=int(row["reference_price_fen"] or 0) or None,
            label_zh=row["label_zh"],
            label_en=row["label_en"],
        )
        for row in csv.DictReader(data.read_text(encoding="utf-8").splitlines())
    ]


async def load(database: Database, rows: Sequence[CategoryRow]) -> Merged:
    """Add these categories to the tree, or change those that are there; twice is as once.

    Nothing is ever removed. Raises InvalidInput with every fault of the tree as it would be
    (see `tree_of`).
    """
    async with database.write() as db:
        kept = await categories.every(db)
        merged = {row.code: row for row in categories.as_list(kept)}
        merged |= {row.code: row for row in rows}
        tree = tree_of(list(merged.values()))
        in_order = sorted(merged.values(), key=lambda row: tree[row.code])
        return await categories.save(db, in_order, tree, kept)
