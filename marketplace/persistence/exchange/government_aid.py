"""Rows of government aid."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from marketplace.domain.exchange.government_aid import DecideAid
from marketplace.persistence.database import Reading, Row, Values, Writing
from marketplace.persistence.tables import assessments, categories, government_aids, needs


def aid_row(command: DecideAid, *, decided_by: int | None, now: datetime) -> dict[str, object]:
    return {
        "household_id": command.household_id,
        "kind": command.kind,
        "granted": command.granted,
        "amount_fen": command.amount_fen,
        "starts_on": command.starts_on,
        "ends_on": command.ends_on,
        "covers_category_id": command.covers_category_id,
        "covers_quantity": command.covers_quantity,
        "decided_by": decided_by,
        "decided_at": now,
        "reason": (command.reason or "").strip() or None,
        "snapshot": None,
        "counted_at": now if command.starts_on <= now.date() else None,
    }


async def add(db: Writing, row: dict[str, object]) -> int:
    return await db.insert(government_aids, row)


async def household_of(db: Reading, aid_id: int) -> int | None:
    """Whose decision it is."""
    found = await db.scalar(
        sa.select(government_aids.c.household_id).where(government_aids.c.id == aid_id)
    )
    return None if found is None else int(str(found))


async def lock(db: Writing, aid_id: int) -> Row | None:
    return await db.row(
        sa.select(government_aids).where(government_aids.c.id == aid_id).with_for_update()
    )


async def change(db: Writing, aid_id: int, values: Values) -> None:
    await db.execute(
        sa.update(government_aids)
        .where(government_aids.c.id == aid_id)
        .values(**values, version=government_aids.c.version + 1)
    )


async def so_far(db: Reading, household_id: int) -> list[dict[str, object]]:
    """A household's decisions until now, as JSON."""
    rows = await db.rows(
        sa.select(government_aids, categories.c.code)
        .outerjoin(categories, categories.c.id == government_aids.c.covers_category_id)
        .where(government_aids.c.household_id == household_id)
        .order_by(government_aids.c.id)
    )
    return [
        {
            "aid": row["id"],
            "kind": row["kind"],
            "granted": row["granted"],
            "amountFen": row["amount_fen"],
            "category": row["code"],
            "units": row["covers_quantity"],
            "startsOn": row["starts_on"].isoformat(),
            "endsOn": row["ends_on"].isoformat() if row["ends_on"] else None,
        }
        for row in rows
    ]


def is_decided() -> sa.ColumnElement[bool]:
    """Whether government has decided before charity is asked, of a need joined with its category.

    That is: a decision since the assessment that the need stands on, or one that names its
    category and was in force when it was written down.
    """
    of = categories.alias()
    based_on = (
        sa.select(sa.func.max(assessments.c.assessed_at))
        .where(
            assessments.c.household_id == needs.c.household_id,
            assessments.c.assessed_at <= needs.c.created_at,
        )
        .correlate(needs)
        .scalar_subquery()
    )
    names_it = sa.and_(
        of.c.tree_low <= categories.c.tree_high,
        categories.c.tree_low <= of.c.tree_high,
        sa.or_(
            government_aids.c.ends_on.is_(None),
            government_aids.c.ends_on >= sa.func.date(needs.c.created_at),
        ),
    )
    since = government_aids.c.decided_at >= sa.func.coalesce(based_on, needs.c.created_at)
    return (
        sa.select(government_aids.c.id)
        .outerjoin(of, of.c.id == government_aids.c.covers_category_id)
        .where(government_aids.c.household_id == needs.c.household_id, sa.or_(since, names_it))
        .correlate(needs, categories)
        .exists()
    )
