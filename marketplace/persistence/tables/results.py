"""Results with a copy for each desk, ratings, feedback, and lists of those who were helped."""

from __future__ import annotations

import sqlalchemy as sa

from marketplace.domain.exchange.feedback import FeedbackFrom, FeedbackKind, FeedbackStatus
from marketplace.domain.exchange.helped_lists import HelpedListStatus
from marketplace.domain.exchange.ratings import RatingSide
from marketplace.domain.exchange.results import Desk, ResultStatus
from marketplace.persistence.tables.columns import key, metadata, moment, one_of, to

# What came of one allocation. Region and organization are kept here for scope and order.
results = sa.Table(
    "results",
    metadata,
    key(),
    to("allocations", "allocation_id"),
    to("needs", "need_id"),
    to("organizations", "organization_id"),  # whose offer it was
    to("organizations", "delivered_by_id", nullable=True),  # who brought it, if an organization
    to("regions", "region_id"),  # the household's
    sa.Column("status", sa.Text, nullable=False, server_default="SENT"),
    sa.Column("policy_version", sa.Text, nullable=False),
    sa.Column("units_received", sa.BigInteger, nullable=False),  # the need's unit
    moment("delivered_at"),
    moment("sent_at"),
    moment("due_at"),  # the last of the copies' days
    moment("acknowledged_at", nullable=True),  # by the last desk
    one_of("status", tuple(ResultStatus)),
    sa.CheckConstraint("units_received >= 0", name="received_not_negative"),
    sa.CheckConstraint(
        "(status = 'ACKNOWLEDGED') = (acknowledged_at IS NOT NULL)", name="acknowledged_says_when"
    ),
    sa.UniqueConstraint("allocation_id", name="uq_results_allocation_id"),
    sa.Index("ix_results_need_id", "need_id"),
    sa.Index("ix_results_organization_id_sent_at", "organization_id", "sent_at"),
    sa.Index("ix_results_delivered_by_id", "delivered_by_id"),
    sa.Index("ix_results_region_id", "region_id"),
    sa.Index("ix_results_sent_at", "sent_at"),
)

# The same for each desk that gets it; each acknowledges its own.
result_copies = sa.Table(
    "result_copies",
    metadata,
    key(),
    to("results", "result_id"),
    to("regions", "region_id"),
    sa.Column("desk", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False, server_default="SENT"),
    moment("sent_at"),
    moment("due_at"),
    moment("acknowledged_at", nullable=True),
    to("accounts", "acknowledged_by", nullable=True),
    moment("escalated_at", nullable=True),
    one_of("desk", tuple(Desk)),
    one_of("status", tuple(ResultStatus)),
    sa.CheckConstraint(
        "(status = 'ACKNOWLEDGED') = (acknowledged_at IS NOT NULL) "
        "AND (acknowledged_at IS NULL) = (acknowledged_by IS NULL)",
        name="acknowledged_says_who",
    ),
    sa.UniqueConstraint("result_id", "desk", name="uq_result_copies_result_id_desk"),
    sa.Index("ix_result_copies_region_id", "region_id"),
    sa.Index("ix_result_copies_sent_at", "sent_at"),
    sa.Index(
        "ix_result_copies_due_at_sent",
        "due_at",
        sqlite_where=sa.text("status = 'SENT'"),
        postgresql_where=sa.text("status = 'SENT'"),
    ),
)

# Never changed once it is there.
result_ratings = sa.Table(
    "result_ratings",
    metadata,
    key(),
    to("results", "result_id"),
    sa.Column("side", sa.Text, nullable=False),
    sa.Column("score", sa.Integer, nullable=False),
    sa.Column("comment", sa.Text),  # names nobody of the household: both sides read it
    to("accounts", "rated_by"),
    moment("rated_at"),
    one_of("side", tuple(RatingSide)),
    sa.CheckConstraint("score BETWEEN 1 AND 5", name="score_1_to_5"),
    sa.UniqueConstraint("result_id", "side", name="uq_result_ratings_result_id_side"),
    sa.Index("ix_result_ratings_rated_at", "rated_at"),
)

