"""Applications, what they look like, and how often somebody without an account tried."""

from __future__ import annotations

import sqlalchemy as sa

from marketplace.domain.registry.applications import (
    ApplicationChannel,
    ApplicationStatus,
    RejectReason,
    TriesOf,
)
from marketplace.domain.registry.household_changes import Ground
from marketplace.persistence.tables.columns import key, metadata, moment, one_of, to

# Names, numbers and words are sealed; the indexes find the same person again.
applications = sa.Table(
    "applications",
    metadata,
    key(),
    to("regions", "region_id"),  # where the household says it lives, a township at most
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False, server_default="SUBMITTED"),
    sa.Column("seal_id", sa.Text, nullable=False, unique=True),
    sa.Column("name_sealed", sa.Text, nullable=False),
    sa.Column("name_index", sa.Text, nullable=False),
    sa.Column("phone_sealed", sa.Text),  # none only in what comes from a file
    sa.Column("phone_index", sa.Text),
    sa.Column("identity_number_sealed", sa.Text),
    sa.Column("identity_number_index", sa.Text),
    sa.Column("address_sealed", sa.Text),
    sa.Column("words_sealed", sa.Text),
    sa.Column("monitoring_category", sa.Text),  # of a cross-check
    to("households", "household_id", nullable=True),  # what it became
    sa.Column("made_household", sa.Boolean),  # false: it was there before
    sa.Column("reject_reason", sa.Text),
    sa.Column("reason_sealed", sa.Text),  # in the words of who rejected it, for the applicant
    to("accounts", "submitted_by", nullable=True),  # an officer who took it down
    to("accounts", "handled_by", nullable=True),
    moment("handled_at", nullable=True),
    # A client without an account says by a key of its own that it asks again.
    sa.Column("key_index", sa.Text, unique=True),
    sa.Column("input_index", sa.Text),
    sa.Column("version", sa.Integer, nullable=False, server_default="0"),
    moment("created_at"),
    one_of("channel", tuple(ApplicationChannel)),
    one_of("status", tuple(ApplicationStatus)),
    one_of("reject_reason", tuple(RejectReason)),
    sa.CheckConstraint(
        "(status = 'REGISTERED') = (household_id IS NOT NULL)", name="registered_as_a_household"
    ),
    sa.CheckConstraint(
        "(status = 'REJECTED') = (reject_reason IS NOT NULL)", name="rejected_says_why"
    ),
    sa.Index("ix_applications_region_id", "region_id"),
    sa.Index("ix_applications_household_id", "household_id"),
    sa.Index("ix_applications_status_created_at", "status", "created_at"),
    sa.Index("ix_applications_phone_index", "phone_index"),
    sa.Index("ix_applications_identity_number_index", "identity_number_index"),
)

# An application and the household, or the other application, that it may be the same as.
application_matches = sa.Table(
    "application_matches",
    metadata,
    key(),
    to("applications", "application_id"),
    to("households", "household_id", nullable=True),
    to("applications", "other_id", nullable=True),
    sa.Column("ground", sa.Text, nullable=False),
    moment("found_at"),
    one_of("ground", tuple(Ground)),
    sa.CheckConstraint("(household_id IS NULL) <> (other_id IS NULL)", name="with_one_of_them"),
    sa.UniqueConstraint(
        "application_id", "household_id", "ground", name="uq_application_matches_household"
    ),
    sa.UniqueConstraint(
        "application_id", "other_id", "ground", name="uq_application_matches_other"
    ),
    sa.Index("ix_application_matches_household_id", "household_id"),
    sa.Index("ix_application_matches_other_id", "other_id"),
)

# Who it is stands here as a keyed digest, and is forgotten with its window.
application_tries = sa.Table(
    "application_tries",
    metadata,
    key(),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    moment("since"),
    sa.Column("tries", sa.Integer, nullable=False),
    one_of("kind", tuple(TriesOf)),
    sa.CheckConstraint("tries > 0", name="tried_at_all"),
    sa.UniqueConstraint("kind", "subject", name="uq_application_tries_subject"),
    sa.Index("ix_application_tries_since", "since"),
)
