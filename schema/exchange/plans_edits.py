"""Edits of plans: planEdit, and what a plan was computed around."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Annotated

import strawberry
from strawberry import ID

from marketplace.domain.exchange.plan_edits import AskedEdit, PlanEditKind
from marketplace.domain.ids import key_of
from marketplace.persistence.tables.pledges import plan_edits
from marketplace.services.exchange import plan_edits as service
from schema.enums import described
from schema.exchange.amounts import in_units, unit_served
from schema.exchange.plans import Plan, line_visible
from schema.payloads import Info, Payload, act_of, payload
from schema.readgraph.declare import Ascending, Edge, Entity, column, computed, node, one
from schema.readgraph.read import read_one
from schema.scalars import BigInt, Quantity
from schema.writing import INPUT, KEY, VERSION

described(
    PlanEditKind,
    "How the charity desk settles a line before the rest of a plan is computed anew. Each fixes "
    "how much of one offer goes to one need.",
    {
        PlanEditKind.PIN: "保留, keep a line as it is, or add one.",
        PlanEditKind.FORBID: "禁止, this offer may not serve this need.",
        PlanEditKind.CHANGE_QUANTITY: "改数量, another quantity than in the edited plan.",
    },
)


def _maybe(units: int | None, unit: str | None) -> Quantity | None:
    return None if units is None else in_units(units, unit)


@node(
    table=plan_edits,
    visible=line_visible,
    order=(Ascending("id"),),
    description="方案调整: what a person settled before the plan was computed around it.",
)
class PlanEdit(Entity):
    kind: PlanEditKind = column("kind", "What was settled.", filter=PlanEditKind)
    units: Quantity | None = computed(
        ("units", unit_served), _maybe, "What the need gets of the offer; null: nothing."
    )
    units_before: Quantity = computed(
        ("units_before", unit_served), in_units, "What it got in the plan that was edited."
    )
    reason: str = column("reason", "Why, as the officer wrote it.")
    edited_at: datetime = column("edited_at", "When.")
    plan: Edge = one("Plan", "plan_id", "The plan that was computed around it.", filter=True)
    need: Edge = one("Need", "need_id", "Whose line it is.", filter=True)
    offer: Edge = one("Offer", "offer_id", "Of which offer.", filter=True)


@strawberry.input(description="One edit: of a line of the plan, or of a need and an offer.")
class PlanEditLineInput:
    kind: PlanEditKind = strawberry.field(description="What to settle.")
    reason: str = strawberry.field(description="Why, 1 to 500 characters; both desks read it.")
    line_id: ID | None = strawberry.field(description="A line of the plan.", default=None)
    need_id: ID | None = strawberry.field(
        description="Instead of `lineId`, with `offerId`: a need in the plan's scope.", default=None
    )
    offer_id: ID | None = strawberry.field(
        description="Instead of `lineId`, with `needId`: an offer.", default=None
    )
    units: BigInt | None = strawberry.field(
        description="How much, in the need's unit; left out with PIN: as the line has. Never with "
        "FORBID.",
        default=None,
    )

    def to_edit(self) -> AskedEdit:
        return AskedEdit(
            kind=PlanEditKind(self.kind),
            reason=self.reason,
            line_id=None if self.line_id is None else key_of("PlanLine", self.line_id),
            need_id=None if self.need_id is None else key_of("Need", self.need_id),
            offer_id=None if self.offer_id is None else key_of("Offer", self.offer_id),
            units=self.units,
        )


@strawberry.input(description="What to settle in a proposed plan.")
class PlanEditInput:
    plan_id: ID = strawberry.field(description="A proposed plan.")
    edits: list[PlanEditLineInput] = strawberry.field(description="1 to 100 edits.")
    expected_version: int | None = strawberry.field(description=VERSION, default=None)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> service.EditPlan:
        return service.EditPlan(
            plan_id=key_of("Plan", self.plan_id),
            edits=tuple(each.to_edit() for each in self.edits),
            expected_version=self.expected_version,
        )


@strawberry.type(description="The new plan, waiting for a worker.")
class PlanEditPayload(Payload):
    plan: Plan | None = strawberry.field(
        description="The plan around the edits; the edited one is its `base`, and is discarded "
        "once this one is proposed.",
        default=None,
    )


@strawberry.type
class PlanEditMutations:
    @strawberry.mutation(
        description="Pin, forbid or change lines of a proposed plan, each with a reason; a worker "
        "computes the best plan given these and all edits before. Whoever edited a plan may not "
        "approve it, unless the operator allows that."
    )
    async def plan_edit(
        self, info: Info, input: Annotated[PlanEditInput, INPUT]
    ) -> PlanEditPayload:
        async def doing() -> int:
            act = act_of(info, input)
            return await service.edit(info.context.database, act, input.to_command())

        return await payload(PlanEditPayload, info, doing(), partial(read_one, info, "Plan"))
