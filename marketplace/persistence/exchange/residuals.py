"""Rows that the residuals of a household are reckoned from, and the needs that follow them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

import sqlalchemy as sa

from marketplace.domain.exchange.allocations import LIVE_STATUSES, AllocationStatus
from marketplace.domain.exchange.conflicts import ConflictKind, InHand, LaneConflict
from marketplace.domain.exchange.government_aid import GovernmentAidKind
from marketplace.domain.exchange.needs import NeedStatus
from marketplace.domain.exchange.residuals import RECKONED, Aid, Asked
from marketplace.persistence.database import Reading, Row, Values, Writing
from marketplace.persistence.tables import (
    aid_conflicts,
    allocations,
    categories,
    government_aids,
    needs,
    published_needs,
)

# Nobody was given anything for them, so no aid was drawn either.
DROPPED = (NeedStatus.REJECTED, NeedStatus.EXPIRED, NeedStatus.WITHDRAWN)
GIVEN = (AllocationStatus.DELIVERED, AllocationStatus.CONFIRMED, AllocationStatus.DISPUTED)


async def lock_needs(db: Writing, household_id: int) -> list[Row]:
    """Needs of a household that government aid was, or may be, set off against, locked by id.

    Beside their own columns: tree_low, tree_high, unit and category_kind of their categories.
    """
    counted = sa.and_(
        needs.c.household_id == household_id,
        sa.or_(needs.c.status.not_in(DROPPED), needs.c.overlap > 0),
    )
    await db.rows(sa.select(needs.c.id).where(counted).order_by(needs.c.id).with_for_update())
    statement = (
        sa.select(
            needs,
            categories.c.tree_low,
            categories.c.tree_high,
            categories.c.unit,
            categories.c.code,
            categories.c.kind.label("category_kind"),
        )
        .join(categories, categories.c.id == needs.c.category_id)
        .where(counted)
        .order_by(needs.c.id)
    )
    return list(await db.rows(statement))


def asked_of(row: Row) -> Asked:
    """A row of `lock_needs` as the reckoning sees it."""
    kept = row["residual"] or {}
    return Asked(
        id=row["id"],
        category_low=row["tree_low"],
        category_high=row["tree_high"],
        asked=row["quantity_asked"],
        drawn=row["quantity_by_government"] + row["overlap"],
        covered=row["covered"],
        quantity_min=int(kept.get("quantityMin", row["quantity_min"])),
        created_on=row["created_at"].date(),
        is_reckoned=NeedStatus(row["status"]) in RECKONED,
    )


async def granted(db: Reading, household_id: int) -> list[Row]:
    """Aid of a household that covers units, with the interval of its category and of its parent's.

    The parent's is null where that is the widest of all.
    """
    of, above = categories.alias("of"), categories.alias("above")
    return list(
        await db.rows(
            sa.select(
                government_aids,
                of.c.tree_low,
                of.c.tree_high,
                above.c.tree_low.label("broader_low"),
                above.c.tree_high.label("broader_high"),
            )
            .join(of, of.c.id == government_aids.c.covers_category_id)
            .outerjoin(above, sa.and_(above.c.id == of.c.parent_id, above.c.parent_id.is_not(None)))
            .where(
                government_aids.c.household_id == household_id,
                government_aids.c.granted,
                government_aids.c.covers_quantity > 0,
            )
            .order_by(government_aids.c.id)
        )
    )


def aid_of(row: Row) -> Aid:
    """A row of `granted` as the reckoning sees it."""
    return Aid(
        id=row["id"],
        kind=GovernmentAidKind(row["kind"]),
        category_low=row["tree_low"],
        category_high=row["tree_high"],
        units=row["covers_quantity"],
        starts_on=row["starts_on"],
        ends_on=row["ends_on"],
    )


async def in_hand(db: Writing, household_id: int, today: date) -> list[InHand]:
    """What providers have accepted for the household's needs, or given; its rows stay locked."""
    own = sa.select(needs.c.id).where(needs.c.household_id == household_id)
    firm = sorted(LIVE_STATUSES - {AllocationStatus.RESERVED})
    rows = await db.rows(
        sa.select(
            allocations.c.id,
            allocations.c.need_id,
            allocations.c.units_served,
            allocations.c.status,
            allocations.c.created_at,
            allocations.c.ended_at,
        )
        .where(allocations.c.need_id.in_(own), allocations.c.status.in_(sorted(LIVE_STATUSES)))
        .order_by(allocations.c.id)
        .with_for_update()
    )
    return [_in_hand(row, today) for row in rows if row["status"] in firm]


