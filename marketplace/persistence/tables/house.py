"""What every wing needs: accounts with their keys, events, jobs, and idempotency keys."""

from __future__ import annotations

import sqlalchemy as sa

from marketplace.domain.jobs import JobStatus
from marketplace.domain.permissions import Role
from marketplace.persistence.tables.columns import BigKey, key, metadata, moment, one_of, to

# A person or a program that acts; four-eyes rules compare accounts.
accounts = sa.Table(
    "accounts",
    metadata,
    key(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    to("organizations", "organization_id", nullable=True),
    to("regions", "region_id", nullable=True),
    to("households", "household_id", nullable=True),  # an applicant's own household
    moment("created_at"),
    moment("disabled_at", nullable=True),
    one_of("role", tuple(Role)),
    sa.Index("ix_accounts_organization_id", "organization_id"),
)

api_keys = sa.Table(
    "api_keys",
    metadata,
    key(),
    to("accounts", "account_id"),
    sa.Column("prefix", sa.Text, nullable=False),  # shown in lists, so that a key can be told apart
    sa.Column("digest", sa.Text, nullable=False, unique=True),  # SHA-256 hex; the key has 256 bits
    moment("created_at"),
    moment("expires_at", nullable=True),
    moment("revoked_at", nullable=True),
    sa.Index("ix_api_keys_account_id", "account_id"),
)

# Append-only: audit log, outbox and subscription feed in one.
events = sa.Table(
    "events",
    metadata,
    key(),
    moment("at"),
    sa.Column("kind", sa.Text, nullable=False),  # "offer.posted"
    to("accounts", "account_id", nullable=True),  # null: the system itself
    sa.Column("entity", sa.Text, nullable=False),  # "Offer"
    sa.Column("entity_id", BigKey, nullable=False),
    sa.Column("data", sa.JSON, nullable=False),  # never personal data
    sa.Column("request_id", sa.Text),
    sa.Index("ix_events_entity_entity_id", "entity", "entity_id"),
)

jobs = sa.Table(
    "jobs",
    metadata,
    key(),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("dedupe_key", sa.Text, unique=True),
    sa.Column("payload", sa.JSON, nullable=False),
    sa.Column("status", sa.Text, nullable=False, server_default="QUEUED"),
    sa.Column("attempt", sa.Integer, nullable=False, server_default="0"),  # the fencing token
    sa.Column("attempts_max", sa.Integer, nullable=False, server_default="5"),
    sa.Column("worker", sa.Text),
    moment("run_after"),
    moment(
        "lease_until", nullable=True
    ),  # by the database's clock, so that no worker's clock counts
    sa.Column("progress", sa.Float, nullable=False, server_default="0"),
    sa.Column("stage", sa.Text, nullable=False, server_default=""),
    sa.Column("checkpoint", sa.JSON),
    sa.Column("cancel_requested", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("error", sa.Text),
    moment("created_at"),
    moment("finished_at", nullable=True),
    one_of("status", tuple(JobStatus)),
    sa.CheckConstraint("progress >= 0 AND progress <= 1", name="progress_is_a_share"),
    sa.Index("ix_jobs_status_run_after", "status", "run_after"),
)

idempotency_keys = sa.Table(
    "idempotency_keys",
    metadata,
    key(),
    to("accounts", "account_id"),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),  # the mutation
    sa.Column("input_digest", sa.Text, nullable=False),  # SHA-256 of the canonical input
    sa.Column("outcome", sa.JSON),  # what the service returned, as ids; set in the same transaction
    moment("created_at"),
    sa.UniqueConstraint("account_id", "key", name="uq_idempotency_keys_account_id_key"),
    sa.Index("ix_idempotency_keys_created_at", "created_at"),
)
