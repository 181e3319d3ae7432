"""Schedules: on which days the house plans or prepares a referral by itself."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Annotated

import sqlalchemy as sa
import strawberry
from strawberry import ID

from marketplace.domain.exchange.plans import PlanPolicy as Policy
from marketplace.domain.exchange.plans import PolicyOrder
from marketplace.domain.exchange.schedules import ScheduleKind
from marketplace.domain.ids import key_of
from marketplace.domain.permissions import COUNTY_OFFICERS, SUPERVISION, Role
from marketplace.persistence.tables.pledges import schedules
from marketplace.services.exchange import schedules as service
from schema.enums import described
from schema.exchange.plans_proof import PlanPolicy, policy_of
from schema.payloads import Info, Payload, act_of, payload
from schema.readgraph.declare import (
    Ascending,
    Columns,
    Condition,
    Edge,
    Entity,
    Scope,
    column,
    computed,
    node,
    one,
    root,
)
from schema.readgraph.read import read_one
from schema.registry.trees import within_reach
from schema.writing import INPUT, KEY

described(
    ScheduleKind,
    "What is done by the calendar.",
    {
        ScheduleKind.NIGHTLY_PLAN: "夜间方案, a plan is computed; people approve it.",
        ScheduleKind.REFERRAL: "定期转介, a referral is prepared; a person sends it.",
    },
)
READERS = COUNTY_OFFICERS | SUPERVISION | {Role.ADMIN}
WEEKDAY = "1 Monday to 7 Sunday; null: every day."


def desks(row: Columns, scope: Scope) -> Condition:
    """Both desks, the operator and supervision, by region."""
    return within_reach(scope, row["region_id"]) if scope.is_one_of(READERS) else sa.false()


def _maybe_policy(stored: dict[str, object] | None) -> PlanPolicy | None:
    return None if stored is None else policy_of(stored)


@node(
    table=schedules,
    visible=desks,
    order=(Ascending("id"),),
    description="日程: what a desk has the house do by itself in a region, by the county's clock.",
)
class Schedule(Entity):
    kind: ScheduleKind = column("kind", "What is done.", filter=ScheduleKind)
    is_on: bool = column("is_on", "Whether it runs at all.", filter=True)
    weekday: int | None = column("weekday", WEEKDAY)
    hour: int = column("hour", "From which hour on, 0 to 23, in the county's time.")
    policy: PlanPolicy | None = computed(
        ("policy",), _maybe_policy, "Of plans: their order of precedence."
    )
    set_at: datetime = column("set_at", "When it was last changed.")
    version: int = column("version", "Goes up with every change.")
    region: Edge = one("Region", "region_id", "Where: this region and all below it.", filter=True)


@strawberry.input(description="When the house is to do something by itself.")
class ScheduleSetInput:
    kind: ScheduleKind = strawberry.field(
        description="What: plans are the charity desk's to arrange, referrals those of assistance."
    )
    hour: int = strawberry.field(description="From which hour on, 0 to 23, in the county's time.")
    weekday: int | None = strawberry.field(description=WEEKDAY, default=None)
    is_on: bool = strawberry.field(description="Whether it runs.", default=True)
    region_id: ID | None = strawberry.field(
        description="Where; default: your own region.", default=None
    )
    order: PolicyOrder | None = strawberry.field(
        description="Of plans: which units come first; default FLOOR.", default=None
    )
    floor_share_percent: int = strawberry.field(
        description="Of plans with order FLOOR: the share that comes first, 1 to 100.", default=25
    )
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> service.SetSchedule:
        order = None if self.order is None else PolicyOrder(self.order)
        policy = None
        if order is not None or self.kind is ScheduleKind.NIGHTLY_PLAN:
            policy = Policy(
                order=order or PolicyOrder.FLOOR, floor_share_percent=self.floor_share_percent
            )
        return service.SetSchedule(
            kind=ScheduleKind(self.kind),
            hour=self.hour,
            weekday=self.weekday,
            is_on=self.is_on,
            region_id=None if self.region_id is None else key_of("Region", self.region_id),
            policy=policy,
        )


@strawberry.type(description="What came of arranging a schedule.")
class ScheduleSetPayload(Payload):
    schedule: Schedule | None = strawberry.field(
        description="The schedule; null where it was refused.", default=None
    )


@strawberry.type
class ScheduleQuery:
    schedules: Edge = root("Schedule", "What the desks arranged for certain hours.")


@strawberry.type
class ScheduleMutations:
    @strawberry.mutation(
        description="Arrange on which days, and from which hour, a plan is computed or a referral "
        "prepared in a region; there is one schedule of each kind a region."
    )
    async def schedule_set(
        self, info: Info, input: Annotated[ScheduleSetInput, INPUT]
    ) -> ScheduleSetPayload:
        async def doing() -> int:
            act = act_of(info, input)
            return await service.arrange(info.context.database, act, input.to_command())

        read = partial(read_one, info, "Schedule")
        return await payload(ScheduleSetPayload, info, doing(), read)
