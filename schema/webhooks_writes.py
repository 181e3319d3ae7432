"""Mutations of webhooks: create, update, rotate the secret, disable, enable, deliver again."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import strawberry
from strawberry import ID

from marketplace.domain.ids import key_of
from marketplace.services import webhooks
from marketplace.services.registry.sealing import sealer_of
from marketplace.services.webhooks import WithSecret
from schema.payloads import Info, Payload, act_of, payload
from schema.readgraph.read import read_one
from schema.webhooks import Webhook, WebhookDelivery
from schema.writing import INPUT, KEY, VERSION

URL = "An https address that answers POST with a status of 200 to 299 within 15 seconds."
KINDS = (
    "Kinds of events, such as allocation.confirmed or need.*, at most 50; empty: all that the "
    "subscriber may know."
)
SHOWN_ONCE = (
    "Shown only now: whsec_…, by which the receiver checks the webhook-signature header. Null "
    "where the request was repeated."
)


@strawberry.input(description="A new webhook of the viewer's organization or desk.")
class WebhookCreateInput:
    url: str = strawberry.field(description=URL)
    kinds: list[str] = strawberry.field(description=KINDS, default_factory=list)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> webhooks.CreateWebhook:
        return webhooks.CreateWebhook(url=self.url, kinds=self.kinds)


@strawberry.input(description="What to change of a webhook; what is left out stays.")
class WebhookUpdateInput:
    id: ID = strawberry.field(description="The webhook.")
    url: str | None = strawberry.field(description=URL, default=None)
    kinds: list[str] | None = strawberry.field(description=KINDS, default=None)
    expected_version: int | None = strawberry.field(description=VERSION, default=None)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> webhooks.UpdateWebhook:
        return webhooks.UpdateWebhook(
            webhook_id=key_of("Webhook", self.id),
            url=self.url,
            kinds=self.kinds,
            expected_version=self.expected_version,
        )


@strawberry.input
class WebhookMoveInput:
    id: ID = strawberry.field(description="The webhook.")
    expected_version: int | None = strawberry.field(description=VERSION, default=None)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> webhooks.MoveWebhook:
        return webhooks.MoveWebhook(
            webhook_id=key_of("Webhook", self.id), expected_version=self.expected_version
        )


@strawberry.input(description="Which webhook gets a new secret.")
class WebhookRotateSecretInput(WebhookMoveInput):
    pass


@strawberry.input(description="Which webhook is told nothing more.")
class WebhookDisableInput(WebhookMoveInput):
    pass


@strawberry.input(description="Which webhook is told of events again.")
class WebhookEnableInput(WebhookMoveInput):
    pass


@strawberry.input(description="Which delivery that was given up is sent again.")
class WebhookDeliveryRetryInput:
    id: ID = strawberry.field(description="The delivery.")
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)


@strawberry.type
class WebhookPayload(Payload):
    webhook: Webhook | None = strawberry.field(
        description="The webhook as it is now; null where it was refused.", default=None
    )


@strawberry.type(description="What came of making a webhook.")
class WebhookCreatePayload(WebhookPayload):
    secret: str | None = strawberry.field(description=SHOWN_ONCE, default=None)


@strawberry.type(description="What came of changing a webhook.")
class WebhookUpdatePayload(WebhookPayload):
    pass


@strawberry.type(description="What came of giving a webhook a new secret.")
class WebhookRotateSecretPayload(WebhookPayload):
    secret: str | None = strawberry.field(
        description=SHOWN_ONCE + " For 24 hours the one before signs as well.", default=None
    )


@strawberry.type(description="What came of disabling a webhook.")
class WebhookDisablePayload(WebhookPayload):
    pass


@strawberry.type(description="What came of enabling a webhook.")
class WebhookEnablePayload(WebhookPayload):
    pass


@strawberry.type(description="What came of putting a delivery in line again.")
class WebhookDeliveryRetryPayload(Payload):
    delivery: WebhookDelivery | None = strawberry.field(
        description="The delivery as it is now; null where it was refused.", default=None
    )


async def _created(info: Info, done: WithSecret) -> WebhookCreatePayload:
    webhook = await read_one(info, "Webhook", done.webhook_id)
    return WebhookCreatePayload(webhook=webhook, secret=done.secret)


async def _rotated(info: Info, done: WithSecret) -> WebhookRotateSecretPayload:
    webhook = await read_one(info, "Webhook", done.webhook_id)
    return WebhookRotateSecretPayload(webhook=webhook, secret=done.secret)


@strawberry.type
class WebhookMutations:
    @strawberry.mutation(
        description="Have events posted to a URL from now on, with ids, references and kinds only, "
        "and only of what the viewer's role may see."
    )
    async def webhook_create(
        self, info: Info, input: Annotated[WebhookCreateInput, INPUT]
    ) -> WebhookCreatePayload:
        context = info.context
        doing = webhooks.create(
            context.database,
            act_of(info, input),
            sealer_of(context.settings),
            input.to_command(),
            private_allowed=context.settings.webhook_private_targets,
        )
        return await payload(WebhookCreatePayload, info, doing, partial(_created, info))

    @strawberry.mutation(description="Have other events posted, or elsewhere.")
    async def webhook_update(
        self, info: Info, input: Annotated[WebhookUpdateInput, INPUT]
    ) -> WebhookUpdatePayload:
        doing = webhooks.update(
            info.context.database,
            act_of(info, input),
            input.to_command(),
            private_allowed=info.context.settings.webhook_private_targets,
        )
        return await payload(WebhookUpdatePayload, info, doing, partial(read_one, info, "Webhook"))

    @strawberry.mutation(
        description="Give a webhook a new secret. For 24 hours both sign, so that nothing is lost "
        "while the new one is put in place."
    )
    async def webhook_rotate_secret(
        self, info: Info, input: Annotated[WebhookRotateSecretInput, INPUT]
    ) -> WebhookRotateSecretPayload:
        context = info.context
        doing = webhooks.rotate_secret(
            context.database, act_of(info, input), sealer_of(context.settings), input.to_command()
        )
        return await payload(WebhookRotateSecretPayload, info, doing, partial(_rotated, info))

    @strawberry.mutation(description="Tell a webhook nothing more; what waits for it is given up.")
    async def webhook_disable(
        self, info: Info, input: Annotated[WebhookDisableInput, INPUT]
    ) -> WebhookDisablePayload:
        doing = webhooks.disable(info.context.database, act_of(info, input), input.to_command())
        return await payload(WebhookDisablePayload, info, doing, partial(read_one, info, "Webhook"))

    @strawberry.mutation(description="Tell a disabled webhook again what happens from now on.")
    async def webhook_enable(
        self, info: Info, input: Annotated[WebhookEnableInput, INPUT]
    ) -> WebhookEnablePayload:
        doing = webhooks.enable(info.context.database, act_of(info, input), input.to_command())
        return await payload(WebhookEnablePayload, info, doing, partial(read_one, info, "Webhook"))

    @strawberry.mutation(description="Send a delivery that was given up again, under the same id.")
    async def webhook_delivery_retry(
        self, info: Info, input: Annotated[WebhookDeliveryRetryInput, INPUT]
    ) -> WebhookDeliveryRetryPayload:
        key = key_of("WebhookDelivery", input.id)
        doing = webhooks.retry(info.context.database, act_of(info, input), key)
        read = partial(read_one, info, "WebhookDelivery")
        return await payload(WebhookDeliveryRetryPayload, info, doing, read)
