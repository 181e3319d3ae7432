"""What an import looks up before it writes: many codes and references by few statements."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TypeVar

import sqlalchemy as sa

from marketplace.domain.exchange.categories import CategoryFacts
from marketplace.domain.exchange.government_aid import AidGranted, Counted
from marketplace.domain.registry.categories import CategoryKind
from marketplace.persistence.database import Reading, Row, Writing
from marketplace.persistence.exchange import needs as need_rows
from marketplace.persistence.tables import (
    assessments,
    categories,
    government_aids,
    households,
    needs,
    organizations,
    regions,
)

CHUNK = 1_000


async def references(db: Reading, table: sa.Table, wanted: Collection[str]) -> dict[str, int]:
    """External reference -> key, for those of a table that are there."""
    found: dict[str, int] = {}
    for part in _parts(wanted):
        statement = sa.select(table.c.external_reference, table.c.id).where(
            table.c.external_reference.in_(part)
        )
        found |= {row["external_reference"]: row["id"] for row in await db.rows(statement)}
    return found


async def regions_by_code(db: Reading, wanted: Collection[str]) -> dict[str, Row]:
    """Code -> region; where two schemes use one code, the first scheme by name."""
    found: dict[str, Row] = {}
    for part in _parts(wanted):
        statement = (
            sa.select(regions).where(regions.c.code.in_(part)).order_by(regions.c.scheme.desc())
        )
        found |= {row["code"]: row for row in await db.rows(statement)}
    return found


async def county_codes(db: Reading) -> list[tuple[int, int, str]]:
    """Interval and code of every county."""
    statement = sa.select(regions.c.tree_low, regions.c.tree_high, regions.c.code).where(
        regions.c.level == "COUNTY"
    )
    return [(row["tree_low"], row["tree_high"], row["code"]) for row in await db.rows(statement)]


async def categories_by_code(db: Reading) -> dict[str, tuple[int, CategoryFacts]]:
    """Code -> key, and what the rules of needs and offers ask."""
    return {
        row["code"]: (
            row["id"],
            CategoryFacts(
                kind=CategoryKind(row["kind"]),
                unit=row["unit"],
                reference_price_fen=row["reference_price_fen"],
                tree_low=row["tree_low"],
                tree_high=row["tree_high"],
            ),
        )
        for row in await db.rows(sa.select(categories))
    }


async def households_by_reference(db: Reading, wanted: Collection[str]) -> dict[str, Row]:
    """External reference -> id, region_id, and severity of the latest assessment, if any."""
    latest = (
        sa.select(assessments.c.severity)
        .where(assessments.c.household_id == households.c.id)
        .order_by(assessments.c.assessed_at.desc(), assessments.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    found: dict[str, Row] = {}
    for part in _parts(wanted):
        statement = sa.select(
            households.c.external_reference,
            households.c.id,
            households.c.region_id,
            latest.label("severity"),
        ).where(households.c.external_reference.in_(part))
        found |= {row["external_reference"]: row for row in await db.rows(statement)}
    return found


async def organizations_by_reference(db: Reading, wanted: Collection[str]) -> dict[str, Row]:
    """External reference -> id, status, and the coordinates of its region where it has any."""
    found: dict[str, Row] = {}
    for part in _parts(wanted):
        statement = (
            sa.select(
                organizations.c.external_reference,
                organizations.c.id,
                organizations.c.status,
                regions.c.latitude,
                regions.c.longitude,
            )
            .join(regions, regions.c.id == organizations.c.region_id)
            .where(organizations.c.external_reference.in_(part))
        )
        found |= {row["external_reference"]: row for row in await db.rows(statement)}
    return found


async def lock_households(db: Writing, household_ids: Collection[int]) -> None:
    """Make those who write down needs of these households take turns: aid is set off once."""
    for part in _parts(household_ids):
        await db.rows(
            sa.select(households.c.id)
            .where(households.c.id.in_(part))
            .order_by(households.c.id)
            .with_for_update(key_share=True)
        )


async def aids(db: Reading, household_ids: Collection[int]) -> dict[int, list[AidGranted]]:
    """What government grants each household in kind or toward a purpose."""
    found: dict[int, list[AidGranted]] = {}
    for part in _parts(household_ids):
        statement = (
            sa.select(
                government_aids.c.household_id,
                categories.c.tree_low.label("category_low"),
                categories.c.tree_high.label("category_high"),
                government_aids.c.covers_quantity,
                government_aids.c.starts_on,
                government_aids.c.ends_on,
            )
            .join(categories, categories.c.id == government_aids.c.covers_category_id)
            .where(government_aids.c.household_id.in_(part), government_aids.c.granted)
        )
        for row in await db.rows(statement):
            values = {name: row[name] for name in row if name != "household_id"}
            found.setdefault(row["household_id"], []).append(AidGranted(**values))
    return found


async def counted(db: Reading, household_ids: Collection[int]) -> dict[int, list[Counted]]:
    """What live needs of each household count as given by government, oldest first."""
    found: dict[int, list[Counted]] = {}
    for part in _parts(household_ids):
        statement = (
            sa.select(
                needs.c.household_id,
                categories.c.tree_low,
                categories.c.tree_high,
                need_rows.by_government().label("units"),
                needs.c.created_at,
            )
            .join(categories, categories.c.id == needs.c.category_id)
            .where(
                needs.c.household_id.in_(part),
                need_rows.has_drawn_aid(),
            )
            .order_by(needs.c.id)
        )
        for row in await db.rows(statement):
            entry = Counted(
                row["tree_low"],
                row["tree_high"],
                row["units"],
                row["created_at"].date(),
            )
            found.setdefault(row["household_id"], []).append(entry)
    return found


Wanted = TypeVar("Wanted", str, int)


def _parts(wanted: Collection[Wanted]) -> Iterator[Sequence[Wanted]]:
    every = sorted(set(wanted))
    return (every[start : start + CHUNK] for start in range(0, len(every), CHUNK))
