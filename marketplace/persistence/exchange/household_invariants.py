"""What must hold of households that ended, as SQL that lists every row where it does not."""

from __future__ import annotations

import sqlalchemy as sa

from marketplace.domain.exchange.needs import WITHDRAWABLE, NeedStatus
from marketplace.domain.registry.households import HouseholdStatus
from marketplace.persistence.tables import households, members, needs

_ENDED = households.c.status != HouseholdStatus.ACTIVE
_NAMED = (
    sa.select(sa.func.count())
    .where(members.c.household_id == households.c.id, members.c.ended_at.is_(None))
    .scalar_subquery()
)
_HEADS = (
    sa.select(sa.func.count())
    .where(
        members.c.household_id == households.c.id,
        members.c.ended_at.is_(None),
        members.c.is_head,
    )
    .scalar_subquery()
)


def _counted(
    says: sa.ColumnElement[int], should: sa.ColumnElement[int], *where: sa.ColumnElement[bool]
) -> sa.Select[int, int, int]:
    return (
        sa.select(households.c.id, says.label("says"), should.label("should"))
        .where(*where)
        .order_by(households.c.id)
    )


HOUSEHOLD_FACTS: dict[str, tuple[str, sa.Select[int, int, int]]] = {
    "ended_household_has_nobody": (
        "households",
        _counted(_NAMED, sa.literal(0), _ENDED, _NAMED > 0),
    ),
    "members_are_counted": (
        "households",
        _counted(households.c.member_count, _NAMED, ~_ENDED, households.c.member_count < _NAMED),
    ),
    "named_household_has_one_head": (
        "households",
        _counted(_HEADS, sa.literal(1), ~_ENDED, _NAMED > 0, _HEADS != 1),
    ),
    "ended_household_needs_nothing": (
        "needs",
        sa.select(needs.c.id, sa.literal(1).label("says"), sa.literal(0).label("should"))
        .select_from(needs.join(households, households.c.id == needs.c.household_id))
        .where(_ENDED, needs.c.status.in_(sorted(WITHDRAWABLE | {NeedStatus.SUSPENDED})))
        .order_by(needs.c.id),
    ),
}
