"""Government aid, consents, needs with referrals and reviews, offers, plans, allocations."""

from __future__ import annotations

import sqlalchemy as sa

from marketplace.domain.exchange.allocations import (
    AllocationOrigin,
    AllocationStatus,
    CancelReason,
)
from marketplace.domain.exchange.consents import ConsentStatus
from marketplace.domain.exchange.government_aid import GovernmentAidKind
from marketplace.domain.exchange.needs import NeedStatus
from marketplace.domain.exchange.offers import OfferStatus
from marketplace.domain.exchange.plans import PlanKind, PlanLineStatus, PlanStatus
from marketplace.domain.exchange.referrals import ReviewDecision
from marketplace.persistence.tables.campaigns import attribution_columns, offer_columns
from marketplace.persistence.tables.columns import (
    BigKey,
    index_where,
    key,
    metadata,
    moment,
    one_of,
    to,
)
from marketplace.persistence.tables.deliveries import handover_columns


def _version() -> sa.Column[int]:
    return sa.Column("version", sa.Integer, nullable=False, server_default="0")


def _visit_days() -> sa.Column[list[str]]:
    """The suggested days of a service's visits, as 2026-11-24, one a visit; fewer if none fits."""
    return sa.Column("visit_days", sa.JSON(none_as_null=True))


government_aids = sa.Table(
    "government_aids",
    metadata,
    key(),
    to("households", "household_id"),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("granted", sa.Boolean, nullable=False),  # false: decided, and not entitled
    sa.Column("amount_fen", sa.BigInteger, nullable=False),
    sa.Column("starts_on", sa.Date, nullable=False),
    sa.Column("ends_on", sa.Date),
    to("categories", "covers_category_id", nullable=True),  # what it reduces, and by how much
    sa.Column("covers_quantity", sa.BigInteger, nullable=False, server_default="0"),
    to("accounts", "decided_by", nullable=True),
    moment("decided_at"),
    sa.Column("reason", sa.Text),
    sa.Column("snapshot", sa.JSON(none_as_null=True)),  # what it was based on; names nobody
    moment("counted_at", nullable=True),  # since when needs are reckoned with it
    # NO ACTION, which is all that SQLite tells of a column that was added, and forbids the same.
    sa.Column("ended_by", BigKey, sa.ForeignKey("accounts.id")),
    moment("ended_at", nullable=True),
    sa.Column("end_reason", sa.Text),
    _version(),
    one_of("kind", tuple(GovernmentAidKind)),
    sa.CheckConstraint("amount_fen >= 0 AND covers_quantity >= 0", name="amounts_not_negative"),
    sa.Index("ix_government_aids_household_id", "household_id"),
    index_where("ix_government_aids_not_counted", "starts_on", where="counted_at IS NULL"),
)

consents = sa.Table(
    "consents",
    metadata,
    key(),
    to("households", "household_id"),
    sa.Column("status", sa.Text, nullable=False, server_default="GIVEN"),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("recipient_class", sa.Text, nullable=False),
    sa.Column("text_version", sa.Text, nullable=False),
    sa.Column("how_given", sa.Text, nullable=False),  # SIGNED, ONLINE, VERBAL_WITNESSED
    sa.Column("evidence_reference", sa.Text),
    to("accounts", "recorded_by", nullable=True),
    moment("given_at"),
    moment("expires_at", nullable=True),
    moment("ended_at", nullable=True),
    _version(),
    one_of("status", tuple(ConsentStatus)),
    # At most one consent of a household is in force for one class of recipients.
    sa.Index(
        "uq_consents_household_id_in_force",
        "household_id",
        "recipient_class",
        unique=True,
        sqlite_where=sa.text("status = 'GIVEN'"),
        postgresql_where=sa.text("status = 'GIVEN'"),
    ),
    sa.Index("ix_consents_household_id", "household_id"),
    index_where(
        "ix_consents_expires_at", "expires_at", where="status = 'GIVEN' AND expires_at IS NOT NULL"
    ),
)

referrals = sa.Table(
    "referrals",
    metadata,
    key(),
    to("accounts", "referred_by"),
    moment("referred_at"),
    moment("due_at", nullable=True),  # by when all of it should be decided on
    sa.Column("line_count", sa.Integer, nullable=False),
)

