"""Rows of offers: finding, adding and changing them, and setting units aside without a race.

`version` counts what people changed (terms and status), not the counters: a provider who edits a
title is not told that it is late because a plan reserved a bag of rice meanwhile. Locks are taken
in one order everywhere: needs, then offers, then allocations, each by ascending id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from marketplace.domain.errors import Conflict, QuantityExceeded
from marketplace.domain.exchange.offers import EXPIRABLE, OfferStatus
from marketplace.domain.registry.organizations import OrganizationStatus
from marketplace.persistence.database import Reading, Row, Values, Writing
from marketplace.persistence.tables import offer_regions, offers, organizations

CHUNK = 1_000


def left() -> sa.ColumnElement[int]:
    """Units of an offer that are neither reserved nor delivered, in the offer's own unit."""
    return offers.c.quantity - offers.c.delivered - offers.c.reserved


def open_for_plans(now: datetime) -> sa.ColumnElement[bool]:
    """Whether a row of `offers` is in the market: the one condition for snapshot and approval."""
    verified = (
        sa.select(organizations.c.id)
        .where(
            organizations.c.id == offers.c.organization_id,
            organizations.c.status == OrganizationStatus.VERIFIED,
        )
        .exists()
    )
    return sa.and_(
        offers.c.status == OfferStatus.OPEN,
        offers.c.starts_at <= now,
        sa.or_(offers.c.expires_at.is_(None), offers.c.expires_at > now),
        left() > 0,
        verified,
    )


async def reserve(db: Writing, offer_id: int, units: int, *, now: datetime) -> bool:
    """Set units of one offer aside; False, and nothing done, if it has not so many to give now."""
    _above_zero(units)
    done = await db.execute(
        sa.update(offers)
        .where(offers.c.id == offer_id, left() >= units, open_for_plans(now))
        .values(reserved=offers.c.reserved + units)
    )
    return done == 1


async def lock_open(db: Writing, offer_ids: Iterable[int], *, now: datetime) -> dict[int, int]:
    """Units left of those offers that are in the market now; all given rows stay locked.

    What it says holds until the transaction ends, so that many lines can be decided in memory and
    then be reserved at once by `reserve_many`.
    """
    ids = sorted(set(offer_ids))
    for part in _parts(ids):
        await db.rows(
            sa.select(offers.c.id)
            .where(offers.c.id.in_(part))
            .order_by(offers.c.id)
            .with_for_update()
        )
    units: dict[int, int] = {}
    for part in _parts(ids):
        # A statement of its own: it sees what was committed while the lock was waited for.
        found = sa.select(offers.c.id, left().label("units")).where(
            offers.c.id.in_(part), open_for_plans(now)
        )
        units |= {row["id"]: row["units"] for row in await db.rows(found)}
    return units


async def reserve_many(db: Writing, units: Mapping[int, int]) -> None:
    """Set units aside of many offers, one guarded update each, in id order, in one round trip.

    Raises QuantityExceeded, which undoes the transaction, if any has not so many left.
    """
    guarded = (
        sa.update(offers)
        .where(offers.c.id == sa.bindparam("key"), left() >= sa.bindparam("units"))
        .values(reserved=offers.c.reserved + sa.bindparam("units"))
    )
    await _each(db, guarded, units)


async def give_back(db: Writing, units: Mapping[int, int]) -> None:
    """Free reserved units of many offers again, in id order. Raises QuantityExceeded if not there.

    Also for offers that are paused, closed or expired: their counters must hold as well.
    """
    guarded = (
        sa.update(offers)
        .where(offers.c.id == sa.bindparam("key"), offers.c.reserved >= sa.bindparam("units"))
        .values(reserved=offers.c.reserved - sa.bindparam("units"))
    )
    await _each(db, guarded, units)


async def find(db: Reading, offer_id: int) -> Row | None:
    """One offer with its organization's status, and without its regions."""
    return await db.row(_with_organization(offer_id))


