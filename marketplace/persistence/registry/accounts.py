"""Rows of accounts and of their keys."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from marketplace.domain.permissions import Role
from marketplace.domain.registry.accounts import CreateAccount, NewKey
from marketplace.persistence.database import Reading, Row, Writing
from marketplace.persistence.tables import accounts, api_keys, households, organizations, regions


async def add(db: Writing, command: CreateAccount, now: datetime) -> int:
    return await db.insert(
        accounts,
        {
            "name": command.name,
            "role": command.role,
            "organization_id": command.organization_id,
            "region_id": command.region_id,
            "household_id": command.household_id,
            "created_at": now,
        },
    )


async def missing_scope(db: Reading, command: CreateAccount) -> list[str]:
    """The fields of a command that name a row which is not there."""
    wanted = (
        ("organization_id", organizations, command.organization_id),
        ("region_id", regions, command.region_id),
        ("household_id", households, command.household_id),
    )
    return [
        name
        for name, table, key in wanted
        if key is not None
        and await db.scalar(sa.select(table.c.id).where(table.c.id == key)) is None
    ]


async def by_name(db: Reading, names: Sequence[str]) -> dict[tuple[str, Role], int]:
    """Name and role -> the first account of that name and role."""
    rows = await db.rows(
        sa.select(accounts.c.id, accounts.c.name, accounts.c.role)
        .where(accounts.c.name.in_(names))
        .order_by(accounts.c.id.desc())
    )
    return {(row["name"], Role(row["role"])): row["id"] for row in rows}


async def lock(db: Writing, account_id: int) -> Row | None:
    return await db.row(sa.select(accounts).where(accounts.c.id == account_id).with_for_update())


async def disable(db: Writing, account_id: int, now: datetime) -> None:
    await db.execute(sa.update(accounts).where(accounts.c.id == account_id).values(disabled_at=now))


async def add_key(
    db: Writing, account_id: int, key: NewKey, *, now: datetime, expires_at: datetime | None = None
) -> int:
    """Keep a key's digest; the key itself is written nowhere."""
    return await db.insert(
        api_keys,
        {
            "account_id": account_id,
            "prefix": key.prefix,
            "digest": key.digest,
            "created_at": now,
            "expires_at": expires_at,
        },
    )


async def revoke_key(db: Writing, key_id: int, now: datetime) -> int | None:
    """End a key from now on; its account, or None if there is no such key that stands."""
    statement = (
        sa.update(api_keys)
        .where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(api_keys.c.account_id)
    )
    found = await db.scalar(statement)
    return None if found is None else int(str(found))
