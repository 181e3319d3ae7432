"""What people typed about a case or on a visit: read for a stated purpose, and recorded."""

from __future__ import annotations

from typing import Annotated

import strawberry
from strawberry import ID

from marketplace.domain.errors import Forbidden
from marketplace.domain.ids import key_of, opaque_id
from marketplace.services.acting import Act
from marketplace.services.fieldwork import notes
from marketplace.services.oversight import texts
from marketplace.services.registry.sealing import sealer_of
from schema.payloads import Info
from schema.registry.personal_data import POST_ONLY

PURPOSE = "What you need it for, in a few words, 4 to 200 characters; it is kept."


@strawberry.type(description="What was typed in an appeal and in its decision.")
class AppealTexts:
    appeal: str = strawberry.field(description="Why the accused says it is wrong.")
    decision: str | None = strawberry.field(description="Why it was decided so; null: not yet.")


@strawberry.type(description="What people typed about a case; that you read it is recorded.")
class CaseTexts:
    case_id: ID = strawberry.field(description="The case.")
    allegation: str | None = strawberry.field(
        description="What it rests on; null to the accused, since it may tell who alleged it."
    )
    findings: list[str] = strawberry.field(description="What each person found.")
    grounds: str | None = strawberry.field(description="Why the restriction is as it is.")
    appeals: list[AppealTexts] = strawberry.field(description="Appeals, in order.")
    closing: str | None = strawberry.field(description="Why the case was closed or dismissed.")


@strawberry.type
class SealedTextQuery:
    @strawberry.field(
        description="What people typed about a case of integrity: for its desk, supervision, and "
        "whom it is about once it was found true. Who read it is recorded. By POST only."
    )
    async def integrity_case_texts(
        self,
        info: Info,
        id: Annotated[ID, strawberry.argument(description="The case.")],
        purpose: Annotated[str, strawberry.argument(description=PURPOSE)],
    ) -> CaseTexts | None:
        context, act = info.context, _act(info)
        key, sealer = key_of("IntegrityCase", id), sealer_of(context.settings)
        found = await texts.read(context.database, act, sealer, key, purpose)
        return CaseTexts(
            case_id=ID(opaque_id("IntegrityCase", found.case_id)),
            allegation=found.allegation,
            findings=list(found.findings),
            grounds=found.grounds,
            appeals=[AppealTexts(appeal=a.appeal, decision=a.decision) for a in found.appeals],
            closing=found.closing,
        )

    @strawberry.field(
        description="What was noted on a visit, null if nothing was; for officers of its region. "
        "Who read it is recorded. By POST only."
    )
    async def visit_note(
        self,
        info: Info,
        id: Annotated[ID, strawberry.argument(description="The visit.")],
        purpose: Annotated[str, strawberry.argument(description=PURPOSE)],
    ) -> str | None:
        context, act = info.context, _act(info)
        sealer = sealer_of(context.settings)
        return await notes.read(context.database, act, sealer, key_of("Visit", id), purpose)


def _act(info: Info) -> Act:
    """Who reads; never by a link that could be followed unknowingly."""
    if info.context.by_get:
        raise Forbidden(POST_ONLY)
    return Act(viewer=info.context.viewer, request_id=info.context.request_id)
