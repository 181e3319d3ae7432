"""Following an application by reference and code, and reading what was submitted, recorded."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from marketplace.domain.errors import Forbidden
from marketplace.domain.ids import key_of, opaque_id
from marketplace.services.acting import Act
from marketplace.services.registry import following
from marketplace.services.registry.sealing import sealer_of
from schema.payloads import Info, Payload, payload
from schema.registry.applications import ApplicationStatus, RejectReason
from schema.registry.personal_data import POST_ONLY
from schema.writing import INPUT


@strawberry.input(description="Which application, and the phone that was given with it.")
class ApplicationCodeRequestInput:
    reference: str = strawberry.field(description="The number on the receipt.")
    phone: str = strawberry.field(description="The phone of the application.")


@strawberry.type(description="The same whatever was asked, so that it tells nobody what is there.")
class ApplicationCodeRequestPayload(Payload):
    accepted: bool | None = strawberry.field(
        description="True: if both fit, a code is on its way to the phone.", default=None
    )


@strawberry.type(description="How an application stands, for whoever holds reference and code.")
class ApplicationFollowed:
    reference: str = strawberry.field(description="The number on the receipt.")
    status: ApplicationStatus = strawberry.field(description="Where it stands.")
    submitted_at: datetime = strawberry.field(description="When it came.")
    handled_at: datetime | None = strawberry.field(
        description="When it was registered or rejected."
    )
    why: RejectReason | None = strawberry.field(description="The kind of reason for a rejection.")
    reason: str | None = strawberry.field(description="The reason in words.")


@strawberry.type(description="What was submitted, in the clear; that you read it is recorded.")
class ApplicationDetails:
    application_id: strawberry.ID = strawberry.field(description="The application.")
    name: str = strawberry.field(description="Who applied.")
    phone: str | None = strawberry.field(description="How to call; null from files without one.")
    identity_number: str | None = strawberry.field(
        description="The number on the identity card, if it was given."
    )
    address: str = strawberry.field(description="Where it says it lives; empty if not said.")
    words: str = strawberry.field(description="What happened and what is needed; may be empty.")


@strawberry.type
class ApplicationFollowMutations:
    @strawberry.mutation(
        description="Ask for a code to follow an application by, sent to its phone, good for 30 "
        "minutes. The answer is the same whether there is such an application or not."
    )
    async def application_code_request(
        self, info: Info, input: Annotated[ApplicationCodeRequestInput, INPUT]
    ) -> ApplicationCodeRequestPayload:
        async def doing() -> None:
            context = info.context
            await following.request_code(
                context.database,
                _act(info),
                sealer_of(context.settings),
                input.reference,
                input.phone,
                address=context.address,
            )

        async def read(_: None) -> bool:
            return True

        return await payload(ApplicationCodeRequestPayload, info, doing(), read)


@strawberry.type
class ApplicationFollowQuery:
    @strawberry.field(
        description="How an application stands. Null where reference and code do not belong "
        "together; a code is good for five looks. By POST only."
    )
    async def application_status(
        self,
        info: Info,
        reference: Annotated[str, strawberry.argument(description="The number on the receipt.")],
        code: Annotated[str, strawberry.argument(description="The code sent to the phone.")],
    ) -> ApplicationFollowed | None:
        context = info.context
        if context.by_get:
            raise Forbidden(POST_ONLY)
        sealer = sealer_of(context.settings)
        found = await following.follow(
            context.database, _act(info), sealer, reference, code, address=context.address
        )
        return None if found is None else _followed(found)

    @strawberry.field(
        description="Name, phone and words of an application. Who read it and for what is recorded "
        "in the same transaction. By POST only."
    )
    async def application_details(
        self,
        info: Info,
        application_id: Annotated[
            strawberry.ID, strawberry.argument(description="Which application.")
        ],
        purpose: Annotated[
            str,
            strawberry.argument(
                description="What you need it for, in a few words, 4 to 200 characters; it is kept."
            ),
        ],
    ) -> ApplicationDetails | None:
        context, key = info.context, key_of("Application", application_id)
        if context.by_get:
            raise Forbidden(POST_ONLY)
        sealer = sealer_of(context.settings)
        found = await following.details(context.database, _act(info), sealer, key, purpose)
        return ApplicationDetails(
            application_id=strawberry.ID(opaque_id("Application", key)),
            name=found.name,
            phone=found.phone or None,
            identity_number=found.identity_number,
            address=found.address,
            words=found.words,
        )


def _act(info: Info) -> Act:
    return Act(viewer=info.context.viewer, request_id=info.context.request_id)


def _followed(found: following.Followed) -> ApplicationFollowed:
    return ApplicationFollowed(
        reference=found.reference,
        status=ApplicationStatus(found.status),
        submitted_at=found.submitted_at,
        handled_at=found.handled_at,
        why=None if found.why is None else RejectReason(found.why),
        reason=found.reason,
    )
