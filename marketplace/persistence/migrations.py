"""Bringing a database to the tables of this version, and telling whether it is there."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import migrations
from marketplace.persistence.tables import metadata

LOCK = 0x41494C50  # any number, the same in every process that migrates


class MigrationFailed(Exception):
    """The database was left as it was; the message says what stood in the way."""


def _config(connection: sa.Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.attributes["connection"] = connection
    config.attributes["metadata"] = metadata
    return config


def _engine(url: sa.URL) -> sa.Engine:
    if url.get_backend_name() == "sqlite":
        if url.database:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        return sa.create_engine(url.set(drivername="sqlite"))
    return sa.create_engine(url, connect_args={"options": "-c lock_timeout=10s"})


def url_of(url: str) -> sa.URL:
    """A database URL as migrations take it."""
    return sa.make_url(url)


def head() -> str:
    """The revision that this version of the code needs."""
    found = ScriptDirectory.from_config(_config()).get_current_head()
    assert found is not None, "the package ships its migrations"
    return found


def current(url: sa.URL) -> str | None:
    """The revision that a database is at; None if it was never migrated."""
    engine = _engine(url)
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()


def migrate(url: sa.URL, revision: str = "head") -> None:
    """Upgrade (or downgrade, given an older revision) in one transaction; two at once take turns.

    Raises MigrationFailed if SQLite's foreign keys do not hold afterwards; nothing is kept then.
    """
    engine = _engine(url)
    try:
        if engine.dialect.name == "sqlite":
            _prepare_sqlite(engine)
        with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
            _run(_config(connection), connection, revision)
            if engine.dialect.name == "sqlite":
                broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
                if broken is not None:
                    raise MigrationFailed(f"After migrating, rows of {broken[0]} point nowhere.")
    finally:
        engine.dispose()


def differences(url: sa.URL) -> list[str]:
    """How the database's tables differ from the code's; empty if they are the same."""
    engine = _engine(url)
    try:
        with engine.connect() as connection:
            return [
                str(d) for d in compare_metadata(MigrationContext.configure(connection), metadata)
            ]
    finally:
        engine.dispose()


def _run(config: Config, connection: sa.Connection, revision: str) -> None:
    script = ScriptDirectory.from_config(config)
    at = MigrationContext.configure(connection).get_current_revision()
    older = {r.revision for r in script.iterate_revisions(at, "base")} if at else set()
    if revision == "base" or (revision != at and revision in older):
        command.downgrade(config, revision)
    else:
        command.upgrade(config, revision)


def _prepare_sqlite(engine: sa.Engine) -> None:
    """Foreign keys off (a batch rebuild would fire cascades), and BEGIN IMMEDIATE of our own."""

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: sa.engine.interfaces.DBAPIConnection, _: object) -> None:
        connection.isolation_level = None
        for pragma in ("busy_timeout=60000", "foreign_keys=OFF", "journal_mode=WAL"):
            cursor = connection.cursor()
            cursor.execute(f"PRAGMA {pragma}")
            cursor.close()

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
