"""One-time codes, messages to households, notifications, webhooks, and how far feeds are read.

Safe beside the running version: it only adds.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

# SQLite numbers a row by itself only where the key is spelled INTEGER.
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "one_time_codes",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("subject_id", KEY, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("used", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.CheckConstraint(
            "purpose IN ('APPLICATION_FOLLOW', 'DELIVERY_CONFIRM', 'FEEDBACK')",
            name="ck_one_time_codes_purpose_known",
        ),
        sa.CheckConstraint("tries BETWEEN 0 AND 5", name="ck_one_time_codes_tries_are_few"),
        sa.PrimaryKeyConstraint("id", name="pk_one_time_codes"),
    )
    op.create_index(
        "ix_one_time_codes_purpose_subject_id",
        "one_time_codes",
        ["purpose", "subject_id"],
        unique=False,
    )
    op.create_index(
        "uq_one_time_codes_alive",
        "one_time_codes",
        ["purpose", "subject_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "messages",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("household_id", KEY, nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("seal_id", sa.Text(), nullable=False),
        sa.Column("phone_sealed", sa.Text(), nullable=True),
        sa.Column("text_sealed", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), server_default="QUEUED", nullable=False),
        sa.Column("channel", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("next_try_at", MOMENT, nullable=False),
        sa.Column("give_up_at", MOMENT, nullable=False),
        sa.Column("sent_at", MOMENT, nullable=True),
        sa.CheckConstraint(
            "status = 'SENT' OR (phone_sealed IS NOT NULL AND text_sealed IS NOT NULL)",
            name="ck_messages_kept_until_sent",
        ),
        sa.CheckConstraint(
            "status IN ('QUEUED', 'SENT', 'FAILED')", name="ck_messages_status_known"
        ),
        sa.ForeignKeyConstraint(
            ["household_id"],
            ["households.id"],
            name="fk_messages_household_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_messages"),
        sa.UniqueConstraint("seal_id", name="uq_messages_seal_id"),
    )
    op.create_index("ix_messages_household_id", "messages", ["household_id"], unique=False)
    op.create_index(
        "ix_messages_next_try_at",
        "messages",
        ["next_try_at"],
        unique=False,
        sqlite_where=sa.text("status = 'QUEUED'"),
        postgresql_where=sa.text("status = 'QUEUED'"),
    )
    op.create_table(
        "feeds",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("position", KEY, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_feeds"),
        sa.UniqueConstraint("name", name="uq_feeds_name"),
    )
    op.create_table(
        "notifications",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("account_id", KEY, nullable=False),
        sa.Column("event_id", KEY, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("entity_id", KEY, nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("read_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_notifications_account_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["event_id"], ["events.id"], name="fk_notifications_event_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_notifications"),
        sa.UniqueConstraint("account_id", "event_id", name="uq_notifications_account_id_event_id"),
    )
    op.create_index(
        "ix_notifications_account_id_at", "notifications", ["account_id", "at"], unique=False
    )
    op.create_table(
        "webhooks",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("organization_id", KEY, nullable=True),
        sa.Column("region_id", KEY, nullable=True),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("kinds", sa.JSON(), nullable=False),
        sa.Column("seal_id", sa.Text(), nullable=False),
        sa.Column("secret_sealed", sa.Text(), nullable=False),
        sa.Column("previous_secret_sealed", sa.Text(), nullable=True),
        sa.Column("previous_until", MOMENT, nullable=True),
        sa.Column("after_event_id", KEY, nullable=False),
        sa.Column("created_by", KEY, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("disabled_at", MOMENT, nullable=True),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "role IN ('PUBLIC', 'APPLICANT', 'PROVIDER', 'FEDERATION', 'GRID_WORKER', 'SOCIAL_WORKER', 'TOWNSHIP_OFFICER', 'ASSISTANCE_OFFICER', 'CHARITY_OFFICER', 'AUDITOR', 'ADMIN')",
            name="ck_webhooks_role_known",
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["accounts.id"], name="fk_webhooks_created_by", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name="fk_webhooks_organization_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["region_id"], ["regions.id"], name="fk_webhooks_region_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_webhooks"),
        sa.UniqueConstraint("seal_id", name="uq_webhooks_seal_id"),
    )
    op.create_index("ix_webhooks_organization_id", "webhooks", ["organization_id"], unique=False)
    op.create_index("ix_webhooks_region_id", "webhooks", ["region_id"], unique=False)
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("webhook_id", KEY, nullable=False),
        sa.Column("event_id", KEY, nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("entity_id", KEY, nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("message_key", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="QUEUED", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("response_status", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("next_try_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.CheckConstraint(
            "status IN ('QUEUED', 'SENT', 'DEAD')", name="ck_webhook_deliveries_status_known"
        ),
        sa.ForeignKeyConstraint(
            ["event_id"], ["events.id"], name="fk_webhook_deliveries_event_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["webhook_id"],
            ["webhooks.id"],
            name="fk_webhook_deliveries_webhook_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_deliveries"),
        sa.UniqueConstraint("message_key", name="uq_webhook_deliveries_message_key"),
        sa.UniqueConstraint("webhook_id", "event_id", name="uq_webhook_deliveries_once"),
    )
    op.create_index(
        "ix_webhook_deliveries_next_try_at",
        "webhook_deliveries",
        ["next_try_at"],
        unique=False,
        sqlite_where=sa.text("status = 'QUEUED'"),
        postgresql_where=sa.text("status = 'QUEUED'"),
    )
    # Nobody is told today of what happened before there was an inbox.
    op.execute(
        "INSERT INTO feeds (name, position) SELECT 'notifications', COALESCE(MAX(id), 0) FROM events"
    )
    op.execute(
        "INSERT INTO feeds (name, position) SELECT 'webhooks', COALESCE(MAX(id), 0) FROM events"
    )


def downgrade() -> None:
    op.drop_table("webhook_deliveries")
    op.drop_table("webhooks")
    op.drop_table("notifications")
    op.drop_table("feeds")
    op.drop_table("messages")
    op.drop_table("one_time_codes")
