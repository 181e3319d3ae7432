"""Rows of appeals against restrictions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from marketplace.domain.oversight.integrity import AppealOutcome
from marketplace.persistence.crypto import Sealer, new_seal_id
from marketplace.persistence.database import Reading, Row, Writing
from marketplace.persistence.tables import integrity_appeals

APPEAL = "integrity_appeals.appeal"
DECISION = "integrity_appeals.decision"


async def add(
    db: Writing, sealer: Sealer, case_id: int, said: str, *, by: int, now: datetime
) -> int:
    """Put an appeal in; its key."""
    seal_id = new_seal_id()
    return await db.insert(
        integrity_appeals,
        {
            "case_id": case_id,
            "appealed_by": by,
            "appeal_sealed": sealer.seal(said, place=APPEAL, seal_id=seal_id),
            "seal_id": seal_id,
            "appealed_at": now,
        },
    )


async def undecided(db: Reading, case_id: int) -> Row | None:
    """The appeal of a case that waits for its decision."""
    return await db.row(
        sa.select(integrity_appeals).where(
            integrity_appeals.c.case_id == case_id, integrity_appeals.c.decided_at.is_(None)
        )
    )


async def of_case(db: Reading, case_id: int) -> Sequence[Row]:
    """Every appeal of a case, in order."""
    return await db.rows(
        sa.select(integrity_appeals)
        .where(integrity_appeals.c.case_id == case_id)
        .order_by(integrity_appeals.c.id)
    )


async def decide(
    db: Writing,
    sealer: Sealer,
    appeal: Row,
    outcome: AppealOutcome,
    reason: str,
    *,
    by: int,
    now: datetime,
) -> None:
    sealed = sealer.seal(reason, place=DECISION, seal_id=appeal["seal_id"])
    await db.execute(
        sa.update(integrity_appeals)
        .where(integrity_appeals.c.id == appeal["id"])
        .values(outcome=outcome, decision_sealed=sealed, decided_by=by, decided_at=now)
    )
