"""Mutations of plans: asking for one, stopping it, approving or discarding what it proposes."""

from __future__ import annotations

import strawberry

from marketplace.domain.exchange.plans import ApprovalRules, PlanKind, PlanPolicy, PolicyOrder
from marketplace.domain.ids import key_of
from marketplace.services.exchange import plans
from marketplace.services.exchange.plans import CreatePlan, MovePlan
from marketplace.settings import Settings
from schema.exchange.plans import Plan
from schema.payloads import Info, Payload, act_of, payload
from schema.readgraph.read import read_one

KEY = "So that a repeated request is done once; else the Idempotency-Key header."
VERSION = "The version you decided on; refused with CONFLICT if it has changed since."


@strawberry.input(description="Which needs to plan, and by which order of precedence.")
class PlanCreateInput:
    kind: PlanKind = strawberry.field(
        description="A proposal can be approved; a simulation only shows what would be.",
        default=PlanKind.PROPOSAL,
    )
    order: PolicyOrder = strawberry.field(
        description="Which units come first.", default=PolicyOrder.FLOOR
    )
    floor_share_percent: int = strawberry.field(
        description="With order FLOOR: the share of each need that comes first, 1 to 100.",
        default=25,
    )
    region_id: strawberry.ID | None = strawberry.field(
        description="Only needs of this region and those below it; default: your own region.",
        default=None,
    )
    category_id: strawberry.ID | None = strawberry.field(
        description="Only needs of this category and those below it; default: all.", default=None
    )
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> CreatePlan:
        policy = PlanPolicy(order=self.order, floor_share_percent=self.floor_share_percent)
        return CreatePlan(
            kind=self.kind,
            policy=policy,
            region_id=None if self.region_id is None else key_of("Region", self.region_id),
            category_id=None if self.category_id is None else key_of("Category", self.category_id),
        )


@strawberry.input(description="Which plan to move on.")
class PlanMoveInput:
    id: strawberry.ID = strawberry.field(description="The plan.")
    expected_version: int | None = strawberry.field(description=VERSION, default=None)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> MovePlan:
        return MovePlan(plan_id=key_of("Plan", self.id), expected_version=self.expected_version)


@strawberry.input(description="Which plan to stop.")
class PlanCancelInput(PlanMoveInput):
    pass


@strawberry.input(description="Which plan to approve.")
class PlanApproveInput(PlanMoveInput):
    pass


@strawberry.input(description="Which plan to put aside.")
class PlanDiscardInput(PlanMoveInput):
    pass


PLAN = "The plan as it stands now."


@strawberry.type(description="The plan, waiting for a worker.")
class PlanCreatePayload(Payload):
    plan: Plan | None = strawberry.field(description=PLAN, default=None)


@strawberry.type(description="The plan, cancelled.")
class PlanCancelPayload(Payload):
    plan: Plan | None = strawberry.field(description=PLAN, default=None)


@strawberry.type(description="The plan, approved; its lines say what was reserved and what not.")
class PlanApprovePayload(Payload):
    plan: Plan | None = strawberry.field(description=PLAN, default=None)


@strawberry.type(description="The plan, discarded.")
class PlanDiscardPayload(Payload):
    plan: Plan | None = strawberry.field(description=PLAN, default=None)


@strawberry.type
class PlanMutations:
    @strawberry.mutation(description="Ask for a plan; a worker computes it. Follow planProgress.")
    async def plan_create(self, info: Info, input: PlanCreateInput) -> PlanCreatePayload:
        doing = plans.create(info.context.database, act_of(info, input), input.to_command())
        return await payload(PlanCreatePayload, info, doing, lambda key: _read(info, key))

    @strawberry.mutation(description="Stop a plan that waits or is being computed.")
    async def plan_cancel(self, info: Info, input: PlanCancelInput) -> PlanCancelPayload:
        doing = plans.cancel(info.context.database, act_of(info, input), input.to_command())
        return await payload(PlanCancelPayload, info, doing, lambda key: _read(info, key))

    @strawberry.mutation(
        description="Reserve what a plan proposes, as far as it still fits; nothing is forced."
    )
    async def plan_approve(self, info: Info, input: PlanApproveInput) -> PlanApprovePayload:
        rules = _rules(info.context.settings)
        act, command = act_of(info, input), input.to_command()
        doing = plans.approve(info.context.database, act, command, rules)
        return await payload(PlanApprovePayload, info, doing, lambda key: _read(info, key))

    @strawberry.mutation(description="Put a proposed plan aside for good.")
    async def plan_discard(self, info: Info, input: PlanDiscardInput) -> PlanDiscardPayload:
        doing = plans.discard(info.context.database, act_of(info, input), input.to_command())
        return await payload(PlanDiscardPayload, info, doing, lambda key: _read(info, key))


async def _read(info: Info, key: int) -> object:
    return await read_one(info, "Plan", key)


def _rules(settings: Settings) -> ApprovalRules:
    return ApprovalRules(
        self_approval=settings.plan_self_approval, reservation_days=settings.reservation_days
    )
