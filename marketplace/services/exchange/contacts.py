"""Contacts: where a provider brings its own delivery, for as long as it is open, and recorded."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.domain.errors import Forbidden, NotFound, Text
from marketplace.domain.events import Event
from marketplace.domain.exchange.allocations import CONTACT_STATUSES, AllocationStatus
from marketplace.domain.exchange.deliveries import Carrier
from marketplace.domain.permissions import require
from marketplace.domain.registry.organizations import OrganizationStatus
from marketplace.persistence import events
from marketplace.persistence.crypto import Sealer
from marketplace.persistence.database import Database, Row, Writing
from marketplace.persistence.exchange import allocations
from marketplace.persistence.registry import households
from marketplace.services.acting import Act
from marketplace.services.registry.personal_data import purpose_said

NOT_YOURS_TO_BRING = Text(
    "Only for what your organization accepted, brings to the door itself, and has not ended. "
    "What a grid worker brings needs no address.",
    "仅限贵单位已接受、自行配送且尚未结束的匹配；由网格员配送的，无需提供地址。",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Whom to ask for and where, in the clear; never kept, logged or cached."""

    allocation_id: int
    name: str | None
    phone: str | None
    address: str | None


async def read(
    database: Database, act: Act, sealer: Sealer, allocation_id: int, purpose: str
) -> Contact:
    """Read where a delivery goes; who read it and why is written in the same transaction.

    Raises Unauthenticated or Forbidden by role and for what is not the provider's own to bring
    now, NotFound for allocations of other offers, InvalidInput for a purpose that says nothing.
    """
    require(act.viewer, "recipientContact")
    purpose = purpose_said(purpose)
    async with database.write() as db:
        row = await allocations.find(db, allocation_id, now=database.now())
        if row is None or row["organization_id"] != act.viewer.organization_id:
            raise NotFound
        if not _is_open_to_provider(row):
            raise Forbidden(NOT_YOURS_TO_BRING)
        found = await _opened(db, sealer, row)
        await events.append(
            db,
            Event(
                kind="household.viewed",
                at=database.now(),
                entity="Household",
                entity_id=row["household_id"],
                account_id=act.viewer.account_id,
                data={
                    "purpose": purpose,
                    "role": act.viewer.role,
                    "members": 1,
                    "allocationId": allocation_id,
                },
                request_id=act.request_id,
            ),
        )
    return found


def _is_open_to_provider(row: Row) -> bool:
    return (
        row["carrier"] == Carrier.PROVIDER
        and AllocationStatus(row["status"]) in CONTACT_STATUSES
        and bool(row["consent_in_force"])
        and row["organization_status"] == OrganizationStatus.VERIFIED
    )


async def _opened(db: Writing, sealer: Sealer, row: Row) -> Contact:
    household = await households.located(db, row["household_id"])
    assert household is not None, "an allocation is for a household that is there"
    members = await households.members_of(db, row["household_id"])

    def text(of: Row, place: str) -> str | None:
        sealed = of[f"{place.partition('.')[2]}_sealed"]
        return None if sealed is None else sealer.open(sealed, place=place, seal_id=of["seal_id"])

    return Contact(
        allocation_id=row["id"],
        name=text(members[0], households.NAME) if members else None,
        phone=text(household, households.PHONE),
        address=text(household, households.ADDRESS),
    )
