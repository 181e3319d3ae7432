"""Mutations of consents: giving and withdrawing."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Annotated

import strawberry
from strawberry import ID

from marketplace.domain.exchange.consents import (
    ConsentPurpose,
    GiveConsent,
    HowGiven,
    RecipientClass,
)
from marketplace.domain.ids import key_of
from marketplace.services.exchange import consents
from schema.exchange.consents import Consent
from schema.payloads import Info, Payload, act_of, payload
from schema.readgraph.read import read_one
from schema.writing import INPUT, KEY, VERSION


@strawberry.input(description="A household's consent, as the household or an officer records it.")
class ConsentGiveInput:
    household_id: ID = strawberry.field(description="Whose consent it is.")
    text_version: str = strawberry.field(
        description="Which wording the household agreed to: one of `consentTexts` in use."
    )
    how_given: HowGiven = strawberry.field(description="How the household said yes.")
    purpose: ConsentPurpose = strawberry.field(
        description="What the household agrees to.", default=ConsentPurpose.CHARITABLE_ASSISTANCE
    )
    recipient_class: RecipientClass = strawberry.field(
        description="Who may learn of it.", default=RecipientClass.VERIFIED_PROVIDERS
    )
    evidence_reference: str | None = strawberry.field(
        description="Where the signed paper or the recording is kept, at most 120 characters; "
        "officers must say it. Never its contents.",
        default=None,
    )
    expires_at: datetime | None = strawberry.field(
        description="Until when; left out: until it is withdrawn.", default=None
    )
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> GiveConsent:
        return GiveConsent(
            household_id=key_of("Household", self.household_id),
            text_version=self.text_version,
            how_given=HowGiven(self.how_given),
            purpose=ConsentPurpose(self.purpose),
            recipient_class=RecipientClass(self.recipient_class),
            evidence_reference=self.evidence_reference,
            expires_at=self.expires_at,
        )


@strawberry.input(description="Which consent to take back.")
class ConsentWithdrawInput:
    id: ID = strawberry.field(description="The consent.")
    expected_version: int | None = strawberry.field(description=VERSION, default=None)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> consents.WithdrawConsent:
        return consents.WithdrawConsent(
            consent_id=key_of("Consent", self.id), expected_version=self.expected_version
        )


@strawberry.type(description="What came of recording a consent.")
class ConsentGivePayload(Payload):
    consent: Consent | None = strawberry.field(
        description="The consent; null where it was refused.", default=None
    )


@strawberry.type(description="What came of taking a consent back.")
class ConsentWithdrawPayload(Payload):
    consent: Consent | None = strawberry.field(
        description="The consent as it ended; null where it was refused.", default=None
    )


@strawberry.type
class ConsentMutations:
    @strawberry.mutation(
        description="Record that a household lets its needs be passed on to charity."
    )
    async def consent_give(
        self, info: Info, input: Annotated[ConsentGiveInput, INPUT]
    ) -> ConsentGivePayload:
        async def doing() -> int:
            act = act_of(info, input)
            return await consents.give(info.context.database, act, input.to_command())

        return await payload(ConsentGivePayload, info, doing(), partial(read_one, info, "Consent"))

    @strawberry.mutation(
        description="Take a consent back. In the same moment the household's needs leave the "
        "market, and what was reserved for them goes back to its offers."
    )
    async def consent_withdraw(
        self, info: Info, input: Annotated[ConsentWithdrawInput, INPUT]
    ) -> ConsentWithdrawPayload:
        async def doing() -> int:
            act = act_of(info, input)
            return await consents.withdraw(info.context.database, act, input.to_command())

        read = partial(read_one, info, "Consent")
        return await payload(ConsentWithdrawPayload, info, doing(), read)
