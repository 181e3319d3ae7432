"""Rows of needs: finding, adding and moving them, and covering units without a race.

`version` counts what people changed, not `covered`. Locks are taken in one order everywhere:
needs, then offers, then allocations, each by ascending id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache

import sqlalchemy as sa

from marketplace.domain.errors import Conflict, QuantityExceeded
from marketplace.domain.exchange.government_aid import Counted
from marketplace.domain.exchange.needs import WITHDRAWABLE, NeedStatus
from marketplace.domain.restrictions import FROM_CHARITY
from marketplace.persistence import restrictions
from marketplace.persistence.database import Reading, Row, Values, Writing
from marketplace.persistence.exchange import published_needs
from marketplace.persistence.exchange.consents import in_force
from marketplace.persistence.exchange.government_aid import is_decided
from marketplace.persistence.tables import categories, households, needs, regions

CHUNK = 1_000


def left() -> sa.ColumnElement[int]:
    """Units of a need that neither a live allocation covers nor government gives, in its unit.

    What government gives of units that charity had in hand (`overlap`) is not asked for again
    when charity lets go of them.
    """
    return needs.c.quantity - needs.c.covered - needs.c.overlap


def by_government() -> sa.ColumnElement[int]:
    """Units of a need that government gives, also those that charity had in hand."""
    return needs.c.quantity_by_government + needs.c.overlap


def has_drawn_aid() -> sa.ColumnElement[bool]:
    """Whether a need counts as given by government: a dropped one only if it is met whole."""
    dropped = [NeedStatus.REJECTED, NeedStatus.WITHDRAWN, NeedStatus.EXPIRED]
    return sa.and_(by_government() > 0, sa.or_(needs.c.status.not_in(dropped), needs.c.overlap > 0))


def in_market(now: datetime) -> sa.ColumnElement[bool]:
    """Whether a row of `needs` is in the market: the one condition for snapshot and approval.

    A restriction of the household shows as the status SUSPENDED; a need that was written down
    since is kept out by the restriction itself.
    """
    return sa.and_(
        needs.c.status == NeedStatus.PUBLISHED,
        sa.or_(needs.c.deadline.is_(None), needs.c.deadline > now),
        left() > 0,
        in_force(needs.c.household_id, now),
        ~restrictions.in_force(needs.c.household_id, FROM_CHARITY, now),
    )


async def cover(db: Writing, need_id: int, units: int, *, now: datetime) -> bool:
    """Count units of one need as covered; False, and nothing done, if not so many are open now."""
    _above_zero(units)
    done = await db.execute(
        sa.update(needs)
        .where(needs.c.id == need_id, left() >= units, in_market(now))
        .values(covered=needs.c.covered + units)
    )
    if done == 1:
        await published_needs.follow(db, [need_id])
    return done == 1


async def lock_in_market(db: Writing, need_ids: Iterable[int], *, now: datetime) -> dict[int, int]:
    """Units left of those needs that are in the market now; all given rows stay locked.

    What it says holds until the transaction ends: consent cannot be withdrawn meanwhile, since
    withdrawing changes the same rows.
    """
    ids = sorted(set(need_ids))
    await _lock_rows(db, ids)
    units: dict[int, int] = {}
    for part in _parts(ids):
        # A statement of its own: it sees what was committed while the lock was waited for.
        found = sa.select(needs.c.id, left().label("units")).where(
            needs.c.id.in_(part), in_market(now)
        )
        units |= {row["id"]: row["units"] for row in await db.rows(found)}
    return units


async def cover_many(db: Writing, units: Mapping[int, int]) -> None:
    """Count units of many needs as covered, one guarded update each, in id order.

    Raises QuantityExceeded, which undoes the transaction, if any has not so many open.
    """
    guarded = (
        sa.update(needs)
        .where(needs.c.id == sa.bindparam("key"), left() >= sa.bindparam("units"))
        .values(covered=needs.c.covered + sa.bindparam("units"))
    )
    await _each(db, guarded, units)


async def uncover(db: Writing, units: Mapping[int, int]) -> None:
    """Open covered units of many needs again, in id order, whatever state the needs are in."""
    guarded = (
        sa.update(needs)
        .where(needs.c.id == sa.bindparam("key"), needs.c.covered >= sa.bindparam("units"))
        .values(covered=needs.c.covered - sa.bindparam("units"))
    )
    await _each(db, guarded, units)


async def add(db: Writing, values: Values) -> int:
    """Put a new need in; its key. Raises Conflict if its external reference is taken."""
    try:
        return await db.insert(needs, values)
    except sa.exc.IntegrityError as error:
        if "external_reference" not in str(error.orig):
            raise
        raise Conflict.of(
            "external_reference",
            "Another need has this external reference. Use another, or find that need.",
            "该外部编号已被其他需求使用，请更换编号或查找原有需求。",
            code="TAKEN",
        ) from error


async def lock(db: Writing, need_ids: Sequence[int], *, now: datetime) -> dict[int, Row]:
    """Needs by id with what the rules ask of them; their rows stay locked.

    Beside the need's own columns: tree_low of its region, consent_in_force, restricted (from
    charity), government_decided, kind and reference_price_fen of its category, target_groups of
    its household.
    """
    ids = sorted(set(need_ids))
    await _lock_rows(db, ids)
    return {row["id"]: row for row in await db.rows(_with_facts(), {"ids": ids, "now": now})}


async def change(db: Writing, need_ids: Sequence[int], values: Values) -> None:
    """Write columns of locked needs and count their versions up."""
    await db.execute(
        sa.update(needs)
        .where(needs.c.id.in_(need_ids))
        .values(**values, version=needs.c.version + 1)
    )


async def lock_overdue(db: Writing, *, now: datetime, limit: int) -> list[int]:
    """Needs whose deadline has passed while charity had not served them, their rows locked."""
    statement = (
        sa.select(needs.c.id)
        .where(needs.c.status.in_(sorted(WITHDRAWABLE)), needs.c.deadline <= now)
        .order_by(needs.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [row["id"] for row in await db.rows(statement)]


async def counted_as_government_aid(db: Reading, household_id: int) -> list[Counted]:
    """What live needs of a household count as given by government, oldest first."""
    statement = (
        sa.select(
            categories.c.tree_low,
            categories.c.tree_high,
            by_government().label("units"),
            needs.c.created_at,
        )
        .join(categories, categories.c.id == needs.c.category_id)
        .where(
            needs.c.household_id == household_id,
            has_drawn_aid(),
        )
        .order_by(needs.c.id)
    )
    return [
        Counted(
            row["tree_low"],
            row["tree_high"],
            row["units"],
            row["created_at"].date(),
        )
        for row in await db.rows(statement)
    ]


async def _lock_rows(db: Writing, ids: Sequence[int]) -> None:
    """Keep rows for this transaction, in id order."""
    for part in _parts(ids):
        await db.rows(
            sa.select(needs.c.id).where(needs.c.id.in_(part)).order_by(needs.c.id).with_for_update()
        )


async def _each(db: Writing, guarded: sa.Update, units: Mapping[int, int]) -> None:
    """Run a guarded update for each need, and let the public copies follow."""
    if not units:
        return
    for count in units.values():
        _above_zero(count)
    done = await db.execute(guarded, [{"key": key, "units": units[key]} for key in sorted(units)])
    if done != len(units):
        raise QuantityExceeded.of(
            "",
            "What was left of a need has changed. Try again.",
            "需求的未满足数量已发生变化，请重试。",
        )
    await published_needs.follow(db, sorted(units))


def _above_zero(units: int) -> None:
    if units <= 0:
        raise ValueError(f"units must be above zero, not {units}")


def _parts(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    return (ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK))


@cache
def _with_facts() -> sa.Select[tuple[object, ...]]:
    """Asked with `ids` and `now`; built once, since building it takes longer than its answer."""
    now: sa.BindParameter[datetime] = sa.bindparam("now")
    return (
        sa.select(
            needs,
            regions.c.tree_low,
            in_force(needs.c.household_id, now).label("consent_in_force"),
            restrictions.in_force(needs.c.household_id, FROM_CHARITY, now).label("restricted"),
            is_decided().label("government_decided"),
            categories.c.kind,
            categories.c.reference_price_fen,
            households.c.target_groups,
        )
        .join(regions, regions.c.id == needs.c.region_id)
        .join(categories, categories.c.id == needs.c.category_id)
        .join(households, households.c.id == needs.c.household_id)
        .where(needs.c.id.in_(sa.bindparam("ids", expanding=True)))
    )
