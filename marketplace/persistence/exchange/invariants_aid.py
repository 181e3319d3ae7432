"""What must hold of government aid and needs at any time, as SQL that lists where it does not."""

from __future__ import annotations

import sqlalchemy as sa

from marketplace.domain.exchange.conflicts import ConflictKind
from marketplace.domain.exchange.residuals import RECKONED
from marketplace.persistence.tables import aid_conflicts, appeals, assessments, needs

Listed = sa.Select[int, int, int]


def _there(table: sa.Table, *where: sa.ColumnElement[bool]) -> Listed:
    """Rows that must not be there."""
    said = sa.select(table.c.id, sa.literal(1).label("says"), sa.literal(0).label("should"))
    return said.where(*where).order_by(table.c.id)


_TOLD = (
    sa.select(sa.func.coalesce(sa.func.sum(aid_conflicts.c.units), 0))
    .where(aid_conflicts.c.need_id == needs.c.id, aid_conflicts.c.kind == ConflictKind.OVERLAP)
    .correlate(needs)
    .scalar_subquery()
)
_OF_ANOTHER = (
    sa.select(assessments.c.id)
    .where(
        assessments.c.id == appeals.c.assessment_id,
        assessments.c.household_id != appeals.c.household_id,
    )
    .correlate(appeals)
    .exists()
)

FACTS: dict[str, tuple[str, Listed]] = {
    "overlap_is_told": (
        "needs",
        sa.select(needs.c.id, needs.c.overlap.label("says"), _TOLD.label("should"))
        .where(needs.c.status.in_(sorted(RECKONED)), needs.c.overlap != _TOLD)
        .order_by(needs.c.id),
    ),
    "met_by_government_is_withdrawn": (
        "needs",
        _there(
            needs,
            needs.c.status.in_(sorted(RECKONED)),
            needs.c.quantity_by_government + needs.c.overlap >= needs.c.quantity_asked,
            needs.c.covered == 0,
        ),
    ),
    "appeal_against_the_own_assessment": ("appeals", _there(appeals, _OF_ANOTHER)),
}
