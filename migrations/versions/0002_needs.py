"""Government aid, consents, referrals, needs with their reviews and public copies.

Safe beside the running version: it only adds.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

# SQLite numbers a row by itself only where the key is spelled INTEGER.
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "government_aids",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("household_id", KEY, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("covers_category_id", KEY, nullable=True),
        sa.Column("covers_quantity", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("decided_by", KEY, nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('SUBSISTENCE_ALLOWANCE', 'EXTREME_POVERTY_SUPPORT', 'TEMPORARY_ASSISTANCE', 'MEDICAL', 'EDUCATION', 'HOUSING', 'DISASTER')",
            name="ck_government_aids_kind_known",
        ),
        sa.CheckConstraint(
            "amount_fen >= 0 AND covers_quantity >= 0",
            name="ck_government_aids_amounts_not_negative",
        ),
        sa.ForeignKeyConstraint(
            ["covers_category_id"],
            ["categories.id"],
            name="fk_government_aids_covers_category_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"],
            ["accounts.id"],
            name="fk_government_aids_decided_by",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["household_id"],
            ["households.id"],
            name="fk_government_aids_household_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_government_aids"),
    )
    op.create_index(
        "ix_government_aids_household_id", "government_aids", ["household_id"], unique=False
    )
    op.create_table(
        "consents",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("household_id", KEY, nullable=False),
        sa.Column("status", sa.Text(), server_default="GIVEN", nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("recipient_class", sa.Text(), nullable=False),
        sa.Column("text_version", sa.Text(), nullable=False),
        sa.Column("how_given", sa.Text(), nullable=False),
        sa.Column("evidence_reference", sa.Text(), nullable=True),
        sa.Column("recorded_by", KEY, nullable=True),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "status IN ('GIVEN', 'WITHDRAWN', 'LAPSED')", name="ck_consents_status_known"
        ),
        sa.ForeignKeyConstraint(
            ["household_id"],
            ["households.id"],
            name="fk_consents_household_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by"], ["accounts.id"], name="fk_consents_recorded_by", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_consents"),
    )
    op.create_index("ix_consents_household_id", "consents", ["household_id"], unique=False)
    op.create_index(
        "uq_consents_household_id_in_force",
        "consents",
        ["household_id", "recipient_class"],
        unique=True,
        sqlite_where=sa.text("status = 'GIVEN'"),
        postgresql_where=sa.text("status = 'GIVEN'"),
    )
    op.create_table(
        "referrals",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("referred_by", KEY, nullable=False),
        sa.Column("referred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("line_count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["referred_by"], ["accounts.id"], name="fk_referrals_referred_by", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_referrals"),
    )
    op.create_table(
        "needs",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("household_id", KEY, nullable=False),
        sa.Column("category_id", KEY, nullable=False),
        sa.Column("region_id", KEY, nullable=False),
        sa.Column("status", sa.Text(), server_default="DRAFT", nullable=False),
        sa.Column("suspended_from", sa.Text(), nullable=True),
        sa.Column("quantity_asked", sa.BigInteger(), nullable=False),
        sa.Column("quantity_by_government", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("covered", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("quantity_min", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("deadline", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note_sealed", sa.Text(), nullable=True),
        sa.Column("seal_id", sa.Text(), nullable=False),
        sa.Column("external_reference", sa.Text(), nullable=True),
        sa.Column("created_by", KEY, nullable=True),
        sa.Column("referral_id", KEY, nullable=True),
        sa.Column("referred_by", KEY, nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "status IN ('DRAFT', 'REFERRED', 'RETURNED', 'REJECTED', 'PUBLISHED', 'FULFILLED', 'CLOSED', 'WITHDRAWN', 'EXPIRED', 'SUSPENDED')",
            name="ck_needs_status_known",
        ),
        sa.CheckConstraint(
            "covered >= 0 AND covered <= quantity", name="ck_needs_covered_within_quantity"
        ),
        sa.CheckConstraint("quantity_asked > 0", name="ck_needs_asks_for_something"),
        sa.CheckConstraint(
            "quantity_by_government >= 0 AND quantity = quantity_asked - quantity_by_government",
            name="ck_needs_quantity_is_the_residual",
        ),
        sa.CheckConstraint(
            "quantity_min >= 1 AND quantity_min <= quantity", name="ck_needs_minimum_in_reach"
        ),
        sa.CheckConstraint("severity BETWEEN 1 AND 100", name="ck_needs_severity_1_to_100"),
        sa.ForeignKeyConstraint(
            ["category_id"], ["categories.id"], name="fk_needs_category_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["accounts.id"], name="fk_needs_created_by", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["household_id"], ["households.id"], name="fk_needs_household_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["referral_id"], ["referrals.id"], name="fk_needs_referral_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["referred_by"], ["accounts.id"], name="fk_needs_referred_by", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["region_id"], ["regions.id"], name="fk_needs_region_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_needs"),
        sa.UniqueConstraint("external_reference", name="uq_needs_external_reference"),
        sa.UniqueConstraint("seal_id", name="uq_needs_seal_id"),
    )
    op.create_index("ix_needs_category_id", "needs", ["category_id"], unique=False)
    op.create_index("ix_needs_created_at", "needs", ["created_at"], unique=False)
    op.create_index("ix_needs_household_id", "needs", ["household_id"], unique=False)
    op.create_index("ix_needs_region_id", "needs", ["region_id"], unique=False)
    op.create_index("ix_needs_referral_id", "needs", ["referral_id"], unique=False)
    op.create_index("ix_needs_status_severity", "needs", ["status", "severity"], unique=False)
    op.create_table(
        "need_reviews",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("need_id", KEY, nullable=False),
        sa.Column("referral_id", KEY, nullable=False),
        sa.Column("reviewed_by", KEY, nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "decision IN ('APPROVE', 'RETURN', 'REJECT')", name="ck_need_reviews_decision_known"
        ),
        sa.ForeignKeyConstraint(
            ["need_id"], ["needs.id"], name="fk_need_reviews_need_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["referral_id"],
            ["referrals.id"],
            name="fk_need_reviews_referral_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["reviewed_by"],
            ["accounts.id"],
            name="fk_need_reviews_reviewed_by",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_need_reviews"),
        sa.UniqueConstraint(
            "need_id", "referral_id", "reviewed_by", name="uq_need_reviews_once_each"
        ),
    )
    op.create_index("ix_need_reviews_referral_id", "need_reviews", ["referral_id"], unique=False)
    op.create_table(
        "published_needs",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("need_id", KEY, nullable=False),
        sa.Column("category_id", KEY, nullable=False),
        sa.Column("region_id", KEY, nullable=False),
        sa.Column("is_open", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("severity_band", sa.Text(), nullable=False),
        sa.Column("target_groups", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("deadline", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "severity_band IN ('CRITICAL', 'HIGH', 'MEDIUM', 'LOW')",
            name="ck_published_needs_severity_band_known",
        ),
        sa.ForeignKeyConstraint(
            ["category_id"],
            ["categories.id"],
            name="fk_published_needs_category_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["need_id"], ["needs.id"], name="fk_published_needs_need_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["region_id"], ["regions.id"], name="fk_published_needs_region_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_published_needs"),
        sa.UniqueConstraint("need_id", name="uq_published_needs_need_id"),
    )
    op.create_index(
        "ix_published_needs_category_id", "published_needs", ["category_id"], unique=False
    )
    op.create_index(
        "ix_published_needs_is_open_published_at",
        "published_needs",
        ["is_open", "published_at"],
        unique=False,
    )
    op.create_index("ix_published_needs_region_id", "published_needs", ["region_id"], unique=False)


def downgrade() -> None:
    op.drop_table("published_needs")
    op.drop_table("need_reviews")
    op.drop_table("needs")
    op.drop_table("referrals")
    op.drop_table("consents")
    op.drop_table("government_aids")
