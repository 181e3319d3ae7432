"""Rows of notifications, who could be told, and what an event's entity belongs to."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from marketplace.domain.notifications import Place, Reader
from marketplace.domain.permissions import OFFICERS, Role
from marketplace.persistence.database import Reading, Row, Writing
from marketplace.persistence.tables import (
    accounts,
    notifications,
    regions,
)


async def readers(
    db: Reading, roles: Collection[Role], about: Collection[Place]
) -> Sequence[Reader]:
    """Accounts of these roles with their scope, but for disabled ones.

    All officers, and of applicants and providers those of the households and organizations meant.
    """
    households_meant = sorted({p.household_id for p in about if p.household_id is not None})
    organizations_meant = sorted(
        {p.organization_id for p in about if p.organization_id is not None}
    )
    rows = await db.rows(
        sa.select(
            accounts.c.id,
            accounts.c.role,
            accounts.c.organization_id,
            accounts.c.household_id,
            accounts.c.region_id,
            regions.c.tree_low,
            regions.c.tree_high,
        )
        .select_from(accounts.outerjoin(regions, regions.c.id == accounts.c.region_id))
        .where(
            accounts.c.role.in_(sorted(roles)),
            accounts.c.disabled_at.is_(None),
            sa.or_(
                accounts.c.role.in_(sorted(OFFICERS)),
                accounts.c.household_id.in_(households_meant),
                accounts.c.organization_id.in_(organizations_meant),
            ),
        )
    )
    return [
        Reader(
            account_id=row["id"],
            role=Role(row["role"]),
            organization_id=row["organization_id"],
            household_id=row["household_id"],
            region_id=row["region_id"],
            region_low=0 if row["tree_low"] is None else row["tree_low"],
            region_high=-1 if row["tree_high"] is None else row["tree_high"],
        )
        for row in rows
    ]


async def add_many(db: Writing, rows: Sequence[Mapping[str, object]]) -> None:
    if rows:
        await db.insert_many(notifications, list(rows))


async def mark_read(
    db: Writing, account_id: int, ids: Sequence[int] | None, *, now: datetime
) -> list[int]:
    """Mark an account's unread notifications as read: these, or all; those that were changed."""
    statement = (
        sa.update(notifications)
        .where(notifications.c.account_id == account_id, notifications.c.read_at.is_(None))
        .values(read_at=now)
        .returning(notifications.c.id)
    )
    if ids is not None:
        statement = statement.where(notifications.c.id.in_(ids))
    return [row["id"] for row in await db.rows(statement)]


async def own(db: Reading, account_id: int, ids: Sequence[int]) -> bool:
    """Whether any of these is the account's."""
    found = sa.select(notifications.c.id).where(
        notifications.c.account_id == account_id, notifications.c.id.in_(ids)
    )
    return await db.scalar(found.limit(1)) is not None


async def counted(db: Reading, account_id: int, since: datetime) -> Sequence[Row]:
    """Kind, how many of it since a moment, and how many of those are unread."""
    unread = sa.func.sum(sa.case((notifications.c.read_at.is_(None), 1), else_=0))
    return await db.rows(
        sa.select(notifications.c.kind, sa.func.count().label("total"), unread.label("unread"))
        .where(notifications.c.account_id == account_id, notifications.c.at >= since)
        .group_by(notifications.c.kind)
    )
