"""Reading the note of a visit, for a stated purpose, and recorded."""

from __future__ import annotations

from marketplace.domain.errors import NotFound
from marketplace.domain.events import Event
from marketplace.domain.permissions import SUPERVISION, require
from marketplace.persistence import events
from marketplace.persistence.crypto import Sealer
from marketplace.persistence.database import Database
from marketplace.persistence.exchange import facts
from marketplace.persistence.fieldwork import visits
from marketplace.services.acting import Act
from marketplace.services.exchange.reach import in_scope
from marketplace.services.registry.personal_data import purpose_said


async def read(
    database: Database, act: Act, sealer: Sealer, visit_id: int, purpose: str
) -> str | None:
    """What was noted on a visit; None if nothing was.

    Who read it and why is written in the same transaction. Raises Unauthenticated or Forbidden by
    role, NotFound outside the viewer's scope and for the own household, InvalidInput for a purpose
    that says nothing.
    """
    require(act.viewer, "visitNote")
    purpose = purpose_said(purpose)
    async with database.write() as db:
        row = await visits.find(db, visit_id)
        reaches = act.viewer.role in SUPERVISION or (
            row is not None and in_scope(act.viewer, row["tree_low"])
        )
        if row is None or not reaches:
            raise NotFound
        own = await facts.household_of(db, act.viewer.account_id)
        if own is not None and own == row["household_id"]:
            raise NotFound
        viewed = Event(
            kind="visit.viewed",
            at=database.now(),
            entity="Visit",
            entity_id=visit_id,
            account_id=act.viewer.account_id,
            data={"purpose": purpose, "role": act.viewer.role},
            request_id=act.request_id,
        )
        await events.append(db, viewed)
    if row["note_sealed"] is None:
        return None
    return sealer.open(row["note_sealed"], place=visits.NOTE, seal_id=row["seal_id"])
