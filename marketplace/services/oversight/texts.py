"""Reading what people typed about a case, for a stated purpose, and recorded."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.domain.errors import NotFound
from marketplace.domain.events import Event
from marketplace.domain.oversight.integrity import CaseKind, desk_of
from marketplace.domain.permissions import SUPERVISION, Role, Viewer, require
from marketplace.persistence import events
from marketplace.persistence.crypto import Sealer
from marketplace.persistence.database import Database, Row, Writing
from marketplace.persistence.oversight import appeals, cases, restrictions
from marketplace.services.acting import Act
from marketplace.services.exchange.reach import in_scope
from marketplace.services.oversight.outcomes import is_about
from marketplace.services.registry.households import not_ones_own
from marketplace.services.registry.personal_data import purpose_said


@dataclass(frozen=True, slots=True, kw_only=True)
class Appeal:
    appeal: str
    decision: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseTexts:
    """In the clear; never kept, logged or cached.

    allegation    None to the accused: it may tell who alleged it
    """

    case_id: int
    allegation: str | None
    findings: tuple[str, ...]
    grounds: str | None
    appeals: tuple[Appeal, ...]
    closing: str | None


async def read(
    database: Database, act: Act, sealer: Sealer, case_id: int, purpose: str
) -> CaseTexts:
    """What was typed about a case; who read it and why is written in the same transaction.

    For its desk, supervision, and whom it is about once it was found true. Raises Unauthenticated
    or Forbidden by role, NotFound for the others, InvalidInput for a purpose that says nothing.
    """
    require(act.viewer, "integrityCaseTexts")
    purpose = purpose_said(purpose)
    async with database.write() as db:
        case = await cases.find(db, case_id)
        if case is None:
            raise NotFound
        accused = await is_about(db, act.viewer, case)
        if not accused and not await _handles(db, act.viewer, case):
            raise NotFound
        found = await _opened(db, sealer, case, accused=accused)
        viewed = Event(
            kind="integrity_case.viewed",
            at=database.now(),
            entity="IntegrityCase",
            entity_id=case_id,
            account_id=act.viewer.account_id,
            data={"purpose": purpose, "role": act.viewer.role},
            request_id=act.request_id,
        )
        await events.append(db, viewed)
    return found


async def _handles(db: Writing, viewer: Viewer, case: Row) -> bool:
    if viewer.role in SUPERVISION:
        return True
    if viewer.role is not desk_of(CaseKind(case["kind"])):
        return False
    if viewer.role is Role.ASSISTANCE_OFFICER:
        if not in_scope(viewer, case["tree_low"]):
            return False
        await not_ones_own(db, viewer, case["household_id"], "")
    return True


async def _opened(db: Writing, sealer: Sealer, case: Row, *, accused: bool) -> CaseTexts:
    def text(row: Row | None, place: str) -> str | None:
        sealed = None if row is None else row[f"{place.partition('.')[2]}_sealed"]
        if row is None or sealed is None:
            return None
        return sealer.open(sealed, place=place, seal_id=row["seal_id"])

    return CaseTexts(
        case_id=case["id"],
        allegation=None if accused else text(case, cases.ALLEGATION),
        findings=tuple(
            text(row, cases.FINDING) or "" for row in await cases.findings(db, case["id"])
        ),
        grounds=text(await restrictions.of_case(db, case["id"]), restrictions.GROUNDS),
        appeals=tuple(
            Appeal(appeal=text(row, appeals.APPEAL) or "", decision=text(row, appeals.DECISION))
            for row in await appeals.of_case(db, case["id"])
        ),
        closing=text(case, cases.CLOSING),
    )
