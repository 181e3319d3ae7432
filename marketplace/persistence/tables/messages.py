"""One-time codes, messages to households, notifications, webhooks, and how far the feed is read."""

from __future__ import annotations

import sqlalchemy as sa

from marketplace.domain.messages import (
    CODE_TRIES_MAX,
    CodePurpose,
    MessageStatus,
    WebhookDeliveryStatus,
)
from marketplace.domain.permissions import Role
from marketplace.persistence.tables.columns import BigKey, key, metadata, moment, one_of, to

# What the subject is depends on the purpose, so no foreign key names its table.
one_time_codes = sa.Table(
    "one_time_codes",
    metadata,
    key(),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("subject_id", BigKey, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),  # HMAC: six digits would be guessed from a hash
    sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
    sa.Column("used", sa.Boolean, nullable=False, server_default=sa.false()),
    moment("created_at"),
    moment("expires_at"),
    moment("ended_at", nullable=True),  # used, or replaced by a newer one
    one_of("purpose", tuple(CodePurpose)),
    sa.CheckConstraint(f"tries BETWEEN 0 AND {CODE_TRIES_MAX}", name="tries_are_few"),
    sa.Index("ix_one_time_codes_purpose_subject_id", "purpose", "subject_id"),
    # The newest code alone is good.
    sa.Index(
        "uq_one_time_codes_alive",
        "purpose",
        "subject_id",
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    ),
)

# Text and phone are sealed while a message waits, and forgotten once it is sent.
messages = sa.Table(
    "messages",
    metadata,
    key(),
    to("households", "household_id", nullable=True),  # null: to a phone that is no household's yet
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("seal_id", sa.Text, nullable=False, unique=True),  # also tells a repetition
    sa.Column("phone_sealed", sa.Text),
    sa.Column("text_sealed", sa.Text),
    sa.Column("status", sa.Text, nullable=False, server_default="QUEUED"),
    sa.Column("channel", sa.Text),  # that took it, once it is sent
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("error", sa.Text),  # a word, never what the other side said
    moment("created_at"),
    moment("next_try_at"),
    moment("give_up_at"),
    moment("sent_at", nullable=True),
    one_of("status", tuple(MessageStatus)),
    sa.CheckConstraint(
        "status = 'SENT' OR (phone_sealed IS NOT NULL AND text_sealed IS NOT NULL)",
        name="kept_until_sent",
    ),
    sa.Index("ix_messages_household_id", "household_id"),
    sa.Index(
        "ix_messages_next_try_at",
        "next_try_at",
        sqlite_where=sa.text("status = 'QUEUED'"),
        postgresql_where=sa.text("status = 'QUEUED'"),
    ),
)

# How far each reader has come in the events table.
feeds = sa.Table(
    "feeds",
    metadata,
    key(),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("position", BigKey, nullable=False),
)

notifications = sa.Table(
    "notifications",
    metadata,
    key(),
    to("accounts", "account_id"),
    to("events", "event_id"),
    sa.Column("kind", sa.Text, nullable=False),  # of the event: "allocation.reserved"
    sa.Column("entity", sa.Text, nullable=False),  # what to look at: "Allocation"
    sa.Column("entity_id", BigKey, nullable=False),
    sa.Column("reference", sa.Text, nullable=False),
    moment("at"),
    moment("read_at", nullable=True),
    sa.UniqueConstraint("account_id", "event_id", name="uq_notifications_account_id_event_id"),
    sa.Index("ix_notifications_account_id_at", "account_id", "at"),
)

# Of an organization, or of the desk of a role in a region; the scope bounds what it is told.
webhooks = sa.Table(
    "webhooks",
    metadata,
    key(),
    sa.Column("role", sa.Text, nullable=False),
    to("organizations", "organization_id", nullable=True),
    to("regions", "region_id", nullable=True),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("kinds", sa.JSON, nullable=False),  # of events; empty: all that it may be told
    sa.Column("seal_id", sa.Text, nullable=False, unique=True),
    sa.Column("secret_sealed", sa.Text, nullable=False),
    sa.Column("previous_secret_sealed", sa.Text),  # signs beside the new one for a while
    moment("previous_until", nullable=True),
    sa.Column("after_event_id", BigKey, nullable=False),  # nothing from before it was made
    to("accounts", "created_by"),
    moment("created_at"),
    moment("disabled_at", nullable=True),
    sa.Column("version", sa.Integer, nullable=False, server_default="0"),
    one_of("role", tuple(Role)),
    sa.Index("ix_webhooks_organization_id", "organization_id"),
    sa.Index("ix_webhooks_region_id", "region_id"),
)

webhook_deliveries = sa.Table(
    "webhook_deliveries",
    metadata,
    key(),
    to("webhooks", "webhook_id"),
    to("events", "event_id"),
    sa.Column("entity", sa.Text, nullable=False),  # as that subscriber knows it: "PublishedNeed"
    sa.Column("entity_id", BigKey, nullable=False),
    sa.Column("reference", sa.Text, nullable=False),
    sa.Column("message_key", sa.Text, nullable=False, unique=True),  # the same at every attempt
    sa.Column("status", sa.Text, nullable=False, server_default="QUEUED"),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("response_status", sa.Integer),
    sa.Column("error", sa.Text),  # a word, never what the other side said
    moment("created_at"),
    moment("next_try_at"),
    moment("finished_at", nullable=True),
    one_of("status", tuple(WebhookDeliveryStatus)),
    sa.UniqueConstraint("webhook_id", "event_id", name="uq_webhook_deliveries_once"),
    sa.Index(
        "ix_webhook_deliveries_next_try_at",
        "next_try_at",
        sqlite_where=sa.text("status = 'QUEUED'"),
        postgresql_where=sa.text("status = 'QUEUED'"),
    ),
)
