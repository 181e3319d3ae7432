"""What must hold of campaigns and donations at any time: every fen is somewhere, and once."""

from __future__ import annotations

import sqlalchemy as sa

from marketplace.domain.exchange.donations import DonationKind, DonationStatus
from marketplace.persistence.tables import (
    campaigns,
    donation_matches,
    donation_uses,
    donations,
    matching_funds,
    offers,
)

Facts = dict[str, tuple[str, "sa.Select[int, int, int]"]]


def _differs(
    says: sa.Column[int],
    should: sa.ScalarSelect[int],
    *where: sa.ColumnElement[bool],
) -> sa.Select[int, int, int]:
    """Rows whose number is not the one that it should be."""
    table = says.table
    wanted = sa.func.coalesce(should, 0)
    return (
        sa.select(table.c.id, says.label("says"), wanted.label("should"))
        .where(says != wanted, *where)
        .order_by(table.c.id)
    )


def _given(column: sa.Column[int], kind: DonationKind) -> sa.ScalarSelect[int]:
    return (
        sa.select(sa.func.sum(column))
        .where(
            donations.c.campaign_id == campaigns.c.id,
            donations.c.status == DonationStatus.RECEIVED,
            donations.c.kind == kind,
        )
        .scalar_subquery()
    )


_BALANCE = (
    sa.select(campaigns.c.donated_fen + campaigns.c.matched_fen)
    .where(campaigns.c.id == offers.c.campaign_id)
    .scalar_subquery()
)
_USED = (
    sa.select(sa.func.sum(donation_uses.c.units))
    .where(donation_uses.c.donation_id == donations.c.id)
    .scalar_subquery()
)
_MATCHED = (
    sa.select(sa.func.sum(donation_matches.c.fen))
    .where(donation_matches.c.donation_id == donations.c.id)
    .scalar_subquery()
)
_DRAWN = (
    sa.select(sa.func.sum(donation_matches.c.fen))
    .join(donations, donations.c.id == donation_matches.c.donation_id)
    .where(
        donation_matches.c.matching_fund_id == matching_funds.c.id,
        donations.c.status == DonationStatus.RECEIVED,
    )
    .scalar_subquery()
)

GIVING_FACTS: Facts = {
    "campaign_balance": (
        "offers",
        _differs(
            offers.c.quantity, _BALANCE, offers.c.campaign_id.is_not(None), offers.c.kind == "CASH"
        ),
    ),
    "campaign_donated": (
        "campaigns",
        _differs(campaigns.c.donated_fen, _given(donations.c.amount_fen, DonationKind.CASH)),
    ),
    "campaign_matched": (
        "campaigns",
        _differs(campaigns.c.matched_fen, _given(donations.c.matched_fen, DonationKind.CASH)),
    ),
    "campaign_goods": (
        "campaigns",
        _differs(campaigns.c.goods_fen, _given(donations.c.amount_fen, DonationKind.GOODS)),
    ),
    "donation_used": ("donations", _differs(donations.c.used, _USED)),
    "donation_matched": ("donations", _differs(donations.c.matched_fen, _MATCHED)),
    "fund_matched": ("matching_funds", _differs(matching_funds.c.matched_fen, _DRAWN)),
}
