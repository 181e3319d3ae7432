"""Rows of organizations."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from marketplace.domain.registry.organizations import OrganizationStatus, RegisterOrganization
from marketplace.persistence.database import Reading, Row, Writing
from marketplace.persistence.tables import organizations


def organization_row(
    command: RegisterOrganization, status: OrganizationStatus, now: datetime
) -> dict[str, object]:
    return {
        "kind": command.kind,
        "status": status,
        "name": command.name,
        "region_id": command.region_id,
        "external_reference": command.external_reference,
        "created_at": now,
    }


async def add_many(db: Writing, rows: list[dict[str, object]]) -> list[int]:
    """Add organizations; their keys in the order given."""
    return await db.insert_keys(organizations, rows)


async def reference_taken(db: Reading, external_reference: str) -> bool:
    found = sa.select(organizations.c.id).where(
        organizations.c.external_reference == external_reference
    )
    return await db.scalar(found) is not None


async def lock(db: Writing, organization_id: int) -> Row | None:
    """An organization's row, locked: before campaigns, needs and offers.

    Rows that only point to it may still be written: who holds an offer does not wait for it.
    """
    return await db.row(
        sa.select(organizations)
        .where(organizations.c.id == organization_id)
        .with_for_update(key_share=True)
    )


async def set_status(db: Writing, organization_id: int, status: OrganizationStatus) -> None:
    await db.execute(
        sa.update(organizations)
        .where(organizations.c.id == organization_id)
        .values(status=status, version=organizations.c.version + 1)
    )
