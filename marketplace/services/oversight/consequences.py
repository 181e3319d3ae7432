"""What a restriction halts, and giving it back: needs, allocations, offers, the provider."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from marketplace.domain.events import Event
from marketplace.domain.exchange.allocations import CancelReason
from marketplace.domain.exchange.needs import NeedStatus
from marketplace.domain.registry.organizations import OrganizationStatus
from marketplace.domain.restrictions import FROM_CHARITY, RestrictionEnd, RestrictionScope
from marketplace.persistence import events
from marketplace.persistence.database import Database, Row, Writing
from marketplace.persistence.exchange import restorations, withdrawals
from marketplace.persistence.oversight import restrictions
from marketplace.persistence.registry import organizations
from marketplace.services.acting import Turn
from marketplace.services.exchange.handing_over import fulfil
from marketplace.services.exchange.residuals import settle

WORDS = {NeedStatus.WITHDRAWN: "withdrawn", NeedStatus.EXPIRED: "expired"}


class Moved(Exception):
    """More was set aside meanwhile than was locked: undo, and do it again."""


@dataclass(frozen=True, slots=True)
class _Happened:
    kind: str
    entity: str
    entity_id: int
    data: dict[str, object] = field(default_factory=dict)


async def suspend_organization(db: Writing, organization_id: int) -> str:
    """Suspend a provider; the state that it goes back to when its last restriction is over."""
    row = await restrictions.lock_organization(db, organization_id)
    assert row is not None, "its case points to it"
    standing = await restrictions.standing_of_organization(db, organization_id)
    if row["status"] != OrganizationStatus.SUSPENDED:
        await organizations.set_status(db, organization_id, OrganizationStatus.SUSPENDED)
    return str(standing["organization_from"] if standing else row["status"])


async def halt(
    turn: Turn, database: Database, case: Row, restriction_id: int, scope: RestrictionScope
) -> None:
    """Take out of the market what the restriction keeps from it. Raises Moved."""
    db, now = turn.db, database.now()
    if case["organization_id"] is not None:
        done = await withdrawals.cancel_of_organization(db, case["organization_id"], now=now)
        if done is None:
            raise Moved
        offer_ids, cancelled = done
        paused = await restrictions.pause(db, restriction_id, offer_ids)
        told = [
            *_each("offer.paused", "Offer", paused),
            *_each("organization.suspended", "Organization", [case["organization_id"]]),
            *_cancelled(cancelled),
        ]
    elif scope in FROM_CHARITY:
        gone = await withdrawals.suspend_needs_of(db, case["household_id"], now=now)
        told = [*_each("need.suspended", "Need", gone.need_ids), *_cancelled(gone.allocations)]
    else:
        return
    await _tell(turn, database, told)


async def give_back(turn: Turn, database: Database, case: Row, reason: RestrictionEnd) -> bool:
    """End the case's restriction and put back what nothing else halts; False if it was over.

    The household's row must be locked.
    """
    db, now = turn.db, database.now()
    restriction = await restrictions.of_case(db, case["id"])
    if restriction is None or restriction["ended_at"] is not None:
        return False
    if case["organization_id"] is not None:
        await _give_back_to_provider(turn, database, restriction, reason)
        return True
    await restrictions.end(db, restriction["id"], reason, now=now)
    if restriction["scope"] not in FROM_CHARITY:
        return True
    if not await restrictions.keeps_from_charity(db, case["household_id"]):
        since = restriction["starts_at"]
        await _give_back_to_household(turn, database, case["household_id"], since)
    return True


async def _give_back_to_household(
    turn: Turn, database: Database, household_id: int, since: datetime
) -> None:
    """Needs go where they belong by now, and are reckoned with the aid that was decided on."""
    put = await restorations.restore_needs_of(
        turn.db, household_id, since=since, now=database.now()
    )
    told = [
        event
        for status, need_ids in put.items()
        for event in _each(f"need.{WORDS.get(status, 'restored')}", "Need", need_ids)
    ]
    await _tell(turn, database, told)
    for need_id in put.get(NeedStatus.PUBLISHED, []):
        await fulfil(turn, database, need_id)
    await settle(turn, database, household_id)


async def _give_back_to_provider(
    turn: Turn, database: Database, restriction: Row, reason: RestrictionEnd
) -> None:
    db, organization_id, now = turn.db, restriction["organization_id"], database.now()
    organization = await restrictions.lock_organization(db, organization_id)
    assert organization is not None, "its restriction points to it"
    await restrictions.end(db, restriction["id"], reason, now=now)
    standing = await restrictions.standing_of_organization(db, organization_id)
    if standing is not None:
        await restrictions.hand_over(db, restriction["id"], standing["id"])
        return
    before = OrganizationStatus(restriction["organization_from"])
    told: list[_Happened] = []
    if organization["status"] == OrganizationStatus.SUSPENDED and before != organization["status"]:
        await organizations.set_status(db, organization_id, before)
        told += _each("organization.restored", "Organization", [organization_id])
    opened = await restrictions.resume(db, restriction["id"], now=now)
    await _tell(turn, database, told + _each("offer.resumed", "Offer", opened))


def _cancelled(rows: Iterable[Row]) -> list[_Happened]:
    return [
        _Happened(
            "allocation.cancelled",
            "Allocation",
            row["id"],
            {"reason": CancelReason.RESTRICTION, "unitsDrawn": row["units_drawn"]},
        )
        for row in rows
    ]


def _each(kind: str, entity: str, ids: Iterable[int]) -> list[_Happened]:
    return [_Happened(kind, entity, each) for each in ids]


async def _tell(turn: Turn, database: Database, happened: Iterable[_Happened]) -> None:
    await events.append_many(
        turn.db,
        [
            Event(
                kind=one.kind,
                at=database.now(),
                entity=one.entity,
                entity_id=one.entity_id,
                account_id=turn.act.viewer.account_id,
                data=one.data,
                request_id=turn.act.request_id,
            )
            for one in happened
        ],
    )
