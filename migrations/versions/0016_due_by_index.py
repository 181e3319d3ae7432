"""What chores look for every minute, by index; which overrides ran out, and what donations covered.

Safe beside the running version: it only adds, and the running version looks at none of it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

COUNTS = "CASE WHEN status IN ('DECLINED', 'CANCELLED') THEN 0 ELSE units_drawn END"
USED = (
    "(SELECT COALESCE(SUM(donation_uses.units), 0) FROM donation_uses "
    "WHERE donation_uses.allocation_id = allocations.id)"
)
GIVEN = (
    "offer_id IN (SELECT offer_id FROM donations WHERE offer_id IS NOT NULL "
    "UNION SELECT id FROM offers WHERE campaign_id IS NOT NULL)"
)
BROUGHT_UP = f"CASE WHEN {GIVEN} THEN {USED} ELSE {COUNTS} END"
# name: (table, columns, of which rows)
INDEXES = {
    "ix_assessments_running_out": (
        "assessments",
        ["valid_until"],
        "lapsed_at IS NULL AND valid_until IS NOT NULL",
    ),
    "ix_assessment_overrides_running_out": (
        "assessment_overrides",
        ["status", "valid_until"],
        "lapsed_at IS NULL AND valid_until IS NOT NULL",
    ),
    "ix_government_aids_not_counted": ("government_aids", ["starts_on"], "counted_at IS NULL"),
    "ix_needs_given_twice": (
        "needs",
        ["status", "household_id"],
        "overlap > 0 AND covered < quantity",
    ),
    "ix_consents_expires_at": (
        "consents",
        ["expires_at"],
        "status = 'GIVEN' AND expires_at IS NOT NULL",
    ),
    "ix_allocations_unattributed": ("allocations", ["offer_id"], f"attributed <> {COUNTS}"),
}


def upgrade() -> None:
    when = "DATETIME" if op.get_bind().dialect.name == "sqlite" else "TIMESTAMP WITH TIME ZONE"
    op.execute(f"ALTER TABLE assessment_overrides ADD COLUMN lapsed_at {when}")
    op.execute(
        "UPDATE assessment_overrides SET lapsed_at = (SELECT lapsed_at FROM assessments "
        "WHERE assessments.id = assessment_overrides.assessment_id) WHERE status = 'APPROVED'"
    )
    op.execute("ALTER TABLE allocations ADD COLUMN attributed BIGINT DEFAULT 0 NOT NULL")
    op.execute(f"UPDATE allocations SET attributed = {BROUGHT_UP}")  # noqa: S608
    for name, (table, columns, rows) in INDEXES.items():
        op.create_index(
            name,
            table,
            columns,
            sqlite_where=sa.text(rows),
            postgresql_where=sa.text(rows),
        )


def downgrade() -> None:
    for name, (table, _columns, _rows) in INDEXES.items():
        op.drop_index(name, table_name=table)
    op.execute("ALTER TABLE allocations DROP COLUMN attributed")
    op.execute("ALTER TABLE assessment_overrides DROP COLUMN lapsed_at")
