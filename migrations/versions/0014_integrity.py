"""Cases of integrity with restrictions, and visits.

Safe beside the running version: it only adds.
"""

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