# What people write may name people, so both texts are sealed.
feedbacks = sa.Table(
    "feedbacks",
    metadata,
    key(),
    sa.Column("from_side", sa.Text, nullable=False),
    to("households", "household_id", nullable=True),
    to("organizations", "organization_id", nullable=True),
    to("results", "result_id", nullable=True),  # what it is about, where it is about one
    to("regions", "region_id"),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("desk", sa.Text, nullable=False),  # who is to reply
    sa.Column("status", sa.Text, nullable=False, server_default="OPEN"),
    sa.Column("seal_id", sa.Text, nullable=False, unique=True),
    sa.Column("text_sealed", sa.Text, nullable=False),
    sa.Column("reply_sealed", sa.Text),
    to("accounts", "filed_by", nullable=True),  # null: a household, by a code on its phone
    moment("filed_at"),
    moment("due_at"),
    to("accounts", "answered_by", nullable=True),
    moment("answered_at", nullable=True),
    to("accounts", "closed_by", nullable=True),
    moment("closed_at", nullable=True),
    moment("escalated_at", nullable=True),
    sa.Column("reopened", sa.Integer, nullable=False, server_default="0"),
    sa.Column("version", sa.Integer, nullable=False, server_default="0"),
    one_of("from_side", tuple(FeedbackFrom)),
    one_of("kind", tuple(FeedbackKind)),
    one_of("desk", tuple(Desk)),
    one_of("status", tuple(FeedbackStatus)),
    sa.CheckConstraint(
        "(from_side = 'HOUSEHOLD') = (household_id IS NOT NULL) "
        "AND (from_side = 'PROVIDER') = (organization_id IS NOT NULL) "
        "AND (filed_by IS NOT NULL OR from_side = 'HOUSEHOLD')",
        name="says_whose",
    ),
    sa.CheckConstraint(
        "status = 'OPEN' OR (reply_sealed IS NOT NULL AND answered_at IS NOT NULL)",
        name="answered_has_a_reply",
    ),
    sa.CheckConstraint("(status = 'CLOSED') = (closed_at IS NOT NULL)", name="closed_says_when"),
    sa.Index("ix_feedbacks_household_id", "household_id"),
    sa.Index("ix_feedbacks_organization_id", "organization_id"),
    sa.Index("ix_feedbacks_result_id", "result_id"),
    sa.Index("ix_feedbacks_region_id", "region_id"),
    sa.Index("ix_feedbacks_filed_at", "filed_at"),
    sa.Index(
        "ix_feedbacks_due_at_open",
        "due_at",
        sqlite_where=sa.text("status = 'OPEN'"),
        postgresql_where=sa.text("status = 'OPEN'"),
    ),
)

helped_lists = sa.Table(
    "helped_lists",
    metadata,
    key(),
    to("organizations", "organization_id"),
    to("regions", "region_id"),  # the organization's
    sa.Column("starts_on", sa.Date, nullable=False),
    sa.Column("ends_on", sa.Date, nullable=False),
    sa.Column("status", sa.Text, nullable=False, server_default="REPORTED"),
    sa.Column("line_count", sa.Integer, nullable=False),  # deliveries: 人次
    sa.Column("household_count", sa.Integer, nullable=False),
    to("accounts", "reported_by"),
    moment("reported_at"),
    to("accounts", "received_by", nullable=True),
    moment("received_at", nullable=True),
    one_of("status", tuple(HelpedListStatus)),
    sa.CheckConstraint("starts_on <= ends_on", name="a_span_of_days"),
    sa.CheckConstraint("line_count > 0 AND household_count > 0", name="lists_somebody"),
    sa.CheckConstraint(
        "(status = 'RECEIVED') = (received_at IS NOT NULL)", name="received_says_when"
    ),
    sa.Index("ix_helped_lists_organization_id", "organization_id"),
    sa.Index("ix_helped_lists_reported_at", "reported_at"),
)

# A delivery stands in one list, so that nobody is counted twice.
helped_list_lines = sa.Table(
    "helped_list_lines",
    metadata,
    key(),
    to("helped_lists", "helped_list_id"),
    to("results", "result_id"),
    sa.UniqueConstraint("result_id", name="uq_helped_list_lines_result_id"),
    sa.Index("ix_helped_list_lines_helped_list_id", "helped_list_id"),
)
