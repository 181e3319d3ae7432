"""Finding what an operator names at the console: regions, organizations, accounts."""

from __future__ import annotations

import re
from collections.abc import Sequence

import sqlalchemy as sa

from marketplace.domain.errors import InvalidInput
from marketplace.persistence.database import Database, Row
from marketplace.persistence.tables import accounts, api_keys, organizations, regions

REFERENCE = re.compile(r"G-\d{4}-(\d{6,})")


async def region_of_code(database: Database, code: str) -> int:
    """The region with an official code. Raises InvalidInput naming the code."""
    async with database.read() as db:
        found = await db.scalar(sa.select(regions.c.id).where(regions.c.code == code))
    if not isinstance(found, int):
        raise InvalidInput.of(
            "region_code",
            f"There is no region with the code {code}.",
            f"没有代码为 {code} 的区划。",
        )
    return found


async def organization_of_reference(database: Database, reference: str) -> int:
    """The organization with a printed or an external reference. Raises InvalidInput naming it."""
    wanted = organizations.c.external_reference == reference
    if printed := REFERENCE.fullmatch(reference):
        wanted = sa.or_(wanted, organizations.c.id == int(printed.group(1)))
    async with database.read() as db:
        found = await db.scalar(sa.select(organizations.c.id).where(wanted))
    if not isinstance(found, int):
        raise InvalidInput.of(
            "organization",
            f"There is no organization with the reference {reference}.",
            f"没有编号为 {reference} 的组织。",
        )
    return found


async def accounts_with_keys(database: Database) -> Sequence[Row]:
    """Every account with its live keys' prefixes, oldest first; never a digest."""
    joined = accounts.outerjoin(
        api_keys,
        sa.and_(api_keys.c.account_id == accounts.c.id, api_keys.c.revoked_at.is_(None)),
    )
    statement = (
        sa.select(
            accounts.c.id,
            accounts.c.name,
            accounts.c.role,
            accounts.c.disabled_at,
            api_keys.c.id.label("key_id"),
            api_keys.c.prefix,
        )
        .select_from(joined)
        .order_by(accounts.c.id, api_keys.c.id)
    )
    async with database.read() as db:
        return await db.rows(statement)
