"""Rows of integrity cases with what belongs to them; texts are sealed before they are written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from marketplace.domain.oversight.integrity import EntryKind
from marketplace.domain.registry.households import HouseholdStatus
from marketplace.persistence.crypto import Sealer, new_seal_id
from marketplace.persistence.database import Reading, Row, Values, Writing
from marketplace.persistence.tables import (
    allocations,
    households,
    integrity_cases,
    integrity_entries,
    integrity_findings,
    offers,
    organizations,
    recoveries,
    regions,
)

ALLEGATION = "integrity_cases.allegation"
CLOSING = "integrity_cases.closing"
FINDING = "integrity_findings.finding"


async def add(db: Writing, sealer: Sealer, allegation: str, values: Values) -> int:
    """Put a new case in; its key."""
    seal_id = new_seal_id()
    sealed = sealer.seal(allegation, place=ALLEGATION, seal_id=seal_id)
    return await db.insert(
        integrity_cases, {**values, "seal_id": seal_id, "allegation_sealed": sealed}
    )


async def lock(db: Writing, case_id: int) -> Row | None:
    """A case, its row kept for this transaction, with tree_low of its household's region now."""
    return await db.row(_located(case_id).with_for_update(of=integrity_cases))


async def find(db: Reading, case_id: int) -> Row | None:
    """The same without keeping its row."""
    return await db.row(_located(case_id))


async def change(db: Writing, case_id: int, values: Values) -> None:
    """Write columns of a locked case and count its version up."""
    await db.execute(
        sa.update(integrity_cases)
        .where(integrity_cases.c.id == case_id)
        .values(**values, version=integrity_cases.c.version + 1)
    )


def closing(sealer: Sealer, case: Row, reason: str) -> str:
    """Why a case ended, sealed for its row."""
    return sealer.seal(reason, place=CLOSING, seal_id=case["seal_id"])


async def finders(db: Reading, case_id: int) -> list[int]:
    """The accounts that found it true, in order."""
    statement = (
        sa.select(integrity_findings.c.found_by)
        .where(integrity_findings.c.case_id == case_id)
        .order_by(integrity_findings.c.id)
    )
    return [row["found_by"] for row in await db.rows(statement)]


async def findings(db: Reading, case_id: int) -> Sequence[Row]:
    """Who found it true and why, sealed, in order."""
    return await db.rows(
        sa.select(integrity_findings)
        .where(integrity_findings.c.case_id == case_id)
        .order_by(integrity_findings.c.id)
    )


async def add_finding(
    db: Writing, sealer: Sealer, case_id: int, finding: str, *, by: int, now: datetime
) -> None:
    seal_id = new_seal_id()
    await db.insert(
        integrity_findings,
        {
            "case_id": case_id,
            "found_by": by,
            "finding_sealed": sealer.seal(finding, place=FINDING, seal_id=seal_id),
            "seal_id": seal_id,
            "found_at": now,
        },
    )


async def enter(
    db: Writing, case: Row, kind: EntryKind, *, now: datetime, amount_fen: int | None = None
) -> None:
    """Write a line into the integrity file of whom the case is about."""
    await db.insert(
        integrity_entries,
        {
            "case_id": case["id"],
            "household_id": case["household_id"],
            "organization_id": case["organization_id"],
            "kind": kind,
            "amount_fen": amount_fen,
            "entered_at": now,
        },
    )


async def add_recoveries(db: Writing, rows: Sequence[Values]) -> None:
    await db.insert_many(recoveries, rows)


async def household(db: Reading, household_id: int) -> Row | None:
    """Where a household, if it is still one, lives: household_id, region_id, tree_low of it."""
    return await db.row(
        sa.select(households.c.id.label("household_id"), households.c.region_id, regions.c.tree_low)
        .join(regions, regions.c.id == households.c.region_id)
        .where(households.c.id == household_id, households.c.status == HouseholdStatus.ACTIVE)
    )


async def organization(db: Reading, organization_id: int) -> Row | None:
    return await db.row(sa.select(organizations).where(organizations.c.id == organization_id))


async def is_of_organization(db: Reading, allocation_id: int, organization_id: int) -> bool:
    """Whether an allocation is of one of the organization's offers."""
    found = (
        sa.select(allocations.c.id)
        .join(offers, offers.c.id == allocations.c.offer_id)
        .where(allocations.c.id == allocation_id, offers.c.organization_id == organization_id)
    )
    return await db.scalar(found) is not None


def _located(case_id: int) -> sa.Select[tuple[object, ...]]:
    lives_in = sa.func.coalesce(households.c.region_id, integrity_cases.c.region_id)
    return (
        sa.select(integrity_cases, regions.c.tree_low)
        .outerjoin(households, households.c.id == integrity_cases.c.household_id)
        .join(regions, regions.c.id == lives_in)
        .where(integrity_cases.c.id == case_id)
    )
