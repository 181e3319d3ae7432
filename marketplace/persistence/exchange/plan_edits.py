"""Rows of edits of plans, and what an edit is decided by."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa

from marketplace.domain.exchange.plans import UNFINISHED, PlanKind
from marketplace.persistence.database import Reading, Row, Values, Writing
from marketplace.persistence.exchange import needs as need_rows
from marketplace.persistence.tables import (
    categories,
    needs,
    offers,
    plan_edits,
    plan_lines,
    plans,
    regions,
)

CHUNK = 1_000


async def add_many(db: Writing, rows: Sequence[Values]) -> None:
    await db.insert_many(plan_edits, rows)


async def of_plan(db: Reading, plan_id: int) -> Sequence[Row]:
    """The edits that a plan is computed around, in the order they were made."""
    return await db.rows(
        sa.select(plan_edits).where(plan_edits.c.plan_id == plan_id).order_by(plan_edits.c.id)
    )


async def editors(db: Reading, plan_id: int) -> frozenset[int]:
    """The accounts whose edits a plan was computed around."""
    found = await db.rows(
        sa.select(plan_edits.c.edited_by).where(plan_edits.c.plan_id == plan_id).distinct()
    )
    return frozenset(row["edited_by"] for row in found)


async def is_being_edited(db: Reading, plan_id: int) -> bool:
    """Whether a plan around edits of this one waits or runs."""
    found = await db.scalar(
        sa.select(plans.c.id)
        .where(
            plans.c.base_plan_id == plan_id,
            plans.c.kind == PlanKind.PROPOSAL,
            plans.c.status.in_(sorted(UNFINISHED)),
        )
        .limit(1)
    )
    return found is not None


async def lines(db: Reading, plan_id: int, line_ids: Collection[int]) -> dict[int, Row]:
    """Those of the lines that are the plan's, by key: need_id, offer_id, units_served."""
    found = await db.rows(_lines(plan_id).where(plan_lines.c.id.in_(line_ids)))
    return {row["id"]: row for row in found}


async def lines_of_needs(
    db: Reading, plan_id: int, need_ids: Collection[int]
) -> dict[tuple[int, int], Row]:
    """The plan's lines of these needs, by need and offer."""
    found = await db.rows(_lines(plan_id).where(plan_lines.c.need_id.in_(need_ids)))
    return {(row["need_id"], row["offer_id"]): row for row in found}


async def needs_in_scope(
    db: Reading, need_ids: Collection[int], *, plan: Row, now: datetime
) -> dict[int, int]:
    """The household of those needs in the market that a plan's region and category hold, by key."""
    statement = sa.select(needs.c.id, needs.c.household_id).where(
        needs.c.id.in_(need_ids), need_rows.in_market(now)
    )
    if plan["region_id"] is not None:
        statement = statement.where(_within(regions, needs.c.region_id, plan["region_id"]))
    if plan["category_id"] is not None:
        statement = statement.where(_within(categories, needs.c.category_id, plan["category_id"]))
    return {row["id"]: row["household_id"] for row in await db.rows(statement)}


async def known_offers(db: Reading, offer_ids: Collection[int]) -> frozenset[int]:
    """Those of the offers that there are."""
    found = await db.rows(sa.select(offers.c.id).where(offers.c.id.in_(offer_ids)))
    return frozenset(row["id"] for row in found)


def _lines(plan_id: int) -> sa.Select[tuple[int, int, int, int]]:
    return sa.select(
        plan_lines.c.id, plan_lines.c.need_id, plan_lines.c.offer_id, plan_lines.c.units_served
    ).where(plan_lines.c.plan_id == plan_id)


def _within(table: sa.Table, column: sa.ColumnElement[int], top_id: int) -> sa.ColumnElement[bool]:
    """Whether the row that a column points to lies in the subtree of another."""
    here, top = table.alias(), table.alias()
    return (
        sa.select(here.c.id)
        .where(
            here.c.id == column,
            top.c.id == top_id,
            here.c.tree_low.between(top.c.tree_low, top.c.tree_high),
        )
        .exists()
    )
