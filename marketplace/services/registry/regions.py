"""Regions: loading a list into the tree, and the list that comes with the package."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from importlib import resources

from marketplace.domain.registry.regions import RegionLevel, RegionRow, located, tree_of
from marketplace.persistence.database import Database
from marketplace.persistence.registry import regions
from marketplace.persistence.registry.trees import Merged


def from_package() -> list[RegionRow]:
    """Jiangxi, Fuzhou with its counties and towns, and Jinxi's villages, parents first."""
    text = resources.files("marketplace.data").joinpath("regions.csv").read_text(encoding="utf-8")
    return [
        RegionRow(
            scheme=row["scheme"],
            code=row["code"],
            parent=(row["parent_scheme"], row["parent_code"]) if row["parent_code"] else None,
            level=RegionLevel(row["level"]),
            name_zh=row["name_zh"],
            name_en=row["name_en"],
            latitude=float(row["latitude"]) if row["latitude"] else None,
            longitude=float(row["longitude"]) if row["longitude"] else None,
        )
        for row in csv.DictReader(text.splitlines())
    ]


async def load(database: Database, rows: Sequence[RegionRow]) -> Merged:
    """Add these regions to the tree, or change those that are there; loading twice is as once.

    Nothing is ever removed. All intervals are numbered anew in the same transaction. Raises
    InvalidInput with every fault of the tree as it would be (see `tree_of`).
    """
    async with database.write() as db:
        kept = await regions.every(db)
        merged = {row.key: row for row in regions.as_list(kept)} | {row.key: row for row in rows}
        tree = tree_of(list(merged.values()))
        in_order = sorted(merged.values(), key=lambda row: tree[row.key])
        return await regions.save(db, located(in_order), tree, kept)