# quantity is what is left open after government aid; covered is the sum over live allocations.
needs = sa.Table(
    "needs",
    metadata,
    key(),
    to("households", "household_id"),
    to("categories", "category_id"),
    to("regions", "region_id"),  # the household's, kept here for scope and order
    sa.Column("status", sa.Text, nullable=False, server_default="DRAFT"),
    sa.Column("suspended_from", sa.Text),  # where a suspended need goes back to
    sa.Column("quantity_asked", sa.BigInteger, nullable=False),
    sa.Column("quantity_by_government", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("quantity", sa.BigInteger, nullable=False),
    sa.Column("covered", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("quantity_min", sa.BigInteger, nullable=False, server_default="1"),
    # Beyond quantity_by_government: given by government as well though charity had it in hand, or
    # of a need that it met whole and that was withdrawn for that.
    sa.Column("overlap", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("residual", sa.JSON(none_as_null=True)),  # how the quantity was computed
    sa.Column("severity", sa.Integer, nullable=False),
    sa.Column("visit_minutes", sa.Integer),  # of services, whose quantities are visits
    sa.Column("every_days", sa.Integer),  # at most one visit in so many days; 7: weekly
    moment("deadline", nullable=True),
    sa.Column("note_sealed", sa.Text),
    sa.Column("seal_id", sa.Text, nullable=False, unique=True),
    sa.Column("external_reference", sa.Text, unique=True),
    to("accounts", "created_by", nullable=True),
    to("referrals", "referral_id", nullable=True),
    to("accounts", "referred_by", nullable=True),
    moment("created_at"),
    moment("published_at", nullable=True),
    moment("due_at", nullable=True),  # referred: the review; returned: its coming back
    _version(),
    one_of("status", tuple(NeedStatus)),
    sa.CheckConstraint("quantity_asked > 0", name="asks_for_something"),
    sa.CheckConstraint(
        "quantity_by_government >= 0 AND quantity = quantity_asked - quantity_by_government",
        name="quantity_is_the_residual",
    ),
    sa.CheckConstraint("covered >= 0 AND covered <= quantity", name="covered_within_quantity"),
    sa.CheckConstraint("quantity_min >= 1 AND quantity_min <= quantity", name="minimum_in_reach"),
    sa.CheckConstraint("severity BETWEEN 1 AND 100", name="severity_1_to_100"),
    sa.CheckConstraint("overlap >= 0", name="overlap_not_negative"),
    sa.CheckConstraint("visit_minutes BETWEEN 1 AND 1440", name="visit_within_a_day"),
    sa.CheckConstraint(
        "every_days IS NULL OR (every_days BETWEEN 1 AND 366 AND visit_minutes IS NOT NULL)",
        name="recurs_in_visits",
    ),
    sa.Index("ix_needs_household_id", "household_id"),
    sa.Index("ix_needs_category_id", "category_id"),
    sa.Index("ix_needs_region_id", "region_id"),
    sa.Index("ix_needs_referral_id", "referral_id"),
    sa.Index("ix_needs_status_severity", "status", "severity"),
    sa.Index("ix_needs_created_at", "created_at"),
    index_where("ix_needs_due_at", "due_at", where="due_at IS NOT NULL"),
    index_where(
        "ix_needs_given_twice", "status", "household_id", where="overlap > 0 AND covered < quantity"
    ),
)

need_reviews = sa.Table(
    "need_reviews",
    metadata,
    key(),
    to("needs", "need_id"),
    to("referrals", "referral_id"),
    to("accounts", "reviewed_by"),
    sa.Column("decision", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    moment("reviewed_at"),
    one_of("decision", tuple(ReviewDecision)),
    sa.UniqueConstraint("need_id", "referral_id", "reviewed_by", name="uq_need_reviews_once_each"),
    sa.Index("ix_need_reviews_referral_id", "referral_id"),
)

# The public copy: written only by the one function that publishes, redacted by nature.
published_needs = sa.Table(
    "published_needs",
    metadata,
    key(),
    to("needs", "need_id"),  # never shown
    to("categories", "category_id"),
    to("regions", "region_id"),  # township at most
    sa.Column("is_open", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("quantity", sa.BigInteger, nullable=False),  # cash needs: the upper end of a band
    sa.Column("severity_band", sa.Text, nullable=False),
    sa.Column(
        "urgency",  # 4 most urgent: severity_band as a number, to be ordered by
        sa.Integer,
        sa.Computed(
            "CASE severity_band WHEN 'CRITICAL' THEN 4 WHEN 'HIGH' THEN 3 "
            "WHEN 'MEDIUM' THEN 2 ELSE 1 END"
        ),
    ),
    sa.Column("target_groups", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("visit_minutes", sa.Integer),
    sa.Column("every_days", sa.Integer),
    moment("deadline", nullable=True),
    moment("published_at"),
    one_of("severity_band", ("CRITICAL", "HIGH", "MEDIUM", "LOW")),
    sa.UniqueConstraint("need_id", name="uq_published_needs_need_id"),
    sa.Index("ix_published_needs_category_id", "category_id"),
    sa.Index("ix_published_needs_region_id", "region_id"),
    sa.Index("ix_published_needs_is_open_published_at", "is_open", "published_at"),
)

# quantity, reserved, delivered: units for goods, fen for cash, minutes for services.
offers = sa.Table(
    "offers",
    metadata,
    key(),
    to("organizations", "organization_id"),
    to("categories", "category_id"),  # cash: the purpose
    sa.Column("kind", sa.Text, nullable=False),  # GOODS, CASH, SERVICE
    sa.Column("title", sa.Text, nullable=False, server_default=""),
    sa.Column("status", sa.Text, nullable=False, server_default="OPEN"),
    sa.Column("quantity", sa.BigInteger, nullable=False),
    sa.Column("reserved", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("delivered", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("pack_size", sa.BigInteger, nullable=False, server_default="1"),
    sa.Column("household_max", sa.BigInteger),  # at most so much for one household
    sa.Column("delivery_min", sa.BigInteger, nullable=False, server_default="1"),
    sa.Column("deliveries_max", sa.Integer),
    sa.Column("visits_per_day", sa.Integer),  # of services, over all households
    sa.Column("target_groups", sa.BigInteger, nullable=False, server_default="0"),  # 0: anyone
    sa.Column("latitude", sa.Float),
    sa.Column("longitude", sa.Float),
    sa.Column("radius_km", sa.Float),
    moment("starts_at"),
    moment("expires_at", nullable=True),
    sa.Column("external_reference", sa.Text, unique=True),
    to("accounts", "posted_by", nullable=True),
    moment("created_at"),
    _version(),
    one_of("kind", ("GOODS", "CASH", "SERVICE")),
    one_of("status", tuple(OfferStatus)),
    *offer_columns(),
    sa.CheckConstraint(
        "reserved >= 0 AND delivered >= 0 AND reserved <= quantity - delivered",
        name="never_over_allocated",
    ),
    sa.CheckConstraint("pack_size >= 1 AND delivery_min >= 1", name="lots_above_zero"),
    sa.CheckConstraint("household_max > 0 AND deliveries_max > 0", name="limits_above_zero"),
    sa.CheckConstraint("radius_km > 0", name="radius_above_zero"),
    sa.CheckConstraint(
        "visits_per_day IS NULL OR (visits_per_day > 0 AND kind = 'SERVICE')",
        name="visits_of_services",
    ),
    sa.CheckConstraint(
        "kind <> 'SERVICE' OR (expires_at IS NOT NULL AND pack_size = 1)",
        name="services_within_a_period",
    ),
    sa.Index("ix_offers_organization_id", "organization_id"),
    sa.Index("ix_offers_category_id", "category_id"),
    sa.Index("ix_offers_status_created_at", "status", "created_at"),
)

# No row: the offer is for anywhere.
offer_regions = sa.Table(
    "offer_regions",
    metadata,
    to("offers", "offer_id"),
    to("regions", "region_id"),
    sa.PrimaryKeyConstraint("offer_id", "region_id", name="pk_offer_regions"),
    sa.Index("ix_offer_regions_region_id", "region_id"),
)

plans = sa.Table(
    "plans",
    metadata,
    key(),
    sa.Column("kind", sa.Text, nullable=False, server_default="PROPOSAL"),
    sa.Column("status", sa.Text, nullable=False, server_default="QUEUED"),
    to("jobs", "job_id"),
    to("regions", "region_id", nullable=True),  # needs of this subtree only
    to("categories", "category_id", nullable=True),
    sa.Column("policy", sa.JSON, nullable=False),
    # Of a simulation: what it changes. NO ACTION, which is all that SQLite tells of a column that
    # was added, and forbids the same.
    sa.Column("base_plan_id", BigKey, sa.ForeignKey("plans.id")),
    sa.Column("changes", sa.JSON),  # of a simulation: offers added, withdrawn, other quantities
    sa.Column("comparison", sa.JSON),  # of a simulation with its base, rounded
    sa.Column("input_digest", sa.Text),  # SHA-256 of the problem that was solved
    sa.Column("need_count", sa.Integer),
    sa.Column("offer_count", sa.Integer),
    sa.Column("pair_count", sa.BigInteger),
    sa.Column("units_asked", sa.BigInteger),
    sa.Column("units_served", sa.BigInteger),
    sa.Column("needs_served", sa.Integer),  # got at least one unit
    sa.Column("cost", sa.BigInteger),  # metres times units
    sa.Column(
        "proof", sa.JSON
    ),  # objective and bound by level, gap, certificate, seconds, versions
    sa.Column("left_aside", sa.JSON),  # what could not be planned yet, and why
    sa.Column("error", sa.JSON),  # {"en": …, "zh": …}: what went wrong and what to do
    to("accounts", "created_by"),
    to("accounts", "approved_by", nullable=True),
    moment("created_at"),
    moment("started_at", nullable=True),
    moment("finished_at", nullable=True),
    moment("decided_at", nullable=True),
    _version(),
    one_of("kind", tuple(PlanKind)),
    one_of("status", tuple(PlanStatus)),
    sa.CheckConstraint(
        "kind <> 'SIMULATION' OR status <> 'APPROVED'", name="simulations_stay_unapproved"
    ),
    sa.Index("ix_plans_status_created_at", "status", "created_at"),
    sa.Index("ix_plans_job_id", "job_id"),
)

plan_lines = sa.Table(
    "plan_lines",
    metadata,
    key(),
    to("plans", "plan_id"),
    to("needs", "need_id"),
    to("offers", "offer_id"),
    sa.Column("units_served", sa.BigInteger, nullable=False),  # the need's unit
    sa.Column("units_drawn", sa.BigInteger, nullable=False),  # the offer's unit
    sa.Column("cost", sa.BigInteger, nullable=False, server_default="0"),  # of one unit, in metres
    sa.Column("offer_version", sa.Integer, nullable=False),  # whose terms the line was planned by
    sa.Column("status", sa.Text, nullable=False, server_default="PROPOSED"),
    sa.Column("left_out_reason", sa.Text),
    _visit_days(),
    one_of("status", tuple(PlanLineStatus)),
    sa.CheckConstraint("units_served > 0 AND units_drawn > 0", name="moves_something"),
    sa.UniqueConstraint("plan_id", "need_id", "offer_id", name="uq_plan_lines_pair"),
    sa.Index("ix_plan_lines_need_id", "need_id"),
    sa.Index("ix_plan_lines_offer_id", "offer_id"),
)

# What a plan was made from. The market holds places of households, so it is forgotten in time; what
# is explained holds keys and numbers only, and stays.
plan_records = sa.Table(
    "plan_records",
    metadata,
    sa.Column(
        "plan_id",
        BigKey,
        sa.ForeignKey("plans.id", ondelete="RESTRICT"),
        primary_key=True,
        autoincrement=False,
    ),
    sa.Column("market", sa.LargeBinary),
    sa.Column("explained", sa.LargeBinary),
    moment("recorded_at"),
    sa.Index(
        "ix_plan_records_recorded_at",
        "recorded_at",
        sqlite_where=sa.text("market IS NOT NULL"),
        postgresql_where=sa.text("market IS NOT NULL"),
    ),
)

allocations = sa.Table(
    "allocations",
    metadata,
    key(),
    to("needs", "need_id"),
    to("offers", "offer_id"),
    to("plan_lines", "plan_line_id", nullable=True),
    sa.Column("origin", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False, server_default="RESERVED"),
    sa.Column("units_served", sa.BigInteger, nullable=False),
    sa.Column("units_drawn", sa.BigInteger, nullable=False),
    moment("reserved_until", nullable=True),
    sa.Column("cancel_reason", sa.Text),
    _visit_days(),
    moment("created_at"),
    moment("ended_at", nullable=True),
    _version(),
    *handover_columns(),
    *attribution_columns(),
    one_of("origin", tuple(AllocationOrigin)),
    one_of("status", tuple(AllocationStatus)),
    one_of("cancel_reason", tuple(CancelReason)),
    sa.CheckConstraint("units_served > 0 AND units_drawn > 0", name="moves_something"),
    # A plan line becomes at most one allocation, however often approval is tried.
    sa.UniqueConstraint("plan_line_id", name="uq_allocations_plan_line_id"),
    sa.Index("ix_allocations_need_id", "need_id"),
    sa.Index("ix_allocations_offer_id", "offer_id"),
    index_where("ix_allocations_reserved_until", "reserved_until", where="status = 'RESERVED'"),
)
