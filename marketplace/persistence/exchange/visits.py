"""Rows of visits: lines of services that want days, and the days that are promised already."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from marketplace.domain.exchange.allocations import OPEN_STATUSES
from marketplace.domain.exchange.plans import PlanLineStatus
from marketplace.persistence.database import Reading, Row, Writing
from marketplace.persistence.tables import allocations, needs, offers, plan_lines

CHUNK = 1_000


async def proposed(db: Reading, plan_id: int) -> Sequence[Row]:
    """The proposed lines of a plan that are visits, with what a rota asks of them, by offer."""
    return await db.rows(
        sa.select(
            plan_lines.c.id,
            plan_lines.c.need_id,
            plan_lines.c.offer_id,
            plan_lines.c.units_served,
            needs.c.every_days,
            needs.c.deadline,
            offers.c.visits_per_day,
            offers.c.starts_at,
            offers.c.expires_at,
        )
        .select_from(_service_lines())
        .where(*_proposed(plan_id))
        .order_by(plan_lines.c.offer_id, plan_lines.c.id)
    )


async def promised(db: Reading, plan_id: int) -> Sequence[Row]:
    """need_id, offer_id and visit_days of open allocations that a plan's visits may meet with."""
    found = [
        sa.select(column).select_from(_service_lines()).where(*_proposed(plan_id))
        for column in (plan_lines.c.offer_id, plan_lines.c.need_id)
    ]
    return await db.rows(
        sa.select(allocations.c.need_id, allocations.c.offer_id, allocations.c.visit_days)
        .where(
            allocations.c.status.in_(sorted(OPEN_STATUSES)),
            allocations.c.visit_days.is_not(None),
            sa.or_(allocations.c.offer_id.in_(found[0]), allocations.c.need_id.in_(found[1])),
        )
        .order_by(allocations.c.id)
    )


async def set_aside(
    db: Reading, *, need_ids: Collection[int], offer_ids: Collection[int], now: datetime
) -> Sequence[Row]:
    """need_id, offer_id and units: visits still to be made for these needs or by these offers.

    Stable until the transaction ends where the rows of those needs and offers are locked.
    """
    found: dict[tuple[int, int], Row] = {}
    for column, ids in ((allocations.c.need_id, need_ids), (allocations.c.offer_id, offer_ids)):
        ordered = sorted(ids)
        for start in range(0, len(ordered), CHUNK):
            statement = (
                sa.select(
                    allocations.c.need_id,
                    allocations.c.offer_id,
                    sa.cast(sa.func.sum(allocations.c.units_served), sa.BigInteger).label("units"),
                )
                .join(offers, offers.c.id == allocations.c.offer_id)
                .where(
                    column.in_(ordered[start : start + CHUNK]),
                    allocations.c.status.in_(sorted(OPEN_STATUSES)),
                    offers.c.kind == "SERVICE",
                    offers.c.expires_at > now,
                )
                .group_by(allocations.c.need_id, allocations.c.offer_id)
            )
            rows = await db.rows(statement)
            found |= {(row["need_id"], row["offer_id"]): row for row in rows}
    return list(found.values())


async def suggest(db: Writing, days: Mapping[int, list[str]]) -> None:
    """Write the days of lines down, by the line's key."""
    if days:
        await db.execute(
            sa.update(plan_lines)
            .where(plan_lines.c.id == sa.bindparam("key"))
            .values(visit_days=sa.bindparam("days")),
            [{"key": key, "days": found} for key, found in sorted(days.items())],
        )


def _service_lines() -> sa.FromClause:
    return plan_lines.join(needs, needs.c.id == plan_lines.c.need_id).join(
        offers, offers.c.id == plan_lines.c.offer_id
    )


def _proposed(plan_id: int) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        plan_lines.c.plan_id == plan_id,
        plan_lines.c.status == PlanLineStatus.PROPOSED,
        offers.c.kind == "SERVICE",
        needs.c.visit_minutes.is_not(None),
    )
