"""Organizations with agreements, and drafts and templates of offers.

Safe beside the running version: it only adds. Tries of whoever has no account are counted afresh.
"""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
TRIES = ("SUBMIT_ADDRESS", "SUBMIT_PHONE", "CODE_ADDRESS", "CODE_REFERENCE", "STATUS_ADDRESS")
MORE_TRIES = ("ORGANIZATION_ADDRESS", "ORGANIZATION_PHONE", "TRACE_ADDRESS")
NEW = (
    "agreement_categories",
    "agreement_regions",
    "organization_applications",
    "offer_postings",
    "offer_drafts",
    "agreements",
)


def upgrade() -> None:
    _organizations()
    _agreements()
    _drafts()
    _tries(*TRIES, *MORE_TRIES)


def downgrade() -> None:
    _tries(*TRIES)
    for table in NEW:
        op.drop_table(table)
    for column in ("status_reason", "credit_code"):
        op.execute(f"ALTER TABLE organizations DROP COLUMN {column}")


def _to(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{target}.id"], name=f"fk_{table}_{column}", ondelete="RESTRICT"
    )


def _id() -> sa.Column[int]:
    return sa.Column("id", KEY, sa.Identity(always=False), nullable=False)


def _version() -> sa.Column[int]:
    return sa.Column("version", sa.Integer(), server_default="0", nullable=False)


def _refers(table: str, **targets: str) -> list[sa.ForeignKeyConstraint]:
    return [_to(table, column, target) for column, target in targets.items()]


def _keys(*names: str, nullable: bool = False) -> list[sa.Column[int]]:
    return [sa.Column(name, KEY, nullable=nullable) for name in names]


def _texts(*names: str, nullable: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=nullable) for name in names]


def _moments(*names: str, nullable: bool = False) -> list[sa.Column[datetime]]:
    return [sa.Column(name, MOMENT, nullable=nullable) for name in names]


def _checks(table: str, **said: str) -> list[sa.CheckConstraint]:
    return [sa.CheckConstraint(text, name=f"ck_{table}_{name}") for name, text in said.items()]


def _organizations() -> None:
    for column in ("credit_code", "status_reason"):
        op.execute(f"ALTER TABLE organizations ADD COLUMN {column} TEXT")
    name = "organization_applications"
    op.create_table(
        name,
        _id(),
        sa.Column("organization_id", KEY, nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        *_texts("seal_id", "contact_name_sealed", "contact_phone_sealed"),
        sa.Column("submitted_by", KEY, nullable=True),
        sa.Column("submitted_at", MOMENT, nullable=False),
        sa.Column("decided_by", KEY, nullable=True),
        sa.Column("decided_at", MOMENT, nullable=True),
        *_refers(
            name, organization_id="organizations", submitted_by="accounts", decided_by="accounts"
        ),
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
        sa.UniqueConstraint("organization_id", name=f"uq_{name}_organization_id"),
        sa.UniqueConstraint("seal_id", name=f"uq_{name}_seal_id"),
    )


def _agreements() -> None:
    op.create_table(
        "agreements",
        _id(),
        sa.Column("organization_id", KEY, nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="SIGNED", nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("offer_max_fen", sa.BigInteger(), nullable=True),
        sa.Column("total_max_fen", sa.BigInteger(), nullable=True),
        sa.Column("signed_by", KEY, nullable=False),
        sa.Column("signed_at", MOMENT, nullable=False),
        sa.Column("ended_by", KEY, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        _version(),
        *_checks(
            "agreements",
            status_known="status IN ('SIGNED', 'ENDED')",
            days_in_order="valid_from <= valid_until",
            caps_above_zero="offer_max_fen > 0 AND total_max_fen > 0",
        ),
        *_refers(
            "agreements", organization_id="organizations", signed_by="accounts", ended_by="accounts"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_agreements"),
        sa.UniqueConstraint("number", name="uq_agreements_number"),
    )
    op.create_index(
        "uq_agreements_organization_id_signed",
        "agreements",
        ["organization_id"],
        unique=True,
        sqlite_where=sa.text("status = 'SIGNED'"),
        postgresql_where=sa.text("status = 'SIGNED'"),
    )
    op.create_index("ix_agreements_organization_id", "agreements", ["organization_id"])
    op.create_table(
        "agreement_categories",
        *_keys("agreement_id", "category_id"),
        sa.Column("units_max", sa.BigInteger(), nullable=True),
        *_checks(
            "agreement_categories",
            cap_above_zero="units_max > 0",
        ),
        *_refers("agreement_categories", agreement_id="agreements", category_id="categories"),
        sa.PrimaryKeyConstraint("agreement_id", "category_id", name="pk_agreement_categories"),
    )
    op.create_table(
        "agreement_regions",
        *_keys("agreement_id", "region_id"),
        *_refers("agreement_regions", agreement_id="agreements", region_id="regions"),
        sa.PrimaryKeyConstraint("agreement_id", "region_id", name="pk_agreement_regions"),
    )


def _drafts() -> None:
    op.create_table(
        "offer_drafts",
        _id(),
        sa.Column("organization_id", KEY, nullable=False),
        sa.Column("status", sa.Text(), server_default="DRAFT", nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("is_template", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("recurrence", sa.Text(), server_default="NONE", nullable=False),
        sa.Column("lasts_days", sa.Integer(), nullable=True),
        *_moments("next_at", "until", nullable=True),
        sa.Column("last_refusal", sa.JSON(), nullable=True),
        sa.Column("created_by", KEY, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        _version(),
        *_checks(
            "offer_drafts",
            status_known="status IN ('DRAFT', 'PUBLISHED', 'DISCARDED')",
            recurrence_known="recurrence IN ('NONE', 'WEEKLY', 'MONTHLY')",
            templates_recur="recurrence = 'NONE' OR is_template",
            lasts_above_zero="lasts_days > 0",
        ),
        *_refers("offer_drafts", organization_id="organizations", created_by="accounts"),
        sa.PrimaryKeyConstraint("id", name="pk_offer_drafts"),
    )
    op.create_index("ix_offer_drafts_organization_id", "offer_drafts", ["organization_id"])
    op.create_index(
        "ix_offer_drafts_next_at",
        "offer_drafts",
        ["next_at"],
        sqlite_where=sa.text("status = 'DRAFT' AND recurrence <> 'NONE'"),
        postgresql_where=sa.text("status = 'DRAFT' AND recurrence <> 'NONE'"),
    )
    op.create_table(
        "offer_postings",
        sa.Column("offer_draft_id", KEY, nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("offer_id", KEY, nullable=False),
        *_refers("offer_postings", offer_draft_id="offer_drafts", offer_id="offers"),
        sa.PrimaryKeyConstraint("offer_draft_id", "period", name="pk_offer_postings"),
    )
    op.create_index("ix_offer_postings_offer_id", "offer_postings", ["offer_id"])


def _tries(*kinds: str) -> None:
    """The counts of tries, made anew with other kinds: they matter for a day at most."""
    name = "application_tries"
    op.drop_table(name)
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    op.create_table(
        name,
        _id(),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        *_checks(name, kind_known=f"kind IN ({listed})", tried_at_all="tries > 0"),
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
        sa.UniqueConstraint("kind", "subject", name=f"uq_{name}_subject"),
    )
    op.create_index("ix_application_tries_since", name, ["since"])
