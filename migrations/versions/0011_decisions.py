"""Lines of assistance, overrides by two people, appeals; aid with what it was based on.

Safe beside the running version: it only adds. Aid that was decided before counts as reckoned with.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
COLUMNS = (
    ("assessments", "snapshot", "JSON"),
    ("assessments", "valid_until", "{moment}"),
    ("assessments", "due_at", "{moment}"),
    ("assessments", "lapsed_at", "{moment}"),
    ("government_aids", "reason", "TEXT"),
    ("government_aids", "snapshot", "JSON"),
    ("government_aids", "counted_at", "{moment}"),
    (
        "government_aids",
        "ended_by",
        "{key} CONSTRAINT fk_government_aids_ended_by REFERENCES accounts (id)",
    ),
    ("government_aids", "ended_at", "{moment}"),
    ("government_aids", "end_reason", "TEXT"),
    ("government_aids", "version", "INTEGER DEFAULT 0 NOT NULL"),
    (
        "needs",
        "overlap",
        "BIGINT DEFAULT 0 NOT NULL CONSTRAINT ck_needs_overlap_not_negative CHECK (overlap >= 0)",
    ),
    ("needs", "residual", "JSON"),
)


def upgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    kinds = {
        "key": "INTEGER" if sqlite else "BIGINT",
        "moment": "DATETIME" if sqlite else "TIMESTAMP WITH TIME ZONE",
    }
    for table, name, kind in COLUMNS:
        op.execute(f"ALTER TABLE {table} ADD COLUMN {name} {kind.format(**kinds)}")
    op.execute("UPDATE government_aids SET counted_at = decided_at")
    op.create_index("ix_assessments_due_at", "assessments", ["due_at"])
    op.create_index("ix_assessments_valid_until", "assessments", ["valid_until"])
    _lines()
    _overrides()
    _appeals()
    _conflicts()


def downgrade() -> None:
    for table in ("aid_conflicts", "appeals", "assessment_overrides", "assistance_lines"):
        op.drop_table(table)
    op.drop_index("ix_assessments_valid_until", "assessments")
    op.drop_index("ix_assessments_due_at", "assessments")
    for table, name, _ in reversed(COLUMNS):
        op.execute(f"ALTER TABLE {table} DROP COLUMN {name}")


def _lines() -> None:
    op.create_table(
        "assistance_lines",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("county_code", sa.Text(), nullable=False),
        sa.Column("area", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("subsistence_fen_month", sa.BigInteger(), nullable=False),
        sa.Column("disposable_income_fen_month", sa.BigInteger(), nullable=False),
        sa.Column("edge_percent", sa.Integer(), nullable=False),
        sa.Column("property_months", sa.Integer(), nullable=False),
        sa.Column("edge_property_months", sa.Integer(), nullable=False),
        sa.Column("subsistence_review_months", sa.Integer(), nullable=False),
        sa.Column("extreme_review_months", sa.Integer(), nullable=False),
        sa.Column("edge_review_months", sa.Integer(), nullable=False),
        sa.Column("rigid_review_months", sa.Integer(), nullable=False),
        sa.Column("rigid_valid_months", sa.Integer(), nullable=False),
        sa.Column("is_assumption", sa.Boolean(), nullable=False),
        sa.Column("note_zh", sa.Text(), nullable=False),
        sa.Column("note_en", sa.Text(), nullable=False),
        sa.Column("set_by", KEY, nullable=True),
        sa.Column("set_at", MOMENT, nullable=True),
        sa.CheckConstraint("area IN ('URBAN', 'RURAL')", name="ck_assistance_lines_area_known"),
        sa.CheckConstraint("edge_percent >= 100", name="ck_assistance_lines_edge_above_the_line"),
        sa.CheckConstraint(
            "property_months > 0 AND edge_property_months >= property_months",
            name="ck_assistance_lines_property_limits_in_order",
        ),
        sa.CheckConstraint(
            "subsistence_fen_month > 0 AND disposable_income_fen_month >= subsistence_fen_month",
            name="ck_assistance_lines_lines_above_zero",
        ),
        sa.CheckConstraint(
            "subsistence_review_months > 0 AND extreme_review_months > 0 AND edge_review_months > 0 AND rigid_review_months > 0 AND rigid_valid_months > 0",
            name="ck_assistance_lines_months_above_zero",
        ),
        sa.ForeignKeyConstraint(
            ["set_by"], ["accounts.id"], name="fk_assistance_lines_set_by", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_assistance_lines"),
        sa.UniqueConstraint(
            "county_code", "area", "valid_from", name="uq_assistance_lines_once_from_a_day"
        ),
    )


def _overrides() -> None:
    op.create_table(
        "assessment_overrides",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("assessment_id", KEY, nullable=False),
        sa.Column("eligibility_class", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="PENDING", nullable=False),
        sa.Column("proposed_by", KEY, nullable=False),
        sa.Column("proposed_at", MOMENT, nullable=False),
        sa.Column("valid_until", MOMENT, nullable=True),
        sa.Column("due_at", MOMENT, nullable=True),
        sa.Column("decided_by", KEY, nullable=True),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.Column("decision_reason", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "(status = 'PENDING') = (decided_by IS NULL) AND (decided_by IS NULL OR decided_by <> proposed_by)",
            name="ck_assessment_overrides_decided_by_another",
        ),
        sa.CheckConstraint(
            "eligibility_class IN ('SUBSISTENCE_ALLOWANCE', 'EXTREME_POVERTY', 'LOW_INCOME_EDGE', 'RIGID_EXPENDITURE', 'NONE')",
            name="ck_assessment_overrides_eligibility_class_known",
        ),
        sa.CheckConstraint(
            "status IN ('PENDING', 'APPROVED', 'REJECTED')",
            name="ck_assessment_overrides_status_known",
        ),
        sa.ForeignKeyConstraint(
            ["assessment_id"],
            ["assessments.id"],
            name="fk_assessment_overrides_assessment_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"],
            ["accounts.id"],
            name="fk_assessment_overrides_decided_by",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["proposed_by"],
            ["accounts.id"],
            name="fk_assessment_overrides_proposed_by",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_assessment_overrides"),
        sa.UniqueConstraint("assessment_id", name="uq_assessment_overrides_assessment_id"),
    )
    op.create_index("ix_assessment_overrides_status", "assessment_overrides", ["status"])


def _appeals() -> None:
    op.create_table(
        "appeals",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("household_id", KEY, nullable=False),
        sa.Column("assessment_id", KEY, nullable=False),
        sa.Column("status", sa.Text(), server_default="OPEN", nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("evidence_reference", sa.Text(), nullable=True),
        sa.Column("filed_by", KEY, nullable=False),
        sa.Column("filed_at", MOMENT, nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("decided_by", KEY, nullable=True),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.Column("decision_reason", sa.Text(), nullable=True),
        sa.Column("new_assessment_id", KEY, nullable=True),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "(status = 'OPEN') = (decided_by IS NULL)", name="ck_appeals_decided_by_somebody"
        ),
        sa.CheckConstraint(
            "new_assessment_id IS NULL OR status = 'UPHELD'",
            name="ck_appeals_assessed_anew_when_upheld",
        ),
        sa.CheckConstraint(
            "status IN ('OPEN', 'UPHELD', 'DISMISSED')", name="ck_appeals_status_known"
        ),
        sa.ForeignKeyConstraint(
            ["assessment_id"],
            ["assessments.id"],
            name="fk_appeals_assessment_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["accounts.id"], name="fk_appeals_decided_by", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["filed_by"], ["accounts.id"], name="fk_appeals_filed_by", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["household_id"], ["households.id"], name="fk_appeals_household_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["new_assessment_id"],
            ["assessments.id"],
            name="fk_appeals_new_assessment_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_appeals"),
    )
    op.create_index("ix_appeals_assessment_id", "appeals", ["assessment_id"])
    op.create_index("ix_appeals_household_id", "appeals", ["household_id"])
    op.create_index("ix_appeals_status_due_at", "appeals", ["status", "due_at"])
    op.create_index(
        "uq_appeals_household_id_open",
        "appeals",
        ["household_id"],
        unique=True,
        sqlite_where=sa.text("status = 'OPEN'"),
        postgresql_where=sa.text("status = 'OPEN'"),
    )


def _conflicts() -> None:
    op.create_table(
        "aid_conflicts",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("household_id", KEY, nullable=False),
        sa.Column("aid_id", KEY, nullable=False),
        sa.Column("need_id", KEY, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("text_zh", sa.Text(), nullable=False),
        sa.Column("text_en", sa.Text(), nullable=False),
        sa.Column("found_at", MOMENT, nullable=False),
        sa.CheckConstraint(
            "kind IN ('OVERLAP', 'SAME_BROADER_CATEGORY')", name="ck_aid_conflicts_kind_known"
        ),
        sa.CheckConstraint("units >= 0", name="ck_aid_conflicts_units_not_negative"),
        sa.ForeignKeyConstraint(
            ["aid_id"], ["government_aids.id"], name="fk_aid_conflicts_aid_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["household_id"],
            ["households.id"],
            name="fk_aid_conflicts_household_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["need_id"], ["needs.id"], name="fk_aid_conflicts_need_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_aid_conflicts"),
        sa.UniqueConstraint("aid_id", "need_id", name="uq_aid_conflicts_pair"),
    )
    op.create_index("ix_aid_conflicts_household_id", "aid_conflicts", ["household_id"])
    op.create_index("ix_aid_conflicts_need_id", "aid_conflicts", ["need_id"])
