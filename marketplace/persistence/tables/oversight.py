"""Cases of integrity: findings, restrictions, recoveries, appeals, and the file's entries."""

from __future__ import annotations

import sqlalchemy as sa

from marketplace.domain.oversight.integrity import (
    OF_HOUSEHOLDS,
    AppealOutcome,
    CaseKind,
    CaseStatus,
    EntryKind,
    RecoveryKind,
)
from marketplace.domain.restrictions import RestrictionEnd, RestrictionScope
from marketplace.persistence.tables.columns import key, metadata, moment, one_of, to

_KINDS = ", ".join(f"'{kind}'" for kind in CaseKind if kind in OF_HOUSEHOLDS)


def _seal() -> sa.Column[str]:
    return sa.Column("seal_id", sa.Text, nullable=False, unique=True)


# Of a household or of a provider. What people typed is sealed: it may name anybody.
integrity_cases = sa.Table(
    "integrity_cases",
    metadata,
    key(),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False, server_default="OPEN"),
    to("households", "household_id", nullable=True),
    to("organizations", "organization_id", nullable=True),
    to("regions", "region_id"),  # the household's or the organization's, for scope
    to("allocations", "allocation_id", nullable=True),  # what a provider did not deliver
    to("accounts", "opened_by"),
    sa.Column("allegation_sealed", sa.Text, nullable=False),
    sa.Column("closing_sealed", sa.Text),  # why it was closed or dismissed
    _seal(),
    sa.Column("recovery_ordered_fen", sa.BigInteger),
    sa.Column("recovery_received_fen", sa.BigInteger, nullable=False, server_default="0"),
    to("accounts", "ended_by", nullable=True),
    moment("created_at"),
    moment("found_at", nullable=True),
    moment("ended_at", nullable=True),
    sa.Column("version", sa.Integer, nullable=False, server_default="0"),
    one_of("kind", tuple(CaseKind)),
    one_of("status", tuple(CaseStatus)),
    sa.CheckConstraint(
        "(household_id IS NULL) <> (organization_id IS NULL)", name="about_one_of_them"
    ),
    sa.CheckConstraint(f"(household_id IS NOT NULL) = (kind IN ({_KINDS}))", name="kind_fits"),
    sa.CheckConstraint(
        "recovery_received_fen >= 0 AND recovery_received_fen <= coalesce(recovery_ordered_fen, 0)",
        name="received_within_ordered",
    ),
    sa.Index("ix_integrity_cases_household_id", "household_id"),
    sa.Index("ix_integrity_cases_organization_id", "organization_id"),
    sa.Index("ix_integrity_cases_region_id", "region_id"),
    sa.Index("ix_integrity_cases_status_created_at", "status", "created_at"),
)

integrity_findings = sa.Table(
    "integrity_findings",
    metadata,
    key(),
    to("integrity_cases", "case_id"),
    to("accounts", "found_by"),
    sa.Column("finding_sealed", sa.Text, nullable=False),
    _seal(),
    moment("found_at"),
    # Two people find, and nobody is two people.
    sa.UniqueConstraint("case_id", "found_by", name="uq_integrity_findings_once_each"),
)

# At most one of a case. In force: not ended, and its end is ahead.
restrictions = sa.Table(
    "restrictions",
    metadata,
    key(),
    to("integrity_cases", "case_id"),
    to("households", "household_id", nullable=True),
    to("organizations", "organization_id", nullable=True),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("organization_from", sa.Text),  # where a restricted organization goes back to
    to("accounts", "ordered_by"),
    sa.Column("grounds_sealed", sa.Text, nullable=False),
    _seal(),
    moment("starts_at"),
    moment("ends_at"),
    moment("ended_at", nullable=True),
    sa.Column("end_reason", sa.Text),
    one_of("scope", tuple(RestrictionScope)),
    one_of("end_reason", tuple(RestrictionEnd)),
    sa.CheckConstraint(
        "(household_id IS NULL) <> (organization_id IS NULL)", name="of_one_of_them"
    ),
    sa.CheckConstraint("(organization_id IS NOT NULL) = (scope = 'OFFERS')", name="scope_fits"),
    sa.CheckConstraint("starts_at < ends_at", name="starts_before_it_ends"),
    sa.CheckConstraint("(ended_at IS NULL) = (end_reason IS NULL)", name="ended_says_why"),
    sa.UniqueConstraint("case_id", name="uq_restrictions_case_id"),
    sa.Index("ix_restrictions_household_id", "household_id"),
    sa.Index("ix_restrictions_organization_id", "organization_id"),
    sa.Index(
        "ix_restrictions_ends_at_standing",
        "ends_at",
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    ),
)

# Offers that a restriction paused, and opens again at its end.
restricted_offers = sa.Table(
    "restricted_offers",
    metadata,
    to("restrictions", "restriction_id"),
    to("offers", "offer_id"),
    sa.PrimaryKeyConstraint("restriction_id", "offer_id", name="pk_restricted_offers"),
    sa.Index("ix_restricted_offers_offer_id", "offer_id"),
)

recoveries = sa.Table(
    "recoveries",
    metadata,
    key(),
    to("integrity_cases", "case_id"),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("amount_fen", sa.BigInteger, nullable=False),
    sa.Column("received_on", sa.Date),
    sa.Column("receipt", sa.Text),
    to("accounts", "recorded_by"),
    moment("recorded_at"),
    one_of("kind", tuple(RecoveryKind)),
    sa.CheckConstraint("amount_fen >= 0", name="amount_not_negative"),
    sa.Index("ix_recoveries_case_id", "case_id"),
)

integrity_appeals = sa.Table(
    "integrity_appeals",
    metadata,
    key(),
    to("integrity_cases", "case_id"),
    to("accounts", "appealed_by"),
    sa.Column("appeal_sealed", sa.Text, nullable=False),
    sa.Column("decision_sealed", sa.Text),
    _seal(),
    moment("appealed_at"),
    to("accounts", "decided_by", nullable=True),
    moment("decided_at", nullable=True),
    sa.Column("outcome", sa.Text),
    one_of("outcome", tuple(AppealOutcome)),
    sa.CheckConstraint("(decided_at IS NULL) = (outcome IS NULL)", name="decided_says_what"),
    sa.Index("ix_integrity_appeals_case_id", "case_id"),
)

# The integrity file itself: append-only, one line a step.
integrity_entries = sa.Table(
    "integrity_entries",
    metadata,
    key(),
    to("integrity_cases", "case_id"),
    to("households", "household_id", nullable=True),
    to("organizations", "organization_id", nullable=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("amount_fen", sa.BigInteger),  # of what is ordered or received back
    moment("entered_at"),
    one_of("kind", tuple(EntryKind)),
    sa.Index("ix_integrity_entries_case_id", "case_id"),
    sa.Index("ix_integrity_entries_household_id", "household_id"),
    sa.Index("ix_integrity_entries_organization_id", "organization_id"),
)
