"""Entities with a longer story, in any state: allocations, results, cases, feedback."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from marketplace.domain.permissions import Role
from marketplace.persistence.crypto import new_seal_id
from marketplace.persistence.exchange import feedback as feedback_rows
from marketplace.persistence.oversight import appeals as appeal_rows
from marketplace.persistence.oversight import cases as case_rows
from marketplace.persistence.tables import (
    allocations,
    feedbacks,
    integrity_cases,
    organizations,
    restrictions,
    result_copies,
)
from tests.fixtures.market import a_household, an_allocation
from tests.fixtures.results import a_result
from tests.lifecycles.entities import ACTORS, Ground, Made
from tests.oversight.documents import in_days

UNITS = 2
SENT = ("DISPATCHED", "DELIVERED", "DISPUTED", "CONFIRMED")
SAID = "What the papers say"
DESKS = {
    Role.CHARITY_OFFICER: "CHARITY",
    Role.ASSISTANCE_OFFICER: "ASSISTANCE",
    Role.TOWNSHIP_OFFICER: "TOWNSHIP",
}


async def allocation(on: Ground, state: str, move: str, role: Role) -> Made:
    now = on.market.database.now()
    values: dict[str, Any] = {"carrier": "GRID" if role is Role.GRID_WORKER else "PROVIDER"}
    if state in SENT:
        values |= {f"sent_{side}": UNITS for side in ("served", "drawn")}
        values |= {f"reserved_{side}": UNITS for side in ("served", "drawn")}
        values |= {"dispatched_at": now, "dispatched_by": on.account("provider")}
    if state in SENT[1:]:
        values |= {f"received_{side}": UNITS for side in ("served", "drawn")}
        values |= {f"returned_{side}": 0 for side in ("served", "drawn")}
        values |= {"delivered_at": now, "delivered_by": on.account("other_provider")}
    if state == "CANCELLED":
        values["cancel_reason"] = "OFFICER"
    key = await an_allocation(on.market, on.need, on.offer, UNITS, state, **values)
    return on.made("Allocation", allocations, key)


async def result_copy(on: Ground, state: str, move: str, role: Role) -> Made:
    now = on.market.database.now()
    result_id, _, _ = await a_result(on.market, household_id=on.household)
    of_it = sa.select(result_copies.c.id).where(
        result_copies.c.result_id == result_id,
        result_copies.c.desk == DESKS.get(role, "TOWNSHIP"),
    )
    made = on.made("Result", result_copies, result_id)
    if state == "ACKNOWLEDGED":
        ended = {"acknowledged_at": now, "acknowledged_by": on.account("reviewer_2")}
        async with on.market.database.write() as db:
            mine = sa.update(result_copies).where(result_copies.c.result_id == result_id)
            await db.execute(mine.values(status=state, **ended))
    copy_id = int(await on.market.value(of_it))
    return on.made("ResultCopy", result_copies, copy_id, result=made.id)


async def case_of_household(on: Ground, state: str, move: str, role: Role) -> Made:
    household = await a_household(on.market)
    whose = {"household_id": household, "kind": "CONCEALMENT"}
    key = await _case(on, state, whose, by="assistance_2", scope="BOTH")
    return on.made(
        "IntegrityCase",
        integrity_cases,
        key,
        household=household,
        scope="BOTH",
        until=in_days(on.market, 30),
    )


async def case_of_provider(on: Ground, state: str, move: str, role: Role) -> Made:
    organization = await on.put(
        organizations,
        kind="ENTERPRISE",
        status="VERIFIED",
        name=uuid4().hex,
        region_id=on.market.region["county"],
        created_at=on.market.database.now(),
    )
    whose = {"organization_id": organization, "kind": "DEFECTIVE_GOODS"}
    key = await _case(on, state, whose, by="reviewer_2", scope="OFFERS")
    return on.made(
        "IntegrityCase",
        integrity_cases,
        key,
        organization=organization,
        scope="OFFERS",
        until=in_days(on.market, 30),
    )


async def _case(on: Ground, state: str, whose: dict[str, Any], *, by: str, scope: str) -> int:
    now, account = on.market.database.now(), on.account(by)
    values = whose | {
        "status": state,
        "region_id": on.market.region["grid"],
        "opened_by": account,
        "created_at": now,
        "found_at": None if state == "OPEN" else now,
    }
    async with on.market.database.write() as db:
        key = await case_rows.add(db, on.sealer, SAID, values)
        await case_rows.add_finding(db, on.sealer, key, SAID, by=account, now=now)
        if state == "APPEALED":
            accused = on.account("applicant")
            await appeal_rows.add(db, on.sealer, key, SAID, by=accused, now=now)
    if state not in ("OPEN", "FOUND"):
        await on.put(
            restrictions,
            case_id=key,
            household_id=whose.get("household_id"),
            organization_id=whose.get("organization_id"),
            organization_from="VERIFIED" if scope == "OFFERS" else None,
            scope=scope,
            ordered_by=account,
            grounds_sealed="sealed",
            seal_id=new_seal_id(),
            starts_at=now,
            ends_at=now + timedelta(days=30),
        )
    return key


async def feedback(on: Ground, state: str, move: str, role: Role) -> Made:
    """Filed by the one who is to take it up again, and for the desk that is to answer."""
    now, seal_id = on.market.database.now(), new_seal_id()
    from_provider = role in (Role.PROVIDER, Role.FEDERATION)
    by_filer = move in ("feedbackReopen", "feedbackClose")
    filer = (by_filer and ACTORS[role]) or ("other_provider" if from_provider else "assistance_2")

    def sealed(place: str) -> str:
        return on.sealer.seal(SAID, place=place, seal_id=seal_id)

    key = await on.put(
        feedbacks,
        from_side="PROVIDER" if from_provider else "HOUSEHOLD",
        household_id=None if from_provider else on.household,
        organization_id=on.organization if from_provider else None,
        region_id=on.market.region["grid"],
        kind="COMPLAINT",
        desk=DESKS.get(role, "CHARITY"),
        status=state,
        seal_id=seal_id,
        text_sealed=sealed(feedback_rows.TEXT),
        reply_sealed=None if state == "OPEN" else sealed(feedback_rows.REPLY),
        filed_by=on.account(filer),
        filed_at=now,
        due_at=now + timedelta(days=5),
        answered_at=None if state == "OPEN" else now,
        closed_at=now if state == "CLOSED" else None,
    )
    other = "TOWNSHIP" if role is Role.CHARITY_OFFICER else "CHARITY"
    return on.made("Feedback", feedbacks, key, other=other)
