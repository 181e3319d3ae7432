"""What must hold of plans around edits, pledges and prepared referrals, as SQL of exceptions."""

from __future__ import annotations

import sqlalchemy as sa

from marketplace.domain.exchange.allocations import AllocationOrigin, AllocationStatus
from marketplace.domain.exchange.plans import PlanStatus
from marketplace.domain.exchange.schedules import DraftStatus
from marketplace.persistence.tables import (
    allocations,
    plan_edits,
    plan_lines,
    plans,
    referral_drafts,
)

_GIVEN = (
    sa.select(sa.func.coalesce(sa.func.sum(plan_lines.c.units_served), 0))
    .where(
        plan_lines.c.plan_id == plan_edits.c.plan_id,
        plan_lines.c.need_id == plan_edits.c.need_id,
        plan_lines.c.offer_id == plan_edits.c.offer_id,
    )
    .correlate(plan_edits)
    .scalar_subquery()
)
_SETTLED = sa.func.coalesce(plan_edits.c.units, 0)


def _there(table: sa.Table, *where: sa.ColumnElement[bool]) -> sa.Select[int, int, int]:
    """Rows that must not be there."""
    said = sa.select(table.c.id, sa.literal(1).label("says"), sa.literal(0).label("should"))
    return said.where(*where).order_by(table.c.id)


DESK_FACTS: dict[str, tuple[str, sa.Select[int, int, int]]] = {
    # What a person settled stands in the plan, to the unit.
    "edits_stand": (
        "plan_edits",
        sa.select(plan_edits.c.id, _GIVEN.label("says"), _SETTLED.label("should"))
        .join(plans, plans.c.id == plan_edits.c.plan_id)
        .where(
            plans.c.status.in_([PlanStatus.PROPOSED, PlanStatus.APPROVED, PlanStatus.DISCARDED]),
            _GIVEN != _SETTLED,
        )
        .order_by(plan_edits.c.id),
    ),
    "pledges_lapse": (
        "allocations",
        _there(
            allocations,
            allocations.c.origin == AllocationOrigin.PLEDGE,
            allocations.c.status == AllocationStatus.RESERVED,
            allocations.c.reserved_until.is_(None),
        ),
    ),
    "sent_drafts_became_referrals": (
        "referral_drafts",
        _there(
            referral_drafts,
            (referral_drafts.c.status == DraftStatus.SENT)
            != referral_drafts.c.referral_id.is_not(None),
        ),
    ),
}
