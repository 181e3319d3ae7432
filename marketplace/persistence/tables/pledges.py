"""What the two desks arrange: edits of plans, schedules, policies of review, texts of consents."""

from __future__ import annotations

import sqlalchemy as sa

from marketplace.domain.exchange.plan_edits import PlanEditKind
from marketplace.domain.exchange.schedules import DraftStatus, ScheduleKind
from marketplace.persistence.tables.columns import key, metadata, moment, one_of, to

# What people changed in a proposal before it was computed anew; a plan has those of its base, too.
plan_edits = sa.Table(
    "plan_edits",
    metadata,
    key(),
    to("plans", "plan_id"),  # the plan that was computed around them
    sa.Column("kind", sa.Text, nullable=False),
    to("needs", "need_id"),
    to("offers", "offer_id"),
    sa.Column("units", sa.BigInteger),  # the need's unit; null: none, it is forbidden
    sa.Column("units_before", sa.BigInteger, nullable=False),  # in the plan that was edited
    sa.Column("reason", sa.Text, nullable=False),
    to("accounts", "edited_by"),
    moment("edited_at"),
    one_of("kind", tuple(PlanEditKind)),
    sa.CheckConstraint("units > 0 AND units_before >= 0", name="units_above_zero"),
    sa.CheckConstraint("(kind = 'FORBID') = (units IS NULL)", name="only_forbidden_has_none"),
    sa.UniqueConstraint("plan_id", "need_id", "offer_id", name="uq_plan_edits_pair"),
    sa.Index("ix_plan_edits_need_id", "need_id"),
    sa.Index("ix_plan_edits_offer_id", "offer_id"),
)

# When the house does something by itself in a region: county time.
schedules = sa.Table(
    "schedules",
    metadata,
    key(),
    to("regions", "region_id"),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("is_on", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("weekday", sa.Integer),  # 1 Monday to 7; null: every day
    sa.Column("hour", sa.Integer, nullable=False),
    sa.Column("policy", sa.JSON(none_as_null=True)),  # of plans: the order of precedence
    sa.Column("last_run_on", sa.Date),  # the county's day it ran for last
    to("accounts", "set_by"),
    moment("set_at"),
    sa.Column("version", sa.Integer, nullable=False, server_default="0"),
    one_of("kind", tuple(ScheduleKind)),
    sa.CheckConstraint("hour BETWEEN 0 AND 23", name="hour_of_a_day"),
    sa.CheckConstraint("weekday BETWEEN 1 AND 7", name="day_of_a_week"),
    sa.UniqueConstraint("region_id", "kind", name="uq_schedules_region_id_kind"),
)

# Needs that a schedule found ready to be referred; a person sends them, or does not.
referral_drafts = sa.Table(
    "referral_drafts",
    metadata,
    key(),
    to("regions", "region_id"),
    sa.Column("status", sa.Text, nullable=False, server_default="PREPARED"),
    sa.Column("line_count", sa.Integer, nullable=False),
    sa.Column("waiting", sa.Integer, nullable=False),  # ready as well, beyond what fitted
    moment("prepared_at"),
    moment("decided_at", nullable=True),
    to("accounts", "decided_by", nullable=True),
    to("referrals", "referral_id", nullable=True),
    sa.Column("version", sa.Integer, nullable=False, server_default="0"),
    one_of("status", tuple(DraftStatus)),
    sa.CheckConstraint("line_count > 0 AND waiting >= 0", name="holds_something"),
    # At most one of a region waits to be sent.
    sa.Index(
        "uq_referral_drafts_region_id_prepared",
        "region_id",
        unique=True,
        sqlite_where=sa.text("status = 'PREPARED'"),
        postgresql_where=sa.text("status = 'PREPARED'"),
    ),
)

referral_draft_lines = sa.Table(
    "referral_draft_lines",
    metadata,
    to("referral_drafts", "draft_id"),
    to("needs", "need_id"),
    sa.PrimaryKeyConstraint("draft_id", "need_id", name="pk_referral_draft_lines"),
    sa.Index("ix_referral_draft_lines_need_id", "need_id"),
)

# How a county's charity desk reviews; every change is a new row, and the latest begun one counts.
review_policies = sa.Table(
    "review_policies",
    metadata,
    key(),
    to("regions", "region_id"),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("bands", sa.JSON, nullable=False),  # [{"fromFen": 0, "approvals": 1}, …]
    sa.Column("review_days", sa.Integer, nullable=False),  # until a referred need is decided on
    sa.Column("resubmit_days", sa.Integer, nullable=False),  # until a returned need is back
    sa.Column("weekly_capacity", sa.Integer),  # needs that the desk reviews in a week; null: any
    moment("valid_from"),
    to("accounts", "set_by"),
    moment("set_at"),
    sa.CheckConstraint("review_days BETWEEN 1 AND 365", name="review_days_in_a_year"),
    sa.CheckConstraint("resubmit_days BETWEEN 1 AND 365", name="resubmit_days_in_a_year"),
    sa.CheckConstraint("weekly_capacity > 0", name="capacity_above_zero"),
    sa.UniqueConstraint("region_id", "version", name="uq_review_policies_region_id_version"),
)

# Wordings that households agree to; a wording is never changed, only followed by another.
consent_texts = sa.Table(
    "consent_texts",
    metadata,
    key(),
    sa.Column("version", sa.Text, nullable=False, unique=True),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("recipient_class", sa.Text, nullable=False),
    sa.Column("text_zh", sa.Text, nullable=False),
    sa.Column("text_en", sa.Text, nullable=False),
    moment("valid_from"),
    moment("valid_until", nullable=True),
    to("accounts", "published_by", nullable=True),  # null: shipped with the house
    moment("published_at"),
)
