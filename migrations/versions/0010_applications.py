"""Households that are found, and what becomes of them.

Safe beside the running version: it only adds. Until `aidloop index` has run, members that are
older than this are not found by their names.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
NUMBER = ("uq_members_identity_number_index", "members", ["identity_number_index"])


def upgrade() -> None:
    key = "INTEGER" if op.get_bind().dialect.name == "sqlite" else "BIGINT"
    moment = "DATETIME" if op.get_bind().dialect.name == "sqlite" else "TIMESTAMP WITH TIME ZONE"
    for column in (
        "status TEXT DEFAULT 'ACTIVE' NOT NULL CONSTRAINT ck_households_status_known "
        "CHECK (status IN ('ACTIVE', 'MERGED', 'CLOSED'))",
        f"merged_into {key} CONSTRAINT fk_households_merged_into REFERENCES households (id) "
        "CONSTRAINT ck_households_merged_into_one "
        "CHECK ((status = 'MERGED') = (merged_into IS NOT NULL))",
        f"ended_at {moment}",
    ):
        op.execute(f"ALTER TABLE households ADD COLUMN {column}")
    for column in (
        "name_index TEXT",
        f"ended_at {moment}",
        "ended_why TEXT CONSTRAINT ck_members_ended_why_known "
        "CHECK (ended_why IN ('DECEASED', 'LEFT'))",
    ):
        op.execute(f"ALTER TABLE members ADD COLUMN {column}")
    op.create_index("ix_households_merged_into", "households", ["merged_into"])
    op.create_index("ix_members_name_index", "members", ["name_index"])
    op.create_index("ix_members_identity_number_index", "members", ["identity_number_index"])
    _number_index(only="ended_at IS NULL")
    _applications()
    _changes()


def downgrade() -> None:
    """Who is no member any more is one again, and is not found by the number."""
    for table in (
        "household_duplicates",
        "household_tellings",
        "member_events",
        "household_splits",
        "household_merges",
        "household_moves",
        "application_tries",
        "application_matches",
        "applications",
    ):
        op.drop_table(table)
    op.execute("UPDATE members SET identity_number_index = NULL WHERE ended_at IS NOT NULL")
    _number_index(only=None)
    for index, table in (
        ("ix_members_identity_number_index", "members"),
        ("ix_members_name_index", "members"),
        ("ix_households_merged_into", "households"),
    ):
        op.drop_index(index, table)
    if op.get_bind().dialect.name == "postgresql":  # SQLite's goes with its column
        op.execute("ALTER TABLE households DROP CONSTRAINT ck_households_merged_into_one")
    for table, column in (
        ("members", "ended_why"),
        ("members", "ended_at"),
        ("members", "name_index"),
        ("households", "ended_at"),
        ("households", "merged_into"),
        ("households", "status"),
    ):
        op.execute(f"ALTER TABLE {table} DROP COLUMN {column}")


def _number_index(*, only: str | None) -> None:
    name, table, columns = NUMBER
    where = sa.text(only) if only else None
    op.drop_index(name, table)
    op.create_index(name, table, columns, unique=True, sqlite_where=where, postgresql_where=where)


def _applications() -> None:
    op.create_table(
        "applications",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("region_id", KEY, nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="SUBMITTED", nullable=False),
        sa.Column("seal_id", sa.Text(), nullable=False),
        sa.Column("name_sealed", sa.Text(), nullable=False),
        sa.Column("name_index", sa.Text(), nullable=False),
        sa.Column("phone_sealed", sa.Text(), nullable=True),
        sa.Column("phone_index", sa.Text(), nullable=True),
        sa.Column("identity_number_sealed", sa.Text(), nullable=True),
        sa.Column("identity_number_index", sa.Text(), nullable=True),
        sa.Column("address_sealed", sa.Text(), nullable=True),
        sa.Column("words_sealed", sa.Text(), nullable=True),
        sa.Column("monitoring_category", sa.Text(), nullable=True),
        sa.Column("household_id", KEY, nullable=True),
        sa.Column("made_household", sa.Boolean(), nullable=True),
        sa.Column("reject_reason", sa.Text(), nullable=True),
        sa.Column("reason_sealed", sa.Text(), nullable=True),
        sa.Column("submitted_by", KEY, nullable=True),
        sa.Column("handled_by", KEY, nullable=True),
        sa.Column("handled_at", MOMENT, nullable=True),
        sa.Column("key_index", sa.Text(), nullable=True),
        sa.Column("input_index", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint(
            "(status = 'REGISTERED') = (household_id IS NOT NULL)",
            name="ck_applications_registered_as_a_household",
        ),
        sa.CheckConstraint(
            "(status = 'REJECTED') = (reject_reason IS NOT NULL)",
            name="ck_applications_rejected_says_why",
        ),
        sa.CheckConstraint(
            "channel IN ('PHONE', 'QR', 'WEB', 'ONSITE', 'FILE')",
            name="ck_applications_channel_known",
        ),
        sa.CheckConstraint(
            "reject_reason IN ('DUPLICATE', 'OUTSIDE_AREA', 'NOT_REACHED', 'WITHDRAWN', 'NO_HARDSHIP', 'OTHER')",
            name="ck_applications_reject_reason_known",
        ),
        sa.CheckConstraint(
            "status IN ('SUBMITTED', 'REGISTERED', 'REJECTED')", name="ck_applications_status_known"
        ),
        _to("applications", "handled_by", "accounts"),
        _to("applications", "household_id", "households"),
        _to("applications", "region_id", "regions"),
        _to("applications", "submitted_by", "accounts"),
        sa.PrimaryKeyConstraint("id", name="pk_applications"),
        sa.UniqueConstraint("key_index", name="uq_applications_key_index"),
        sa.UniqueConstraint("seal_id", name="uq_applications_seal_id"),
    )
    op.create_index("ix_applications_household_id", "applications", ["household_id"], unique=False)
    op.create_index(
        "ix_applications_identity_number_index",
        "applications",
        ["identity_number_index"],
        unique=False,
    )
    op.create_index("ix_applications_phone_index", "applications", ["phone_index"], unique=False)
    op.create_index("ix_applications_region_id", "applications", ["region_id"], unique=False)
    op.create_index(
        "ix_applications_status_created_at", "applications", ["status", "created_at"], unique=False
    )
    op.create_table(
        "application_matches",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("application_id", KEY, nullable=False),
        sa.Column("household_id", KEY, nullable=True),
        sa.Column("other_id", KEY, nullable=True),
        sa.Column("ground", sa.Text(), nullable=False),
        sa.Column("found_at", MOMENT, nullable=False),
        sa.CheckConstraint(
            "ground IN ('MEMBER', 'PHONE', 'NAME')", name="ck_application_matches_ground_known"
        ),
        sa.CheckConstraint(
            "(household_id IS NULL) <> (other_id IS NULL)",
            name="ck_application_matches_with_one_of_them",
        ),
        _to("application_matches", "application_id", "applications"),
        _to("application_matches", "household_id", "households"),
        _to("application_matches", "other_id", "applications"),
        sa.PrimaryKeyConstraint("id", name="pk_application_matches"),
        sa.UniqueConstraint(
            "application_id", "household_id", "ground", name="uq_application_matches_household"
        ),
        sa.UniqueConstraint(
            "application_id", "other_id", "ground", name="uq_application_matches_other"
        ),
    )
    op.create_index(
        "ix_application_matches_household_id", "application_matches", ["household_id"], unique=False
    )
    op.create_index(
        "ix_application_matches_other_id", "application_matches", ["other_id"], unique=False
    )
    op.create_table(
        "application_tries",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('SUBMIT_ADDRESS', 'SUBMIT_PHONE', 'CODE_ADDRESS', 'CODE_REFERENCE', 'STATUS_ADDRESS')",
            name="ck_application_tries_kind_known",
        ),
        sa.CheckConstraint("tries > 0", name="ck_application_tries_tried_at_all"),
        sa.PrimaryKeyConstraint("id", name="pk_application_tries"),
        sa.UniqueConstraint("kind", "subject", name="uq_application_tries_subject"),
    )
    op.create_index("ix_application_tries_since", "application_tries", ["since"], unique=False)


def _changes() -> None:
    op.create_table(
        "household_moves",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("household_id", KEY, nullable=False),
        sa.Column("from_region_id", KEY, nullable=False),
        sa.Column("to_region_id", KEY, nullable=False),
        sa.Column("moved_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("recorded_by", KEY, nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        _to("household_moves", "from_region_id", "regions"),
        _to("household_moves", "household_id", "households"),
        _to("household_moves", "recorded_by", "accounts"),
        _to("household_moves", "to_region_id", "regions"),
        sa.PrimaryKeyConstraint("id", name="pk_household_moves"),
    )
    op.create_index(
        "ix_household_moves_household_id", "household_moves", ["household_id"], unique=False
    )
    op.create_table(
        "household_merges",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("household_id", KEY, nullable=False),
        sa.Column("merged_id", KEY, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("moved", sa.JSON(), nullable=False),
        sa.Column("recorded_by", KEY, nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.CheckConstraint("household_id <> merged_id", name="ck_household_merges_two_households"),
        _to("household_merges", "household_id", "households"),
        _to("household_merges", "merged_id", "households"),
        _to("household_merges", "recorded_by", "accounts"),
        sa.PrimaryKeyConstraint("id", name="pk_household_merges"),
        sa.UniqueConstraint("merged_id", name="uq_household_merges_merged_id"),
    )
    op.create_index(
        "ix_household_merges_household_id", "household_merges", ["household_id"], unique=False
    )
    op.create_table(
        "household_splits",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("household_id", KEY, nullable=False),
        sa.Column("new_id", KEY, nullable=False),
        sa.Column("split_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("moved", sa.JSON(), nullable=False),
        sa.Column("recorded_by", KEY, nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        _to("household_splits", "household_id", "households"),
        _to("household_splits", "new_id", "households"),
        _to("household_splits", "recorded_by", "accounts"),
        sa.PrimaryKeyConstraint("id", name="pk_household_splits"),
        sa.UniqueConstraint("new_id", name="uq_household_splits_new_id"),
    )
    op.create_index(
        "ix_household_splits_household_id", "household_splits", ["household_id"], unique=False
    )
    op.create_table(
        "member_events",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("household_id", KEY, nullable=False),
        sa.Column("member_id", KEY, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("recorded_by", KEY, nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.CheckConstraint(
            "kind IN ('BORN', 'ADDED', 'DECEASED', 'LEFT')", name="ck_member_events_kind_known"
        ),
        _to("member_events", "household_id", "households"),
        _to("member_events", "member_id", "members"),
        _to("member_events", "recorded_by", "accounts"),
        sa.PrimaryKeyConstraint("id", name="pk_member_events"),
    )
    op.create_index(
        "ix_member_events_household_id", "member_events", ["household_id"], unique=False
    )
    op.create_index("ix_member_events_member_id", "member_events", ["member_id"], unique=False)
    op.create_table(
        "household_tellings",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("household_id", KEY, nullable=False),
        sa.Column("assessment_id", KEY, nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        sa.Column("told_on", sa.Date(), nullable=False),
        sa.Column("recorded_by", KEY, nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.CheckConstraint(
            "how IN ('VISIT', 'PHONE', 'LETTER', 'MESSAGE', 'ONSITE')",
            name="ck_household_tellings_how_known",
        ),
        _to("household_tellings", "assessment_id", "assessments"),
        _to("household_tellings", "household_id", "households"),
        _to("household_tellings", "recorded_by", "accounts"),
        sa.PrimaryKeyConstraint("id", name="pk_household_tellings"),
    )
    op.create_index(
        "ix_household_tellings_assessment_id", "household_tellings", ["assessment_id"], unique=False
    )
    op.create_index(
        "ix_household_tellings_household_id", "household_tellings", ["household_id"], unique=False
    )
    op.create_table(
        "household_duplicates",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("household_id", KEY, nullable=False),
        sa.Column("other_id", KEY, nullable=False),
        sa.Column("ground", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="OPEN", nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("decided_by", KEY, nullable=True),
        sa.Column("found_at", MOMENT, nullable=False),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.CheckConstraint(
            "ground IN ('MEMBER', 'PHONE', 'NAME')", name="ck_household_duplicates_ground_known"
        ),
        sa.CheckConstraint(
            "status IN ('OPEN', 'DISMISSED', 'MERGED')", name="ck_household_duplicates_status_known"
        ),
        sa.CheckConstraint(
            "household_id <> other_id", name="ck_household_duplicates_two_households"
        ),
        _to("household_duplicates", "decided_by", "accounts"),
        _to("household_duplicates", "household_id", "households"),
        _to("household_duplicates", "other_id", "households"),
        sa.PrimaryKeyConstraint("id", name="pk_household_duplicates"),
        sa.UniqueConstraint(
            "household_id", "other_id", "ground", name="uq_household_duplicates_once_each"
        ),
    )
    op.create_index(
        "ix_household_duplicates_other_id", "household_duplicates", ["other_id"], unique=False
    )


def _to(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{target}.id"], name=f"fk_{table}_{column}", ondelete="RESTRICT"
    )
