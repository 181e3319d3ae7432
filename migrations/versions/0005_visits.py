"""Services: needs are visits of so many minutes, offers are minutes within a period.

Not safe beside the running version, which reads quantities of services otherwise: stop it first.
What is there is kept: a visit that was offered becomes sixty minutes; a need that was counted in
minutes becomes visits whose minutes divide all that was planned, set aside or covered of it; a
service that was offered without an end gets one in a year. Only what government aid covers in
minutes is rounded to whole visits of an hour. Markets that plans were made from are let go of.
"""

from datetime import UTC, datetime, timedelta
from math import gcd

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

HOUR = 60
DAY_MINUTES = 1_440
YEAR = timedelta(days=365)
USUAL_MINUTES = (60, 120, 90, 45, 30)

KEY = sa.BigInteger()
MOMENT = sa.DateTime(timezone=True)


def _table(name: str, *numbers: str) -> sa.TableClause:
    return sa.table(name, *(sa.column(number, KEY) for number in ("id", *numbers)))


needs = _table(
    "needs",
    *("category_id", "quantity_asked", "quantity_by_government", "quantity", "covered"),
    *("quantity_min", "visit_minutes"),
)
categories = sa.table(
    "categories",
    sa.column("id", KEY),
    sa.column("kind", sa.Text),
    sa.column("unit", sa.Text),
    sa.column("reference_price_fen", KEY),
)
offers = sa.table(
    "offers",
    *(sa.column(name, KEY) for name in ("id", "category_id", "quantity", "reserved", "delivered")),
    *(sa.column(name, KEY) for name in ("pack_size", "household_max", "delivery_min")),
    sa.column("kind", sa.Text),
    sa.column("starts_at", MOMENT),
    sa.column("expires_at", MOMENT),
)
published_needs = _table("published_needs", "need_id", "quantity", "visit_minutes")
plan_lines = _table("plan_lines", "need_id", "offer_id", "units_served", "units_drawn")
allocations = _table("allocations", "need_id", "offer_id", "units_served", "units_drawn")
government_aids = _table("government_aids", "covers_category_id", "covers_quantity")
plan_records = sa.table("plan_records", sa.column("market", sa.LargeBinary))

SERVICES = sa.select(categories.c.id).where(categories.c.kind == "SERVICE")
IN_MINUTES = SERVICES.where(categories.c.unit == "minute")


def upgrade() -> None:
    connection = op.get_bind()
    _add(
        "needs",
        "visit_minutes INTEGER CONSTRAINT ck_needs_visit_within_a_day "
        "CHECK (visit_minutes BETWEEN 1 AND 1440)",
        "every_days INTEGER CONSTRAINT ck_needs_recurs_in_visits CHECK (every_days IS NULL OR "
        "(every_days BETWEEN 1 AND 366 AND visit_minutes IS NOT NULL))",
    )
    _add("published_needs", "visit_minutes INTEGER", "every_days INTEGER")
    _add("plan_lines", "visit_days JSON")
    _add("allocations", "visit_days JSON")
    _offers_in_minutes(connection)
    _add(
        "offers",
        "visits_per_day INTEGER CONSTRAINT ck_offers_visits_of_services CHECK "
        "(visits_per_day IS NULL OR (visits_per_day > 0 AND kind = 'SERVICE')) "
        "CONSTRAINT ck_offers_services_within_a_period CHECK "
        "(kind <> 'SERVICE' OR (expires_at IS NOT NULL AND pack_size = 1))",
    )
    _needs_in_visits(connection)
    _categories_in_visits(connection)
    connection.execute(sa.update(plan_records).values(market=None))


def downgrade() -> None:
    """The columns go; quantities of services stay minutes, which the version before reads amiss."""
    if op.get_bind().dialect.name == "postgresql":  # SQLite's goes with its column
        op.execute("ALTER TABLE offers DROP CONSTRAINT ck_offers_services_within_a_period")
    for table, column in (
        ("offers", "visits_per_day"),
        ("allocations", "visit_days"),
        ("plan_lines", "visit_days"),
        ("published_needs", "every_days"),
        ("published_needs", "visit_minutes"),
        ("needs", "every_days"),
        ("needs", "visit_minutes"),
    ):
        op.execute(f"ALTER TABLE {table} DROP COLUMN {column}")


def _add(table: str, *columns: str) -> None:
    """Columns with their checks: both databases test them on the rows that are there.

    Spelled out, since a rebuild of the table (as SQLite needs for a check of its own) would lose
    the checks that it has.
    """
    for column in columns:
        op.execute(f"ALTER TABLE {table} ADD COLUMN {column}")


