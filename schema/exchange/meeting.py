"""Needs that an offer could meet, and offers that could serve a need, before anyone plans."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import strawberry

from marketplace.domain.errors import DomainError
from marketplace.services.exchange import meeting
from schema.exchange.offers_writes import OfferPostInput
from schema.exchange.published_needs import PublishedNeed
from schema.payloads import Info
from schema.readgraph.read import read_many
from schema.writing import INPUT


@strawberry.type
class MeetingQuery:
    @strawberry.field(
        description="Open needs that an offer of these terms could meet, the most urgent first, at "
        "most `first` (1 to 100). Checked as `offerPost` would; nothing is posted. By what "
        "everyone may know: a need stands where its township does."
    )
    async def needs_meetable(
        self,
        info: Info,
        input: Annotated[OfferPostInput, INPUT],
        first: Annotated[int, strawberry.argument(description="How many, 1 to 100.")] = 20,
    ) -> list[PublishedNeed]:
        context = info.context
        try:
            keys = await meeting.needs_meetable(
                context.database, context.viewer, input.to_terms(), first=first
            )
        except DomainError as refusal:  # by the paths that offerPost names
            raise type(refusal)(
                *(replace(fault, field=("input", *fault.field)) for fault in refusal.faults)
            ) from None
        return await read_many(info, "PublishedNeed", keys)
