"""The edges between offers and published needs that could meet, by what everyone may know."""

from __future__ import annotations

import sqlalchemy as sa

from marketplace.domain.permissions import COUNTY_OFFICERS, PROVIDERS, SUPERVISION
from marketplace.persistence.tables.exchange import offers, published_needs
from marketplace.services.exchange.meeting import Meeting
from schema.readgraph.declare import Ascending, Columns, Condition, Descending, Scope
from schema.readgraph.narrowed import Narrowed

MAY_ASK = PROVIDERS | COUNTY_OFFICERS | SUPERVISION


def _needs_of(row: Columns, scope: Scope, above: sa.ColumnElement[int] | None) -> Condition:
    """Open needs that the offer above could meet."""
    assert above is not None, "it is asked of an offer"
    if not scope.is_one_of(MAY_ASK):
        return sa.false()
    offer = offers.alias()
    meeting = Meeting(row, offer.c)
    meets = (
        sa.select(offer.c.id)
        .select_from(meeting.joined(offer))
        .where(offer.c.id == above, *meeting.conditions(scope.now))
        .correlate(above.table, row["id"].table)
    )
    return sa.and_(row["is_open"].is_(sa.true()), meets.exists())


def _offers_of(row: Columns, scope: Scope, above: sa.ColumnElement[int] | None) -> Condition:
    """Offers that could serve the need above; to a provider, its own alone."""
    assert above is not None, "it is asked of a published need"
    if not scope.is_one_of(MAY_ASK):
        return sa.false()
    need = published_needs.alias()
    meeting = Meeting(need.c, row)
    meets = (
        sa.select(need.c.id)
        .select_from(meeting.joined(need))
        .where(need.c.id == above, need.c.is_open.is_(sa.true()), *meeting.conditions(scope.now))
        .correlate(above.table, row["id"].table)
    )
    own = row["organization_id"] == scope.organization_id
    mine = own if scope.is_one_of(PROVIDERS) else sa.true()
    return sa.and_(mine, meets.exists())


NEEDS_MET = Narrowed(_needs_of, (Descending("urgency"), Ascending("deadline")))
OFFERS_FOR = Narrowed(_offers_of)