async def lock(db: Writing, offer_id: int) -> Row | None:
    """The same, its row kept for this transaction."""
    return await db.row(_with_organization(offer_id).with_for_update(of=offers))


async def add(db: Writing, values: Values, region_ids: Sequence[int]) -> int:
    """Put a new offer in; its key. Raises Conflict if its external reference is taken."""
    try:
        offer_id = await db.insert(offers, values)
    except sa.exc.IntegrityError as error:
        raise _taken(error) from error
    await _put_regions(db, offer_id, region_ids)
    return offer_id


async def change(db: Writing, offer_id: int, values: Values) -> bool:
    """Write changed columns of a locked offer and count its version up.

    False if its quantity would fall below what is reserved and delivered.
    """
    statement = sa.update(offers).where(offers.c.id == offer_id)
    if "quantity" in values:
        statement = statement.where(offers.c.reserved + offers.c.delivered <= values["quantity"])
    try:
        done = await db.execute(statement.values(**values, version=offers.c.version + 1))
    except sa.exc.IntegrityError as error:
        raise _taken(error) from error
    return done == 1


async def lock_overdue(db: Writing, *, now: datetime, limit: int) -> list[int]:
    """Offers whose end has passed though nobody closed them, their rows locked."""
    statement = (
        sa.select(offers.c.id)
        .where(offers.c.status.in_(sorted(EXPIRABLE)), offers.c.expires_at <= now)
        .order_by(offers.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [row["id"] for row in await db.rows(statement)]


async def change_many(db: Writing, offer_ids: Sequence[int], values: Values) -> None:
    """Write columns of locked offers and count their versions up."""
    await db.execute(
        sa.update(offers)
        .where(offers.c.id.in_(offer_ids))
        .values(**values, version=offers.c.version + 1)
    )


async def region_ids(db: Reading, offer_id: int) -> tuple[int, ...]:
    """The regions an offer is restricted to, by id; none: anywhere."""
    statement = (
        sa.select(offer_regions.c.region_id)
        .where(offer_regions.c.offer_id == offer_id)
        .order_by(offer_regions.c.region_id)
    )
    return tuple(row["region_id"] for row in await db.rows(statement))


async def replace_regions(db: Writing, offer_id: int, ids: Sequence[int]) -> None:
    """Restrict an offer to other regions than before."""
    await db.execute(sa.delete(offer_regions).where(offer_regions.c.offer_id == offer_id))
    await _put_regions(db, offer_id, ids)


async def _put_regions(db: Writing, offer_id: int, ids: Sequence[int]) -> None:
    rows = [{"offer_id": offer_id, "region_id": region_id} for region_id in ids]
    await db.insert_many(offer_regions, rows)


def _with_organization(offer_id: int) -> sa.Select[tuple[object, ...]]:
    return (
        sa.select(offers, organizations.c.status.label("organization_status"))
        .join(organizations, organizations.c.id == offers.c.organization_id)
        .where(offers.c.id == offer_id)
    )


def _taken(error: sa.exc.IntegrityError) -> Exception:
    return reference_taken() if "external_reference" in str(error.orig) else error


def reference_taken() -> Conflict:
    """The refusal of an external reference that another offer goes by."""
    return Conflict.of(
        "externalReference",
        "Another offer has this external reference. Use another, or find that offer.",
        "该外部编号已被其他供给使用，请更换编号或查找原有供给。",
        code="TAKEN",
    )


async def _each(db: Writing, guarded: sa.Update, units: Mapping[int, int]) -> None:
    if not units:
        return
    for count in units.values():
        _above_zero(count)
    done = await db.execute(guarded, [{"key": key, "units": units[key]} for key in sorted(units)])
    if done != len(units):
        raise QuantityExceeded.of(
            "",
            "What was left of an offer has changed. Try again.",
            "供给的剩余数量已发生变化，请重试。",
        )


def _above_zero(units: int) -> None:
    if units <= 0:
        raise ValueError(f"units must be above zero, not {units}")


def _parts(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    return (ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK))
