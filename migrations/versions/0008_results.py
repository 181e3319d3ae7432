"""What came of deliveries, told and acknowledged.

Safe beside the running version: it only adds.
"""

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
