"""Regions, categories, organizations, households, accounts, and the house's own tables.

Safe beside the running version: it only adds.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

# SQLite numbers a row by itself only where the key is spelled INTEGER.
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "regions",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("parent_id", KEY, nullable=True),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("scheme", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), server_default="", nullable=False),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("location_source", sa.Text(), server_default="NONE", nullable=False),
        sa.Column("tree_low", sa.BigInteger(), nullable=False),
        sa.Column("tree_high", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "level IN ('PROVINCE', 'PREFECTURE', 'COUNTY', 'TOWNSHIP', 'VILLAGE', 'GRID')",
            name="ck_regions_level_known",
        ),
        sa.CheckConstraint(
            "location_source IN ('OWN', 'PARENT', 'NONE')", name="ck_regions_location_source_known"
        ),
        sa.CheckConstraint("tree_low <= tree_high", name="ck_regions_tree_interval"),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["regions.id"], name="fk_regions_parent_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_regions"),
        sa.UniqueConstraint("scheme", "code", name="uq_regions_scheme_code"),
    )
    op.create_index("ix_regions_parent_id", "regions", ["parent_id"], unique=False)
    op.create_index("ix_regions_tree_low", "regions", ["tree_low"], unique=False)
    op.create_table(
        "categories",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("parent_id", KEY, nullable=True),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("reference_price_fen", sa.BigInteger(), nullable=True),
        sa.Column("label_zh", sa.Text(), nullable=False),
        sa.Column("label_en", sa.Text(), nullable=False),
        sa.Column("tree_low", sa.BigInteger(), nullable=False),
        sa.Column("tree_high", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('GOODS', 'CASH', 'SERVICE')", name="ck_categories_kind_known"),
        sa.CheckConstraint("reference_price_fen > 0", name="ck_categories_price_above_zero"),
        sa.CheckConstraint("tree_low <= tree_high", name="ck_categories_tree_interval"),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["categories.id"], name="fk_categories_parent_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_categories"),
        sa.UniqueConstraint("code", name="uq_categories_code"),
    )
    op.create_index("ix_categories_parent_id", "categories", ["parent_id"], unique=False)
    op.create_index("ix_categories_tree_low", "categories", ["tree_low"], unique=False)
    op.create_table(
        "organizations",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="APPLIED", nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("region_id", KEY, nullable=False),
        sa.Column("external_reference", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('CHARITY', 'ENTERPRISE', 'VOLUNTEER_GROUP', 'SOCIAL_ORGANIZATION', 'FEDERATION')",
            name="ck_organizations_kind_known",
        ),
        sa.CheckConstraint(
            "status IN ('APPLIED', 'VERIFIED', 'SUSPENDED', 'REJECTED')",
            name="ck_organizations_status_known",
        ),
        sa.ForeignKeyConstraint(
            ["region_id"], ["regions.id"], name="fk_organizations_region_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_organizations"),
        sa.UniqueConstraint("external_reference", name="uq_organizations_external_reference"),
    )
    op.create_index("ix_organizations_region_id", "organizations", ["region_id"], unique=False)
    op.create_table(
        "households",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("region_id", KEY, nullable=False),
        sa.Column("member_count", sa.Integer(), nullable=False),
        sa.Column("target_groups", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("monitoring_category", sa.Text(), nullable=True),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("seal_id", sa.Text(), nullable=False),
        sa.Column("address_sealed", sa.Text(), nullable=True),
        sa.Column("phone_sealed", sa.Text(), nullable=True),
        sa.Column("phone_index", sa.Text(), nullable=True),
        sa.Column("external_reference", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "monitoring_category IN ('UNSTABLY_OUT_OF_POVERTY', 'MARGINAL', 'SUDDEN_SEVERE_HARDSHIP')",
            name="ck_households_monitoring_category_known",
        ),
        sa.CheckConstraint("member_count > 0", name="ck_households_has_members"),
        sa.CheckConstraint("target_groups >= 0", name="ck_households_groups_are_bits"),
        sa.ForeignKeyConstraint(
            ["region_id"], ["regions.id"], name="fk_households_region_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_households"),
        sa.UniqueConstraint("external_reference", name="uq_households_external_reference"),
        sa.UniqueConstraint("seal_id", name="uq_households_seal_id"),
    )
    op.create_index("ix_households_phone_index", "households", ["phone_index"], unique=False)
    op.create_index("ix_households_region_id", "households", ["region_id"], unique=False)
    op.create_table(
        "members",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("household_id", KEY, nullable=False),
        sa.Column("is_head", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("relation", sa.Text(), nullable=False),
        sa.Column("target_groups", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("seal_id", sa.Text(), nullable=False),
        sa.Column("name_sealed", sa.Text(), nullable=False),
        sa.Column("identity_number_sealed", sa.Text(), nullable=True),
        sa.Column("identity_number_index", sa.Text(), nullable=True),
        sa.Column("birth_date_sealed", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["household_id"], ["households.id"], name="fk_members_household_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_members"),
        sa.UniqueConstraint("seal_id", name="uq_members_seal_id"),
    )
    op.create_index("ix_members_household_id", "members", ["household_id"], unique=False)
    op.create_index(
        "uq_members_identity_number_index", "members", ["identity_number_index"], unique=True
    )
    op.create_table(
        "accounts",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("organization_id", KEY, nullable=True),
        sa.Column("region_id", KEY, nullable=True),
        sa.Column("household_id", KEY, nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "role IN ('PUBLIC', 'APPLICANT', 'PROVIDER', 'FEDERATION', 'GRID_WORKER', 'SOCIAL_WORKER', 'TOWNSHIP_OFFICER', 'ASSISTANCE_OFFICER', 'CHARITY_OFFICER', 'AUDITOR', 'ADMIN')",
            name="ck_accounts_role_known",
        ),
        sa.ForeignKeyConstraint(
            ["household_id"],
            ["households.id"],
            name="fk_accounts_household_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name="fk_accounts_organization_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["region_id"], ["regions.id"], name="fk_accounts_region_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_accounts"),
    )
    op.create_index("ix_accounts_organization_id", "accounts", ["organization_id"], unique=False)
    op.create_table(
        "api_keys",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("account_id", KEY, nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_api_keys_account_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        sa.UniqueConstraint("digest", name="uq_api_keys_digest"),
    )
    op.create_index("ix_api_keys_account_id", "api_keys", ["account_id"], unique=False)
    op.create_table(
        "assessments",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("household_id", KEY, nullable=False),
        sa.Column("assessed_by", KEY, nullable=True),
        sa.Column("assessed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("policy_version", sa.Text(), nullable=False),
        sa.Column("member_count", sa.Integer(), nullable=False),
        sa.Column("income_fen_month", sa.BigInteger(), nullable=False),
        sa.Column("property_fen", sa.BigInteger(), nullable=False),
        sa.Column("medical_fen_month", sa.BigInteger(), nullable=False),
        sa.Column("education_fen_month", sa.BigInteger(), nullable=False),
        sa.Column("disability_care_fen_month", sa.BigInteger(), nullable=False),
        sa.Column("housing_fen_month", sa.BigInteger(), nullable=False),
        sa.Column("disaster_fen_month", sa.BigInteger(), nullable=False),
        sa.Column("eligibility_class", sa.Text(), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("trace", sa.JSON(), nullable=False),
        sa.Column("override_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "eligibility_class IN ('SUBSISTENCE_ALLOWANCE', 'EXTREME_POVERTY', 'LOW_INCOME_EDGE', 'RIGID_EXPENDITURE', 'NONE')",
            name="ck_assessments_eligibility_class_known",
        ),
        sa.CheckConstraint(
            "income_fen_month >= 0 AND property_fen >= 0 AND medical_fen_month >= 0 AND education_fen_month >= 0 AND disability_care_fen_month >= 0 AND housing_fen_month >= 0 AND disaster_fen_month >= 0",
            name="ck_assessments_amounts_not_negative",
        ),
        sa.CheckConstraint("member_count > 0", name="ck_assessments_has_members"),
        sa.CheckConstraint("severity BETWEEN 1 AND 100", name="ck_assessments_severity_1_to_100"),
        sa.ForeignKeyConstraint(
            ["assessed_by"], ["accounts.id"], name="fk_assessments_assessed_by", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["household_id"],
            ["households.id"],
            name="fk_assessments_household_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_assessments"),
    )
    op.create_index(
        "ix_assessments_household_id_assessed_at",
        "assessments",
        ["household_id", "assessed_at"],
        unique=False,
    )
    op.create_table(
        "events",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("account_id", KEY, nullable=True),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("entity_id", KEY, nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_events_account_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
    )
    op.create_index("ix_events_entity_entity_id", "events", ["entity", "entity_id"], unique=False)
    op.create_table(
        "jobs",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("dedupe_key", sa.Text(), nullable=True),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("status", sa.Text(), server_default="QUEUED", nullable=False),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("attempts_max", sa.Integer(), server_default="5", nullable=False),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("run_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("progress", sa.Float(), server_default="0", nullable=False),
        sa.Column("stage", sa.Text(), server_default="", nullable=False),
        sa.Column("checkpoint", sa.JSON(), nullable=True),
        sa.Column("cancel_requested", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status IN ('QUEUED', 'RUNNING', 'DONE', 'CANCELLED', 'DEAD')",
            name="ck_jobs_status_known",
        ),
        sa.CheckConstraint("progress >= 0 AND progress <= 1", name="ck_jobs_progress_is_a_share"),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
        sa.UniqueConstraint("dedupe_key", name="uq_jobs_dedupe_key"),
    )
    op.create_index("ix_jobs_status_run_after", "jobs", ["status", "run_after"], unique=False)
    op.create_table(
        "idempotency_keys",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("account_id", KEY, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("input_digest", sa.Text(), nullable=False),
        sa.Column("outcome", sa.JSON(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name="fk_idempotency_keys_account_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_idempotency_keys"),
        sa.UniqueConstraint("account_id", "key", name="uq_idempotency_keys_account_id_key"),
    )
    op.create_index(
        "ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"], unique=False
    )


def downgrade() -> None:
    op.drop_table("idempotency_keys")
    op.drop_table("jobs")
    op.drop_table("events")
    op.drop_table("assessments")
    op.drop_table("api_keys")
    op.drop_table("accounts")
    op.drop_table("members")
    op.drop_table("households")
    op.drop_table("organizations")
    op.drop_table("categories")
    op.drop_table("regions")
