"""Deliveries in the graph: batches of a day, and check-ins at doors without the door's place."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
import strawberry

from marketplace.domain.permissions import FIELD_OFFICERS, PROVIDERS, STAFF, Role
from marketplace.persistence.tables.deliveries import check_ins, deliveries
from marketplace.persistence.tables.exchange import allocations, needs
from schema.exchange.allocations import Carrier
from schema.exchange.amounts import in_units, unit_of_category
from schema.exchange.offers import own_offer
from schema.readgraph.declare import (
    Columns,
    Condition,
    Descending,
    Edge,
    Entity,
    Scope,
    column,
    computed,
    many,
    node,
    one,
    root,
)
from schema.readgraph.references import referenced
from schema.registry.trees import of_household, within_reach
from schema.scalars import Quantity


def _batch_visible(row: Columns, scope: Scope) -> Condition:
    """The organization's own, and the officers of the township or above it."""
    if scope.is_one_of(PROVIDERS):
        return row["organization_id"] == scope.organization_id
    if scope.is_one_of(FIELD_OFFICERS):
        return _has_stop_of(row, scope)
    return within_reach(scope, row["region_id"]) if scope.is_one_of(STAFF) else sa.false()


def _has_stop_of(row: Columns, scope: Scope) -> Condition:
    """A grid worker's region lies below the township that a batch is of."""
    allocation, need = allocations.alias(), needs.alias()
    stop = (
        sa.select(allocation.c.id)
        .select_from(allocation.join(need, need.c.id == allocation.c.need_id))
        .where(allocation.c.delivery_id == row["id"], within_reach(scope, need.c.region_id))
    )
    return stop.exists()


def _check_in_visible(row: Columns, scope: Scope) -> Condition:
    allocation, need = allocations.alias(), needs.alias()
    found = sa.select(allocation.c.id).select_from(
        allocation.join(need, need.c.id == allocation.c.need_id)
    )
    if scope.is_one_of(PROVIDERS):
        mine = own_offer(scope, allocation.c.offer_id)
    elif scope.role is Role.CHARITY_OFFICER:
        mine = within_reach(scope, need.c.region_id)
    else:
        mine = of_household(scope, need.c.household_id, need.c.region_id)
    return found.where(allocation.c.id == row["allocation_id"], mine).exists()


def _unit(row: Columns) -> sa.ColumnElement[str]:
    allocation, need = allocations.alias(), needs.alias()
    found = (
        sa.select(unit_of_category(need.c))
        .select_from(allocation.join(need, need.c.id == allocation.c.need_id))
        .where(allocation.c.id == row["allocation_id"])
    )
    return found.scalar_subquery()


@node(
    table=deliveries,
    visible=_batch_visible,
    order=(Descending("createdAt"),),
    description="配送批次: what one organization sends into a township on a day by one carrier.",
)
class Delivery(Entity):
    reference: str = referenced("D")
    carrier: Carrier = column("carrier", "Who brings it to the doors.", filter=Carrier)
    planned_on: date = column("planned_on", "On which day.", filter=True, order=True)
    label: str = column("label", "Tells batches of one day apart; may be empty.")
    created_at: datetime = column("created_at", "When it was begun.", filter=True, order=True)
    organization: Edge = one("Organization", "organization_id", "Who sends it.", filter=True)
    region: Edge = one("Region", "region_id", "The township it goes to.", filter=True)
    allocations: Edge = many("Allocation", "delivery_id", "What is in it.")


@node(
    table=check_ins,
    visible=_check_in_visible,
    order=(Descending("checkedInAt"),),
    description="上户打卡: something was brought to a door: when, how near, how much was taken.",
)
class CheckIn(Entity):
    checked_in_at: datetime = column("checked_in_at", "When it was.", filter=True, order=True)
    recorded_at: datetime = column("recorded_at", "When it was recorded.")
    handed_over: Quantity = computed(
        ("handed_over", _unit), in_units, "How much was taken, in the need's unit; 0: nobody could."
    )
    is_far: bool = column(
        "is_far",
        "Whether it was more than 500 m from the household, so that somebody should look at it.",
        filter=True,
    )
    # Providers could find a household from several distances to it.
    distance_m: int | None = column(
        "distance_m", "Metres to the household; null: its place is not known.", roles=STAFF
    )
    latitude: float | None = column("latitude", "Where it was, degrees north.", roles=STAFF)
    longitude: float | None = column("longitude", "Where it was, degrees east.", roles=STAFF)
    evidence_reference: str | None = column(
        "evidence_reference", "Where a photo or a signed paper is kept.", roles=STAFF
    )
    allocation: Edge = one("Allocation", "allocation_id", "What was brought.", filter=True)


@strawberry.type
class DeliveryQuery:
    deliveries: Edge = root("Delivery", "Batches that the viewer may see, newest first.")
