"""Where to drive today, and whom to ask for: routes without persons, one recorded contact."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import strawberry
from strawberry import ID

from marketplace.domain.errors import Forbidden
from marketplace.domain.ids import key_of, opaque_id
from marketplace.services.acting import Act
from marketplace.services.exchange import contacts, routes
from marketplace.services.registry.sealing import sealer_of
from schema.context import Context
from schema.exchange.allocations import Carrier
from schema.exchange.amounts import in_units
from schema.payloads import Info
from schema.registry.personal_data import POST_ONLY
from schema.scalars import Quantity


@strawberry.type(description="One thing to hand over; nothing here says who lives there.")
class DeliveryStop:
    allocation_id: ID = strawberry.field(description="The allocation.")
    reference: str = strawberry.field(description="Its number, such as A-2026-000123.")
    category_label: str = strawberry.field(description="What it is.")
    quantity: Quantity = strawberry.field(description="How much was sent, in the need's unit.")
    region_id: ID = strawberry.field(description="The village or grid cell.")
    region_label: str = strawberry.field(description="Its name.")
    leg_m: int | None = strawberry.field(
        description="Metres from the stop before, or from the township's centre, rounded to 100; "
        "null: a place is not known."
    )


@strawberry.type(description="What is left to bring of one batch, the nearest stop always next.")
class DeliveryRoute:
    delivery_id: ID = strawberry.field(description="The batch.")
    reference: str = strawberry.field(description="Its number, such as D-2026-000123.")
    carrier: Carrier = strawberry.field(description="Who brings it.")
    planned_on: date = strawberry.field(description="For which day; a past one is late.")
    label: str = strawberry.field(description="Tells batches of one day apart; may be empty.")
    organization_name: str = strawberry.field(description="Who sent it.")
    township_id: ID = strawberry.field(description="The township.")
    township_label: str = strawberry.field(description="Its name.")
    stops: list[DeliveryStop] = strawberry.field(description="In the order of driving.")


@strawberry.type(description="Whom to ask for and where; that you read it is recorded.")
class RecipientContact:
    allocation_id: ID = strawberry.field(description="The allocation that is brought there.")
    name: str | None = strawberry.field(description="The head of the household.")
    phone: str | None = strawberry.field(description="How to call it, if that is known.")
    address: str | None = strawberry.field(description="Where it lives, if that is known.")


@strawberry.type
class DeliveryRouteQuery:
    @strawberry.field(
        description="What is still to be brought to doors by a day, by township and batch. "
        "Officers are told of their region, providers of what they bring themselves."
    )
    async def delivery_routes(
        self,
        info: Info,
        day: Annotated[
            date, strawberry.argument(description="The day; what is late from before is there too.")
        ],
        region_id: Annotated[
            ID | None, strawberry.argument(description="Only this region and all below it.")
        ] = None,
    ) -> list[DeliveryRoute]:
        context = info.context
        region = None if region_id is None else key_of("Region", region_id)
        found = await routes.ask(context.database, context.viewer, until=day, region_id=region)
        return [_route(context, each) for each in found]

    @strawberry.field(
        description="Where a provider brings what it accepted to bring itself, from accepting "
        "until receipt is confirmed. Who read it and for what is recorded in the same "
        "transaction. By POST only."
    )
    async def recipient_contact(
        self,
        info: Info,
        allocation_id: Annotated[ID, strawberry.argument(description="Which delivery.")],
        purpose: Annotated[
            str,
            strawberry.argument(
                description="What you need it for, in a few words, 4 to 200 characters; it is kept."
            ),
        ],
    ) -> RecipientContact | None:
        context, key = info.context, key_of("Allocation", allocation_id)
        if context.by_get:
            raise Forbidden(POST_ONLY)
        act = Act(viewer=context.viewer, request_id=context.request_id)
        sealer = sealer_of(context.settings)
        found = await contacts.read(context.database, act, sealer, key, purpose)
        return RecipientContact(
            allocation_id=ID(opaque_id("Allocation", found.allocation_id)),
            name=found.name,
            phone=found.phone,
            address=found.address,
        )


def _route(context: Context, route: routes.Route) -> DeliveryRoute:
    return DeliveryRoute(
        delivery_id=ID(opaque_id("Delivery", route.delivery_id)),
        reference=route.reference,
        carrier=route.carrier,
        planned_on=route.planned_on,
        label=route.label,
        organization_name=route.organization,
        township_id=ID(opaque_id("Region", route.township_id)),
        township_label=route.township.said_in(context.language),
        stops=[_stop(context, stop) for stop in route.stops],
    )


def _stop(context: Context, stop: routes.Stop) -> DeliveryStop:
    return DeliveryStop(
        allocation_id=ID(opaque_id("Allocation", stop.allocation_id)),
        reference=stop.reference,
        category_label=stop.category.said_in(context.language),
        quantity=in_units(stop.units, stop.unit),
        region_id=ID(opaque_id("Region", stop.region_id)),
        region_label=stop.region.said_in(context.language),
        leg_m=stop.leg_m,
    )
