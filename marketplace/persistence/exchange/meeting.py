"""Which offers could serve which published needs, by what everyone may know of both.

A plan measures to the household and knows its groups as they are; here a need stands where its
township does. So nothing about a household can be found out by asking with ever other terms.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

import sqlalchemy as sa

from marketplace.domain.exchange.offers import OfferStatus, OfferTerms
from marketplace.domain.registry.organizations import OrganizationStatus
from marketplace.persistence.database import Reading
from marketplace.persistence.tables import (
    categories,
    offer_regions,
    organizations,
    published_needs,
    regions,
)
from marketplace.persistence.tables.columns import UtcDateTime

EARTH_RADIUS_KM = 6_371.0088

Condition = sa.ColumnElement[bool]
Expression = sa.ColumnElement[Any]


class Columns(Protocol):
    """The columns of one row of a statement."""

    def __getitem__(self, name: str, /) -> Expression: ...


def offered(row: Columns, now: Expression) -> Condition:
    """Whether an offer is in the market, with something left."""
    organization = organizations.alias()
    verified = sa.select(organization.c.id).where(
        organization.c.id == row["organization_id"],
        organization.c.status == OrganizationStatus.VERIFIED,
    )
    verified = verified.correlate_except(organization)
    return sa.and_(
        row["status"] == OfferStatus.OPEN,
        sa.or_(row["expires_at"].is_(None), row["expires_at"] > now),
        row["quantity"] - row["reserved"] - row["delivered"] > 0,
        verified.exists(),
    )


def could_meet(need: Columns, offer: Columns, now: Expression) -> Condition:
    """Whether an offer of the market could serve a public copy of a need."""
    served = regions.alias()
    named = sa.select(offer_regions.c.offer_id).where(offer_regions.c.offer_id == offer["id"])
    named = named.correlate_except(offer_regions)
    reached = (
        sa.select(served.c.id)
        .select_from(offer_regions.join(served, served.c.id == offer_regions.c.region_id))
        .where(offer_regions.c.offer_id == offer["id"], _overlaps(served, need))
        .correlate_except(offer_regions, served)
    )
    base, owner = regions.alias(), organizations.alias()
    place = sa.select(base.c.latitude, base.c.longitude).select_from(
        owner.join(base, base.c.id == owner.c.region_id)
    )
    home = place.where(owner.c.id == offer["organization_id"]).correlate_except(owner, base)
    latitude, longitude = (
        sa.func.coalesce(offer[name], home.with_only_columns(base.c[name]).scalar_subquery())
        for name in ("latitude", "longitude")
    )
    left = offer["quantity"] - offer["reserved"] - offer["delivered"]
    return sa.and_(
        sa.or_(~named.exists(), reached.exists()),
        _rules(need, _Terms(offer, left=left, latitude=latitude, longitude=longitude), now),
    )


async def needs_for(db: Reading, terms: OfferTerms, *, now: datetime, first: int) -> list[int]:
    """Public copies of needs that an offer of these terms could meet, the most urgent first.

    With a radius the terms say where it starts from, as they do once they are checked.
    """
    moment = sa.literal(now, UtcDateTime())
    served = regions.alias()
    reached = (
        sa.select(served.c.id)
        .where(served.c.id.in_(terms.region_ids), _overlaps(served, published_needs.c))
        .correlate_except(served)
    )
    statement = (
        sa.select(published_needs.c.id)
        .where(
            published_needs.c.is_open,
            reached.exists() if terms.region_ids else sa.true(),
            _rules(published_needs.c, _literal(terms), moment),
        )
        .order_by(
            published_needs.c.urgency.desc(),
            published_needs.c.deadline.asc().nulls_last(),
            published_needs.c.id,
        )
        .limit(first)
    )
    return [row["id"] for row in await db.rows(statement)]


class _Terms:
    """An offer's columns, with what is left of it and where it starts from."""

    def __init__(self, columns: Columns, **more: Expression) -> None:
        self._columns, self._more = columns, more

    def __getitem__(self, name: str, /) -> Expression:
        return self._more[name] if name in self._more else self._columns[name]


