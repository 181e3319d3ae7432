"""Households that are found, and what becomes of them.

Safe beside the running version: it only adds.
"""

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
