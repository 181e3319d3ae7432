"""What the exchange asks of the registry before it writes: one bounded statement a question."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from marketplace.domain.exchange.categories import CategoryFacts
from marketplace.domain.registry.categories import CategoryKind
from marketplace.persistence.database import Reading, Row
from marketplace.persistence.tables import accounts, categories, organizations, regions


async def organization(db: Reading, organization_id: int) -> Row | None:
    """An organization's id and status, and the coordinates of its region where it has any."""
    return await db.row(
        sa.select(
            organizations.c.id,
            organizations.c.status,
            regions.c.latitude,
            regions.c.longitude,
        )
        .join(regions, regions.c.id == organizations.c.region_id)
        .where(organizations.c.id == organization_id)
    )


async def category(db: Reading, category_id: int) -> CategoryFacts | None:
    """Kind, unit and reference price of a category; None if there is no such one."""
    row = await db.row(sa.select(categories).where(categories.c.id == category_id))
    if row is None:
        return None
    return CategoryFacts(
        kind=CategoryKind(row["kind"]),
        unit=row["unit"],
        reference_price_fen=row["reference_price_fen"],
    )


async def known_regions(db: Reading, region_ids: Sequence[int]) -> frozenset[int]:
    """Those of the given regions that there are."""
    if not region_ids:
        return frozenset()
    rows = await db.rows(sa.select(regions.c.id).where(regions.c.id.in_(region_ids[:1_000])))
    return frozenset(row["id"] for row in rows)


async def household_of(db: Reading, account_id: int | None) -> int | None:
    """The household that an account belongs to: an applicant's, or an officer's own."""
    if account_id is None:
        return None
    found = await db.scalar(sa.select(accounts.c.household_id).where(accounts.c.id == account_id))
    return None if found is None else int(str(found))
