"""Campaigns and donations; photos of offers, and their approval.

Safe beside the running version: it only adds. An offer of nothing may be there from now on, as a
campaign's whose donations were all given back; going back removes those.
"""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
# As it was named when it was made: twice over.
CONSTRAINT = "CONSTRAINT ck_offers_ck_offers_offers_something"
SOMETHING = "CHECK (quantity > 0)"
SOMETHING_OR_RAISED = "CHECK (quantity > 0 OR campaign_id IS NOT NULL)"
NEW = (
    "donation_outcomes",
    "donation_uses",
    "donation_matches",
    "matching_funds",
    "donations",
    "receipt_counters",
)


def upgrade() -> None:
    _campaigns()
    _offers()
    _donations()
    _matching()
    _traces()


def downgrade() -> None:
    for table in NEW:
        op.drop_table(table)
    op.execute(
        "DELETE FROM offer_regions WHERE offer_id IN (SELECT id FROM offers WHERE quantity = 0)"
    )
    op.execute("DELETE FROM offers WHERE quantity = 0")
    op.drop_index("uq_offers_campaign_id_cash", table_name="offers")
    op.drop_index("ix_offers_campaign_id", table_name="offers")
    _something(SOMETHING_OR_RAISED, SOMETHING)
    for column in ("approved_at", "approved_by", "moderation", "photos", "campaign_id"):
        op.execute(f"ALTER TABLE offers DROP COLUMN {column}")
    op.drop_table("campaigns")


def _to(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{target}.id"], name=f"fk_{table}_{column}", ondelete="RESTRICT"
    )


def _id() -> sa.Column[int]:
    return sa.Column("id", KEY, sa.Identity(always=False), nullable=False)


def _money(name: str, default: str | None = None) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), server_default=default, nullable=False)


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


