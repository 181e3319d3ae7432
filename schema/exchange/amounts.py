"""Amounts in the graph: a number with its unit, which the category knows."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from marketplace.persistence.tables.exchange import needs, offers
from marketplace.persistence.tables.registry import categories
from schema.readgraph.declare import Columns
from schema.scalars import BigInt, Quantity


def in_units(value: int, unit: str | None) -> Quantity:
    """Whole units as the graph says them."""
    return Quantity(value=BigInt(value), unit=unit or "unit")


def days_of(days: list[str] | None) -> list[date] | None:
    """Days as they are kept, as the graph says them."""
    return None if days is None else [date.fromisoformat(day) for day in days]


def unit_of_category(row: Columns) -> sa.ColumnElement[str]:
    """The unit of a row's category."""
    category = categories.alias()
    found = sa.select(category.c.unit).where(category.c.id == row["category_id"])
    return found.scalar_subquery()


def unit_of_offer(row: Columns) -> sa.ColumnElement[str]:
    """The unit that an offer is counted in: fen for cash, whatever its purpose, minutes of time."""
    return sa.case(
        (row["kind"] == "CASH", "fen"),
        (row["kind"] == "SERVICE", "minute"),
        else_=unit_of_category(row),
    )


def unit_served(row: Columns) -> sa.ColumnElement[str]:
    """The unit of the need of an allocation or plan line."""
    # One look-up inside the other, not a join: PostgreSQL would build a hash table for every row.
    need = needs.alias()
    found = sa.select(unit_of_category(need.c)).where(need.c.id == row["need_id"])
    return found.scalar_subquery()


def unit_drawn(row: Columns) -> sa.ColumnElement[str]:
    """The unit of the offer of an allocation or plan line."""
    offer = offers.alias()
    found = sa.select(unit_of_offer(offer.c)).where(offer.c.id == row["offer_id"])
    return found.scalar_subquery()
