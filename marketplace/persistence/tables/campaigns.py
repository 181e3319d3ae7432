"""Campaigns, donations with receipts and matching funds, and where the money went."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.schema import SchemaItem

from marketplace.domain.exchange.campaigns import CampaignStatus, RemainderRule
from marketplace.domain.exchange.donations import DonationStatus
from marketplace.persistence.tables.columns import (
    BigKey,
    UtcDateTime,
    index_where,
    key,
    metadata,
    moment,
    one_of,
    to,
)

# Spelled out, since an index serves only what is asked for in its own words.
UNATTRIBUTED = (
    "attributed <> CASE WHEN status IN ('DECLINED', 'CANCELLED') THEN 0 ELSE units_drawn END"
)


def offer_columns() -> tuple[SchemaItem, ...]:
    """Columns of `offers`: its campaign, its photos, and what the charity desk has to approve.

    The cash offer of a campaign is its balance: it may be nothing, once all was given back.
    """
    return (
        # NO ACTION, which is all that SQLite tells of a column that was added.
        sa.Column("campaign_id", BigKey, sa.ForeignKey("campaigns.id")),
        sa.Column("photos", sa.JSON(none_as_null=True)),  # [{"url" or "fileId": …, "caption": …}]
        sa.Column("moderation", sa.JSON(none_as_null=True)),  # what is outside the agreement
        sa.Column("approved_by", BigKey, sa.ForeignKey("accounts.id")),
        sa.Column("approved_at", UtcDateTime()),
        sa.CheckConstraint("quantity > 0 OR campaign_id IS NOT NULL", name="offers_something"),
        sa.Index("ix_offers_campaign_id", "campaign_id"),
        sa.Index(
            "uq_offers_campaign_id_cash",
            "campaign_id",
            unique=True,
            sqlite_where=sa.text("kind = 'CASH'"),
            postgresql_where=sa.text("kind = 'CASH'"),
        ),
    )


def attribution_columns() -> tuple[SchemaItem, ...]:
    """Columns of `allocations`: how many of its units the donations behind it are brought up to.

    Of offers that nothing was donated to, what it draws, once that was looked at.
    """
    return (
        sa.Column("attributed", sa.BigInteger, nullable=False, server_default="0"),
        index_where("ix_allocations_unattributed", "offer_id", where=UNATTRIBUTED),
    )


# donated_fen, matched_fen and goods_fen are sums over donations that were not refunded; the first
# two together are the quantity of the campaign's cash offer.
campaigns = sa.Table(
    "campaigns",
    metadata,
    key(),
    to("organizations", "organization_id"),
    to("categories", "category_id"),  # the purpose
    sa.Column("status", sa.Text, nullable=False, server_default="DRAFT"),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False, server_default=""),
    sa.Column("filing_number", sa.Text, unique=True),  # 备案编号
    sa.Column("filed_on", sa.Date),
    moment("starts_at"),
    moment("ends_at"),
    sa.Column("target_fen", sa.BigInteger, nullable=False),
    sa.Column("target_groups", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("household_max_fen", sa.BigInteger),
    sa.Column("remainder_rule", sa.Text, nullable=False, server_default="SPEND_ON"),
    sa.Column("donated_fen", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("matched_fen", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("goods_fen", sa.BigInteger, nullable=False, server_default="0"),
    to("accounts", "created_by", nullable=True),
    moment("created_at"),
    moment("opened_at", nullable=True),
    moment("closed_at", nullable=True),
    sa.Column("version", sa.Integer, nullable=False, server_default="0"),
    one_of("status", tuple(CampaignStatus)),
    one_of("remainder_rule", tuple(RemainderRule)),
    sa.CheckConstraint("starts_at < ends_at", name="period_in_order"),
    sa.CheckConstraint("target_fen > 0 AND household_max_fen > 0", name="amounts_above_zero"),
    sa.CheckConstraint(
        "donated_fen >= 0 AND matched_fen >= 0 AND goods_fen >= 0", name="balance_not_negative"
    ),
    sa.Index("ix_campaigns_organization_id", "organization_id"),
    sa.Index("ix_campaigns_category_id", "category_id"),
    sa.Index("ix_campaigns_status_created_at", "status", "created_at"),
)

# The last number given; its row is locked till the receipt is written, so none is ever missing.
receipt_counters = sa.Table(
    "receipt_counters",
    metadata,
    to("organizations", "organization_id"),
    sa.Column("year", sa.Integer, nullable=False),
    sa.Column("last", sa.Integer, nullable=False),
    sa.PrimaryKeyConstraint("organization_id", "year", name="pk_receipt_counters"),
)

# units: fen of cash, base units of goods, as the offer counts them; used is the sum of its uses.
donations = sa.Table(
    "donations",
    metadata,
    key(),
    to("organizations", "organization_id"),
    to("campaigns", "campaign_id", nullable=True),  # null: unrestricted, not assigned yet
    to("offers", "offer_id", nullable=True),  # what it went into
    to("categories", "category_id", nullable=True),  # of goods
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False, server_default="RECEIVED"),
    sa.Column("amount_fen", sa.BigInteger, nullable=False),  # of goods: the stated value
    sa.Column("units", sa.BigInteger, nullable=False),
    sa.Column("matched_fen", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("used", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("is_anonymous", sa.Boolean, nullable=False),
    sa.Column("seal_id", sa.Text, nullable=False, unique=True),
    sa.Column("donor_name_sealed", sa.Text),
    sa.Column("donor_contact_sealed", sa.Text),
    sa.Column("payment_reference", sa.Text),
    sa.Column("receipt_year", sa.Integer, nullable=False),
    sa.Column("receipt_number", sa.Integer, nullable=False),
    sa.Column("trace_digest", sa.Text, nullable=False),  # of the code that only the donor has
    moment("received_at"),
    to("accounts", "recorded_by", nullable=True),
    moment("recorded_at"),
    to("accounts", "refunded_by", nullable=True),
    moment("refunded_at", nullable=True),
    sa.Column("refund_reason", sa.Text),
    sa.Column("version", sa.Integer, nullable=False, server_default="0"),
    one_of("kind", ("CASH", "GOODS")),
    one_of("status", tuple(DonationStatus)),
    sa.CheckConstraint(
        "amount_fen > 0 AND units > 0 AND matched_fen >= 0 AND receipt_number > 0",
        name="amounts_above_zero",
    ),
    sa.CheckConstraint("kind <> 'CASH' OR units = amount_fen", name="cash_is_counted_in_fen"),
    sa.CheckConstraint("used >= 0 AND used <= units + matched_fen", name="used_of_given"),
    sa.CheckConstraint("status <> 'REFUNDED' OR used = 0", name="refunded_while_unspent"),
    sa.CheckConstraint("NOT is_anonymous OR donor_name_sealed IS NULL", name="anonymous_unnamed"),
    sa.UniqueConstraint(
        "organization_id", "receipt_year", "receipt_number", name="uq_donations_receipt"
    ),
    sa.Index("ix_donations_campaign_id", "campaign_id"),
    sa.Index("ix_donations_offer_id", "offer_id"),
    sa.Index("ix_donations_category_id", "category_id"),
    sa.Index("ix_donations_received_at", "received_at"),
)

matching_funds = sa.Table(
    "matching_funds",
    metadata,
    key(),
    to("campaigns", "campaign_id"),
    to("organizations", "organization_id", nullable=True),  # the funder, where it is one of ours
    sa.Column("funder_name", sa.Text, nullable=False),
    sa.Column("percent", sa.Integer, nullable=False),  # of a donation; 100: one to one
    sa.Column("cap_fen", sa.BigInteger, nullable=False),
    sa.Column("matched_fen", sa.BigInteger, nullable=False, server_default="0"),
    moment("starts_at"),
    moment("ends_at"),
    to("accounts", "created_by", nullable=True),
    moment("created_at"),
    sa.CheckConstraint("percent > 0 AND cap_fen > 0", name="gives_something"),
    sa.CheckConstraint("matched_fen >= 0 AND matched_fen <= cap_fen", name="within_the_cap"),
    sa.CheckConstraint("starts_at < ends_at", name="period_in_order"),
    sa.Index("ix_matching_funds_campaign_id", "campaign_id"),
)

donation_matches = sa.Table(
    "donation_matches",
    metadata,
    to("donations", "donation_id"),
    to("matching_funds", "matching_fund_id"),
    sa.Column("fen", sa.BigInteger, nullable=False),
    sa.PrimaryKeyConstraint("donation_id", "matching_fund_id", name="pk_donation_matches"),
    sa.CheckConstraint("fen > 0", name="matches_something"),
)

# First in, first out: which donation an allocation's units came from.
donation_uses = sa.Table(
    "donation_uses",
    metadata,
    to("donations", "donation_id"),
    to("allocations", "allocation_id"),
    sa.Column("units", sa.BigInteger, nullable=False),
    sa.PrimaryKeyConstraint("donation_id", "allocation_id", name="pk_donation_uses"),
    sa.CheckConstraint("units > 0", name="uses_something"),
    sa.Index("ix_donation_uses_allocation_id", "allocation_id"),
)

# What donors are told: made from uses by the one function that hides small numbers.
donation_outcomes = sa.Table(
    "donation_outcomes",
    metadata,
    key(),
    to("donations", "donation_id"),
    to("categories", "category_id", nullable=True),
    to("regions", "region_id", nullable=True),  # a township
    sa.Column("month", sa.Text),  # 2026-11
    sa.Column("units", sa.BigInteger, nullable=False),
    sa.Column("percent_confirmed", sa.Integer, nullable=False),
    sa.Column("households", sa.Integer),  # rounded; null: fewer than five
    sa.CheckConstraint("units > 0", name="came_to_something"),
    sa.CheckConstraint("households >= 5", name="tells_of_no_few"),
    sa.CheckConstraint("percent_confirmed BETWEEN 0 AND 100", name="percent"),
    sa.Index("ix_donation_outcomes_donation_id", "donation_id"),
)
