"""What came of deliveries, told and acknowledged; ratings, feedback, lists of those helped.

Safe beside the running version: it only adds.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

# SQLite numbers a row by itself only where the key is spelled INTEGER.
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "helped_lists",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("organization_id", KEY, nullable=False),
        sa.Column("region_id", KEY, nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("status", sa.Text(), server_default="REPORTED", nullable=False),
        sa.Column("line_count", sa.Integer(), nullable=False),
        sa.Column("household_count", sa.Integer(), nullable=False),
        sa.Column("reported_by", KEY, nullable=False),
        sa.Column("reported_at", MOMENT, nullable=False),
        sa.Column("received_by", KEY, nullable=True),
        sa.Column("received_at", MOMENT, nullable=True),
        sa.CheckConstraint(
            "(status = 'RECEIVED') = (received_at IS NOT NULL)",
            name="ck_helped_lists_received_says_when",
        ),
        sa.CheckConstraint(
            "status IN ('REPORTED', 'RECEIVED')", name="ck_helped_lists_status_known"
        ),
        sa.CheckConstraint(
            "line_count > 0 AND household_count > 0", name="ck_helped_lists_lists_somebody"
        ),
        sa.CheckConstraint("starts_on <= ends_on", name="ck_helped_lists_a_span_of_days"),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name="fk_helped_lists_organization_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["received_by"],
            ["accounts.id"],
            name="fk_helped_lists_received_by",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["region_id"], ["regions.id"], name="fk_helped_lists_region_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["reported_by"],
            ["accounts.id"],
            name="fk_helped_lists_reported_by",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_helped_lists"),
    )
    op.create_index(
        "ix_helped_lists_organization_id", "helped_lists", ["organization_id"], unique=False
    )
    op.create_index("ix_helped_lists_reported_at", "helped_lists", ["reported_at"], unique=False)
    op.create_table(
        "results",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("allocation_id", KEY, nullable=False),
        sa.Column("need_id", KEY, nullable=False),
        sa.Column("organization_id", KEY, nullable=False),
        sa.Column("delivered_by_id", KEY, nullable=True),
        sa.Column("region_id", KEY, nullable=False),
        sa.Column("status", sa.Text(), server_default="SENT", nullable=False),
        sa.Column("policy_version", sa.Text(), nullable=False),
        sa.Column("units_received", sa.BigInteger(), nullable=False),
        sa.Column("delivered_at", MOMENT, nullable=False),
        sa.Column("sent_at", MOMENT, nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("acknowledged_at", MOMENT, nullable=True),
        sa.CheckConstraint(
            "(status = 'ACKNOWLEDGED') = (acknowledged_at IS NOT NULL)",
            name="ck_results_acknowledged_says_when",
        ),
        sa.CheckConstraint("status IN ('SENT', 'ACKNOWLEDGED')", name="ck_results_status_known"),
        sa.CheckConstraint("units_received >= 0", name="ck_results_received_not_negative"),
        sa.ForeignKeyConstraint(
            ["allocation_id"],
            ["allocations.id"],
            name="fk_results_allocation_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["delivered_by_id"],
            ["organizations.id"],
            name="fk_results_delivered_by_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["need_id"], ["needs.id"], name="fk_results_need_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name="fk_results_organization_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["region_id"], ["regions.id"], name="fk_results_region_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_results"),
        sa.UniqueConstraint("allocation_id", name="uq_results_allocation_id"),
    )
    op.create_index("ix_results_delivered_by_id", "results", ["delivered_by_id"], unique=False)
    op.create_index("ix_results_need_id", "results", ["need_id"], unique=False)
    op.create_index(
        "ix_results_organization_id_sent_at",
        "results",
        ["organization_id", "sent_at"],
        unique=False,
    )
    op.create_index("ix_results_region_id", "results", ["region_id"], unique=False)
    op.create_index("ix_results_sent_at", "results", ["sent_at"], unique=False)
    op.create_table(
        "feedbacks",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("from_side", sa.Text(), nullable=False),
        sa.Column("household_id", KEY, nullable=True),
        sa.Column("organization_id", KEY, nullable=True),
        sa.Column("result_id", KEY, nullable=True),
        sa.Column("region_id", KEY, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("desk", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="OPEN", nullable=False),
        sa.Column("seal_id", sa.Text(), nullable=False),
        sa.Column("text_sealed", sa.Text(), nullable=False),
        sa.Column("reply_sealed", sa.Text(), nullable=True),
        sa.Column("filed_by", KEY, nullable=True),
        sa.Column("filed_at", MOMENT, nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("answered_by", KEY, nullable=True),
        sa.Column("answered_at", MOMENT, nullable=True),
        sa.Column("closed_by", KEY, nullable=True),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.Column("escalated_at", MOMENT, nullable=True),
        sa.Column("reopened", sa.Integer(), server_default="0", nullable=False),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "(from_side = 'HOUSEHOLD') = (household_id IS NOT NULL) "
            "AND (from_side = 'PROVIDER') = (organization_id IS NOT NULL) "
            "AND (filed_by IS NOT NULL OR from_side = 'HOUSEHOLD')",
            name="ck_feedbacks_says_whose",
        ),
        sa.CheckConstraint(
            "(status = 'CLOSED') = (closed_at IS NOT NULL)", name="ck_feedbacks_closed_says_when"
        ),
        sa.CheckConstraint(
            "desk IN ('CHARITY', 'ASSISTANCE', 'TOWNSHIP')", name="ck_feedbacks_desk_known"
        ),
        sa.CheckConstraint(
            "from_side IN ('HOUSEHOLD', 'PROVIDER')", name="ck_feedbacks_from_side_known"
        ),
        sa.CheckConstraint(
            "kind IN ('PRAISE', 'SUGGESTION', 'QUESTION', 'COMPLAINT')",
            name="ck_feedbacks_kind_known",
        ),
        sa.CheckConstraint(
            "status = 'OPEN' OR (reply_sealed IS NOT NULL AND answered_at IS NOT NULL)",
            name="ck_feedbacks_answered_has_a_reply",
        ),
        sa.CheckConstraint(
            "status IN ('OPEN', 'ANSWERED', 'CLOSED')", name="ck_feedbacks_status_known"
        ),
        sa.ForeignKeyConstraint(
            ["answered_by"], ["accounts.id"], name="fk_feedbacks_answered_by", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["closed_by"], ["accounts.id"], name="fk_feedbacks_closed_by", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["filed_by"], ["accounts.id"], name="fk_feedbacks_filed_by", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["household_id"],
            ["households.id"],
            name="fk_feedbacks_household_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name="fk_feedbacks_organization_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["region_id"], ["regions.id"], name="fk_feedbacks_region_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["result_id"], ["results.id"], name="fk_feedbacks_result_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_feedbacks"),
        sa.UniqueConstraint("seal_id", name="uq_feedbacks_seal_id"),
    )
    op.create_index(
        "ix_feedbacks_due_at_open",
        "feedbacks",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("status = 'OPEN'"),
        postgresql_where=sa.text("status = 'OPEN'"),
    )
    op.create_index("ix_feedbacks_filed_at", "feedbacks", ["filed_at"], unique=False)
    op.create_index("ix_feedbacks_household_id", "feedbacks", ["household_id"], unique=False)
    op.create_index("ix_feedbacks_organization_id", "feedbacks", ["organization_id"], unique=False)
    op.create_index("ix_feedbacks_region_id", "feedbacks", ["region_id"], unique=False)
    op.create_index("ix_feedbacks_result_id", "feedbacks", ["result_id"], unique=False)
    op.create_table(
        "helped_list_lines",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("helped_list_id", KEY, nullable=False),
        sa.Column("result_id", KEY, nullable=False),
        sa.ForeignKeyConstraint(
            ["helped_list_id"],
            ["helped_lists.id"],
            name="fk_helped_list_lines_helped_list_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["result_id"],
            ["results.id"],
            name="fk_helped_list_lines_result_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_helped_list_lines"),
        sa.UniqueConstraint("result_id", name="uq_helped_list_lines_result_id"),
    )
    op.create_index(
        "ix_helped_list_lines_helped_list_id", "helped_list_lines", ["helped_list_id"], unique=False
    )
    op.create_table(
        "result_copies",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("result_id", KEY, nullable=False),
        sa.Column("region_id", KEY, nullable=False),
        sa.Column("desk", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="SENT", nullable=False),
        sa.Column("sent_at", MOMENT, nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("acknowledged_at", MOMENT, nullable=True),
        sa.Column("acknowledged_by", KEY, nullable=True),
        sa.Column("escalated_at", MOMENT, nullable=True),
        sa.CheckConstraint(
            "(status = 'ACKNOWLEDGED') = (acknowledged_at IS NOT NULL) AND (acknowledged_at IS NULL) = (acknowledged_by IS NULL)",
            name="ck_result_copies_acknowledged_says_who",
        ),
        sa.CheckConstraint(
            "desk IN ('CHARITY', 'ASSISTANCE', 'TOWNSHIP')", name="ck_result_copies_desk_known"
        ),
        sa.CheckConstraint(
            "status IN ('SENT', 'ACKNOWLEDGED')", name="ck_result_copies_status_known"
        ),
        sa.ForeignKeyConstraint(
            ["acknowledged_by"],
            ["accounts.id"],
            name="fk_result_copies_acknowledged_by",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["region_id"], ["regions.id"], name="fk_result_copies_region_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["result_id"], ["results.id"], name="fk_result_copies_result_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_result_copies"),
        sa.UniqueConstraint("result_id", "desk", name="uq_result_copies_result_id_desk"),
    )
    op.create_index(
        "ix_result_copies_due_at_sent",
        "result_copies",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("status = 'SENT'"),
        postgresql_where=sa.text("status = 'SENT'"),
    )
    op.create_index("ix_result_copies_region_id", "result_copies", ["region_id"], unique=False)
    op.create_index("ix_result_copies_sent_at", "result_copies", ["sent_at"], unique=False)
    op.create_table(
        "result_ratings",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("result_id", KEY, nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("rated_by", KEY, nullable=False),
        sa.Column("rated_at", MOMENT, nullable=False),
        sa.CheckConstraint("side IN ('OFFICE', 'PROVIDER')", name="ck_result_ratings_side_known"),
        sa.CheckConstraint("score BETWEEN 1 AND 5", name="ck_result_ratings_score_1_to_5"),
        sa.ForeignKeyConstraint(
            ["rated_by"], ["accounts.id"], name="fk_result_ratings_rated_by", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["result_id"], ["results.id"], name="fk_result_ratings_result_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_result_ratings"),
        sa.UniqueConstraint("result_id", "side", name="uq_result_ratings_result_id_side"),
    )
    op.create_index("ix_result_ratings_rated_at", "result_ratings", ["rated_at"], unique=False)


def downgrade() -> None:
    for table in (
        "helped_list_lines",
        "helped_lists",
        "feedbacks",
        "result_ratings",
        "result_copies",
        "results",
    ):
        op.drop_table(table)
