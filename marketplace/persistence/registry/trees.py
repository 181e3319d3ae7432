"""Rows of a tree: merged with a list by key, so that loading the list twice changes nothing."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import NamedTuple, TypeVar

import sqlalchemy as sa

from marketplace.persistence.database import Writing

Key = TypeVar("Key", bound=Hashable)


class Merged(NamedTuple):
    added: int
    changed: int
    unchanged: int


async def merge(
    db: Writing,
    table: sa.Table,
    wanted: Mapping[Key, Mapping[str, object]],
    parents: Mapping[Key, Key | None],
    kept: Mapping[Key, sa.RowMapping],
) -> Merged:
    """Add what is not kept yet and change what differs.

    wanted    by key, parents before children, every column but id and parent_id
    kept      the table's rows by key
    """
    ids = {key: int(row["id"]) for key, row in kept.items()}
    new = [key for key in wanted if key not in kept]
    while new:
        # One statement a level: a child needs the key that its parent is given.
        ready = [key for key in new if parents[key] is None or parents[key] in ids]
        rows = [dict(wanted[key]) | {"parent_id": _id(ids, parents[key])} for key in ready]
        ids |= zip(ready, await db.insert_keys(table, rows), strict=True)
        waiting = set(new) - set(ready)
        new = [key for key in new if key in waiting]
    stale = [
        dict(values) | {"parent_id": _id(ids, parents[key]), "key": ids[key]}
        for key, values in wanted.items()
        if key in kept and _differs(kept[key], values, _id(ids, parents[key]))
    ]
    if stale:
        names = [name for name in stale[0] if name != "key"]
        await db.execute(
            sa.update(table)
            .where(table.c.id == sa.bindparam("key"))
            .values({name: sa.bindparam(name) for name in names}),
            stale,
        )
    added = len(wanted) - len(kept.keys() & wanted.keys())
    return Merged(added, len(stale), len(wanted) - added - len(stale))


def _id(ids: Mapping[Key, int], parent: Key | None) -> int | None:
    return None if parent is None else ids[parent]


def _differs(row: sa.RowMapping, values: Mapping[str, object], parent_id: int | None) -> bool:
    return row["parent_id"] != parent_id or any(row[name] != values[name] for name in values)
