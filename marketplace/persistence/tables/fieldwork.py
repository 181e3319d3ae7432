"""Visits, and checks of households in the monitored categories."""

from __future__ import annotations

import sqlalchemy as sa

from marketplace.domain.fieldwork.monitoring import CheckOutcome
from marketplace.domain.fieldwork.visits import VisitKind
from marketplace.domain.registry.households import MonitoringCategory
from marketplace.persistence.tables.columns import key, metadata, moment, one_of, to

visits = sa.Table(
    "visits",
    metadata,
    key(),
    sa.Column("kind", sa.Text, nullable=False),
    to("households", "household_id", nullable=True),  # none: a clinic or a trip of a place
    to("regions", "region_id"),
    to("accounts", "visited_by"),
    moment("visited_at"),
    sa.Column("latitude", sa.Float),
    sa.Column("longitude", sa.Float),
    sa.Column("distance_m", sa.Integer),  # to the household or the region; none: one has no place
    sa.Column("is_far", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("persons_reached", sa.Integer, nullable=False),  # person-times
    sa.Column("note_sealed", sa.Text),
    sa.Column("seal_id", sa.Text, nullable=False, unique=True),
    moment("created_at"),
    one_of("kind", tuple(VisitKind)),
    sa.CheckConstraint("persons_reached >= 0", name="persons_not_negative"),
    sa.CheckConstraint("distance_m >= 0", name="distance_not_negative"),
    sa.Index("ix_visits_household_id", "household_id"),
    sa.Index("ix_visits_region_id", "region_id"),
    sa.Index("ix_visits_visited_at", "visited_at"),
    sa.Index("ix_visits_visited_by", "visited_by"),
)

monitoring_checks = sa.Table(
    "monitoring_checks",
    metadata,
    key(),
    to("households", "household_id"),
    to("regions", "region_id"),
    sa.Column("monitoring_category", sa.Text, nullable=False),  # the household's that day
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("persons", sa.Integer, nullable=False),  # person-times
    to("accounts", "checked_by"),
    moment("checked_at"),
    moment("created_at"),
    one_of("monitoring_category", tuple(MonitoringCategory)),
    one_of("outcome", tuple(CheckOutcome)),
    sa.CheckConstraint("persons > 0", name="checks_somebody"),
    sa.Index("ix_monitoring_checks_household_id", "household_id"),
    sa.Index("ix_monitoring_checks_region_id", "region_id"),
    sa.Index("ix_monitoring_checks_checked_at", "checked_at"),
)
