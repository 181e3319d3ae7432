"""What each plan was made from, frozen: the market it read, and what it says of each need.

Safe beside the running version: it only adds.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "plan_records",
        sa.Column("plan_id", KEY, nullable=False),
        sa.Column("market", sa.LargeBinary(), nullable=True),
        sa.Column("explained", sa.LargeBinary(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["plans.id"], name="fk_plan_records_plan_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("plan_id", name="pk_plan_records"),
    )
    op.create_index(
        "ix_plan_records_recorded_at",
        "plan_records",
        ["recorded_at"],
        sqlite_where=sa.text("market IS NOT NULL"),
        postgresql_where=sa.text("market IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_table("plan_records")
