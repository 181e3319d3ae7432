"""Mutations of lists of those helped: the federation reports, the charity desk receives."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import Annotated

import strawberry
from strawberry import ID

from marketplace.domain.ids import key_of
from marketplace.services.exchange import helped_lists
from marketplace.services.exchange.helped_lists import ReceiveHelpedList, ReportHelped
from schema.exchange.helped_lists import HelpedList
from schema.payloads import Info, Payload, act_of, payload
from schema.readgraph.read import read_one
from schema.writing import INPUT, KEY


@strawberry.input(description="Of which days to report whom the federation helped.")
class HelpedListReportInput:
    from_: date = strawberry.field(name="from", description="The first day, by the calendar.")
    to: date = strawberry.field(description="The last day, included; at most 366 days.")
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> ReportHelped:
        return ReportHelped(starts_on=self.from_, ends_on=self.to)


@strawberry.input(description="Which list the charity desk has received.")
class HelpedListReceiveInput:
    id: ID = strawberry.field(description="The list.")
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> ReceiveHelpedList:
        return ReceiveHelpedList(list_id=key_of("HelpedList", self.id))


@strawberry.type
class HelpedListPayload(Payload):
    helped_list: HelpedList | None = strawberry.field(
        description="The list as it is now; null where it was refused.", default=None
    )


@strawberry.type(description="What came of reporting a list.")
class HelpedListReportPayload(HelpedListPayload):
    pass


@strawberry.type(description="What came of receiving a list.")
class HelpedListReceivePayload(HelpedListPayload):
    pass


@strawberry.type
class HelpedListMutations:
    @strawberry.mutation(
        description="救助人员名单: report to the charity desk whom the federation helped in some "
        "days, by what it gave or brought and was confirmed. A delivery stands in one list."
    )
    async def helped_list_report(
        self, info: Info, input: Annotated[HelpedListReportInput, INPUT]
    ) -> HelpedListReportPayload:
        async def doing() -> int:
            act = act_of(info, input)
            return await helped_lists.report(info.context.database, act, input.to_command())

        read = partial(read_one, info, "HelpedList")
        return await payload(HelpedListReportPayload, info, doing(), read)

    @strawberry.mutation(description="Say that the charity desk has received a list.")
    async def helped_list_receive(
        self, info: Info, input: Annotated[HelpedListReceiveInput, INPUT]
    ) -> HelpedListReceivePayload:
        async def doing() -> int:
            act = act_of(info, input)
            return await helped_lists.receive(info.context.database, act, input.to_command())

        read = partial(read_one, info, "HelpedList")
        return await payload(HelpedListReceivePayload, info, doing(), read)
