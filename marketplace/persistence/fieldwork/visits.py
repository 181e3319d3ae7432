"""Rows of visits and of checks of monitored households, and where those live."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import sqlalchemy as sa

from marketplace.domain.registry.households import HouseholdStatus
from marketplace.persistence.crypto import Sealer, new_seal_id
from marketplace.persistence.database import Reading, Row, Values, Writing
from marketplace.persistence.tables import households, monitoring_checks, regions, visits

NOTE = "visits.note"


async def homes(db: Reading, household_ids: Collection[int]) -> Mapping[int, Row]:
    """Households that are still ones, by id: their region, place, people and category.

    Columns region_id, tree_low of it, latitude, longitude, member_count, monitoring_category.
    """
    if not household_ids:
        return {}
    statement = (
        sa.select(
            households.c.id,
            households.c.region_id,
            households.c.latitude,
            households.c.longitude,
            households.c.member_count,
            households.c.monitoring_category,
            regions.c.tree_low,
        )
        .join(regions, regions.c.id == households.c.region_id)
        .where(households.c.id.in_(household_ids), households.c.status == HouseholdStatus.ACTIVE)
    )
    return {row["id"]: row for row in await db.rows(statement)}


async def places(db: Reading, region_ids: Collection[int]) -> Mapping[int, Row]:
    """Regions by id: region_id, tree_low and the place on the map."""
    if not region_ids:
        return {}
    statement = sa.select(
        regions.c.id,
        regions.c.id.label("region_id"),
        regions.c.latitude,
        regions.c.longitude,
        regions.c.tree_low,
    ).where(regions.c.id.in_(region_ids))
    return {row["id"]: row for row in await db.rows(statement)}


async def find(db: Reading, visit_id: int) -> Row | None:
    """A visit with tree_low of its region."""
    return await db.row(
        sa.select(visits, regions.c.tree_low)
        .join(regions, regions.c.id == visits.c.region_id)
        .where(visits.c.id == visit_id)
    )


async def add_many(
    db: Writing, sealer: Sealer, rows: Sequence[tuple[Values, str | None]]
) -> list[int]:
    """Put visits in, each with its note, which is sealed; their keys in the order given."""
    made = []
    for values, note in rows:
        seal_id = new_seal_id()
        sealed = None if note is None else sealer.seal(note, place=NOTE, seal_id=seal_id)
        made.append({**values, "seal_id": seal_id, "note_sealed": sealed})
    return await db.insert_keys(visits, made)


async def add_checks(db: Writing, rows: Sequence[Values]) -> list[int]:
    """Put checks in; their keys in the order given."""
    return await db.insert_keys(monitoring_checks, rows)