def _campaigns() -> None:
    op.create_table(
        "campaigns",
        _id(),
        *_keys("organization_id", "category_id"),
        sa.Column("status", sa.Text(), server_default="DRAFT", nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("filing_number", sa.Text(), nullable=True),
        sa.Column("filed_on", sa.Date(), nullable=True),
        *_moments("starts_at", "ends_at"),
        _money("target_fen"),
        _money("target_groups", "0"),
        sa.Column("household_max_fen", sa.BigInteger(), nullable=True),
        sa.Column("remainder_rule", sa.Text(), server_default="SPEND_ON", nullable=False),
        _money("donated_fen", "0"),
        _money("matched_fen", "0"),
        _money("goods_fen", "0"),
        sa.Column("created_by", KEY, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        *_moments("opened_at", "closed_at", nullable=True),
        _version(),
        *_checks(
            "campaigns",
            status_known="status IN ('DRAFT', 'OPEN', 'CLOSED')",
            remainder_rule_known="remainder_rule IN ('SPEND_ON', 'HOLD')",
            period_in_order="starts_at < ends_at",
            amounts_above_zero="target_fen > 0 AND household_max_fen > 0",
            balance_not_negative="donated_fen >= 0 AND matched_fen >= 0 AND goods_fen >= 0",
        ),
        *_refers(
            "campaigns",
            organization_id="organizations",
            category_id="categories",
            created_by="accounts",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_campaigns"),
        sa.UniqueConstraint("filing_number", name="uq_campaigns_filing_number"),
    )
    op.create_index("ix_campaigns_organization_id", "campaigns", ["organization_id"])
    op.create_index("ix_campaigns_category_id", "campaigns", ["category_id"])
    op.create_index("ix_campaigns_status_created_at", "campaigns", ["status", "created_at"])


def _offers() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    key, when = ("INTEGER", "DATETIME") if sqlite else ("BIGINT", "TIMESTAMP WITH TIME ZONE")
    for column in (
        f"campaign_id {key} CONSTRAINT fk_offers_campaign_id REFERENCES campaigns (id)",
        "photos JSON",
        "moderation JSON",
        f"approved_by {key} CONSTRAINT fk_offers_approved_by REFERENCES accounts (id)",
        f"approved_at {when}",
    ):
        op.execute(f"ALTER TABLE offers ADD COLUMN {column}")
    _something(SOMETHING, SOMETHING_OR_RAISED)
    op.create_index("ix_offers_campaign_id", "offers", ["campaign_id"])
    op.create_index(
        "uq_offers_campaign_id_cash",
        "offers",
        ["campaign_id"],
        unique=True,
        sqlite_where=sa.text("kind = 'CASH'"),
        postgresql_where=sa.text("kind = 'CASH'"),
    )


def _something(before: str, after: str) -> None:
    """Another check of the quantity.

    SQLite cannot change one: the table is made anew from its own text, in which nothing else
    differs, so that columns and checks of every migration before are kept.
    """
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        op.execute(f"ALTER TABLE offers DROP {CONSTRAINT}")
        op.execute(f"ALTER TABLE offers ADD {CONSTRAINT} {after}")
        return
    kept = connection.execute(
        sa.text("SELECT type, sql FROM sqlite_master WHERE tbl_name = 'offers' AND sql IS NOT NULL")
    ).all()
    (table,) = (sql for kind, sql in kept if kind == "table")
    made = table.replace(f"{CONSTRAINT} {before}", f"{CONSTRAINT} {after}")
    assert made != table, "the check is not there as it was made"
    head, body = made.split("(", 1)
    assert "offers" in head
    columns = ", ".join(c["name"] for c in sa.inspect(connection).get_columns("offers"))
    op.execute(f"CREATE TABLE offers_made_anew ({body}")
    copied = f"INSERT INTO offers_made_anew ({columns}) SELECT {columns} FROM offers"  # noqa: S608
    op.execute(copied)
    op.execute("DROP TABLE offers")
    op.execute("ALTER TABLE offers_made_anew RENAME TO offers")
    for kind, sql in kept:
        if kind == "index":
            op.execute(sql)


def _donations() -> None:
    op.create_table(
        "receipt_counters",
        sa.Column("organization_id", KEY, nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        _to("receipt_counters", "organization_id", "organizations"),
        sa.PrimaryKeyConstraint("organization_id", "year", name="pk_receipt_counters"),
    )
    op.create_table(
        "donations",
        _id(),
        sa.Column("organization_id", KEY, nullable=False),
        *_keys("campaign_id", "offer_id", "category_id", nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="RECEIVED", nullable=False),
        _money("amount_fen"),
        _money("units"),
        _money("matched_fen", "0"),
        _money("used", "0"),
        sa.Column("is_anonymous", sa.Boolean(), nullable=False),
        sa.Column("seal_id", sa.Text(), nullable=False),
        *_texts("donor_name_sealed", "donor_contact_sealed", "payment_reference", nullable=True),
        sa.Column("receipt_year", sa.Integer(), nullable=False),
        sa.Column("receipt_number", sa.Integer(), nullable=False),
        sa.Column("trace_digest", sa.Text(), nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("recorded_by", KEY, nullable=True),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("refunded_by", KEY, nullable=True),
        sa.Column("refunded_at", MOMENT, nullable=True),
        sa.Column("refund_reason", sa.Text(), nullable=True),
        _version(),
        *_checks(
            "donations",
            kind_known="kind IN ('CASH', 'GOODS')",
            status_known="status IN ('RECEIVED', 'REFUNDED')",
            amounts_above_zero="amount_fen > 0 AND units > 0 AND matched_fen >= 0 AND receipt_number > 0",
            cash_is_counted_in_fen="kind <> 'CASH' OR units = amount_fen",
            used_of_given="used >= 0 AND used <= units + matched_fen",
            refunded_while_unspent="status <> 'REFUNDED' OR used = 0",
            anonymous_unnamed="NOT is_anonymous OR donor_name_sealed IS NULL",
        ),
        *_refers(
            "donations",
            organization_id="organizations",
            campaign_id="campaigns",
            offer_id="offers",
            category_id="categories",
            recorded_by="accounts",
            refunded_by="accounts",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_donations"),
        sa.UniqueConstraint("seal_id", name="uq_donations_seal_id"),
        sa.UniqueConstraint(
            "organization_id", "receipt_year", "receipt_number", name="uq_donations_receipt"
        ),
    )
    op.create_index("ix_donations_campaign_id", "donations", ["campaign_id"])
    op.create_index("ix_donations_offer_id", "donations", ["offer_id"])
    op.create_index("ix_donations_category_id", "donations", ["category_id"])
    op.create_index("ix_donations_received_at", "donations", ["received_at"])


def _matching() -> None:
    op.create_table(
        "matching_funds",
        _id(),
        sa.Column("campaign_id", KEY, nullable=False),
        sa.Column("organization_id", KEY, nullable=True),
        sa.Column("funder_name", sa.Text(), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        _money("cap_fen"),
        _money("matched_fen", "0"),
        *_moments("starts_at", "ends_at"),
        sa.Column("created_by", KEY, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        *_checks(
            "matching_funds",
            gives_something="percent > 0 AND cap_fen > 0",
            within_the_cap="matched_fen >= 0 AND matched_fen <= cap_fen",
            period_in_order="starts_at < ends_at",
        ),
        *_refers(
            "matching_funds",
            campaign_id="campaigns",
            organization_id="organizations",
            created_by="accounts",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_matching_funds"),
    )
    op.create_index("ix_matching_funds_campaign_id", "matching_funds", ["campaign_id"])
    op.create_table(
        "donation_matches",
        *_keys("donation_id", "matching_fund_id"),
        _money("fen"),
        *_checks(
            "donation_matches",
            matches_something="fen > 0",
        ),
        *_refers("donation_matches", donation_id="donations", matching_fund_id="matching_funds"),
        sa.PrimaryKeyConstraint("donation_id", "matching_fund_id", name="pk_donation_matches"),
    )


def _traces() -> None:
    op.create_table(
        "donation_uses",
        *_keys("donation_id", "allocation_id"),
        _money("units"),
        *_checks(
            "donation_uses",
            uses_something="units > 0",
        ),
        *_refers("donation_uses", donation_id="donations", allocation_id="allocations"),
        sa.PrimaryKeyConstraint("donation_id", "allocation_id", name="pk_donation_uses"),
    )
    op.create_index("ix_donation_uses_allocation_id", "donation_uses", ["allocation_id"])
    op.create_table(
        "donation_outcomes",
        _id(),
        sa.Column("donation_id", KEY, nullable=False),
        *_keys("category_id", "region_id", nullable=True),
        sa.Column("month", sa.Text(), nullable=True),
        _money("units"),
        sa.Column("percent_confirmed", sa.Integer(), nullable=False),
        sa.Column("households", sa.Integer(), nullable=True),
        *_checks(
            "donation_outcomes",
            came_to_something="units > 0",
            tells_of_no_few="households >= 5",
            percent="percent_confirmed BETWEEN 0 AND 100",
        ),
        *_refers(
            "donation_outcomes",
            donation_id="donations",
            category_id="categories",
            region_id="regions",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_donation_outcomes"),
    )
    op.create_index("ix_donation_outcomes_donation_id", "donation_outcomes", ["donation_id"])
