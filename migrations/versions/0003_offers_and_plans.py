"""Offers, plans with their lines, and allocations.

Safe beside the running version: it only adds.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

# SQLite numbers a row by itself only where the key is spelled INTEGER.
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "offers",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("organization_id", KEY, nullable=False),
        sa.Column("category_id", KEY, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("status", sa.Text(), server_default="OPEN", nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("reserved", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("delivered", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("pack_size", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("household_max", sa.BigInteger(), nullable=True),
        sa.Column("delivery_min", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("deliveries_max", sa.Integer(), nullable=True),
        sa.Column("target_groups", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("radius_km", sa.Float(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("external_reference", sa.Text(), nullable=True),
        sa.Column("posted_by", KEY, nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("kind IN ('GOODS', 'CASH', 'SERVICE')", name="ck_offers_kind_known"),
        sa.CheckConstraint(
            "status IN ('DRAFT', 'OPEN', 'PAUSED', 'CLOSED', 'EXPIRED')",
            name="ck_offers_status_known",
        ),
        sa.CheckConstraint(
            "household_max > 0 AND deliveries_max > 0", name="ck_offers_limits_above_zero"
        ),
        sa.CheckConstraint(
            "pack_size >= 1 AND delivery_min >= 1", name="ck_offers_lots_above_zero"
        ),
        sa.CheckConstraint("quantity > 0", name="ck_offers_offers_something"),
        sa.CheckConstraint("radius_km > 0", name="ck_offers_radius_above_zero"),
        sa.CheckConstraint(
            "reserved >= 0 AND delivered >= 0 AND reserved <= quantity - delivered",
            name="ck_offers_never_over_allocated",
        ),
        sa.ForeignKeyConstraint(
            ["category_id"], ["categories.id"], name="fk_offers_category_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name="fk_offers_organization_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["posted_by"], ["accounts.id"], name="fk_offers_posted_by", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_offers"),
        sa.UniqueConstraint("external_reference", name="uq_offers_external_reference"),
    )
    op.create_index("ix_offers_category_id", "offers", ["category_id"], unique=False)
    op.create_index("ix_offers_organization_id", "offers", ["organization_id"], unique=False)
    op.create_index("ix_offers_status_created_at", "offers", ["status", "created_at"], unique=False)
    op.create_table(
        "offer_regions",
        sa.Column("offer_id", KEY, nullable=False),
        sa.Column("region_id", KEY, nullable=False),
        sa.ForeignKeyConstraint(
            ["offer_id"], ["offers.id"], name="fk_offer_regions_offer_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["region_id"], ["regions.id"], name="fk_offer_regions_region_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("offer_id", "region_id", name="pk_offer_regions"),
    )
    op.create_index("ix_offer_regions_region_id", "offer_regions", ["region_id"], unique=False)
    op.create_table(
        "plans",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), server_default="PROPOSAL", nullable=False),
        sa.Column("status", sa.Text(), server_default="QUEUED", nullable=False),
        sa.Column("job_id", KEY, nullable=False),
        sa.Column("region_id", KEY, nullable=True),
        sa.Column("category_id", KEY, nullable=True),
        sa.Column("policy", sa.JSON(), nullable=False),
        sa.Column("input_digest", sa.Text(), nullable=True),
        sa.Column("need_count", sa.Integer(), nullable=True),
        sa.Column("offer_count", sa.Integer(), nullable=True),
        sa.Column("pair_count", sa.BigInteger(), nullable=True),
        sa.Column("units_asked", sa.BigInteger(), nullable=True),
        sa.Column("units_served", sa.BigInteger(), nullable=True),
        sa.Column("needs_served", sa.Integer(), nullable=True),
        sa.Column("cost", sa.BigInteger(), nullable=True),
        sa.Column("proof", sa.JSON(), nullable=True),
        sa.Column("left_aside", sa.JSON(), nullable=True),
        sa.Column("error", sa.JSON(), nullable=True),
        sa.Column("created_by", KEY, nullable=False),
        sa.Column("approved_by", KEY, nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("kind IN ('PROPOSAL', 'SIMULATION')", name="ck_plans_kind_known"),
        sa.CheckConstraint(
            "status IN ('QUEUED', 'RUNNING', 'PROPOSED', 'APPROVED', 'DISCARDED', 'CANCELLED', 'FAILED')",
            name="ck_plans_status_known",
        ),
        sa.ForeignKeyConstraint(
            ["approved_by"], ["accounts.id"], name="fk_plans_approved_by", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["category_id"], ["categories.id"], name="fk_plans_category_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["accounts.id"], name="fk_plans_created_by", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name="fk_plans_job_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["region_id"], ["regions.id"], name="fk_plans_region_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_plans"),
    )
    op.create_index("ix_plans_job_id", "plans", ["job_id"], unique=False)
    op.create_index("ix_plans_status_created_at", "plans", ["status", "created_at"], unique=False)
    op.create_table(
        "plan_lines",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("plan_id", KEY, nullable=False),
        sa.Column("need_id", KEY, nullable=False),
        sa.Column("offer_id", KEY, nullable=False),
        sa.Column("units_served", sa.BigInteger(), nullable=False),
        sa.Column("units_drawn", sa.BigInteger(), nullable=False),
        sa.Column("cost", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("offer_version", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), server_default="PROPOSED", nullable=False),
        sa.Column("left_out_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "status IN ('PROPOSED', 'RESERVED', 'LEFT_OUT')", name="ck_plan_lines_status_known"
        ),
        sa.CheckConstraint(
            "units_served > 0 AND units_drawn > 0", name="ck_plan_lines_moves_something"
        ),
        sa.ForeignKeyConstraint(
            ["need_id"], ["needs.id"], name="fk_plan_lines_need_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["offer_id"], ["offers.id"], name="fk_plan_lines_offer_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["plans.id"], name="fk_plan_lines_plan_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_plan_lines"),
        sa.UniqueConstraint("plan_id", "need_id", "offer_id", name="uq_plan_lines_pair"),
    )
    op.create_index("ix_plan_lines_need_id", "plan_lines", ["need_id"], unique=False)
    op.create_index("ix_plan_lines_offer_id", "plan_lines", ["offer_id"], unique=False)
    op.create_table(
        "allocations",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("need_id", KEY, nullable=False),
        sa.Column("offer_id", KEY, nullable=False),
        sa.Column("plan_line_id", KEY, nullable=True),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="RESERVED", nullable=False),
        sa.Column("units_served", sa.BigInteger(), nullable=False),
        sa.Column("units_drawn", sa.BigInteger(), nullable=False),
        sa.Column("reserved_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_reason", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "cancel_reason IN ('LAPSED', 'CONSENT', 'RESTRICTION', 'OFFER_WITHDRAWN', 'NEED_WITHDRAWN', 'OFFICER')",
            name="ck_allocations_cancel_reason_known",
        ),
        sa.CheckConstraint("origin IN ('PLAN', 'PLEDGE')", name="ck_allocations_origin_known"),
        sa.CheckConstraint(
            "status IN ('RESERVED', 'ACCEPTED', 'DISPATCHED', 'DELIVERED', 'CONFIRMED', 'DISPUTED', 'DECLINED', 'CANCELLED')",
            name="ck_allocations_status_known",
        ),
        sa.CheckConstraint(
            "units_served > 0 AND units_drawn > 0", name="ck_allocations_moves_something"
        ),
        sa.ForeignKeyConstraint(
            ["need_id"], ["needs.id"], name="fk_allocations_need_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["offer_id"], ["offers.id"], name="fk_allocations_offer_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["plan_line_id"],
            ["plan_lines.id"],
            name="fk_allocations_plan_line_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_allocations"),
        sa.UniqueConstraint("plan_line_id", name="uq_allocations_plan_line_id"),
    )
    op.create_index("ix_allocations_need_id", "allocations", ["need_id"], unique=False)
    op.create_index("ix_allocations_offer_id", "allocations", ["offer_id"], unique=False)
    op.create_index(
        "ix_allocations_reserved_until",
        "allocations",
        ["reserved_until"],
        unique=False,
        sqlite_where=sa.text("status = 'RESERVED'"),
        postgresql_where=sa.text("status = 'RESERVED'"),
    )


def downgrade() -> None:
    op.drop_table("allocations")
    op.drop_table("plan_lines")
    op.drop_table("plans")
    op.drop_table("offer_regions")
    op.drop_table("offers")
