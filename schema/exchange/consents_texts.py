"""Consent texts: the wordings that households agree to, by version."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Annotated

import strawberry
from strawberry import ID

from marketplace.domain.exchange.consent_texts import PublishText
from marketplace.domain.exchange.consents import ConsentPurpose, RecipientClass
from marketplace.domain.ids import key_of
from marketplace.domain.permissions import MUTATIONS
from marketplace.persistence.tables.pledges import consent_texts
from marketplace.services.exchange import consent_texts as service
from schema.context import Context
from schema.exchange import consents  # noqa: F401  # its enums are described before they are used
from schema.payloads import Info, Payload, act_of, payload
from schema.readgraph.declare import Descending, Edge, Entity, column, for_viewer, node, root
from schema.readgraph.read import read_one
from schema.registry.trees import everyone, labelled
from schema.writing import INPUT, KEY


def _moves(context: Context, valid_until: str | None) -> list[str]:
    """A wording that is out of use stays so."""
    may = valid_until is None and context.viewer.role in MUTATIONS["consentTextEnd"]
    return ["consentTextEnd"] if may else []


@node(
    table=consent_texts,
    visible=everyone,
    order=(Descending("validFrom"),),
    description="授权文本: a wording that households agree to; it is never changed, only followed.",
)
class ConsentText(Entity):
    text_version: str = column("version", "What a consent names it by.", filter=True)
    purpose: ConsentPurpose = column("purpose", "What is agreed to.")
    recipient_class: RecipientClass = column("recipient_class", "Who may learn of it.")
    text: str = labelled("text_zh", "text_en", "The wording.")
    valid_from: datetime = column("valid_from", "From when on.", filter=True, order=True)
    valid_until: datetime | None = column(
        "valid_until", "Until when it may be agreed to; null: it still may.", filter=True
    )
    allowed_moves: list[str] = for_viewer(
        ("valid_until",), _moves, "Mutations that the viewer may ask for now."
    )


@strawberry.input(description="A new wording.")
class ConsentTextPublishInput:
    text_version: str = strawberry.field(
        description="What consents will name it by, at most 40 characters."
    )
    text_zh: str = strawberry.field(description="In Chinese, at most 4,000 characters.")
    text_en: str = strawberry.field(description="In English, at most 4,000 characters.")
    purpose: ConsentPurpose = strawberry.field(
        description="What is agreed to.", default=ConsentPurpose.CHARITABLE_ASSISTANCE
    )
    recipient_class: RecipientClass = strawberry.field(
        description="Who may learn of it.", default=RecipientClass.VERIFIED_PROVIDERS
    )
    valid_from: datetime | None = strawberry.field(
        description="From when on; default: at once.", default=None
    )
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> PublishText:
        return PublishText(
            version=self.text_version,
            text_zh=self.text_zh,
            text_en=self.text_en,
            purpose=ConsentPurpose(self.purpose),
            recipient_class=RecipientClass(self.recipient_class),
            valid_from=self.valid_from,
        )


@strawberry.input(description="Which wording nobody is to agree to any more.")
class ConsentTextEndInput:
    id: ID = strawberry.field(description="The wording.")
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)


@strawberry.type(description="What came of publishing a wording.")
class ConsentTextPublishPayload(Payload):
    consent_text: ConsentText | None = strawberry.field(
        description="The wording; null where it was refused.", default=None
    )


@strawberry.type(description="What came of ending a wording.")
class ConsentTextEndPayload(Payload):
    consent_text: ConsentText | None = strawberry.field(
        description="The wording; null where it was refused.", default=None
    )


@strawberry.type
class ConsentTextQuery:
    consent_texts: Edge = root("ConsentText", "Wordings of all versions, newest first.")


@strawberry.type
class ConsentTextMutations:
    @strawberry.mutation(description="Publish a wording that households may agree to.")
    async def consent_text_publish(
        self, info: Info, input: Annotated[ConsentTextPublishInput, INPUT]
    ) -> ConsentTextPublishPayload:
        async def doing() -> int:
            act = act_of(info, input)
            return await service.publish(info.context.database, act, input.to_command())

        read = partial(read_one, info, "ConsentText")
        return await payload(ConsentTextPublishPayload, info, doing(), read)

    @strawberry.mutation(
        description="Let nobody agree to a wording any more. Consents that stand stand."
    )
    async def consent_text_end(
        self, info: Info, input: Annotated[ConsentTextEndInput, INPUT]
    ) -> ConsentTextEndPayload:
        async def doing() -> int:
            key = key_of("ConsentText", input.id)
            return await service.end(info.context.database, act_of(info, input), key)

        read = partial(read_one, info, "ConsentText")
        return await payload(ConsentTextEndPayload, info, doing(), read)
