"""How a migration reaches the database: by its own engine, with SQLite's foreign keys off."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context

connection: sa.Connection | None = context.config.attributes.get("connection")
if connection is None:
    raise RuntimeError(
        "Run migrations with 'aidloop migrate': it chooses and guards the connection."
    )

context.configure(
    connection=connection,
    target_metadata=context.config.attributes.get("metadata"),
    render_as_batch=connection.dialect.name == "sqlite",
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
