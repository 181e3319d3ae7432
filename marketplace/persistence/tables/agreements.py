"""How organizations come in: their application, standing agreements, drafts of their offers."""

from __future__ import annotations

import sqlalchemy as sa

from marketplace.domain.exchange.offer_drafts import OfferDraftStatus, Recurrence
from marketplace.domain.registry.agreements import AgreementStatus
from marketplace.persistence.tables.columns import key, metadata, moment, one_of, to

# Whom to call is a person: sealed.
organization_applications = sa.Table(
    "organization_applications",
    metadata,
    key(),
    to("organizations", "organization_id"),
    sa.Column("description", sa.Text, nullable=False, server_default=""),
    sa.Column("seal_id", sa.Text, nullable=False, unique=True),
    sa.Column("contact_name_sealed", sa.Text, nullable=False),
    sa.Column("contact_phone_sealed", sa.Text, nullable=False),
    to("accounts", "submitted_by", nullable=True),  # null: it applied itself, without an account
    moment("submitted_at"),
    to("accounts", "decided_by", nullable=True),
    moment("decided_at", nullable=True),
    sa.UniqueConstraint("organization_id", name="uq_organization_applications_organization_id"),
)

# valid_until is the last day; after it the agreement binds and allows nothing any more.
agreements = sa.Table(
    "agreements",
    metadata,
    key(),
    to("organizations", "organization_id"),
    sa.Column("number", sa.Text, nullable=False, unique=True),
    sa.Column("status", sa.Text, nullable=False, server_default="SIGNED"),
    sa.Column("valid_from", sa.Date, nullable=False),
    sa.Column("valid_until", sa.Date, nullable=False),
    sa.Column("offer_max_fen", sa.BigInteger),  # one offer is worth at most so much
    sa.Column("total_max_fen", sa.BigInteger),  # all that is offered under it
    to("accounts", "signed_by"),
    moment("signed_at"),
    to("accounts", "ended_by", nullable=True),
    moment("ended_at", nullable=True),
    sa.Column("end_reason", sa.Text),
    sa.Column("version", sa.Integer, nullable=False, server_default="0"),
    one_of("status", tuple(AgreementStatus)),
    sa.CheckConstraint("valid_from <= valid_until", name="days_in_order"),
    sa.CheckConstraint("offer_max_fen > 0 AND total_max_fen > 0", name="caps_above_zero"),
    # An organization has one agreement at a time.
    sa.Index(
        "uq_agreements_organization_id_signed",
        "organization_id",
        unique=True,
        sqlite_where=sa.text("status = 'SIGNED'"),
        postgresql_where=sa.text("status = 'SIGNED'"),
    ),
    sa.Index("ix_agreements_organization_id", "organization_id"),
)

# No row: of every category.
agreement_categories = sa.Table(
    "agreement_categories",
    metadata,
    to("agreements", "agreement_id"),
    to("categories", "category_id"),
    sa.Column("units_max", sa.BigInteger),  # of all offers in its subtree, in the offers' unit
    sa.PrimaryKeyConstraint("agreement_id", "category_id", name="pk_agreement_categories"),
    sa.CheckConstraint("units_max > 0", name="cap_above_zero"),
)

# No row: anywhere.
agreement_regions = sa.Table(
    "agreement_regions",
    metadata,
    to("agreements", "agreement_id"),
    to("regions", "region_id"),
    sa.PrimaryKeyConstraint("agreement_id", "region_id", name="pk_agreement_regions"),
)

# Offers as they are being written, and templates to post the same again. Nothing here is on offer.
offer_drafts = sa.Table(
    "offer_drafts",
    metadata,
    key(),
    to("organizations", "organization_id"),
    sa.Column("status", sa.Text, nullable=False, server_default="DRAFT"),
    sa.Column("name", sa.Text, nullable=False, server_default=""),
    sa.Column("terms", sa.JSON, nullable=False),  # those that were said so far
    sa.Column("is_template", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("recurrence", sa.Text, nullable=False, server_default="NONE"),
    sa.Column("lasts_days", sa.Integer),  # an offer made of it ends after so many days
    moment("next_at", nullable=True),
    moment("until", nullable=True),
    sa.Column("last_refusal", sa.JSON(none_as_null=True)),  # why it was not posted the last time
    to("accounts", "created_by", nullable=True),
    moment("created_at"),
    sa.Column("version", sa.Integer, nullable=False, server_default="0"),
    one_of("status", tuple(OfferDraftStatus)),
    one_of("recurrence", tuple(Recurrence)),
    sa.CheckConstraint("recurrence = 'NONE' OR is_template", name="templates_recur"),
    sa.CheckConstraint("lasts_days > 0", name="lasts_above_zero"),
    sa.Index("ix_offer_drafts_organization_id", "organization_id"),
    sa.Index(
        "ix_offer_drafts_next_at",
        "next_at",
        sqlite_where=sa.text("status = 'DRAFT' AND recurrence <> 'NONE'"),
        postgresql_where=sa.text("status = 'DRAFT' AND recurrence <> 'NONE'"),
    ),
)

# Which offers were made of a draft; a period ("2026-W48", "2026-11") has one at most.
offer_postings = sa.Table(
    "offer_postings",
    metadata,
    to("offer_drafts", "offer_draft_id"),
    sa.Column("period", sa.Text, nullable=False),
    to("offers", "offer_id"),
    sa.PrimaryKeyConstraint("offer_draft_id", "period", name="pk_offer_postings"),
    sa.Index("ix_offer_postings_offer_id", "offer_id"),
)
