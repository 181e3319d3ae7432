"""Edits of plans, schedules, prepared referrals, policies of review, texts of consents, due dates.

Safe beside the running version: it only adds. Consents that stand keep the version that they name;
the wordings shipped here are those that consents have named so far.
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

# SQLite numbers a row by itself only where the key is spelled INTEGER.
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
URGENCY = (
    "CASE severity_band WHEN 'CRITICAL' THEN 4 WHEN 'HIGH' THEN 3 WHEN 'MEDIUM' THEN 2 ELSE 1 END"
)
ZH = (
    "本户同意将所登记的救助需求（类别、数量、紧急程度、所在乡镇和分群，不含姓名、住址和证件号）"
    "转介给本县经核验的慈善组织、爱心企业和志愿服务队，用于慈善救助。本户可随时撤回本授权，"
    "撤回后需求立即退出匹配，已预留而未发出的帮扶予以取消。"
)
EN = (
    "We agree that what we need (its kind, quantity and urgency, our township and groups; no name, "
    "address or identity number) is passed on to verified charities, enterprises and volunteer "
    "groups of this county, so that they may help us. We may take this back on any day; then what "
    "we need leaves the market at once, and what was set aside but not sent is cancelled."
)
VERSIONS = {"2022-01": 2022, "2025-01": 2025, "2026-01": 2026}


def upgrade() -> None:
    _create_plan_edits()
    _create_schedules()
    _create_drafts()
    _create_policies()
    _create_consent_texts()
    for table in ("referrals", "needs"):
        when = "DATETIME" if _is_sqlite() else "TIMESTAMP WITH TIME ZONE"
        op.execute(f"ALTER TABLE {table} ADD COLUMN due_at {when}")
    op.create_index(
        "ix_needs_due_at",
        "needs",
        ["due_at"],
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    stored = "VIRTUAL" if _is_sqlite() else "STORED"
    op.execute(
        "ALTER TABLE published_needs ADD COLUMN urgency INTEGER "
        f"GENERATED ALWAYS AS ({URGENCY}) {stored}"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE published_needs DROP COLUMN urgency")
    op.drop_index("ix_needs_due_at", table_name="needs")
    for table in ("needs", "referrals"):
        op.execute(f"ALTER TABLE {table} DROP COLUMN due_at")
    for table in (
        "consent_texts",
        "review_policies",
        "referral_draft_lines",
        "referral_drafts",
        "schedules",
        "plan_edits",
    ):
        op.drop_table(table)


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _key(table: str) -> tuple[sa.Column[int], sa.PrimaryKeyConstraint]:
    column = sa.Column("id", KEY, sa.Identity(), nullable=False)
    return column, sa.PrimaryKeyConstraint("id", name=f"pk_{table}")


def _to(table: str, name: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [name], [f"{target}.id"], name=f"fk_{table}_{name}", ondelete="RESTRICT"
    )


def _create_plan_edits() -> None:
    name = "plan_edits"
    op.create_table(
        name,
        *_key(name),
        sa.Column("plan_id", KEY, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("need_id", KEY, nullable=False),
        sa.Column("offer_id", KEY, nullable=False),
        sa.Column("units", sa.BigInteger()),
        sa.Column("units_before", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("edited_by", KEY, nullable=False),
        sa.Column("edited_at", MOMENT, nullable=False),
        _to(name, "plan_id", "plans"),
        _to(name, "need_id", "needs"),
        _to(name, "offer_id", "offers"),
        _to(name, "edited_by", "accounts"),
        sa.CheckConstraint(
            "kind IN ('PIN', 'FORBID', 'CHANGE_QUANTITY')", name="ck_plan_edits_kind_known"
        ),
        sa.CheckConstraint(
            "units > 0 AND units_before >= 0", name="ck_plan_edits_units_above_zero"
        ),
        sa.CheckConstraint(
            "(kind = 'FORBID') = (units IS NULL)", name="ck_plan_edits_only_forbidden_has_none"
        ),
        sa.UniqueConstraint("plan_id", "need_id", "offer_id", name="uq_plan_edits_pair"),
    )
    op.create_index("ix_plan_edits_need_id", name, ["need_id"])
    op.create_index("ix_plan_edits_offer_id", name, ["offer_id"])


def _create_schedules() -> None:
    name = "schedules"
    op.create_table(
        name,
        *_key(name),
        sa.Column("region_id", KEY, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("is_on", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("weekday", sa.Integer()),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("policy", sa.JSON()),
        sa.Column("last_run_on", sa.Date()),
        sa.Column("set_by", KEY, nullable=False),
        sa.Column("set_at", MOMENT, nullable=False),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False),
        _to(name, "region_id", "regions"),
        _to(name, "set_by", "accounts"),
        sa.CheckConstraint("kind IN ('NIGHTLY_PLAN', 'REFERRAL')", name="ck_schedules_kind_known"),
        sa.CheckConstraint("hour BETWEEN 0 AND 23", name="ck_schedules_hour_of_a_day"),
        sa.CheckConstraint("weekday BETWEEN 1 AND 7", name="ck_schedules_day_of_a_week"),
        sa.UniqueConstraint("region_id", "kind", name="uq_schedules_region_id_kind"),
    )


def _create_drafts() -> None:
    name = "referral_drafts"
    op.create_table(
        name,
        *_key(name),
        sa.Column("region_id", KEY, nullable=False),
        sa.Column("status", sa.Text(), server_default="PREPARED", nullable=False),
        sa.Column("line_count", sa.Integer(), nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.Column("prepared_at", MOMENT, nullable=False),
        sa.Column("decided_at", MOMENT),
        sa.Column("decided_by", KEY),
        sa.Column("referral_id", KEY),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False),
        _to(name, "region_id", "regions"),
        _to(name, "decided_by", "accounts"),
        _to(name, "referral_id", "referrals"),
        sa.CheckConstraint(
            "status IN ('PREPARED', 'SENT', 'DISCARDED')", name="ck_referral_drafts_status_known"
        ),
        sa.CheckConstraint(
            "line_count > 0 AND waiting >= 0", name="ck_referral_drafts_holds_something"
        ),
    )
    op.create_index(
        "uq_referral_drafts_region_id_prepared",
        name,
        ["region_id"],
        unique=True,
        sqlite_where=sa.text("status = 'PREPARED'"),
        postgresql_where=sa.text("status = 'PREPARED'"),
    )
    lines = "referral_draft_lines"
    op.create_table(
        lines,
        sa.Column("draft_id", KEY, nullable=False),
        sa.Column("need_id", KEY, nullable=False),
        _to(lines, "draft_id", name),
        _to(lines, "need_id", "needs"),
        sa.PrimaryKeyConstraint("draft_id", "need_id", name="pk_referral_draft_lines"),
    )
    op.create_index("ix_referral_draft_lines_need_id", lines, ["need_id"])


def _create_policies() -> None:
    name = "review_policies"
    op.create_table(
        name,
        *_key(name),
        sa.Column("region_id", KEY, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("bands", sa.JSON(), nullable=False),
        sa.Column("review_days", sa.Integer(), nullable=False),
        sa.Column("resubmit_days", sa.Integer(), nullable=False),
        sa.Column("weekly_capacity", sa.Integer()),
        sa.Column("valid_from", MOMENT, nullable=False),
        sa.Column("set_by", KEY, nullable=False),
        sa.Column("set_at", MOMENT, nullable=False),
        _to(name, "region_id", "regions"),
        _to(name, "set_by", "accounts"),
        sa.CheckConstraint(
            "review_days BETWEEN 1 AND 365", name="ck_review_policies_review_days_in_a_year"
        ),
        sa.CheckConstraint(
            "resubmit_days BETWEEN 1 AND 365", name="ck_review_policies_resubmit_days_in_a_year"
        ),
        sa.CheckConstraint("weekly_capacity > 0", name="ck_review_policies_capacity_above_zero"),
        sa.UniqueConstraint("region_id", "version", name="uq_review_policies_region_id_version"),
    )


def _create_consent_texts() -> None:
    name = "consent_texts"
    op.create_table(
        name,
        *_key(name),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("recipient_class", sa.Text(), nullable=False),
        sa.Column("text_zh", sa.Text(), nullable=False),
        sa.Column("text_en", sa.Text(), nullable=False),
        sa.Column("valid_from", MOMENT, nullable=False),
        sa.Column("valid_until", MOMENT),
        sa.Column("published_by", KEY),
        sa.Column("published_at", MOMENT, nullable=False),
        _to(name, "published_by", "accounts"),
        sa.UniqueConstraint("version", name="uq_consent_texts_version"),
    )
    texts = sa.table(
        name,
        *(
            sa.column(each, sa.Text())
            for each in ("version", "purpose", "recipient_class", "text_zh", "text_en")
        ),
        sa.column("valid_from", MOMENT),
        sa.column("published_at", MOMENT),
    )
    for version, year in VERSIONS.items():
        begins = datetime(year, 1, 1, tzinfo=UTC)
        values = {
            "version": version,
            "purpose": "CHARITABLE_ASSISTANCE",
            "recipient_class": "VERIFIED_PROVIDERS",
            "text_zh": ZH,
            "text_en": EN,
            "valid_from": begins.replace(tzinfo=None) if _is_sqlite() else begins,
            "published_at": begins.replace(tzinfo=None) if _is_sqlite() else begins,
        }
        op.execute(sa.insert(texts).values(**values))
