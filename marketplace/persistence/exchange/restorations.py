"""Putting suspended needs back where they were, with their public copies."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

import sqlalchemy as sa

from marketplace.domain.exchange.consents import ConsentStatus
from marketplace.domain.exchange.needs import NeedStatus
from marketplace.domain.exchange.restoring import restored
from marketplace.persistence.database import Writing
from marketplace.persistence.exchange import published_needs
from marketplace.persistence.exchange.consents import in_force
from marketplace.persistence.tables import consents, needs


async def restore_needs_of(
    db: Writing, household_id: int, *, since: datetime, now: datetime
) -> dict[NeedStatus, list[int]]:
    """Put a household's suspended needs back; their keys by the state that each is in now.

    since    when they were suspended at the earliest
    """
    locked = await db.rows(
        sa.select(needs.c.id)
        .where(needs.c.household_id == household_id)
        .order_by(needs.c.id)
        .with_for_update()
    )
    ids = [row["id"] for row in locked]
    after: defaultdict[NeedStatus, list[int]] = defaultdict(list)
    # A statement of its own: it sees a consent that ended while the locks were waited for.
    for row in await db.rows(_suspended(ids, since, now)):
        status = restored(
            NeedStatus(row["suspended_from"]),
            consent_in_force=row["consent_in_force"],
            consent_ended=row["consent_ended"],
            deadline=row["deadline"],
            now=now,
        )
        after[status].append(row["id"])
    for status, these in after.items():
        await db.execute(
            sa.update(needs)
            .where(needs.c.id.in_(these))
            .values(status=status, suspended_from=None, version=needs.c.version + 1)
        )
    await published_needs.follow(db, ids)
    return dict(after)


def _suspended(ids: list[int], since: datetime, now: datetime) -> sa.Select[tuple[object, ...]]:
    ended = sa.select(consents.c.id).where(
        consents.c.household_id == needs.c.household_id,
        consents.c.status != ConsentStatus.GIVEN,
        consents.c.ended_at >= since,
    )
    return (
        sa.select(
            needs.c.id,
            needs.c.suspended_from,
            needs.c.deadline,
            in_force(needs.c.household_id, now).label("consent_in_force"),
            ended.exists().label("consent_ended"),
        )
        .where(needs.c.id.in_(ids), needs.c.status == NeedStatus.SUSPENDED)
        .order_by(needs.c.id)
    )
