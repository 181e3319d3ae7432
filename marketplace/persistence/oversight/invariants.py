"""What must hold of cases and restrictions at any time, as SQL that lists where it does not."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from marketplace.domain.exchange.needs import NeedStatus
from marketplace.domain.oversight.integrity import (
    ENDED,
    PEOPLE_TO_FIND,
    CaseStatus,
    RecoveryKind,
)
from marketplace.domain.restrictions import FROM_CHARITY
from marketplace.persistence.tables import (
    integrity_appeals,
    integrity_cases,
    integrity_findings,
    needs,
    recoveries,
    restrictions,
)

Listed = sa.Select[int, int, int]

RESTRICTED = (CaseStatus.RESTRICTED, CaseStatus.APPEALED, CaseStatus.RECOVERED, CaseStatus.CLOSED)


def _not_as_counted(
    of: sa.ColumnElement[int], counted: Any, *where: sa.ColumnElement[bool]
) -> Listed:
    """Cases that say another number than their rows add up to."""
    said = sa.select(integrity_cases.c.id, of.label("says"), counted.label("should"))
    return said.where(of != counted, *where).order_by(integrity_cases.c.id)


def _there(table: sa.Table, *where: sa.ColumnElement[bool]) -> Listed:
    """Rows that must not be there."""
    said = sa.select(table.c.id, sa.literal(1).label("says"), sa.literal(0).label("should"))
    return said.where(*where).order_by(table.c.id)


def _rows_of_case(table: sa.Table, *where: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return sa.select(table.c.id).where(table.c.case_id == integrity_cases.c.id, *where)


_HALTS = (
    sa.select(restrictions.c.id)
    .where(
        restrictions.c.household_id == needs.c.household_id,
        restrictions.c.scope.in_(sorted(FROM_CHARITY)),
        restrictions.c.ended_at.is_(None),
    )
    .exists()
)
_FOUND = (
    sa.select(sa.func.count(sa.distinct(integrity_findings.c.found_by)))
    .where(integrity_findings.c.case_id == integrity_cases.c.id)
    .scalar_subquery()
)
_RECEIVED = (
    sa.select(sa.func.coalesce(sa.func.sum(recoveries.c.amount_fen), 0))
    .where(
        recoveries.c.case_id == integrity_cases.c.id,
        recoveries.c.kind == RecoveryKind.RECEIVED,
    )
    .scalar_subquery()
)
_WAITS = _rows_of_case(integrity_appeals, integrity_appeals.c.decided_at.is_(None)).exists()
_STANDS = _rows_of_case(restrictions, restrictions.c.ended_at.is_(None)).exists()
_STATUS = integrity_cases.c.status

FACTS: dict[str, tuple[str, Listed]] = {
    "suspended_by_a_restriction": (
        "needs",
        _there(needs, needs.c.status == NeedStatus.SUSPENDED, ~_HALTS),
    ),
    "suspended_remembers_where_from": (
        "needs",
        _there(
            needs,
            (needs.c.status == NeedStatus.SUSPENDED) != needs.c.suspended_from.is_not(None),
        ),
    ),
    "found_by_two": (
        "integrity_cases",
        _not_as_counted(
            sa.literal(PEOPLE_TO_FIND),
            _FOUND,
            _STATUS.not_in([CaseStatus.OPEN, CaseStatus.DISMISSED]),
        ),
    ),
    "restricted_has_its_restriction": (
        "integrity_cases",
        _there(integrity_cases, _STATUS.in_(RESTRICTED), ~_rows_of_case(restrictions).exists()),
    ),
    "ended_case_halts_nothing": (
        "integrity_cases",
        _there(integrity_cases, _STATUS.in_(sorted(ENDED)), _STANDS),
    ),
    "appealed_waits_for_its_decision": (
        "integrity_cases",
        _there(integrity_cases, (_STATUS == CaseStatus.APPEALED) != _WAITS),
    ),
    "recovery_is_the_sum_of_receipts": (
        "integrity_cases",
        _not_as_counted(integrity_cases.c.recovery_received_fen, _RECEIVED),
    ),
}
