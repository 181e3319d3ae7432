"""Mutations at the door: checking in, confirming, disputing and settling."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Annotated

import strawberry
from strawberry import ID

from marketplace.domain.exchange.allocations import DisputeReason, Settlement
from marketplace.domain.exchange.deliveries import CheckIn as SaidAtTheDoor
from marketplace.domain.ids import key_of
from marketplace.services.exchange import deliveries, disputes
from marketplace.services.registry.sealing import sealer_of
from schema.exchange.allocations import Allocation
from schema.exchange.deliveries import CheckIn
from schema.payloads import Info, Payload, act_of, payload
from schema.readgraph.read import read_one
from schema.scalars import BigInt
from schema.writing import INPUT, KEY, VERSION


@strawberry.input(description="What whoever brings something says at the door.")
class DeliveryCheckInInput:
    id: ID = strawberry.field(description="The allocation.")
    latitude: float = strawberry.field(
        description="Where it is, degrees north. More than 5 km from the household is refused, "
        "more than 500 m is marked."
    )
    longitude: float = strawberry.field(description="Degrees east.")
    units_handed_over: BigInt = strawberry.field(
        description="How many units of the need were taken. 0 without `unitsReturned`: nobody "
        "could take them, and it is tried again."
    )
    continues: bool = strawberry.field(
        description="Whether more of it follows on another day, such as the other visits of a "
        "service; the last check-in closes it.",
        default=False,
    )
    units_returned: BigInt | None = strawberry.field(
        description="How many units come back to the provider; the rest of what was sent counts "
        "as lost.",
        default=None,
    )
    evidence_reference: str | None = strawberry.field(
        description="Where a photo or a signed paper is kept, at most 120 characters; never its "
        "contents.",
        default=None,
    )
    checked_in_at: datetime | None = strawberry.field(
        description="When it was, where it is recorded later, within 7 days; left out: now.",
        default=None,
    )
    expected_version: int | None = strawberry.field(description=VERSION, default=None)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> deliveries.CheckInDelivery:
        said = SaidAtTheDoor(
            latitude=self.latitude,
            longitude=self.longitude,
            handed_over=self.units_handed_over,
            returned=self.units_returned,
            continues=self.continues,
            evidence_reference=self.evidence_reference,
            checked_in_at=self.checked_in_at,
        )
        return deliveries.CheckInDelivery(
            allocation_id=key_of("Allocation", self.id),
            said=said,
            expected_version=self.expected_version,
        )


@strawberry.input(description="What was received as it was handed over.")
class AllocationConfirmInput:
    id: ID = strawberry.field(description="The allocation.")
    code: str | None = strawberry.field(
        description="The household's one-time code; with it also whoever brought it may confirm.",
        default=None,
    )
    expected_version: int | None = strawberry.field(description=VERSION, default=None)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> deliveries.ConfirmAllocation:
        return deliveries.ConfirmAllocation(
            allocation_id=key_of("Allocation", self.id),
            code=self.code,
            expected_version=self.expected_version,
        )


@strawberry.input(description="What was not received as it was said.")
class AllocationDisputeInput:
    id: ID = strawberry.field(description="The allocation.")
    reason: DisputeReason = strawberry.field(description="What is wrong.")
    units_received: BigInt | None = strawberry.field(
        description="How many units of the need were received; left out: not said.", default=None
    )
    note: str | None = strawberry.field(
        description="More of it for the offices, at most 200 characters; providers never read it.",
        default=None,
    )
    expected_version: int | None = strawberry.field(description=VERSION, default=None)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> disputes.DisputeAllocation:
        return disputes.DisputeAllocation(
            allocation_id=key_of("Allocation", self.id),
            reason=DisputeReason(self.reason),
            units_received=self.units_received,
            note=self.note,
            expected_version=self.expected_version,
        )


@strawberry.input(description="What the charity desk found.")
class AllocationSettleInput:
    id: ID = strawberry.field(description="The allocation.")
    settlement: Settlement = strawberry.field(description="How the dispute ends.")
    note: str = strawberry.field(
        description="How this was found, 1 to 200 characters, without anything about persons: "
        "the provider reads it."
    )
    units_received: BigInt | None = strawberry.field(
        description="How many units of the need were received; needed to confirm.", default=None
    )
    units_returned: BigInt = strawberry.field(
        description="How many really came back to the provider; only these go back to the offer.",
        default=BigInt(0),
    )
    expected_version: int | None = strawberry.field(description=VERSION, default=None)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> disputes.SettleAllocation:
        return disputes.SettleAllocation(
            allocation_id=key_of("Allocation", self.id),
            settlement=Settlement(self.settlement),
            note=self.note,
            units_received=self.units_received,
            units_returned=self.units_returned,
            expected_version=self.expected_version,
        )


@strawberry.type(description="What came of checking in.")
class DeliveryCheckInPayload(Payload):
    check_in: CheckIn | None = strawberry.field(
        description="The check-in; null where it was refused.", default=None
    )


@strawberry.type(description="What came of confirming.")
class AllocationConfirmPayload(Payload):
    allocation: Allocation | None = strawberry.field(
        description="The allocation as it is now; null where that was refused.", default=None
    )


@strawberry.type(description="What came of disputing.")
class AllocationDisputePayload(Payload):
    allocation: Allocation | None = strawberry.field(
        description="The allocation as it is now; null where that was refused.", default=None
    )


@strawberry.type(description="What came of settling.")
class AllocationSettlePayload(Payload):
    allocation: Allocation | None = strawberry.field(
        description="The allocation as it ended; null where that was refused.", default=None
    )


@strawberry.type
class DeliveryMutations:
    @strawberry.mutation(
        description="Put down that something was brought to a door, how near, and how much was "
        "taken. What was not taken opens the need again."
    )
    async def delivery_check_in(
        self, info: Info, input: Annotated[DeliveryCheckInInput, INPUT]
    ) -> DeliveryCheckInPayload:
        async def doing() -> int:
            act = act_of(info, input)
            return await deliveries.check_in(info.context.database, act, input.to_command())

        read = partial(read_one, info, "CheckIn")
        return await payload(DeliveryCheckInPayload, info, doing(), read)

    @strawberry.mutation(
        description="Confirm that the household received what was handed over: by another person "
        "than who brought it, or by the household's code. The result goes to the desks."
    )
    async def allocation_confirm(
        self, info: Info, input: Annotated[AllocationConfirmInput, INPUT]
    ) -> AllocationConfirmPayload:
        async def doing() -> int:
            act, context = act_of(info, input), info.context
            sealer = sealer_of(context.settings)
            return await deliveries.confirm(context.database, act, sealer, input.to_command())

        read = partial(read_one, info, "Allocation")
        return await payload(AllocationConfirmPayload, info, doing(), read)

    @strawberry.mutation(description="Put in question what was received.")
    async def allocation_dispute(
        self, info: Info, input: Annotated[AllocationDisputeInput, INPUT]
    ) -> AllocationDisputePayload:
        async def doing() -> int:
            act = act_of(info, input)
            return await disputes.dispute(info.context.database, act, input.to_command())

        read = partial(read_one, info, "Allocation")
        return await payload(AllocationDisputePayload, info, doing(), read)

    @strawberry.mutation(
        description="End a dispute: confirmed with what was received, or cancelled. A shortfall "
        "opens the need again; only what really came back goes back to the offer."
    )
    async def allocation_settle(
        self, info: Info, input: Annotated[AllocationSettleInput, INPUT]
    ) -> AllocationSettlePayload:
        async def doing() -> int:
            act = act_of(info, input)
            return await disputes.settle(info.context.database, act, input.to_command())

        read = partial(read_one, info, "Allocation")
        return await payload(AllocationSettlePayload, info, doing(), read)
