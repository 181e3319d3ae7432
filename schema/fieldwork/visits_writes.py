"""Mutations of fieldwork: checking visits in, and recording checks of monitored households."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Annotated

import strawberry
from strawberry import ID

from marketplace.domain.fieldwork import monitoring, visits
from marketplace.domain.fieldwork.monitoring import CheckOutcome
from marketplace.domain.fieldwork.visits import AT_ONCE_MAX, LATE_MAX, NEAR_M, VisitKind
from marketplace.domain.ids import key_of
from marketplace.services.fieldwork import monitoring as monitoring_service
from marketplace.services.fieldwork import visits as visit_service
from marketplace.services.registry.sealing import sealer_of
from schema.fieldwork.visits import MonitoringCheck, Visit
from schema.payloads import Info, Payload, act_of, payload
from schema.readgraph.read import read_many
from schema.writing import INPUT, KEY

WHEN = f" Within {LATE_MAX.days} days; left out: now."


@strawberry.input(description="One visit.")
class VisitInput:
    kind: VisitKind = strawberry.field(description="What it was.")
    household_id: ID | None = strawberry.field(
        description="To whom; of a clinic or a trip the region may stand instead.", default=None
    )
    region_id: ID | None = strawberry.field(
        description="Of a clinic or a trip without a household: where.", default=None
    )
    visited_at: datetime | None = strawberry.field(
        description="When it was made." + WHEN, default=None
    )
    latitude: float | None = strawberry.field(
        description="Where you were, degrees north. Needs `longitude`.", default=None
    )
    longitude: float | None = strawberry.field(
        description="Where you were, degrees east. Needs `latitude`.", default=None
    )
    persons_reached: int = strawberry.field(
        description="How many people it reached, 人次; 0: nobody was met.", default=1
    )
    note: str | None = strawberry.field(
        description="What was seen, at most 1,000 characters; it is sealed.", default=None
    )

    def to_visit(self) -> visits.Visit:
        return visits.Visit(
            kind=VisitKind(self.kind),
            household_id=_key("Household", self.household_id),
            region_id=_key("Region", self.region_id),
            visited_at=self.visited_at,
            latitude=self.latitude,
            longitude=self.longitude,
            persons_reached=self.persons_reached,
            note=(self.note or "").strip() or None,
        )


@strawberry.input(description="Visits to check in, one or a clinic day's.")
class VisitCheckInInput:
    visits: list[VisitInput] = strawberry.field(
        description=f"1 to {AT_ONCE_MAX}; all are written down, or none."
    )
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)


@strawberry.input(description="One household that was checked.")
class MonitoringCheckInput:
    household_id: ID = strawberry.field(description="Whom; one of the monitored categories.")
    outcome: CheckOutcome = strawberry.field(
        description="What was found.", default=CheckOutcome.NO_CHANGE
    )
    persons: int | None = strawberry.field(
        description="How many of its people were checked; left out: all.", default=None
    )
    checked_at: datetime | None = strawberry.field(
        description="When it was made." + WHEN, default=None
    )

    def to_check(self) -> monitoring.Check:
        return monitoring.Check(
            household_id=key_of("Household", self.household_id),
            outcome=CheckOutcome(self.outcome),
            persons=self.persons,
            checked_at=self.checked_at,
        )


@strawberry.input(description="Checks of monitored households to record.")
class MonitoringCheckRecordInput:
    checks: list[MonitoringCheckInput] = strawberry.field(
        description=f"1 to {AT_ONCE_MAX}; all are written down, or none."
    )
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)


@strawberry.type(description="What came of checking visits in.")
class VisitCheckInPayload(Payload):
    visits: list[Visit] = strawberry.field(
        description="The visits, in the order given; empty where they were refused.",
        default_factory=list,
    )


@strawberry.type(description="What came of recording checks.")
class MonitoringCheckRecordPayload(Payload):
    checks: list[MonitoringCheck] = strawberry.field(
        description="The checks, in the order given; empty where they were refused.",
        default_factory=list,
    )


@strawberry.type
class FieldworkMutations:
    @strawberry.mutation(
        description=f"Check visits in, up to {AT_ONCE_MAX} at once. One to a door that is checked "
        f"in more than {NEAR_M} m from it is kept and flagged."
    )
    async def visit_check_in(
        self, info: Info, input: Annotated[VisitCheckInInput, INPUT]
    ) -> VisitCheckInPayload:
        async def doing() -> list[int]:
            context, act = info.context, act_of(info, input)
            made = [each.to_visit() for each in input.visits]
            sealer = sealer_of(context.settings)
            return await visit_service.check_in(context.database, act, sealer, made)

        read = partial(read_many, info, "Visit")
        return await payload(VisitCheckInPayload, info, doing(), read)

    @strawberry.mutation(
        description="Record checks of households in the three monitored categories; they count as "
        "person-times checked."
    )
    async def monitoring_check_record(
        self, info: Info, input: Annotated[MonitoringCheckRecordInput, INPUT]
    ) -> MonitoringCheckRecordPayload:
        async def doing() -> list[int]:
            act = act_of(info, input)
            made = [each.to_check() for each in input.checks]
            return await monitoring_service.record(info.context.database, act, made)

        read = partial(read_many, info, "MonitoringCheck")
        return await payload(MonitoringCheckRecordPayload, info, doing(), read)


def _key(kind: str, text: ID | None) -> int | None:
    return None if text is None else key_of(kind, text)
