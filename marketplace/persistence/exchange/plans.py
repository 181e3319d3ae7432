"""Rows of plans and of their lines; `version` counts what people decided, not what jobs wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from marketplace.domain.exchange.plans import (
    UNFINISHED,
    LeftOutReason,
    PlanLineStatus,
    PlanStatus,
)
from marketplace.persistence.database import Reading, Row, Values, Writing
from marketplace.persistence.tables import jobs, needs, offers, plan_lines, plans, regions

LINE_COLUMNS = ("need_id", "offer_id", "units_served", "units_drawn", "cost", "offer_version")


async def add(db: Writing, values: Values) -> int:
    return await db.insert(plans, values)


async def find(db: Reading, plan_id: int) -> Row | None:
    """One plan with its region's place in the tree (`region_low`) and its job's progress."""
    return await db.row(_with_region(plan_id))


async def lock(db: Writing, plan_id: int) -> Row | None:
    """The same, its row kept for this transaction."""
    return await db.row(_with_region(plan_id).with_for_update(of=plans))


async def of_job(db: Reading, job_id: int) -> Row | None:
    """The plan that a job computes."""
    return await db.row(sa.select(plans).where(plans.c.job_id == job_id))


async def region(db: Reading, region_id: int) -> Row | None:
    """The place of a region in the tree, which a plan's scope is checked by."""
    return await db.row(
        sa.select(regions.c.id, regions.c.tree_low, regions.c.tree_high).where(
            regions.c.id == region_id
        )
    )


async def unfinished_of(db: Reading, account_id: int) -> int:
    """How many plans of an account are waiting or running."""
    count = await db.scalar(
        sa.select(sa.func.count())
        .select_from(plans)
        .where(plans.c.created_by == account_id, plans.c.status.in_(sorted(UNFINISHED)))
    )
    assert isinstance(count, int), "a count is a number"
    return count


async def change(db: Writing, plan_id: int, values: Values, *, was: frozenset[PlanStatus]) -> bool:
    """Write columns of a plan; False if it is in none of the given states."""
    done = await db.execute(
        sa.update(plans)
        .where(plans.c.id == plan_id, plans.c.status.in_(sorted(was)))
        .values(**values)
    )
    return done == 1


async def add_lines(db: Writing, plan_id: int, lines: Mapping[str, Sequence[int]]) -> None:
    """Add the lines of a plan, given as columns LINE_COLUMNS of equal length."""
    columns = [lines[name] for name in LINE_COLUMNS]
    if not columns[0]:
        return
    # The rows that the lines point to, locked in the house's order: the foreign keys would lock
    # them as well, but in the order of the lines, which may meet an approval's the other way.
    for table, keys in ((needs, columns[0]), (offers, columns[1])):
        if db.dialect == "postgresql":
            await db.rows(_KEY_SHARE[table.name], {"ids": sorted(set(keys))})
    if db.dialect == "postgresql":
        values = {name: list(lines[name]) for name in LINE_COLUMNS}
        await db.execute(_INSERT_COLUMNS, {**values, "plan_id": plan_id})
    else:
        rows = json.dumps(list(zip(*columns, strict=True)))
        await db.execute(_INSERT_JSON, {"rows": rows, "plan_id": plan_id})


async def to_decide(db: Reading, plan_id: int) -> Sequence[Row]:
    """need_id and offer_id of the proposed lines: what an approval locks before it reads more."""
    return await db.rows(
        sa.select(plan_lines.c.need_id, plan_lines.c.offer_id).where(
            plan_lines.c.plan_id == plan_id, plan_lines.c.status == PlanLineStatus.PROPOSED
        )
    )


