"""Rows of organizations' applications and of their standing agreements with scope and caps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import sqlalchemy as sa

from marketplace.domain.errors import Conflict
from marketplace.domain.registry.agreements import AgreementStatus
from marketplace.domain.registry.organizations import OrganizationStatus
from marketplace.persistence.database import Reading, Row, Values, Writing
from marketplace.persistence.tables import (
    agreement_categories,
    agreement_regions,
    agreements,
    categories,
    organization_applications,
    organizations,
    regions,
)

NAME = "organization_applications.contact_name"
PHONE = "organization_applications.contact_phone"


async def add_application(db: Writing, values: Values) -> None:
    await db.insert_many(organization_applications, [values])


async def application(db: Reading, organization_id: int) -> Row | None:
    return await db.row(
        sa.select(organization_applications).where(
            organization_applications.c.organization_id == organization_id
        )
    )


async def decide_application(db: Writing, organization_id: int, values: Values) -> None:
    await db.execute(
        sa.update(organization_applications)
        .where(
            organization_applications.c.organization_id == organization_id,
            organization_applications.c.decided_at.is_(None),
        )
        .values(**values)
    )


async def code_taken(db: Reading, credit_code: str) -> bool:
    """Whether an organization that was not rejected goes by a credit code."""
    found = sa.select(organizations.c.id).where(
        organizations.c.credit_code == credit_code,
        organizations.c.status != OrganizationStatus.REJECTED,
    )
    return await db.scalar(found.limit(1)) is not None


async def change_organization(db: Writing, organization_id: int, values: Values) -> None:
    await db.execute(
        sa.update(organizations)
        .where(organizations.c.id == organization_id)
        .values(**values, version=organizations.c.version + 1)
    )


async def sign(
    db: Writing, values: Values, scope: Mapping[int, int | None], region_ids: Sequence[int]
) -> int:
    """A new agreement; its key. Raises Conflict where one is in force, or the number is taken."""
    try:
        agreement_id = await db.insert(agreements, values)
    except sa.exc.IntegrityError as error:
        if "number" in str(error.orig):
            raise Conflict.of(
                "number",
                "Another agreement has this number.",
                "该协议编号已被使用。",
                code="TAKEN",
            ) from error
        raise Conflict.of(
            "organization_id",
            "This organization has an agreement already. End it first.",
            "该单位已有生效协议，请先终止原协议。",
        ) from error
    await db.insert_many(
        agreement_categories,
        [
            {"agreement_id": agreement_id, "category_id": category_id, "units_max": cap}
            for category_id, cap in sorted(scope.items())
        ],
    )
    await db.insert_many(
        agreement_regions,
        [{"agreement_id": agreement_id, "region_id": key} for key in sorted(set(region_ids))],
    )
    return agreement_id


async def lock(db: Writing, agreement_id: int) -> Row | None:
    return await db.row(
        sa.select(agreements).where(agreements.c.id == agreement_id).with_for_update()
    )


async def end(db: Writing, agreement_id: int, values: Values) -> None:
    await db.execute(
        sa.update(agreements)
        .where(agreements.c.id == agreement_id)
        .values(**values, version=agreements.c.version + 1)
    )


async def in_force(db: Reading, organization_id: int, *, today: date) -> Row | None:
    """The agreement that binds an organization on a day."""
    return await db.row(
        sa.select(agreements).where(
            agreements.c.organization_id == organization_id,
            agreements.c.status == AgreementStatus.SIGNED,
            agreements.c.valid_from <= today,
            agreements.c.valid_until >= today,
        )
    )


async def had_any(db: Reading, organization_id: int) -> bool:
    """Whether an organization ever signed; those from before agreements were kept did not."""
    found = sa.select(agreements.c.id).where(agreements.c.organization_id == organization_id)
    return await db.scalar(found.limit(1)) is not None


async def scope(db: Reading, agreement_id: int) -> Sequence[Row]:
    """Categories of an agreement: tree_low, tree_high, units_max."""
    return await db.rows(
        sa.select(categories.c.tree_low, categories.c.tree_high, agreement_categories.c.units_max)
        .join(categories, categories.c.id == agreement_categories.c.category_id)
        .where(agreement_categories.c.agreement_id == agreement_id)
    )


async def area(db: Reading, agreement_id: int) -> Sequence[Row]:
    """Regions of an agreement: tree_low, tree_high."""
    return await db.rows(
        sa.select(regions.c.tree_low, regions.c.tree_high)
        .join(agreement_regions, agreement_regions.c.region_id == regions.c.id)
        .where(agreement_regions.c.agreement_id == agreement_id)
    )


async def known_categories(db: Reading, category_ids: Sequence[int]) -> frozenset[int]:
    if not category_ids:
        return frozenset()
    rows = await db.rows(
        sa.select(categories.c.id).where(categories.c.id.in_(category_ids[:1_000]))
    )
    return frozenset(row["id"] for row in rows)


async def known_regions(db: Reading, region_ids: Sequence[int]) -> frozenset[int]:
    if not region_ids:
        return frozenset()
    rows = await db.rows(sa.select(regions.c.id).where(regions.c.id.in_(region_ids[:1_000])))
    return frozenset(row["id"] for row in rows)
