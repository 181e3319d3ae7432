"""What becomes of an allocation at the door: columns of allocations, batches, check-ins.

Safe beside the running version: it only adds.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

# SQLite numbers a row by itself only where the key is spelled INTEGER.
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
PAIRS = ("reserved", "sent", "received", "returned")
STEPS = ("accepted", "dispatched", "delivered", "confirmed", "disputed", "settled")
NOTES = (
    *("confirmed_how", "decline_reason", "decline_note", "cancel_note"),
    *("dispute_reason", "dispute_note", "settle_note"),
)
CHECKS = {
    "ck_allocations_sent_of_reserved": "sent_served IS NULL OR (sent_served > 0 "
    "AND sent_drawn > 0 AND sent_served <= reserved_served AND sent_drawn <= reserved_drawn)",
    "ck_allocations_received_of_sent": "returned_drawn IS NULL OR (received_served >= 0 "
    "AND received_drawn >= 0 AND returned_served >= 0 AND returned_drawn >= 0 "
    "AND lost_drawn >= 0 AND received_served + returned_served <= sent_served "
    "AND received_drawn + returned_drawn + lost_drawn <= sent_drawn)",
    "ck_allocations_confirmed_by_another": "confirmed_by IS NULL OR delivered_by IS NULL "
    "OR confirmed_by <> delivered_by OR confirmed_how = 'CODE'",
}


def upgrade() -> None:
    _create_deliveries()
    for name, kind in _columns():
        op.execute(f"ALTER TABLE allocations ADD COLUMN {name} {kind}")
    op.create_index("ix_allocations_delivery_id", "allocations", ["delivery_id"])
    op.create_index(
        "ix_allocations_on_its_way",
        "allocations",
        ["delivery_id"],
        sqlite_where=sa.text("status = 'DISPATCHED'"),
        postgresql_where=sa.text("status = 'DISPATCHED'"),
    )
    _create_check_ins()


def downgrade() -> None:
    op.drop_table("check_ins")
    op.drop_index("ix_allocations_on_its_way", table_name="allocations")
    op.drop_index("ix_allocations_delivery_id", table_name="allocations")
    if op.get_bind().dialect.name == "postgresql":  # SQLite's go with their column
        for name in CHECKS:
            op.execute(f"ALTER TABLE allocations DROP CONSTRAINT {name}")
    for name, _ in reversed(_columns()):
        op.execute(f"ALTER TABLE allocations DROP COLUMN {name}")
    op.drop_table("deliveries")


def _columns() -> list[tuple[str, str]]:
    """Names and kinds, spelled out; the last one bears the checks over several of them."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    key, when = ("INTEGER", "DATETIME") if sqlite else ("BIGINT", "TIMESTAMP WITH TIME ZONE")
    found = [(f"{step}_{side}", "BIGINT") for step in PAIRS for side in ("served", "drawn")]
    found.append(("lost_drawn", "BIGINT DEFAULT '0' NOT NULL"))
    found.append(("claimed_served", "BIGINT"))
    found.append(
        (
            "carrier",
            "TEXT DEFAULT 'GRID' NOT NULL CONSTRAINT ck_allocations_carrier_known "
            "CHECK (carrier IN ('GRID', 'PROVIDER'))",
        )
    )
    found.append(("delivery_id", f"{key} {_refers('delivery_id', 'deliveries')}"))
    for step in STEPS:
        by = f"{step}_by"
        found += [(by, f"{key} {_refers(by, 'accounts')}"), (f"{step}_at", when)]
    checks = " ".join(f"CONSTRAINT {name} CHECK ({said})" for name, said in CHECKS.items())
    found += [(name, "TEXT") for name in NOTES[:-1]]
    return [*found, (NOTES[-1], f"TEXT {checks}")]


def _refers(column: str, table: str) -> str:
    return f"CONSTRAINT fk_allocations_{column} REFERENCES {table} (id)"


def _to(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{target}.id"], name=f"fk_{table}_{column}", ondelete="RESTRICT"
    )


def _create_deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("organization_id", KEY, nullable=False),
        sa.Column("region_id", KEY, nullable=False),
        sa.Column("carrier", sa.Text(), nullable=False),
        sa.Column("planned_on", sa.Date(), nullable=False),
        sa.Column("label", sa.Text(), server_default="", nullable=False),
        sa.Column("created_by", KEY, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint("carrier IN ('GRID', 'PROVIDER')", name="ck_deliveries_carrier_known"),
        _to("deliveries", "organization_id", "organizations"),
        _to("deliveries", "region_id", "regions"),
        _to("deliveries", "created_by", "accounts"),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.UniqueConstraint(
            *("organization_id", "region_id", "carrier", "planned_on", "label"),
            name="uq_deliveries_one_batch",
        ),
    )
    op.create_index("ix_deliveries_region_id_planned_on", "deliveries", ["region_id", "planned_on"])
    op.create_index("ix_deliveries_created_at", "deliveries", ["created_at"])


def _create_check_ins() -> None:
    op.create_table(
        "check_ins",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("allocation_id", KEY, nullable=False),
        sa.Column("account_id", KEY, nullable=False),
        sa.Column("checked_in_at", MOMENT, nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("latitude", sa.Float(), nullable=False),
        sa.Column("longitude", sa.Float(), nullable=False),
        sa.Column("distance_m", sa.Integer(), nullable=True),
        sa.Column("is_far", sa.Boolean(), nullable=False),
        sa.Column("evidence_reference", sa.Text(), nullable=True),
        sa.Column("handed_over", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("handed_over >= 0", name="ck_check_ins_handed_over_not_negative"),
        sa.CheckConstraint(
            "distance_m IS NULL OR distance_m >= 0", name="ck_check_ins_distance_not_negative"
        ),
        sa.CheckConstraint(
            "latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180",
            name="ck_check_ins_on_earth",
        ),
        _to("check_ins", "allocation_id", "allocations"),
        _to("check_ins", "account_id", "accounts"),
        sa.PrimaryKeyConstraint("id", name="pk_check_ins"),
    )
    op.create_index("ix_check_ins_allocation_id", "check_ins", ["allocation_id"])
    op.create_index("ix_check_ins_checked_in_at", "check_ins", ["checked_in_at"])
