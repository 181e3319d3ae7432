"""What becomes of an allocation at the door.

Safe beside the running version: it only adds.
"""

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
