"""Simulations: a plan with another one as its base, what is changed in it, and the comparison.

Safe beside the running version: it only adds.
"""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    key = "INTEGER" if op.get_bind().dialect.name == "sqlite" else "BIGINT"
    for column in (
        f"base_plan_id {key} CONSTRAINT fk_plans_base_plan_id REFERENCES plans (id) "
        "CONSTRAINT ck_plans_simulations_stay_unapproved "
        "CHECK (kind <> 'SIMULATION' OR status <> 'APPROVED')",
        "changes JSON",
        "comparison JSON",
    ):
        op.execute(f"ALTER TABLE plans ADD COLUMN {column}")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # SQLite's goes with its column
        op.execute("ALTER TABLE plans DROP CONSTRAINT ck_plans_simulations_stay_unapproved")
    for column in ("comparison", "changes", "base_plan_id"):
        op.execute(f"ALTER TABLE plans DROP COLUMN {column}")