def _offers_in_minutes(connection: sa.Connection) -> None:
    service = offers.c.kind == "SERVICE"
    times = sa.case((offers.c.category_id.in_(IN_MINUTES), 1), else_=HOUR)
    for table in (plan_lines, allocations):
        of_visits = sa.select(offers.c.id).where(service, offers.c.category_id.not_in(IN_MINUTES))
        connection.execute(
            sa.update(table)
            .where(table.c.offer_id.in_(of_visits))
            .values(units_drawn=table.c.units_drawn * HOUR)
        )
    lot = sa.case(
        (offers.c.pack_size > offers.c.delivery_min, offers.c.pack_size),
        else_=offers.c.delivery_min,
    )
    connection.execute(
        sa.update(offers)
        .where(service)
        .values(
            quantity=offers.c.quantity * times,
            reserved=offers.c.reserved * times,
            delivered=offers.c.delivered * times,
            household_max=offers.c.household_max * times,
            delivery_min=sa.case((lot > 1, lot * times), else_=1),
            pack_size=1,
        )
    )
    now = datetime.now(UTC)
    if connection.dialect.name == "sqlite":  # which forgets zones
        now = now.replace(tzinfo=None)
    endless = sa.select(offers.c.id, offers.c.starts_at).where(
        service, offers.c.expires_at.is_(None)
    )
    for row in connection.execute(endless).all():
        connection.execute(
            sa.update(offers)
            .where(offers.c.id == row.id)
            .values(expires_at=max(row.starts_at, now) + YEAR)
        )


def _needs_in_visits(connection: sa.Connection) -> None:
    in_minutes = sa.select(needs).where(needs.c.category_id.in_(IN_MINUTES))
    for need in connection.execute(in_minutes).all():
        _one_in_visits(connection, need)
    connection.execute(
        sa.update(needs)
        .where(needs.c.category_id.in_(SERVICES), needs.c.visit_minutes.is_(None))
        .values(visit_minutes=HOUR)
    )
    minutes = sa.select(needs.c.visit_minutes).where(needs.c.id == published_needs.c.need_id)
    connection.execute(sa.update(published_needs).values(visit_minutes=minutes.scalar_subquery()))


def _one_in_visits(connection: sa.Connection, need: sa.Row[tuple[object, ...]]) -> None:
    """Everything of a need that was counted in minutes, divided by what one visit takes."""
    counted = [
        (table, column)
        for table, column in (
            (plan_lines, plan_lines.c.units_served),
            (allocations, allocations.c.units_served),
            (published_needs, published_needs.c.quantity),
        )
    ]
    units = [need.quantity_asked, need.quantity_by_government, need.quantity, need.covered]
    units += [need.quantity_min] if need.quantity_min > 1 else []
    for table, column in counted:
        units += connection.execute(sa.select(column).where(table.c.need_id == need.id)).scalars()
    minutes = _minutes_of_a_visit(gcd(*units))
    for table, column in counted:
        connection.execute(
            sa.update(table)
            .where(table.c.need_id == need.id)
            .values({column.name: column // minutes})
        )
    names = ("quantity_asked", "quantity_by_government", "quantity", "covered")
    values = {name: getattr(need, name) // minutes for name in names}
    least = need.quantity_min // minutes if need.quantity_min > 1 else 1
    connection.execute(
        sa.update(needs)
        .where(needs.c.id == need.id)
        .values(**values, quantity_min=least, visit_minutes=minutes)
    )


def _minutes_of_a_visit(whole: int) -> int:
    """A usual length that divides the minutes, else the longest within a day that does."""
    for minutes in (*USUAL_MINUTES, *range(DAY_MINUTES, 0, -1)):
        if whole % minutes == 0:
            return minutes
    raise AssertionError("one divides every number")


def _categories_in_visits(connection: sa.Connection) -> None:
    covered = government_aids.c.covers_quantity
    connection.execute(
        sa.update(government_aids)
        .where(government_aids.c.covers_category_id.in_(IN_MINUTES), covered > 0)
        .values(covers_quantity=sa.case((covered < HOUR, 1), else_=(covered + HOUR // 2) // HOUR))
    )
    connection.execute(
        sa.update(categories)
        .where(categories.c.id.in_(IN_MINUTES))
        .values(reference_price_fen=categories.c.reference_price_fen * HOUR, unit="visit")
    )
    connection.execute(
        sa.update(categories)
        .where(categories.c.kind == "SERVICE", categories.c.unit.is_not(None))
        .values(unit="visit")
    )
