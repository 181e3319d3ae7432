"""Finding a household by the exact name, identity number or phone of its people, recorded."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from marketplace.domain.errors import Forbidden
from marketplace.domain.ids import opaque_id
from marketplace.services.acting import Act
from marketplace.services.registry import finding
from marketplace.services.registry.sealing import sealer_of
from schema.payloads import Info
from schema.registry.households import HouseholdStatus
from schema.registry.personal_data import POST_ONLY


@strawberry.type(description="A household that was found: where it is, and nothing of its people.")
class FoundHousehold:
    household_id: strawberry.ID = strawberry.field(description="The household.")
    reference: str = strawberry.field(description="The number printed on papers.")
    status: HouseholdStatus = strawberry.field(description="Whether it is one still.")
    created_at: datetime = strawberry.field(description="When it was entered.")


@strawberry.type(description="What was found; that you looked is recorded.")
class FoundHouseholds:
    households: list[FoundHousehold] = strawberry.field(
        description="At most 20, the newest first, also such as the person left."
    )
    is_cut: bool = strawberry.field(description="Whether there are more of them.")


@strawberry.type
class HouseholdFindQuery:
    @strawberry.field(
        description="Households of your region with this very name, identity number or phone. Who "
        "looked, by which of them and for what is recorded, never what was typed. By POST only."
    )
    async def household_find(
        self,
        info: Info,
        purpose: Annotated[
            str,
            strawberry.argument(
                description="What you need it for, in a few words, 4 to 200 characters; it is kept."
            ),
        ],
        name: Annotated[
            str | None, strawberry.argument(description="The whole name of a member.")
        ] = None,
        identity_number: Annotated[
            str | None, strawberry.argument(description="The number on an identity card.")
        ] = None,
        phone: Annotated[str | None, strawberry.argument(description="The phone.")] = None,
    ) -> FoundHouseholds | None:
        context = info.context
        if context.by_get:
            raise Forbidden(POST_ONLY)
        command = finding.FindHousehold(
            purpose=purpose, name=name, identity_number=identity_number, phone=phone
        )
        act = Act(viewer=context.viewer, request_id=context.request_id)
        sealer = sealer_of(context.settings)
        found = await finding.find(context.database, act, sealer, command)
        return FoundHouseholds(
            households=[_shown(each) for each in found.households], is_cut=found.is_cut
        )


def _shown(each: finding.FoundHousehold) -> FoundHousehold:
    return FoundHousehold(
        household_id=strawberry.ID(opaque_id("Household", each.household_id)),
        reference=each.reference,
        status=HouseholdStatus(each.status),
        created_at=each.created_at,
    )
