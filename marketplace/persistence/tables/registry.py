"""Regions, categories, organizations, households with members, and assessments."""

from __future__ import annotations

import sqlalchemy as sa

from marketplace.domain.registry.assessments import EligibilityClass
from marketplace.domain.registry.categories import CategoryKind
from marketplace.domain.registry.households import HouseholdStatus, MonitoringCategory
from marketplace.domain.registry.organizations import OrganizationKind, OrganizationStatus
from marketplace.domain.registry.regions import LocationSource, RegionLevel
from marketplace.persistence.tables.columns import (
    BigKey,
    index_where,
    key,
    metadata,
    moment,
    one_of,
    to,
)

# tree_low..tree_high is the interval of the subtree (nested sets, numbered in pre-order): a region
# lies in another's subtree when other.tree_low <= tree_low AND tree_low <= other.tree_high.
regions = sa.Table(
    "regions",
    metadata,
    key(),
    to("regions", "parent_id", nullable=True),
    sa.Column("level", sa.Text, nullable=False),
    sa.Column("scheme", sa.Text, nullable=False),  # "GB/T 2260", "NBS-12", "LOCAL"
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("name_zh", sa.Text, nullable=False),
    sa.Column("name_en", sa.Text, nullable=False, server_default=""),
    sa.Column("latitude", sa.Float),
    sa.Column("longitude", sa.Float),
    sa.Column("location_source", sa.Text, nullable=False, server_default="NONE"),
    sa.Column("tree_low", sa.BigInteger, nullable=False),
    sa.Column("tree_high", sa.BigInteger, nullable=False),
    sa.Column("valid_from", sa.Date),
    sa.Column("valid_until", sa.Date),
    one_of("level", tuple(RegionLevel)),
    one_of("location_source", tuple(LocationSource)),
    sa.CheckConstraint("tree_low <= tree_high", name="tree_interval"),
    sa.UniqueConstraint("scheme", "code", name="uq_regions_scheme_code"),
    sa.Index("ix_regions_parent_id", "parent_id"),
    sa.Index("ix_regions_tree_low", "tree_low"),
)

categories = sa.Table(
    "categories",
    metadata,
    key(),
    to("categories", "parent_id", nullable=True),
    sa.Column("code", sa.Text, nullable=False, unique=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("unit", sa.Text),  # null above the subtrees within which things can be matched
    sa.Column("reference_price_fen", sa.BigInteger),  # of one unit
    sa.Column("label_zh", sa.Text, nullable=False),
    sa.Column("label_en", sa.Text, nullable=False),
    sa.Column("tree_low", sa.BigInteger, nullable=False),
    sa.Column("tree_high", sa.BigInteger, nullable=False),
    one_of("kind", tuple(CategoryKind)),
    sa.CheckConstraint("tree_low <= tree_high", name="tree_interval"),
    sa.CheckConstraint("reference_price_fen > 0", name="price_above_zero"),
    sa.Index("ix_categories_parent_id", "parent_id"),
    sa.Index("ix_categories_tree_low", "tree_low"),
)

organizations = sa.Table(
    "organizations",
    metadata,
    key(),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False, server_default="APPLIED"),
    sa.Column("name", sa.Text, nullable=False),
    to("regions", "region_id"),
    sa.Column("external_reference", sa.Text, unique=True),
    sa.Column("version", sa.Integer, nullable=False, server_default="0"),
    moment("created_at"),
    sa.Column("credit_code", sa.Text),  # 统一社会信用代码
    sa.Column("status_reason", sa.Text),  # why it was rejected or suspended
    one_of("kind", tuple(OrganizationKind)),
    one_of("status", tuple(OrganizationStatus)),
    sa.Index("ix_organizations_region_id", "region_id"),
)

