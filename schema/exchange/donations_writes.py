"""Mutations of donations: recording, assigning and giving them back."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Annotated

import strawberry
from strawberry import ID

from marketplace.domain.exchange.donations import DonationKind, RecordDonation
from marketplace.domain.ids import key_of
from marketplace.services.exchange import donations
from marketplace.services.registry.sealing import sealer_of
from schema.exchange.donations import Donation
from schema.payloads import Info, Payload, act_of, payload
from schema.readgraph.read import read_one
from schema.scalars import BigInt
from schema.writing import INPUT, KEY, VERSION, sealed_act


@strawberry.input(description="A donation as it came in; who gave it is sealed at once.")
class DonationRecordInput:
    amount_fen: BigInt = strawberry.field(
        description="Fen; of goods the value that the donor states."
    )
    kind: DonationKind = strawberry.field(description="Cash or goods.", default=DonationKind.CASH)
    campaign_id: ID | None = strawberry.field(
        description="What it is given for; left out: unrestricted.", default=None
    )
    organization_id: ID | None = strawberry.field(
        description="Who takes an unrestricted one in; left out: your own organization.",
        default=None,
    )
    category_id: ID | None = strawberry.field(description="Of goods: what they are.", default=None)
    quantity: BigInt | None = strawberry.field(
        description="Of goods: how much, in the category's unit.", default=None
    )
    donor_name: str | None = strawberry.field(
        description="Who gave it, at most 100 characters; left out: anonymous.", default=None
    )
    donor_contact: str | None = strawberry.field(
        description="Where to reach the donor, at most 100 characters.", default=None
    )
    payment_reference: str | None = strawberry.field(
        description="By which the payment is found at the bank.", default=None
    )
    received_at: datetime | None = strawberry.field(
        description="When it was received; left out: now.", default=None
    )
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> RecordDonation:
        return RecordDonation(
            kind=DonationKind(self.kind),
            amount_fen=self.amount_fen,
            campaign_id=_key("Campaign", self.campaign_id),
            organization_id=_key("Organization", self.organization_id),
            category_id=_key("Category", self.category_id),
            quantity=self.quantity,
            donor_name=self.donor_name,
            donor_contact=self.donor_contact,
            payment_reference=self.payment_reference,
            received_at=self.received_at,
        )


@strawberry.input(description="Which unrestricted donation serves which campaign.")
class DonationAssignInput:
    id: ID = strawberry.field(description="The donation.")
    campaign_id: ID = strawberry.field(description="An open campaign of the same organization.")
    expected_version: int | None = strawberry.field(description=VERSION, default=None)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> donations.AssignDonation:
        return donations.AssignDonation(
            donation_id=key_of("Donation", self.id),
            campaign_id=key_of("Campaign", self.campaign_id),
            expected_version=self.expected_version,
        )


@strawberry.input(description="Which donation to give back, and why.")
class DonationRefundInput:
    id: ID = strawberry.field(description="The donation.")
    reason: str = strawberry.field(description="Why, 2 to 200 characters. Name nobody.")
    expected_version: int | None = strawberry.field(description=VERSION, default=None)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> donations.RefundDonation:
        return donations.RefundDonation(
            donation_id=key_of("Donation", self.id),
            reason=self.reason,
            expected_version=self.expected_version,
        )


@strawberry.type(description="What came of recording a donation.")
class DonationRecordPayload(Payload):
    donation: Donation | None = strawberry.field(
        description="The donation with its receipt; null where it was refused.", default=None
    )
    trace_code: str | None = strawberry.field(
        description="For the donor alone: with the receipt's number it tells where the donation "
        "went, by `donationTrace`. It is kept nowhere: print it on the receipt.",
        default=None,
    )


@strawberry.type(description="What came of assigning a donation.")
class DonationAssignPayload(Payload):
    donation: Donation | None = strawberry.field(
        description="The donation as it is now; null where it was refused.", default=None
    )


@strawberry.type(description="What came of giving a donation back.")
class DonationRefundPayload(Payload):
    donation: Donation | None = strawberry.field(
        description="The donation as it ended; null where it was refused.", default=None
    )


@strawberry.type
class DonationMutations:
    @strawberry.mutation(
        description="Take a donation in, with the next number of your receipts. Cash of a campaign "
        "is on offer at once, with what funds add to it; goods become an offer of their own; "
        "unrestricted cash waits to be assigned."
    )
    async def donation_record(
        self, info: Info, input: Annotated[DonationRecordInput, INPUT]
    ) -> DonationRecordPayload:
        async def doing() -> donations.Recorded:
            context = info.context
            sealer = sealer_of(context.settings)
            act = sealed_act(info, input)
            command = input.to_command()
            return await donations.record_donation(context.database, act, sealer, command)

        async def read(done: donations.Recorded) -> DonationRecordPayload:
            return DonationRecordPayload(
                donation=await read_one(info, "Donation", done.donation_id),
                trace_code=done.trace_code,
            )

        return await payload(DonationRecordPayload, info, doing(), read)

    @strawberry.mutation(description="Let unrestricted cash serve an open campaign.")
    async def donation_assign(
        self, info: Info, input: Annotated[DonationAssignInput, INPUT]
    ) -> DonationAssignPayload:
        async def doing() -> int:
            act = act_of(info, input)
            return await donations.assign(info.context.database, act, input.to_command())

        read = partial(read_one, info, "Donation")
        return await payload(DonationAssignPayload, info, doing(), read)

    @strawberry.mutation(
        description="Give a donation back while nothing of it is reserved or spent (else SPENT). "
        "What funds added goes back to them, and the campaign's balance shrinks at once."
    )
    async def donation_refund(
        self, info: Info, input: Annotated[DonationRefundInput, INPUT]
    ) -> DonationRefundPayload:
        async def doing() -> int:
            act = act_of(info, input)
            return await donations.refund(info.context.database, act, input.to_command())

        read = partial(read_one, info, "Donation")
        return await payload(DonationRefundPayload, info, doing(), read)


def _key(kind: str, id: ID | None) -> int | None:
    return None if id is None else key_of(kind, id)
