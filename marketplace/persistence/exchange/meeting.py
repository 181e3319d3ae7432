"""Which offers could serve which published needs, by what everyone may know of both.

A plan measures to the household and knows its groups as they are; here a need stands where its
township does. So nothing about a household can be found out by asking with ever other terms. The
statements are kept flat, since SQLite's parser takes a hundred open brackets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
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


@dataclass(frozen=True, slots=True)
class Meeting:
    """A need and an offer, each a row of its statement, with the rows that both lead to.

    offer    of one that is posted `latitude` and `longitude` may be missing, and what is left is
             counted; terms that nobody posted say `left`, and all of it
    """

    need: Columns
    offer: Columns
    is_posted: bool = True
    wanted: sa.FromClause = field(default_factory=lambda: categories.alias())
    given: sa.FromClause = field(default_factory=lambda: categories.alias())
    town: sa.FromClause = field(default_factory=lambda: regions.alias())
    owner: sa.FromClause = field(default_factory=lambda: organizations.alias())
    base: sa.FromClause = field(default_factory=lambda: regions.alias())

    def joined(self, source: sa.FromClause) -> sa.FromClause:
        """The need's or the offer's own row with all the others; that of the other is known."""
        found = (
            source.join(self.wanted, self.wanted.c.id == self.need["category_id"])
            .join(self.given, self.given.c.id == self.offer["category_id"])
            .join(self.town, self.town.c.id == self.need["region_id"])
        )
        if not self.is_posted:
            return found
        return found.join(self.owner, self.owner.c.id == self.offer["organization_id"]).join(
            self.base, self.base.c.id == self.owner.c.region_id
        )

    def conditions(self, now: Expression) -> list[Condition]:
        """Everything that must hold, the offer being in the market and the need open."""
        return [
            *self._in_market(now),
            self._of_category(),
            self._in_time(now),
            sa.or_(
                self.offer["target_groups"] == 0,
                self.offer["target_groups"].op("&")(self.need["target_groups"]) != 0,
            ),
            self._in_reach(),
        ]

    def _in_market(self, now: Expression) -> list[Condition]:
        if not self.is_posted:
            return []
        return [
            self.offer["status"] == OfferStatus.OPEN,
            sa.or_(self.offer["expires_at"].is_(None), self.offer["expires_at"] > now),
            self.owner.c.status == OrganizationStatus.VERIFIED,
            self._in_regions(),
        ]

    def _of_category(self) -> Condition:
        """Category, price, and that the least it can give is there and no more than allowed."""
        wanted, given, kind = self.wanted.c, self.given.c, self.offer["kind"]
        step = sa.case(
            (sa.and_(kind == "CASH", wanted.kind == "CASH"), 1),
            (kind == "CASH", wanted.reference_price_fen),
            (kind == "SERVICE", self.need["visit_minutes"]),
            else_=self.offer["pack_size"],
        )
        most = sa.func.coalesce(self.offer["household_max"], self._left())
        return sa.and_(
            sa.case(
                (kind == "CASH", wanted.tree_low.between(given.tree_low, given.tree_high)),
                (wanted.kind == "CASH", sa.false()),
                else_=given.tree_low.between(wanted.tree_low, wanted.tree_high),
            ),
            step <= self._left(),
            step <= most,
        )

    def _left(self) -> Expression:
        if not self.is_posted:
            return self.offer["left"]
        return self.offer["quantity"] - self.offer["reserved"] - self.offer["delivered"]

    def _in_time(self, now: Expression) -> Condition:
        until, begins = self.need["deadline"], self.offer["starts_at"]
        late = sa.and_(until > now, sa.or_(begins.is_(None), until > begins))
        return sa.or_(until.is_(None), late)

    def _in_regions(self) -> Condition:
        """Whether a region of the offer holds the township, or lies within it; none: anywhere."""
        served = regions.alias()
        named = offer_regions.c.offer_id == self.offer["id"]
        any_at_all = sa.select(offer_regions.c.offer_id).where(named)
        meets = (
            sa.select(served.c.id)
            .select_from(offer_regions.join(served, served.c.id == offer_regions.c.region_id))
            .where(named, overlaps(served, self.town))
        )
        return sa.or_(
            ~any_at_all.correlate_except(offer_regions).exists(),
            meets.correlate_except(offer_regions, served).exists(),
        )

    def _in_reach(self) -> Condition:
        """Whether the township's place lies within the radius; one without a place might."""
        latitude, longitude = self.offer["latitude"], self.offer["longitude"]
        if self.is_posted:
            latitude = sa.func.coalesce(latitude, self.base.c.latitude)
            longitude = sa.func.coalesce(longitude, self.base.c.longitude)
        radius, town = self.offer["radius_km"], self.town.c
        north, south = sa.func.radians(town.latitude), sa.func.radians(latitude)
        east = sa.func.radians(town.longitude - longitude)
        up = sa.func.power(sa.func.sin((north - south) / 2.0), 2)
        aside = sa.func.power(sa.func.sin(east / 2.0), 2)
        half = up + sa.func.cos(north) * sa.func.cos(south) * aside
        # The angle whose half-chord this is: no rounding brings it above one for places on a map.
        distance = 2.0 * EARTH_RADIUS_KM * sa.func.asin(sa.func.sqrt(half))
        return sa.or_(radius.is_(None), town.latitude.is_(None), distance <= radius)


def overlaps(one: sa.FromClause, other: sa.FromClause) -> Condition:
    """Whether one of two regions lies in the other."""
    return sa.or_(
        other.c.tree_low.between(one.c.tree_low, one.c.tree_high),
        one.c.tree_low.between(other.c.tree_low, other.c.tree_high),
    )


async def needs_for(db: Reading, terms: OfferTerms, *, now: datetime, first: int) -> list[int]:
    """Public copies of needs that an offer of these terms could meet, the most urgent first.

    With a radius the terms say where it starts from, as they do once they are checked.
    """
    meeting = Meeting(published_needs.c, _literal(terms), is_posted=False)
    statement = (
        sa.select(published_needs.c.id)
        .select_from(meeting.joined(published_needs))
        .where(
            published_needs.c.is_open,
            *meeting.conditions(sa.literal(now, UtcDateTime())),
            *_within_regions(meeting.town, terms.region_ids),
        )
        .order_by(
            published_needs.c.urgency.desc(),
            published_needs.c.deadline.asc().nulls_last(),
            published_needs.c.id,
        )
        .limit(first)
    )
    return [row["id"] for row in await db.rows(statement)]


def _within_regions(town: sa.FromClause, region_ids: Sequence[int]) -> list[Condition]:
    if not region_ids:
        return []
    served = regions.alias()
    found = sa.select(served.c.id).where(served.c.id.in_(region_ids), overlaps(served, town))
    return [found.correlate_except(served).exists()]


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