# Names, numbers, addresses are sealed (AES-256-GCM as text); what is open here names nobody.
households = sa.Table(
    "households",
    metadata,
    key(),
    to("regions", "region_id"),  # village or grid cell
    sa.Column("member_count", sa.Integer, nullable=False),
    sa.Column("target_groups", sa.BigInteger, nullable=False, server_default="0"),  # bit mask
    sa.Column("monitoring_category", sa.Text),
    sa.Column("latitude", sa.Float),
    sa.Column("longitude", sa.Float),
    sa.Column("seal_id", sa.Text, nullable=False, unique=True),  # random; binds seals to this row
    sa.Column("address_sealed", sa.Text),
    sa.Column("phone_sealed", sa.Text),
    sa.Column("phone_index", sa.Text),  # blind index (HMAC), for look-ups by exact number
    sa.Column("external_reference", sa.Text, unique=True),
    sa.Column("version", sa.Integer, nullable=False, server_default="0"),
    moment("created_at"),
    sa.Column("status", sa.Text, nullable=False, server_default="ACTIVE"),
    # NO ACTION, which is all that SQLite tells of a column that was added, and forbids the same.
    sa.Column("merged_into", BigKey, sa.ForeignKey("households.id")),
    moment("ended_at", nullable=True),
    one_of("status", tuple(HouseholdStatus)),
    sa.CheckConstraint("(status = 'MERGED') = (merged_into IS NOT NULL)", name="merged_into_one"),
    one_of("monitoring_category", tuple(MonitoringCategory)),
    sa.CheckConstraint("member_count > 0", name="has_members"),
    sa.CheckConstraint("target_groups >= 0", name="groups_are_bits"),
    sa.Index("ix_households_region_id", "region_id"),
    sa.Index("ix_households_phone_index", "phone_index"),
    sa.Index("ix_households_merged_into", "merged_into"),
)

members = sa.Table(
    "members",
    metadata,
    key(),
    to("households", "household_id"),
    sa.Column("is_head", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("relation", sa.Text, nullable=False),  # to the head: SELF, SPOUSE, CHILD, PARENT, …
    sa.Column("target_groups", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("seal_id", sa.Text, nullable=False, unique=True),
    sa.Column("name_sealed", sa.Text, nullable=False),
    sa.Column("identity_number_sealed", sa.Text),
    sa.Column("identity_number_index", sa.Text),
    sa.Column("birth_date_sealed", sa.Text),
    moment("created_at"),
    sa.Column("name_index", sa.Text),  # none: of a row that is older than the index
    moment("ended_at", nullable=True),  # no member any more
    sa.Column("ended_why", sa.Text),
    one_of("ended_why", ("DECEASED", "LEFT")),
    sa.Index("ix_members_household_id", "household_id"),
    sa.Index("ix_members_name_index", "name_index"),
    # Nobody belongs to two households at a time: that would be help given twice.
    sa.Index(
        "uq_members_identity_number_index",
        "identity_number_index",
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    ),
    sa.Index("ix_members_identity_number_index", "identity_number_index"),
)

# Immutable; the latest stands. Amounts are fen a month for the whole household, property in fen.
assessments = sa.Table(
    "assessments",
    metadata,
    key(),
    to("households", "household_id"),
    to("accounts", "assessed_by", nullable=True),
    moment("assessed_at"),
    sa.Column("policy_version", sa.Text, nullable=False),
    sa.Column("member_count", sa.Integer, nullable=False),
    sa.Column("income_fen_month", sa.BigInteger, nullable=False),
    sa.Column("property_fen", sa.BigInteger, nullable=False),
    sa.Column("medical_fen_month", sa.BigInteger, nullable=False),
    sa.Column("education_fen_month", sa.BigInteger, nullable=False),
    sa.Column("disability_care_fen_month", sa.BigInteger, nullable=False),
    sa.Column("housing_fen_month", sa.BigInteger, nullable=False),
    sa.Column("disaster_fen_month", sa.BigInteger, nullable=False),
    sa.Column("eligibility_class", sa.Text, nullable=False),
    sa.Column("severity", sa.Integer, nullable=False),
    sa.Column("trace", sa.JSON, nullable=False),  # how class and severity came about, step by step
    sa.Column("override_reason", sa.Text),  # of old rows, whose class it changed at once
    sa.Column("snapshot", sa.JSON(none_as_null=True)),  # what it was based on; names nobody
    moment("valid_until", nullable=True),  # of classes that run out
    moment("due_at", nullable=True),  # when the household is to be looked at again
    moment("lapsed_at", nullable=True),  # all that is ever written to a row again
    one_of("eligibility_class", tuple(EligibilityClass)),
    sa.CheckConstraint("severity BETWEEN 1 AND 100", name="severity_1_to_100"),
    sa.CheckConstraint(
        "income_fen_month >= 0 AND property_fen >= 0 AND medical_fen_month >= 0 AND "
        "education_fen_month >= 0 AND disability_care_fen_month >= 0 AND housing_fen_month >= 0 "
        "AND disaster_fen_month >= 0",
        name="amounts_not_negative",
    ),
    sa.CheckConstraint("member_count > 0", name="has_members"),
    sa.Index("ix_assessments_household_id_assessed_at", "household_id", "assessed_at"),
    sa.Index("ix_assessments_due_at", "due_at"),
    sa.Index("ix_assessments_valid_until", "valid_until"),
    index_where(
        "ix_assessments_running_out",
        "valid_until",
        where="lapsed_at IS NULL AND valid_until IS NOT NULL",
    ),
)
