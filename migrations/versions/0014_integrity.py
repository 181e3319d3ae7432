"""Cases of integrity with restrictions, visits, and checks of monitored households.

Safe beside the running version: it only adds.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _cases()
    _consequences()
    _fieldwork()


def downgrade() -> None:
    for table in (
        "monitoring_checks",
        "visits",
        "integrity_entries",
        "integrity_appeals",
        "recoveries",
        "restricted_offers",
        "restrictions",
        "integrity_findings",
        "integrity_cases",
    ):
        op.drop_table(table)


def _cases() -> None:
    op.create_table(
        "integrity_cases",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="OPEN", nullable=False),
        sa.Column("household_id", KEY, nullable=True),
        sa.Column("organization_id", KEY, nullable=True),
        sa.Column("region_id", KEY, nullable=False),
        sa.Column("allocation_id", KEY, nullable=True),
        sa.Column("opened_by", KEY, nullable=False),
        sa.Column("allegation_sealed", sa.Text(), nullable=False),
        sa.Column("closing_sealed", sa.Text(), nullable=True),
        sa.Column("seal_id", sa.Text(), nullable=False),
        sa.Column("recovery_ordered_fen", sa.BigInteger(), nullable=True),
        sa.Column("recovery_received_fen", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("ended_by", KEY, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("found_at", MOMENT, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "(household_id IS NULL) <> (organization_id IS NULL)",
            name="ck_integrity_cases_about_one_of_them",
        ),
        sa.CheckConstraint(
            "(household_id IS NOT NULL) = (kind IN ('FALSE_STATEMENT', 'CONCEALMENT', 'FORGERY'))",
            name="ck_integrity_cases_kind_fits",
        ),
        sa.CheckConstraint(
            "kind IN ('FALSE_STATEMENT', 'CONCEALMENT', 'FORGERY', 'ACCEPTED_NEVER_DELIVERED', 'DEFECTIVE_GOODS')",
            name="ck_integrity_cases_kind_known",
        ),
        sa.CheckConstraint(
            "recovery_received_fen >= 0 AND recovery_received_fen <= coalesce(recovery_ordered_fen, 0)",
            name="ck_integrity_cases_received_within_ordered",
        ),
        sa.CheckConstraint(
            "status IN ('OPEN', 'FOUND', 'RESTRICTED', 'APPEALED', 'RECOVERED', 'CLOSED', 'DISMISSED')",
            name="ck_integrity_cases_status_known",
        ),
        _to("integrity_cases", "allocation_id", "allocations"),
        _to("integrity_cases", "ended_by", "accounts"),
        _to("integrity_cases", "household_id", "households"),
        _to("integrity_cases", "opened_by", "accounts"),
        _to("integrity_cases", "organization_id", "organizations"),
        _to("integrity_cases", "region_id", "regions"),
        sa.PrimaryKeyConstraint("id", name="pk_integrity_cases"),
        sa.UniqueConstraint("seal_id", name="uq_integrity_cases_seal_id"),
    )
    op.create_index("ix_integrity_cases_household_id", "integrity_cases", ["household_id"])
    op.create_index("ix_integrity_cases_organization_id", "integrity_cases", ["organization_id"])
    op.create_index("ix_integrity_cases_region_id", "integrity_cases", ["region_id"])
    op.create_index(
        "ix_integrity_cases_status_created_at", "integrity_cases", ["status", "created_at"]
    )
    op.create_table(
        "integrity_findings",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("case_id", KEY, nullable=False),
        sa.Column("found_by", KEY, nullable=False),
        sa.Column("finding_sealed", sa.Text(), nullable=False),
        sa.Column("seal_id", sa.Text(), nullable=False),
        sa.Column("found_at", MOMENT, nullable=False),
        _to("integrity_findings", "case_id", "integrity_cases"),
        _to("integrity_findings", "found_by", "accounts"),
        sa.PrimaryKeyConstraint("id", name="pk_integrity_findings"),
        sa.UniqueConstraint("case_id", "found_by", name="uq_integrity_findings_once_each"),
        sa.UniqueConstraint("seal_id", name="uq_integrity_findings_seal_id"),
    )


def _consequences() -> None:
    op.create_table(
        "restrictions",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("case_id", KEY, nullable=False),
        sa.Column("household_id", KEY, nullable=True),
        sa.Column("organization_id", KEY, nullable=True),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("organization_from", sa.Text(), nullable=True),
        sa.Column("ordered_by", KEY, nullable=False),
        sa.Column("grounds_sealed", sa.Text(), nullable=False),
        sa.Column("seal_id", sa.Text(), nullable=False),
        sa.Column("starts_at", MOMENT, nullable=False),
        sa.Column("ends_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "end_reason IN ('LAPSED', 'CLOSED', 'DISMISSED')",
            name="ck_restrictions_end_reason_known",
        ),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (end_reason IS NULL)", name="ck_restrictions_ended_says_why"
        ),
        sa.CheckConstraint(
            "(household_id IS NULL) <> (organization_id IS NULL)",
            name="ck_restrictions_of_one_of_them",
        ),
        sa.CheckConstraint(
            "(organization_id IS NOT NULL) = (scope = 'OFFERS')", name="ck_restrictions_scope_fits"
        ),
        sa.CheckConstraint(
            "scope IN ('CHARITY', 'GOVERNMENT', 'BOTH', 'OFFERS')",
            name="ck_restrictions_scope_known",
        ),
        sa.CheckConstraint("starts_at < ends_at", name="ck_restrictions_starts_before_it_ends"),
        _to("restrictions", "case_id", "integrity_cases"),
        _to("restrictions", "household_id", "households"),
        _to("restrictions", "ordered_by", "accounts"),
        _to("restrictions", "organization_id", "organizations"),
        sa.PrimaryKeyConstraint("id", name="pk_restrictions"),
        sa.UniqueConstraint("case_id", name="uq_restrictions_case_id"),
        sa.UniqueConstraint("seal_id", name="uq_restrictions_seal_id"),
    )
    op.create_index(
        "ix_restrictions_ends_at_standing",
        "restrictions",
        ["ends_at"],
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index("ix_restrictions_household_id", "restrictions", ["household_id"])
    op.create_index("ix_restrictions_organization_id", "restrictions", ["organization_id"])
    op.create_table(
        "restricted_offers",
        sa.Column("restriction_id", KEY, nullable=False),
        sa.Column("offer_id", KEY, nullable=False),
        _to("restricted_offers", "offer_id", "offers"),
        _to("restricted_offers", "restriction_id", "restrictions"),
        sa.PrimaryKeyConstraint("restriction_id", "offer_id", name="pk_restricted_offers"),
    )
    op.create_index("ix_restricted_offers_offer_id", "restricted_offers", ["offer_id"])
    op.create_table(
        "recoveries",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("case_id", KEY, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=True),
        sa.Column("receipt", sa.Text(), nullable=True),
        sa.Column("recorded_by", KEY, nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.CheckConstraint("amount_fen >= 0", name="ck_recoveries_amount_not_negative"),
        sa.CheckConstraint("kind IN ('ORDERED', 'RECEIVED')", name="ck_recoveries_kind_known"),
        _to("recoveries", "case_id", "integrity_cases"),
        _to("recoveries", "recorded_by", "accounts"),
        sa.PrimaryKeyConstraint("id", name="pk_recoveries"),
    )
    op.create_index("ix_recoveries_case_id", "recoveries", ["case_id"])
    op.create_table(
        "integrity_appeals",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("case_id", KEY, nullable=False),
        sa.Column("appealed_by", KEY, nullable=False),
        sa.Column("appeal_sealed", sa.Text(), nullable=False),
        sa.Column("decision_sealed", sa.Text(), nullable=True),
        sa.Column("seal_id", sa.Text(), nullable=False),
        sa.Column("appealed_at", MOMENT, nullable=False),
        sa.Column("decided_by", KEY, nullable=True),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(decided_at IS NULL) = (outcome IS NULL)",
            name="ck_integrity_appeals_decided_says_what",
        ),
        sa.CheckConstraint(
            "outcome IN ('REFUSED', 'GRANTED')", name="ck_integrity_appeals_outcome_known"
        ),
        _to("integrity_appeals", "appealed_by", "accounts"),
        _to("integrity_appeals", "case_id", "integrity_cases"),
        _to("integrity_appeals", "decided_by", "accounts"),
        sa.PrimaryKeyConstraint("id", name="pk_integrity_appeals"),
        sa.UniqueConstraint("seal_id", name="uq_integrity_appeals_seal_id"),
    )
    op.create_index("ix_integrity_appeals_case_id", "integrity_appeals", ["case_id"])
    op.create_table(
        "integrity_entries",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("case_id", KEY, nullable=False),
        sa.Column("household_id", KEY, nullable=True),
        sa.Column("organization_id", KEY, nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=True),
        sa.Column("entered_at", MOMENT, nullable=False),
        sa.CheckConstraint(
            "kind IN ('FOUND', 'RESTRICTED', 'RECOVERY_ORDERED', 'RECOVERY_RECEIVED', 'RECOVERED', 'APPEALED', 'APPEAL_REFUSED', 'RESTRICTION_LAPSED', 'CLOSED', 'DISMISSED')",
            name="ck_integrity_entries_kind_known",
        ),
        _to("integrity_entries", "case_id", "integrity_cases"),
        _to("integrity_entries", "household_id", "households"),
        _to("integrity_entries", "organization_id", "organizations"),
        sa.PrimaryKeyConstraint("id", name="pk_integrity_entries"),
    )
    op.create_index("ix_integrity_entries_case_id", "integrity_entries", ["case_id"])
    op.create_index("ix_integrity_entries_household_id", "integrity_entries", ["household_id"])
    op.create_index(
        "ix_integrity_entries_organization_id", "integrity_entries", ["organization_id"]
    )


def _fieldwork() -> None:
    op.create_table(
        "visits",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("household_id", KEY, nullable=True),
        sa.Column("region_id", KEY, nullable=False),
        sa.Column("visited_by", KEY, nullable=False),
        sa.Column("visited_at", MOMENT, nullable=False),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("distance_m", sa.Integer(), nullable=True),
        sa.Column("is_far", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("persons_reached", sa.Integer(), nullable=False),
        sa.Column("note_sealed", sa.Text(), nullable=True),
        sa.Column("seal_id", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint("distance_m >= 0", name="ck_visits_distance_not_negative"),
        sa.CheckConstraint(
            "kind IN ('HOME_VISIT', 'FREE_CLINIC', 'DOORSTEP_HAIRCUT', 'WISH_TRIP')",
            name="ck_visits_kind_known",
        ),
        sa.CheckConstraint("persons_reached >= 0", name="ck_visits_persons_not_negative"),
        _to("visits", "household_id", "households"),
        _to("visits", "region_id", "regions"),
        _to("visits", "visited_by", "accounts"),
        sa.PrimaryKeyConstraint("id", name="pk_visits"),
        sa.UniqueConstraint("seal_id", name="uq_visits_seal_id"),
    )
    op.create_index("ix_visits_household_id", "visits", ["household_id"])
    op.create_index("ix_visits_region_id", "visits", ["region_id"])
    op.create_index("ix_visits_visited_at", "visits", ["visited_at"])
    op.create_index("ix_visits_visited_by", "visits", ["visited_by"])
    op.create_table(
        "monitoring_checks",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("household_id", KEY, nullable=False),
        sa.Column("region_id", KEY, nullable=False),
        sa.Column("monitoring_category", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("persons", sa.Integer(), nullable=False),
        sa.Column("checked_by", KEY, nullable=False),
        sa.Column("checked_at", MOMENT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint("persons > 0", name="ck_monitoring_checks_checks_somebody"),
        sa.CheckConstraint(
            "monitoring_category IN ('UNSTABLY_OUT_OF_POVERTY', 'MARGINAL', 'SUDDEN_SEVERE_HARDSHIP')",
            name="ck_monitoring_checks_monitoring_category_known",
        ),
        sa.CheckConstraint(
            "outcome IN ('NO_CHANGE', 'RISK_FOUND', 'MATCHED', 'RISK_GONE')",
            name="ck_monitoring_checks_outcome_known",
        ),
        _to("monitoring_checks", "checked_by", "accounts"),
        _to("monitoring_checks", "household_id", "households"),
        _to("monitoring_checks", "region_id", "regions"),
        sa.PrimaryKeyConstraint("id", name="pk_monitoring_checks"),
    )
    op.create_index("ix_monitoring_checks_checked_at", "monitoring_checks", ["checked_at"])
    op.create_index("ix_monitoring_checks_household_id", "monitoring_checks", ["household_id"])
    op.create_index("ix_monitoring_checks_region_id", "monitoring_checks", ["region_id"])


def _to(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_{column}"
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=name, ondelete="RESTRICT")
