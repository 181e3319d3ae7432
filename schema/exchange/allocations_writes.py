"""Mutations of allocations: accepting, declining, cancelling and dispatching."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import Annotated

import strawberry
from strawberry import ID

from marketplace.domain.errors import Conflict, Fault
from marketplace.domain.exchange.allocations import CancelReason, DeclineReason
from marketplace.domain.exchange.deliveries import Carrier
from marketplace.domain.ids import key_of
from marketplace.services.exchange import accepting, dispatching
from marketplace.services.exchange.handing_over import Line, Moved
from marketplace.services.registry.sealing import sealer_of
from schema.exchange.allocations import Allocation
from schema.payloads import Info, Payload, UserError, act_of, payload, user_errors
from schema.readgraph.read import read_many, read_one
from schema.scalars import BigInt
from schema.writing import INPUT, KEY, VERSION

LINES = "1 to 100 allocations; each that is not ready is reported, the others are moved."


@strawberry.input(description="One allocation of a list.")
class AllocationLineInput:
    id: ID = strawberry.field(description="The allocation.")
    expected_version: int | None = strawberry.field(description=VERSION, default=None)

    def to_line(self) -> Line:
        return Line(
            allocation_id=key_of("Allocation", self.id), expected_version=self.expected_version
        )


@strawberry.input(description="One allocation of a list, and how much of it is sent.")
class DispatchLineInput:
    id: ID = strawberry.field(description="The allocation.")
    units_sent: BigInt | None = strawberry.field(
        description="How many units of the need are sent; left out: all that was set aside. What "
        "is not sent goes back to offer and need.",
        default=None,
    )
    expected_version: int | None = strawberry.field(description=VERSION, default=None)

    def to_line(self) -> Line:
        return Line(
            allocation_id=key_of("Allocation", self.id),
            expected_version=self.expected_version,
            units=self.units_sent,
        )


@strawberry.input(description="What a provider takes on.")
class AllocationAcceptInput:
    lines: list[AllocationLineInput] = strawberry.field(description=LINES)
    carrier: Carrier = strawberry.field(
        description="Who brings it to the door. A provider that does so itself may ask for the "
        "household's contact until it is over; otherwise it never learns where it goes.",
        default=Carrier.GRID,
    )
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> accepting.AcceptAllocations:
        return accepting.AcceptAllocations(
            lines=tuple(line.to_line() for line in self.lines), carrier=Carrier(self.carrier)
        )


@strawberry.input(description="What a provider turns down.")
class AllocationDeclineInput:
    lines: list[AllocationLineInput] = strawberry.field(description=LINES)
    reason: DeclineReason = strawberry.field(description="Why.")
    note: str | None = strawberry.field(
        description="More of it for the charity desk, at most 200 characters.", default=None
    )
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> accepting.DeclineAllocations:
        return accepting.DeclineAllocations(
            lines=tuple(line.to_line() for line in self.lines),
            reason=DeclineReason(self.reason),
            note=self.note,
        )


@strawberry.input(description="What the charity desk calls back before it is sent.")
class AllocationCancelInput:
    id: ID = strawberry.field(description="The allocation.")
    reason: CancelReason = strawberry.field(
        description="OFFICER, OFFER_WITHDRAWN or NEED_WITHDRAWN; the others are consequences.",
        default=CancelReason.OFFICER,
    )
    note: str | None = strawberry.field(
        description="More of it for the provider, at most 200 characters.", default=None
    )
    expected_version: int | None = strawberry.field(description=VERSION, default=None)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> accepting.CancelAllocation:
        return accepting.CancelAllocation(
            allocation_id=key_of("Allocation", self.id),
            reason=CancelReason(self.reason),
            note=self.note,
            expected_version=self.expected_version,
        )


@strawberry.input(description="What a provider sends.")
class AllocationDispatchInput:
    lines: list[DispatchLineInput] = strawberry.field(description=LINES)
    planned_on: date | None = strawberry.field(
        description="On which day it is brought to the door; left out: today.", default=None
    )
    label: str = strawberry.field(
        description="Tells batches of one day apart, such as a van's number; at most 40 "
        "characters.",
        default="",
    )
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> dispatching.DispatchAllocations:
        return dispatching.DispatchAllocations(
            lines=tuple(line.to_line() for line in self.lines),
            planned_on=self.planned_on,
            label=self.label,
        )


@strawberry.type(description="What came of accepting; what was not ready stands in `userErrors`.")
class AllocationAcceptPayload(Payload):
    allocations: list[Allocation] = strawberry.field(
        description="Those that were accepted.", default_factory=list
    )


@strawberry.type(description="What came of declining; what was not ready stands in `userErrors`.")
class AllocationDeclinePayload(Payload):
    allocations: list[Allocation] = strawberry.field(
        description="Those that were declined.", default_factory=list
    )


@strawberry.type(description="What came of dispatching; what was not ready stands in `userErrors`.")
class AllocationDispatchPayload(Payload):
    allocations: list[Allocation] = strawberry.field(
        description="Those that were sent.", default_factory=list
    )


@strawberry.type(description="What came of cancelling.")
class AllocationCancelPayload(Payload):
    allocation: Allocation | None = strawberry.field(
        description="The allocation as it ended; null where that was refused.", default=None
    )


async def _accepted(info: Info, done: Moved) -> AllocationAcceptPayload:
    return AllocationAcceptPayload(
        allocations=await read_many(info, "Allocation", done.allocation_ids),
        user_errors=_errors(info, done),
    )


async def _declined(info: Info, done: Moved) -> AllocationDeclinePayload:
    return AllocationDeclinePayload(
        allocations=await read_many(info, "Allocation", done.allocation_ids),
        user_errors=_errors(info, done),
    )


async def _dispatched(info: Info, done: Moved) -> AllocationDispatchPayload:
    return AllocationDispatchPayload(
        allocations=await read_many(info, "Allocation", done.allocation_ids),
        user_errors=_errors(info, done),
    )


def _errors(info: Info, done: Moved) -> list[UserError]:
    faults: Sequence[Fault] = [done.refused[place] for place in sorted(done.refused)]
    return user_errors(Conflict(*faults), info.context.language) if faults else []


@strawberry.type
class AllocationMutations:
    @strawberry.mutation(
        description="Take on what was set aside of one's own offers, within the time for it."
    )
    async def allocation_accept(
        self, info: Info, input: Annotated[AllocationAcceptInput, INPUT]
    ) -> AllocationAcceptPayload:
        async def doing() -> Moved:
            act = act_of(info, input)
            return await accepting.accept(info.context.database, act, input.to_command())

        return await payload(AllocationAcceptPayload, info, doing(), partial(_accepted, info))

    @strawberry.mutation(
        description="Turn down what was set aside of one's own offers. It goes back to offer and "
        "need in the same moment, and no plan proposes the pair again."
    )
    async def allocation_decline(
        self, info: Info, input: Annotated[AllocationDeclineInput, INPUT]
    ) -> AllocationDeclinePayload:
        async def doing() -> Moved:
            act = act_of(info, input)
            return await accepting.decline(info.context.database, act, input.to_command())

        return await payload(AllocationDeclinePayload, info, doing(), partial(_declined, info))

    @strawberry.mutation(
        description="Call back what is not on its way yet; it goes back to offer and need."
    )
    async def allocation_cancel(
        self, info: Info, input: Annotated[AllocationCancelInput, INPUT]
    ) -> AllocationCancelPayload:
        async def doing() -> int:
            act = act_of(info, input)
            return await accepting.cancel(info.context.database, act, input.to_command())

        read = partial(read_one, info, "Allocation")
        return await payload(AllocationCancelPayload, info, doing(), read)

    @strawberry.mutation(
        description="Send what was accepted. The household gets a one-time code, by which it "
        "confirms what it received."
    )
    async def allocation_dispatch(
        self, info: Info, input: Annotated[AllocationDispatchInput, INPUT]
    ) -> AllocationDispatchPayload:
        async def doing() -> Moved:
            act, context = act_of(info, input), info.context
            sealer = sealer_of(context.settings)
            return await dispatching.dispatch(context.database, act, sealer, input.to_command())

        return await payload(AllocationDispatchPayload, info, doing(), partial(_dispatched, info))
