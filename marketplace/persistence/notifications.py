"""Rows of notifications, who could be told, and what an event's entity belongs to."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from marketplace.domain.notifications import Place, Reader
from marketplace.domain.permissions import OFFICERS, Role
from marketplace.persistence.database import Reading, Row, Writing
from marketplace.persistence.tables import (
    accounts,
    allocations,
    consents,
    feedbacks,
    helped_lists,
    households,
    needs,
    notifications,
    offers,
    organizations,
    plans,
    regions,
    results,
)

CHUNK = 500


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


async def places(db: Reading, entity: str, keys: Iterable[int]) -> dict[int, Place]:
    """What rows of an entity belong to; nothing for an entity that nobody is told of."""
    statement = PLACES.get(entity)
    if statement is None:
        return {}
    found: dict[int, Place] = {}
    wanted = sorted(set(keys))
    for start in range(0, len(wanted), CHUNK):
        part = wanted[start : start + CHUNK]
        for row in await db.rows(statement.where(statement.selected_columns[0].in_(part))):
            found[row["key"]] = Place(
                organization_id=row["organization_id"],
                household_id=row["household_id"],
                region_low=row["region_low"],
            )
    return found


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


def _place(
    key: sa.ColumnElement[int],
    source: sa.FromClause,
    *,
    organization: sa.ColumnElement[Any] | None = None,
    household: sa.ColumnElement[Any] | None = None,
    located: bool = True,
) -> sa.Select[Any]:
    return sa.select(
        key.label("key"),
        _or_null(organization).label("organization_id"),
        _or_null(household).label("household_id"),
        (regions.c.tree_low if located else sa.null()).label("region_low"),
    ).select_from(source)


def _or_null(column: sa.ColumnElement[Any] | None) -> sa.ColumnElement[Any]:
    return sa.null() if column is None else column


def _in(table: sa.FromClause, region_id: sa.ColumnElement[Any]) -> sa.FromClause:
    return table.outerjoin(regions, regions.c.id == region_id)


PLACES: Mapping[str, sa.Select[Any]] = {
    "Need": _place(needs.c.id, _in(needs, needs.c.region_id), household=needs.c.household_id),
    "Consent": _place(
        consents.c.id,
        _in(
            consents.join(households, households.c.id == consents.c.household_id),
            households.c.region_id,
        ),
        household=consents.c.household_id,
    ),
    "Offer": _place(offers.c.id, offers, organization=offers.c.organization_id, located=False),
    "Organization": _place(
        organizations.c.id,
        _in(organizations, organizations.c.region_id),
        organization=organizations.c.id,
    ),
    "Allocation": _place(
        allocations.c.id,
        _in(
            allocations.join(offers, offers.c.id == allocations.c.offer_id).join(
                needs, needs.c.id == allocations.c.need_id
            ),
            needs.c.region_id,
        ),
        organization=offers.c.organization_id,
        household=needs.c.household_id,
    ),
    "Result": _place(
        results.c.id,
        _in(results.join(needs, needs.c.id == results.c.need_id), results.c.region_id),
        organization=results.c.organization_id,
        household=needs.c.household_id,
    ),
    "Feedback": _place(
        feedbacks.c.id,
        _in(feedbacks, feedbacks.c.region_id),
        organization=feedbacks.c.organization_id,
        household=feedbacks.c.household_id,
    ),
    "HelpedList": _place(
        helped_lists.c.id,
        _in(helped_lists, helped_lists.c.region_id),
        organization=helped_lists.c.organization_id,
    ),
    "Plan": _place(plans.c.id, _in(plans, plans.c.region_id)),
}
