"""Rows of allocations: what of an offer is set aside for a need, and what that adds up to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache

import sqlalchemy as sa

from marketplace.domain.errors import QuantityExceeded
from marketplace.domain.exchange.allocations import LIVE_STATUSES, AllocationStatus
from marketplace.domain.exchange.needs import NeedStatus
from marketplace.persistence.database import Reading, Row, Values, Writing
from marketplace.persistence.exchange.consents import in_force
from marketplace.persistence.tables import (
    allocations,
    households,
    needs,
    offers,
    organizations,
    regions,
)

CHUNK = 1_000


async def add_many(db: Writing, rows: Sequence[Values]) -> list[int]:
    """Add allocations of reserved units; their keys in the order of the rows."""
    return await db.insert_keys(allocations, rows)


async def drawn_by_household(db: Reading, offer_ids: Iterable[int]) -> dict[tuple[int, int], int]:
    """What live allocations draw, by (offer, household), in the offer's unit.

    Stable until the transaction ends where the offers' rows are locked.
    """
    drawn: dict[tuple[int, int], int] = {}
    ids = sorted(set(offer_ids))
    for start in range(0, len(ids), CHUNK):
        statement = (
            sa.select(
                allocations.c.offer_id,
                needs.c.household_id,
                sa.func.sum(allocations.c.units_drawn).label("units"),
            )
            .join(needs, needs.c.id == allocations.c.need_id)
            .where(
                allocations.c.offer_id.in_(ids[start : start + CHUNK]),
                allocations.c.status.in_(sorted(LIVE_STATUSES)),
            )
            .group_by(allocations.c.offer_id, needs.c.household_id)
        )
        for row in await db.rows(statement):
            drawn[row["offer_id"], row["household_id"]] = int(row["units"])
    return drawn


async def deliveries(db: Reading, offer_ids: Iterable[int]) -> dict[int, int]:
    """How many live allocations each offer has."""
    count: dict[int, int] = {}
    ids = sorted(set(offer_ids))
    for start in range(0, len(ids), CHUNK):
        statement = (
            sa.select(allocations.c.offer_id, sa.func.count().label("count"))
            .where(
                allocations.c.offer_id.in_(ids[start : start + CHUNK]),
                allocations.c.status.in_(sorted(LIVE_STATUSES)),
            )
            .group_by(allocations.c.offer_id)
        )
        count |= {row["offer_id"]: row["count"] for row in await db.rows(statement)}
    return count


async def lock(db: Writing, allocation_ids: Sequence[int], *, now: datetime) -> dict[int, Row]:
    """Allocations by id with what the rules ask of them; they, their needs and offers stay locked.

    Beside the allocation's own columns: household_id, need_status, need_region_id, tree_low of
    that region, need_left, household_latitude, household_longitude, consent_in_force,
    organization_id, organization_status and pack_size.
    """
    ids = sorted(set(allocation_ids))
    if db.dialect != "sqlite":  # which has let nobody else write since the transaction began
        await _lock_with_all_behind(db, ids)
    # A statement of its own: it sees what was committed while the locks were waited for.
    rows = await db.rows(_with_facts(), {"ids": ids, "now": now})
    return {row["id"]: row for row in rows}


async def find(db: Reading, allocation_id: int, *, now: datetime) -> Row | None:
    """The same of one, not locked."""
    return await db.row(_with_facts(), {"ids": [allocation_id], "now": now})


async def change(db: Writing, allocation_ids: Sequence[int], values: Values) -> None:
    """Write columns of locked allocations and count their versions up."""
    await db.execute(
        sa.update(allocations)
        .where(allocations.c.id.in_(allocation_ids))
        .values(**values, version=allocations.c.version + 1)
    )


async def shift(db: Writing, offer_id: int, *, reserved: int, delivered: int) -> None:
    """Move the counters of a locked offer, by what may be less than nothing.

    Raises QuantityExceeded, which undoes the transaction, where it has not so much.
    """
    now_reserved = offers.c.reserved + reserved
    now_delivered = offers.c.delivered + delivered
    done = await db.execute(
        sa.update(offers)
        .where(
            offers.c.id == offer_id,
            now_reserved >= 0,
            now_delivered >= 0,
            now_reserved + now_delivered <= offers.c.quantity,
        )
        .values(reserved=now_reserved, delivered=now_delivered)
    )
    if done != 1:
        raise QuantityExceeded.of(
            "units_returned",
            "The offer has not so much left: what was given back was promised again meanwhile.",
            "供给剩余不足：此前退回的数量已另行分配。",
        )


async def all_confirmed(db: Reading, need_id: int) -> bool:
    """Whether every unit of a locked need that is still in the market was confirmed."""
    unconfirmed = sa.select(allocations.c.id).where(
        allocations.c.need_id == needs.c.id,
        allocations.c.status.in_(sorted(LIVE_STATUSES - {AllocationStatus.CONFIRMED})),
    )
    done = sa.select(needs.c.id).where(
        needs.c.id == need_id,
        needs.c.status == NeedStatus.PUBLISHED,
        needs.c.covered == needs.c.quantity,
        ~unconfirmed.exists(),
    )
    return await db.scalar(done) is not None


async def _lock_with_all_behind(db: Writing, ids: Sequence[int]) -> None:
    """Keep needs, offers and allocations for this transaction, each in id order."""
    found = await db.rows(
        sa.select(allocations.c.need_id, allocations.c.offer_id).where(allocations.c.id.in_(ids))
    )
    for table, keys in (
        (needs, {row["need_id"] for row in found}),
        (offers, {row["offer_id"] for row in found}),
        (allocations, set(ids)),
    ):
        here = table.c.id.in_(sorted(keys))
        await db.rows(sa.select(table.c.id).where(here).order_by(table.c.id).with_for_update())


@cache
def _with_facts() -> sa.Select[tuple[object, ...]]:
    """Asked with `ids` and `now`; built once, since building it takes longer than its answer."""
    return (
        sa.select(
            allocations,
            needs.c.household_id,
            needs.c.status.label("need_status"),
            needs.c.region_id.label("need_region_id"),
            (needs.c.quantity - needs.c.covered).label("need_left"),
            regions.c.tree_low,
            households.c.latitude.label("household_latitude"),
            households.c.longitude.label("household_longitude"),
            in_force(needs.c.household_id, sa.bindparam("now")).label("consent_in_force"),
            offers.c.organization_id,
            offers.c.pack_size,
            organizations.c.status.label("organization_status"),
        )
        .join(needs, needs.c.id == allocations.c.need_id)
        .join(regions, regions.c.id == needs.c.region_id)
        .join(households, households.c.id == needs.c.household_id)
        .join(offers, offers.c.id == allocations.c.offer_id)
        .join(organizations, organizations.c.id == offers.c.organization_id)
        .where(allocations.c.id.in_(sa.bindparam("ids", expanding=True)))
    )
