"""What became of households: moves, mergers, splits, members' events, what they were told."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from marketplace.domain.registry.household_changes import (
    DuplicateStatus,
    Ground,
    HowTold,
    MemberEventKind,
)
from marketplace.persistence.tables.columns import key, metadata, moment, one_of, to


def _record() -> tuple[sa.Column[int], sa.Column[datetime]]:
    return to("accounts", "recorded_by"), moment("recorded_at")


household_moves = sa.Table(
    "household_moves",
    metadata,
    key(),
    to("households", "household_id"),
    to("regions", "from_region_id"),
    to("regions", "to_region_id"),
    sa.Column("moved_on", sa.Date, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    *_record(),
    sa.Index("ix_household_moves_household_id", "household_id"),
)

# `moved` lists by table the keys of what went over, so that it can be told apart again.
household_merges = sa.Table(
    "household_merges",
    metadata,
    key(),
    to("households", "household_id"),  # which lives on
    to("households", "merged_id"),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("moved", sa.JSON, nullable=False),
    *_record(),
    # Whoever is merged once is there no more.
    sa.UniqueConstraint("merged_id", name="uq_household_merges_merged_id"),
    sa.CheckConstraint("household_id <> merged_id", name="two_households"),
    sa.Index("ix_household_merges_household_id", "household_id"),
)

household_splits = sa.Table(
    "household_splits",
    metadata,
    key(),
    to("households", "household_id"),
    to("households", "new_id"),
    sa.Column("split_on", sa.Date, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("moved", sa.JSON, nullable=False),
    *_record(),
    sa.UniqueConstraint("new_id", name="uq_household_splits_new_id"),
    sa.Index("ix_household_splits_household_id", "household_id"),
)

member_events = sa.Table(
    "member_events",
    metadata,
    key(),
    to("households", "household_id"),
    to("members", "member_id"),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("happened_on", sa.Date, nullable=False),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    *_record(),
    one_of("kind", tuple(MemberEventKind)),
    sa.Index("ix_member_events_household_id", "household_id"),
    sa.Index("ix_member_events_member_id", "member_id"),
)

# 应知尽知: that a household was told what it may be entitled to.
household_tellings = sa.Table(
    "household_tellings",
    metadata,
    key(),
    to("households", "household_id"),
    to("assessments", "assessment_id"),  # by which it qualifies
    sa.Column("how", sa.Text, nullable=False),
    sa.Column("told_on", sa.Date, nullable=False),
    *_record(),
    one_of("how", tuple(HowTold)),
    sa.Index("ix_household_tellings_household_id", "household_id"),
    sa.Index("ix_household_tellings_assessment_id", "assessment_id"),
)

# Each pair stands twice, once from either side.
household_duplicates = sa.Table(
    "household_duplicates",
    metadata,
    key(),
    to("households", "household_id"),
    to("households", "other_id"),
    sa.Column("ground", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False, server_default="OPEN"),
    sa.Column("reason", sa.Text),
    to("accounts", "decided_by", nullable=True),
    moment("found_at"),
    moment("decided_at", nullable=True),
    one_of("ground", tuple(Ground)),
    one_of("status", tuple(DuplicateStatus)),
    sa.CheckConstraint("household_id <> other_id", name="two_households"),
    sa.UniqueConstraint(
        "household_id", "other_id", "ground", name="uq_household_duplicates_once_each"
    ),
    sa.Index("ix_household_duplicates_other_id", "other_id"),
)