def _in_hand(row: Row, today: date) -> InHand:
    """What was given is of its day; what is still to come, of any day from now on."""
    is_given = row["status"] in GIVEN
    on = (row["ended_at"] or row["created_at"]).date()
    return InHand(
        need_id=row["need_id"],
        units=row["units_served"],
        starts_on=on if is_given else min(on, today),
        ends_on=on if is_given else None,
    )


async def change(db: Writing, need_id: int, values: Values) -> None:
    await db.execute(
        sa.update(needs).where(needs.c.id == need_id).values(**values, version=needs.c.version + 1)
    )


async def explain(db: Writing, need_id: int, residual: object) -> None:
    """Keep how a quantity came about that is the same as before."""
    await db.execute(sa.update(needs).where(needs.c.id == need_id).values(residual=residual))


async def show(db: Writing, need_id: int, quantity: int) -> None:
    """Let the public copy say what is asked for now; cash as its band."""
    await db.execute(
        sa.update(published_needs)
        .where(published_needs.c.need_id == need_id, published_needs.c.quantity != quantity)
        .values(quantity=quantity)
    )


async def keep_conflicts(
    db: Writing, household_id: int, found: Iterable[LaneConflict], now: datetime
) -> Sequence[LaneConflict]:
    """Make these the conflicts of a household; which of them are new."""
    wanted = {(each.aid_id, each.need_id): each for each in found}
    # Aid of a household that was merged into this one has come over with its conflicts.
    own = sa.select(government_aids.c.id).where(government_aids.c.household_id == household_id)
    rows = await db.rows(
        sa.select(aid_conflicts).where(
            sa.or_(aid_conflicts.c.household_id == household_id, aid_conflicts.c.aid_id.in_(own))
        )
    )
    there = {
        (row["aid_id"], row["need_id"])
        for row in rows
        if (same := wanted.get((row["aid_id"], row["need_id"]))) is not None
        and (row["kind"], row["units"]) == (same.kind, same.units)
    }
    gone = [row["id"] for row in rows if (row["aid_id"], row["need_id"]) not in there]
    if gone:
        await db.execute(sa.delete(aid_conflicts).where(aid_conflicts.c.id.in_(gone)))
    new = [each for pair, each in wanted.items() if pair not in there]
    await db.insert_many(
        aid_conflicts,
        [
            {
                "household_id": household_id,
                "aid_id": each.aid_id,
                "need_id": each.need_id,
                "kind": ConflictKind(each.kind),
                "units": each.units,
                "text_en": each.text.en,
                "text_zh": each.text.zh,
                "found_at": now,
            }
            for each in new
        ],
    )
    return new


async def mark_counted(db: Writing, household_id: int, now: datetime) -> None:
    """Say of aid that has begun that needs are reckoned with it."""
    await db.execute(
        sa.update(government_aids)
        .where(
            government_aids.c.household_id == household_id,
            government_aids.c.counted_at.is_(None),
            government_aids.c.starts_on <= now.date(),
        )
        .values(counted_at=now)
    )


async def households_to_reckon(db: Reading, now: datetime, limit: int) -> list[int]:
    """Households whose aid has begun since their needs were reckoned last, or whose charity ended.

    The latter: units that both gave, of which charity has let go.
    """
    begun = sa.select(government_aids.c.household_id).where(
        government_aids.c.counted_at.is_(None),
        government_aids.c.granted,
        government_aids.c.starts_on <= now.date(),
    )
    let_go = sa.select(needs.c.household_id).where(
        needs.c.overlap > sa.literal_column("0"),  # spelled out, as its index has it
        needs.c.covered < needs.c.quantity,
        needs.c.status.in_(sorted(RECKONED)),
    )
    both = sa.union(begun, let_go).subquery()
    rows = await db.rows(sa.select(both.c.household_id).order_by(both.c.household_id).limit(limit))
    return [row["household_id"] for row in rows]
