"""Following a plan: where it is, event by event, until it is finished."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

import strawberry

from marketplace.domain.exchange.plans import STAGES, PlanStatus
from marketplace.domain.ids import key_of, opaque_id
from marketplace.domain.permissions import Viewer
from marketplace.services.exchange import plans
from schema.payloads import Info


@strawberry.type(description="Where a plan is.")
class PlanProgress:
    plan_id: strawberry.ID = strawberry.field(description="The plan.")
    status: PlanStatus = strawberry.field(description="Where it stands; the last event's is final.")
    progress: float = strawberry.field(description="How much of the work is done, 0 to 1.")
    stage: str = strawberry.field(
        description="For programs: STARTING, READING, PAIRING, SOLVING, CHECKING, WRITING; "
        "empty while it waits."
    )
    stage_label: str = strawberry.field(
        description="For people: the stage in the language of Accept-Language."
    )
    attempt: int = strawberry.field(
        description="How often a worker has begun with it; above 1 after a crash."
    )


@strawberry.type
class PlanSubscriptions:
    @strawberry.subscription(
        description="Where a plan is, at once and at every change, until it is finished. "
        "After a lost connection just subscribe again."
    )
    async def plan_progress(
        self,
        info: Info,
        plan_id: Annotated[strawberry.ID, strawberry.argument(description="The plan to follow.")],
    ) -> AsyncGenerator[PlanProgress, None]:
        async def viewer() -> Viewer:
            return (await info.context.renewed()).viewer

        following = plans.follow(info.context.database, key_of("Plan", plan_id), viewer)
        async with aclosing(following) as events:
            async for at in events:
                yield _event(at, info)


def _event(at: plans.PlanProgress, info: Info) -> PlanProgress:
    return PlanProgress(
        plan_id=strawberry.ID(opaque_id("Plan", at.plan_id)),
        status=at.status,
        progress=at.share,
        stage=at.stage,
        stage_label=STAGES.get(at.stage, STAGES[""]).said_in(info.context.language),
        attempt=at.attempt,
    )
