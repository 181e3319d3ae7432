"""Lines of assistance, overrides of classes, appeals, and conflicts between the two lanes."""

from __future__ import annotations

import sqlalchemy as sa

from marketplace.domain.exchange.conflicts import ConflictKind
from marketplace.domain.registry.appeals import AppealStatus
from marketplace.domain.registry.assessments import Area, EligibilityClass
from marketplace.domain.registry.overrides import OverrideStatus
from marketplace.persistence.tables.columns import index_where, key, metadata, moment, one_of, to


def _version() -> sa.Column[int]:
    return sa.Column("version", sa.Integer, nullable=False, server_default="0")


# What a county published for a year; never changed, only followed by later ones.
assistance_lines = sa.Table(
    "assistance_lines",
    metadata,
    key(),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("county_code", sa.Text, nullable=False),
    sa.Column("area", sa.Text, nullable=False),
    sa.Column("valid_from", sa.Date, nullable=False),
    sa.Column("subsistence_fen_month", sa.BigInteger, nullable=False),
    sa.Column("disposable_income_fen_month", sa.BigInteger, nullable=False),
    sa.Column("edge_percent", sa.Integer, nullable=False),
    sa.Column("property_months", sa.Integer, nullable=False),
    sa.Column("edge_property_months", sa.Integer, nullable=False),
    # After how many months a household of each class is looked at again.
    sa.Column("subsistence_review_months", sa.Integer, nullable=False),
    sa.Column("extreme_review_months", sa.Integer, nullable=False),
    sa.Column("edge_review_months", sa.Integer, nullable=False),
    sa.Column("rigid_review_months", sa.Integer, nullable=False),
    sa.Column("rigid_valid_months", sa.Integer, nullable=False),
    sa.Column("is_assumption", sa.Boolean, nullable=False),
    sa.Column("note_zh", sa.Text, nullable=False),
    sa.Column("note_en", sa.Text, nullable=False),
    to("accounts", "set_by", nullable=True),  # null: came with the program
    moment("set_at", nullable=True),
    one_of("area", tuple(Area)),
    sa.CheckConstraint(
        "subsistence_fen_month > 0 AND disposable_income_fen_month >= subsistence_fen_month",
        name="lines_above_zero",
    ),
    sa.CheckConstraint("edge_percent >= 100", name="edge_above_the_line"),
    sa.CheckConstraint(
        "property_months > 0 AND edge_property_months >= property_months",
        name="property_limits_in_order",
    ),
    sa.CheckConstraint(
        "subsistence_review_months > 0 AND extreme_review_months > 0 AND edge_review_months > 0 "
        "AND rigid_review_months > 0 AND rigid_valid_months > 0",
        name="months_above_zero",
    ),
    sa.UniqueConstraint(
        "county_code", "area", "valid_from", name="uq_assistance_lines_once_from_a_day"
    ),
)

# Another class than the computed one; nothing until a second person approves.
assessment_overrides = sa.Table(
    "assessment_overrides",
    metadata,
    key(),
    to("assessments", "assessment_id"),
    sa.Column("eligibility_class", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False, server_default="PENDING"),
    to("accounts", "proposed_by"),
    moment("proposed_at"),
    moment("valid_until", nullable=True),
    moment("due_at", nullable=True),
    to("accounts", "decided_by", nullable=True),
    moment("decided_at", nullable=True),
    sa.Column("decision_reason", sa.Text),
    moment("lapsed_at", nullable=True),
    _version(),
    one_of("eligibility_class", tuple(EligibilityClass)),
    one_of("status", tuple(OverrideStatus)),
    sa.CheckConstraint(
        "(status = 'PENDING') = (decided_by IS NULL) AND (decided_by IS NULL OR "
        "decided_by <> proposed_by)",
        name="decided_by_another",
    ),
    sa.UniqueConstraint("assessment_id", name="uq_assessment_overrides_assessment_id"),
    sa.Index("ix_assessment_overrides_status", "status"),
    index_where(
        "ix_assessment_overrides_running_out",
        "status",
        "valid_until",
        where="lapsed_at IS NULL AND valid_until IS NOT NULL",
    ),
)

appeals = sa.Table(
    "appeals",
    metadata,
    key(),
    to("households", "household_id"),
    to("assessments", "assessment_id"),  # what it is against
    sa.Column("status", sa.Text, nullable=False, server_default="OPEN"),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("evidence_reference", sa.Text),
    to("accounts", "filed_by"),
    moment("filed_at"),
    moment("due_at"),
    to("accounts", "decided_by", nullable=True),
    moment("decided_at", nullable=True),
    sa.Column("decision_reason", sa.Text),
    to("assessments", "new_assessment_id", nullable=True),  # what came of it being upheld
    _version(),
    one_of("status", tuple(AppealStatus)),
    sa.CheckConstraint("(status = 'OPEN') = (decided_by IS NULL)", name="decided_by_somebody"),
    sa.CheckConstraint(
        "new_assessment_id IS NULL OR status = 'UPHELD'", name="assessed_anew_when_upheld"
    ),
    sa.Index(
        "uq_appeals_household_id_open",
        "household_id",
        unique=True,
        sqlite_where=sa.text("status = 'OPEN'"),
        postgresql_where=sa.text("status = 'OPEN'"),
    ),
    sa.Index("ix_appeals_household_id", "household_id"),
    sa.Index("ix_appeals_assessment_id", "assessment_id"),
    sa.Index("ix_appeals_status_due_at", "status", "due_at"),
)

# Where aid and a need may be paying for the same thing; found anew whenever either changes.
aid_conflicts = sa.Table(
    "aid_conflicts",
    metadata,
    key(),
    to("households", "household_id"),
    to("government_aids", "aid_id"),
    to("needs", "need_id"),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("units", sa.BigInteger, nullable=False),  # given twice; 0 where only possible
    sa.Column("text_zh", sa.Text, nullable=False),
    sa.Column("text_en", sa.Text, nullable=False),
    moment("found_at"),
    one_of("kind", tuple(ConflictKind)),
    sa.CheckConstraint("units >= 0", name="units_not_negative"),
    sa.UniqueConstraint("aid_id", "need_id", name="uq_aid_conflicts_pair"),
    sa.Index("ix_aid_conflicts_need_id", "need_id"),
    sa.Index("ix_aid_conflicts_household_id", "household_id"),
)
