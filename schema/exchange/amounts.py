"""Amounts in the graph: a number with its unit, which the category knows."""

from __future__ import annotations

import sqlalchemy as sa

from marketplace.persistence.tables.exchange import needs, offers
from marketplace.persistence.tables.registry import categories
from schema.readgraph.declare import Columns
from schema.scalars import BigInt, Quantity


def in_units(value: int, unit: str | None) -> Quantity:
    """Whole units as the graph says them."""
    return Quantity(value=BigInt(value), unit=unit or "unit")


def unit_of_category(row: Columns) -> sa.ColumnElement[str]:
    """The unit of a row's category."""
    category = categories.alias()
    found = sa.select(category.c.unit).where(category.c.id == row["category_id"])
    return found.scalar_subquery()


def unit_of_offer(row: Columns) -> sa.ColumnElement[str]:
    """The unit that an offer is counted in: fen for cash, whatever its purpose."""
    return sa.case((row["kind"] == "CASH", "fen"), else_=unit_of_category(row))


def unit_served(row: Columns) -> sa.ColumnElement[str]:
    """The unit of the need of an allocation or plan line."""
    need, category = needs.alias(), categories.alias()
    joined = need.join(category, need.c.category_id == category.c.id)
    found = sa.select(category.c.unit).select_from(joined).where(need.c.id == row["need_id"])
    return found.scalar_subquery()


def unit_drawn(row: Columns) -> sa.ColumnElement[str]:
    """The unit of the offer of an allocation or plan line."""
    offer, category = offers.alias(), categories.alias()
    joined = offer.join(category, offer.c.category_id == category.c.id)
    unit = sa.case((offer.c.kind == "CASH", "fen"), else_=category.c.unit)
    found = sa.select(unit).select_from(joined).where(offer.c.id == row["offer_id"])
    return found.scalar_subquery()
