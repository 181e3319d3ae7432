"""What the exchange asks of the registry before it writes: one bounded statement a question."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from marketplace.domain.exchange.categories import CategoryFacts
from marketplace.domain.exchange.government_aid import AidGranted
from marketplace.domain.registry.categories import CategoryKind
from marketplace.persistence.database import Reading, Row, Writing
from marketplace.persistence.tables import (
    accounts,
    assessments,
    categories,
    government_aids,
    households,
    offers,
    organizations,
    regions,
)


async def organization(db: Reading, organization_id: int) -> Row | None:
    """An organization's id, kind and status, and the coordinates of its region where it has any."""
    return await db.row(
        sa.select(
            organizations.c.id,
            organizations.c.kind,
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
        tree_low=row["tree_low"],
        tree_high=row["tree_high"],
    )


async def offer_quantities(db: Reading, offer_ids: Sequence[int]) -> dict[int, int]:
    """How much there is of these offers in all, by id."""
    asked = sa.select(offers.c.id, offers.c.quantity).where(offers.c.id.in_(offer_ids))
    rows = await db.rows(asked)
    return {row["id"]: row["quantity"] for row in rows}


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
    found = await db.scalar(_HOUSEHOLD_OF_ACCOUNT, {"account": account_id})
    return None if found is None else int(str(found))


async def household(db: Reading, household_id: int) -> Row | None:
    """A household's household_id, region_id, household_status, tree_low of its region, severity.

    severity    of the latest assessment; None: it was never assessed
    """
    latest = (
        sa.select(assessments.c.severity)
        .where(assessments.c.household_id == households.c.id)
        .order_by(assessments.c.assessed_at.desc(), assessments.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return await db.row(
        sa.select(
            households.c.id.label("household_id"),
            households.c.region_id,
            households.c.status.label("household_status"),
            regions.c.tree_low,
            latest.label("severity"),
        )
        .join(regions, regions.c.id == households.c.region_id)
        .where(households.c.id == household_id)
    )


async def lock_household(db: Writing, household_id: int) -> None:
    """Make those who write down needs of one household take turns: its aid is set off once."""
    await db.rows(
        sa.select(households.c.id)
        .where(households.c.id == household_id)
        .with_for_update(key_share=True)
    )


async def government_aid(db: Reading, household_id: int) -> list[AidGranted]:
    """What government grants a household in kind or toward a purpose, with what it covers."""
    statement = (
        sa.select(
            categories.c.tree_low.label("category_low"),
            categories.c.tree_high.label("category_high"),
            government_aids.c.covers_quantity,
            government_aids.c.starts_on,
            government_aids.c.ends_on,
            government_aids.c.granted,
        )
        .join(categories, categories.c.id == government_aids.c.covers_category_id)
        .where(government_aids.c.household_id == household_id, government_aids.c.granted)
    )
    return [AidGranted(**row) for row in await db.rows(statement)]


_HOUSEHOLD_OF_ACCOUNT = sa.select(accounts.c.household_id).where(
    accounts.c.id == sa.bindparam("account")
)