def _literal(terms: OfferTerms) -> Columns:
    """Terms that nobody posted yet, as columns."""
    number, moment = sa.BigInteger(), UtcDateTime()
    place: sa.types.TypeEngine[Any] = sa.Double()
    values: dict[str, tuple[object, sa.types.TypeEngine[Any]]] = {
        "kind": (terms.kind.value, sa.Text()),
        "category_id": (terms.category_id, number),
        "left": (terms.quantity, number),
        "pack_size": (terms.pack_size, number),
        "household_max": (terms.household_max, number),
        "target_groups": (terms.target_groups, number),
        "radius_km": (terms.radius_km, place),
        "latitude": (terms.latitude, place),
        "longitude": (terms.longitude, place),
        "starts_at": (terms.starts_at, moment),
    }
    # Cast, since a missing value alone says nothing of its type.
    return {name: sa.cast(value, kind) for name, (value, kind) in values.items()}


def _rules(need: Columns, offer: Columns, now: Expression) -> Condition:
    """All but regions: category, price, time, groups, the least that it can give, and radius."""
    wanted, given = categories.alias(), categories.alias()
    is_cash, wants_cash = offer["kind"] == "CASH", wanted.c.kind == "CASH"
    step = sa.case(
        (sa.and_(is_cash, wants_cash), 1),
        (is_cash, wanted.c.reference_price_fen),
        (offer["kind"] == "SERVICE", need["visit_minutes"]),
        else_=offer["pack_size"],
    )
    fits = sa.case(
        (is_cash, wanted.c.tree_low.between(given.c.tree_low, given.c.tree_high)),
        else_=sa.and_(~wants_cash, given.c.tree_low.between(wanted.c.tree_low, wanted.c.tree_high)),
    )
    of_category = (
        sa.select(wanted.c.id)
        .select_from(wanted.join(given, given.c.id == offer["category_id"]))
        .where(
            wanted.c.id == need["category_id"],
            fits,
            step <= offer["left"],
            sa.or_(offer["household_max"].is_(None), step <= offer["household_max"]),
        )
        .correlate_except(wanted, given)
    )
    until = need["deadline"]
    groups = offer["target_groups"].op("&")(need["target_groups"])
    return sa.and_(
        sa.or_(until.is_(None), until > now),
        sa.or_(until.is_(None), offer["starts_at"].is_(None), until > offer["starts_at"]),
        sa.or_(offer["target_groups"] == 0, groups != 0),
        of_category.exists(),
        sa.or_(offer["radius_km"].is_(None), _within_radius(need, offer)),
    )


def _overlaps(served: sa.FromClause, need: Columns) -> Condition:
    """Whether a region holds the township of a need, or lies within it."""
    town = regions.alias()
    return (
        sa.select(town.c.id)
        .where(
            town.c.id == need["region_id"],
            sa.or_(
                town.c.tree_low.between(served.c.tree_low, served.c.tree_high),
                served.c.tree_low.between(town.c.tree_low, town.c.tree_high),
            ),
        )
        .correlate_except(town)
        .exists()
    )


def _within_radius(need: Columns, offer: Columns) -> Condition:
    """Whether the township's place lies within the radius; one without a place might."""
    town = regions.alias()
    north, south = sa.func.radians(town.c.latitude), sa.func.radians(offer["latitude"])
    east = sa.func.radians(town.c.longitude - offer["longitude"])
    half = _squared(sa.func.sin((north - south) / 2.0))
    half += sa.func.cos(north) * sa.func.cos(south) * _squared(sa.func.sin(east / 2.0))
    least = sa.case((half > 1.0, 1.0), else_=half)
    distance = 2.0 * EARTH_RADIUS_KM * sa.func.asin(sa.func.sqrt(least))
    return (
        sa.select(town.c.id)
        .where(
            town.c.id == need["region_id"],
            sa.or_(town.c.latitude.is_(None), distance <= offer["radius_km"]),
        )
        .correlate_except(town)
        .exists()
    )


def _squared(value: Expression) -> Expression:
    return value * value
