"""What becomes of an allocation at the door: its columns, batches of deliveries, and check-ins."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.schema import SchemaItem

from marketplace.domain.exchange.deliveries import Carrier
from marketplace.persistence.tables.columns import (
    BigKey,
    UtcDateTime,
    key,
    metadata,
    moment,
    one_of,
    to,
)

# served: in the need's unit; drawn: in the offer's. Nothing here says who the household is.
PAIRS = ("reserved", "sent", "received", "returned")
STEPS = ("accepted", "dispatched", "delivered", "confirmed", "disputed", "settled")


def handover_columns() -> tuple[SchemaItem, ...]:
    """Columns of `allocations`: what was reserved, sent, received, returned; by whom and when.

    units_served and units_drawn beside them are what counts now in the need's and the offer's
    counters. `lost_drawn` is what neither came to the household nor came back; it counts as given.
    """
    return (
        *(
            sa.Column(f"{step}_{side}", sa.BigInteger)
            for step in PAIRS
            for side in ("served", "drawn")
        ),
        sa.Column("lost_drawn", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("claimed_served", sa.BigInteger),  # what a dispute says was received
        sa.Column("carrier", sa.Text, nullable=False, server_default=Carrier.GRID),
        _added_key("delivery_id", "deliveries"),
        *(
            column
            for step in STEPS
            for column in (
                _added_key(f"{step}_by", "accounts"),
                sa.Column(f"{step}_at", UtcDateTime()),
            )
        ),
        sa.Column("confirmed_how", sa.Text),
        sa.Column("decline_reason", sa.Text),
        sa.Column("decline_note", sa.Text),
        sa.Column("cancel_note", sa.Text),
        sa.Column("dispute_reason", sa.Text),
        sa.Column("dispute_note", sa.Text),
        sa.Column("settle_note", sa.Text),
        sa.CheckConstraint("carrier IN ('GRID', 'PROVIDER')", name="carrier_known"),
        sa.CheckConstraint(
            "sent_served IS NULL OR (sent_served > 0 AND sent_drawn > 0 "
            "AND sent_served <= reserved_served AND sent_drawn <= reserved_drawn)",
            name="sent_of_reserved",
        ),
        sa.CheckConstraint(
            "returned_drawn IS NULL OR (received_served >= 0 AND received_drawn >= 0 "
            "AND returned_served >= 0 AND returned_drawn >= 0 AND lost_drawn >= 0 "
            "AND received_served + returned_served <= sent_served "
            "AND received_drawn + returned_drawn + lost_drawn <= sent_drawn)",
            name="received_of_sent",
        ),
        sa.CheckConstraint(
            "confirmed_by IS NULL OR delivered_by IS NULL OR confirmed_by <> delivered_by "
            "OR confirmed_how = 'CODE'",
            name="confirmed_by_another",
        ),
        sa.Index("ix_allocations_delivery_id", "delivery_id"),
        sa.Index(
            "ix_allocations_on_its_way",
            "delivery_id",
            sqlite_where=sa.text("status = 'DISPATCHED'"),
            postgresql_where=sa.text("status = 'DISPATCHED'"),
        ),
    )


def _added_key(name: str, target: str) -> sa.Column[int]:
    """A reference in a column that was added later: NO ACTION, which is all SQLite tells of it."""
    return sa.Column(name, BigKey, sa.ForeignKey(f"{target}.id"))


# A batch: what one organization sends into one township on one day, by one carrier.
deliveries = sa.Table(
    "deliveries",
    metadata,
    key(),
    to("organizations", "organization_id"),
    to("regions", "region_id"),  # township, or above where there is none
    sa.Column("carrier", sa.Text, nullable=False),
    sa.Column("planned_on", sa.Date, nullable=False),
    sa.Column("label", sa.Text, nullable=False, server_default=""),  # such as a van's number
    to("accounts", "created_by"),
    moment("created_at"),
    one_of("carrier", tuple(Carrier)),
    sa.UniqueConstraint(
        "organization_id",
        "region_id",
        "carrier",
        "planned_on",
        "label",
        name="uq_deliveries_one_batch",
    ),
    sa.Index("ix_deliveries_region_id_planned_on", "region_id", "planned_on"),
    sa.Index("ix_deliveries_created_at", "created_at"),
)

# Append-only: an attempt at a door that brought nothing is one, too.
check_ins = sa.Table(
    "check_ins",
    metadata,
    key(),
    to("allocations", "allocation_id"),
    to("accounts", "account_id"),
    moment("checked_in_at"),
    moment("recorded_at"),
    sa.Column("latitude", sa.Float, nullable=False),
    sa.Column("longitude", sa.Float, nullable=False),
    sa.Column("distance_m", sa.Integer),  # to the household; null: its place is not known
    sa.Column("is_far", sa.Boolean, nullable=False),
    sa.Column("evidence_reference", sa.Text),
    sa.Column("handed_over", sa.BigInteger, nullable=False),  # the need's unit
    sa.CheckConstraint("handed_over >= 0", name="handed_over_not_negative"),
    sa.CheckConstraint("distance_m IS NULL OR distance_m >= 0", name="distance_not_negative"),
    sa.CheckConstraint(
        "latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180", name="on_earth"
    ),
    sa.Index("ix_check_ins_allocation_id", "allocation_id"),
    sa.Index("ix_check_ins_checked_in_at", "checked_in_at"),
)
