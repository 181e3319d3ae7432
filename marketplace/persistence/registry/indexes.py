"""Rows whose blind indexes are not as they are made now."""

from __future__ import annotations

import sqlalchemy as sa

from marketplace.persistence.crypto import Sealer
from marketplace.persistence.database import Writing
from marketplace.persistence.registry import households as rows
from marketplace.persistence.tables import households, members


async def name_members(db: Writing, sealer: Sealer, *, limit: int) -> int:
    """Index the names of the next members that are not indexed; how many."""
    found = await db.rows(
        sa.select(members.c.id, members.c.name_sealed, members.c.seal_id)
        .where(members.c.name_index.is_(None))
        .order_by(members.c.id)
        .limit(limit)
    )
    indexed = [
        {
            "key": row["id"],
            "index": rows.name_index(
                sealer, sealer.open(row["name_sealed"], place=rows.NAME, seal_id=row["seal_id"])
            ),
        }
        for row in found
    ]
    if indexed:
        await db.execute(
            sa.update(members)
            .where(members.c.id == sa.bindparam("key"))
            .values(name_index=sa.bindparam("index")),
            indexed,
        )
    return len(indexed)


async def phone_households(
    db: Writing, sealer: Sealer, *, after: int, limit: int
) -> tuple[list[int], int]:
    """The next standing households by key, and how many phones of them were indexed anew."""
    columns = (households.c.phone_sealed, households.c.phone_index, households.c.seal_id)
    found = await db.rows(
        sa.select(households.c.id, *columns)
        .where(households.c.id > after, households.c.status == "ACTIVE")
        .order_by(households.c.id)
        .limit(limit)
    )
    changed = 0
    for row in found:
        if row["phone_sealed"] is None:
            continue
        phone = sealer.open(row["phone_sealed"], place=rows.PHONE, seal_id=row["seal_id"])
        index = rows.phone_index(sealer, phone)
        if index != row["phone_index"]:
            changed += await db.execute(
                sa.update(households).where(households.c.id == row["id"]).values(phone_index=index)
            )
    return [row["id"] for row in found], changed
