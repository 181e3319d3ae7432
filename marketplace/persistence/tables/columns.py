"""What all tables share: metadata with named constraints, keys, and times that know their zone."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers a row by itself only where the key's type is spelled INTEGER.
BigKey = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """Aware times in, aware UTC times out; SQLite forgets zones, so they are put back here."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"A time needs its zone: {value!r}")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def key() -> sa.Column[int]:
    """The row's key, made by the database; outside only its opaque id is seen."""
    return sa.Column("id", BigKey, sa.Identity(), primary_key=True)


def to(target: str, name: str, *, nullable: bool = False) -> sa.Column[int]:
    """A reference to another table's row; RESTRICT, since nothing here is ever deleted silently."""
    return sa.Column(
        name,
        BigKey,
        sa.ForeignKey(f"{target}.id", ondelete="RESTRICT"),
        nullable=nullable,
    )


def moment(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, UtcDateTime(), nullable=nullable)


def index_where(name: str, *columns: str, where: str) -> sa.Index:
    """An index of some rows only; it serves only what is asked for in the words of `where`."""
    return sa.Index(name, *columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def one_of(column: str, values: tuple[str, ...]) -> sa.CheckConstraint:
    """The database knows the words of a status, too."""
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")
