"""Codes, messages, notices and webhooks.

Safe beside the running version: it only adds.
"""

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