async def lines_to_decide(db: Reading, plan_id: int) -> Sequence[Row]:
    """The proposed lines with what an approval asks of need and offer; most urgent needs first.

    Lines of one need follow each other. Needs and offers must be locked. `offer_changed`: the
    offer's terms are no longer those of the plan; `missing`: units to the need's quantity_min.
    """
    return await db.rows(
        sa.select(
            plan_lines.c.id,
            plan_lines.c.need_id,
            plan_lines.c.offer_id,
            plan_lines.c.units_served,
            plan_lines.c.units_drawn,
            needs.c.household_id,
            (needs.c.quantity_min - needs.c.covered).label("missing"),
            (needs.c.quantity - needs.c.covered).label("need_left"),
            (offers.c.quantity - offers.c.reserved - offers.c.delivered).label("offer_left"),
            (offers.c.version != plan_lines.c.offer_version).label("offer_changed"),
            offers.c.household_max,
            offers.c.delivery_min,
            offers.c.deliveries_max,
            sa.and_(offers.c.kind == "SERVICE", needs.c.visit_minutes.is_not(None)).label(
                "is_visit"
            ),
            offers.c.visits_per_day,
            offers.c.starts_at,
            offers.c.expires_at,
            needs.c.every_days,
            needs.c.deadline,
        )
        .join(needs, needs.c.id == plan_lines.c.need_id)
        .join(offers, offers.c.id == plan_lines.c.offer_id)
        .where(plan_lines.c.plan_id == plan_id, plan_lines.c.status == PlanLineStatus.PROPOSED)
        .order_by(needs.c.severity.desc(), plan_lines.c.need_id, plan_lines.c.id)
    )


async def decide_lines(db: Writing, decided: Mapping[int, LeftOutReason | None]) -> None:
    """Mark lines as reserved (None), or as left out for a reason."""
    if not decided:
        return
    statement = (
        sa.update(plan_lines)
        .where(plan_lines.c.id == sa.bindparam("key"))
        .values(status=sa.bindparam("to"), left_out_reason=sa.bindparam("reason"))
    )
    await db.execute(
        statement,
        [
            {
                "key": key,
                "to": PlanLineStatus.RESERVED if reason is None else PlanLineStatus.LEFT_OUT,
                "reason": reason,
            }
            for key, reason in decided.items()
        ],
    )


async def progress(db: Reading, plan_id: int) -> Row | None:
    """Where a plan and its job are."""
    return await db.row(
        sa.select(
            plans.c.id,
            plans.c.status,
            plans.c.version,
            regions.c.tree_low.label("region_low"),
            jobs.c.progress,
            jobs.c.stage,
            jobs.c.attempt,
        )
        .join(jobs, jobs.c.id == plans.c.job_id)
        .outerjoin(regions, regions.c.id == plans.c.region_id)
        .where(plans.c.id == plan_id)
    )


def begun(now: datetime) -> Values:
    """What a plan's row says once its job runs."""
    return {
        "status": PlanStatus.RUNNING,
        "started_at": sa.func.coalesce(
            plans.c.started_at, sa.literal(now, plans.c.started_at.type)
        ),
    }


def _with_region(plan_id: int) -> sa.Select[tuple[()]]:
    return (
        sa.select(plans, regions.c.tree_low.label("region_low"))
        .outerjoin(regions, regions.c.id == plans.c.region_id)
        .where(plans.c.id == plan_id)
    )


_KEY_SHARE = {
    table.name: sa.select(table.c.id)
    .where(table.c.id == sa.func.any(sa.cast(sa.bindparam("ids"), sa.ARRAY(sa.BigInteger))))
    .order_by(table.c.id)
    .with_for_update(read=True, key_share=True)
    for table in (needs, offers)
}

# One statement with arrays: as quick as COPY, and an ordinary statement of this transaction.
_INSERT_COLUMNS = sa.text(
    "INSERT INTO plan_lines "
    "(plan_id, need_id, offer_id, units_served, units_drawn, cost, offer_version) "
    "SELECT CAST(:plan_id AS bigint), line.* FROM unnest(CAST(:need_id AS bigint[]), "
    "CAST(:offer_id AS bigint[]), CAST(:units_served AS bigint[]), "
    "CAST(:units_drawn AS bigint[]), CAST(:cost AS bigint[]), "
    "CAST(:offer_version AS integer[])) AS line"
)
# Likewise, and in half the time of as many INSERTs.
_INSERT_JSON = sa.text(
    "INSERT INTO plan_lines "
    "(plan_id, need_id, offer_id, units_served, units_drawn, cost, offer_version) "
    "SELECT :plan_id, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, "
    "value ->> 5 FROM json_each(:rows)"
)
