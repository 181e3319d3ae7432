"""Lists of those helped in the graph: the federation's own, and for the charity desk."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import sqlalchemy as sa
import strawberry

from marketplace.domain.exchange.helped_lists import HelpedListStatus, LineState, allowed_moves
from marketplace.domain.ids import key_of, opaque_id, reference
from marketplace.domain.permissions import SUPERVISION, Role
from marketplace.persistence.tables.results import helped_list_lines, helped_lists
from marketplace.services.exchange import helped_lists as service
from marketplace.services.exchange.helped_lists import Row
from schema.context import Context
from schema.enums import described
from schema.exchange.amounts import in_units
from schema.payloads import Info
from schema.readgraph.declare import (
    Columns,
    Condition,
    Descending,
    Edge,
    Entity,
    Scope,
    column,
    for_viewer,
    many,
    node,
    one,
    root,
)
from schema.readgraph.references import referenced_by
from schema.registry.trees import in_region_of
from schema.scalars import Quantity

LETTER = "L"

described(
    HelpedListStatus,
    "Where a list of those helped stands.",
    {
        HelpedListStatus.REPORTED: "reported to the charity desk.",
        HelpedListStatus.RECEIVED: "the charity desk has it.",
    },
)
described(
    LineState,
    "Whether a delivery stands in a list of those helped.",
    {
        LineState.NOT_REPORTED: "未上报, in none yet.",
        LineState.REPORTED: "已上报, in one that was reported.",
        LineState.RECEIVED: "已接收, in one that the charity desk has.",
    },
)


def _visible(row: Columns, scope: Scope) -> Condition:
    if scope.is_one_of(SUPERVISION):
        return sa.true()
    if scope.role is Role.FEDERATION:
        return row["organization_id"] == scope.organization_id
    if scope.role is Role.CHARITY_OFFICER:
        return in_region_of(scope, row["region_id"])
    return sa.false()


def _line_visible(row: Columns, scope: Scope) -> Condition:
    whole = helped_lists.alias()
    seen = sa.select(whole.c.id).where(
        whole.c.id == row["helped_list_id"], _visible(whole.c, scope)
    )
    return seen.exists()


def _moves(context: Context, status: str) -> list[str]:
    return list(allowed_moves(context.viewer, HelpedListStatus(status)))


@node(
    table=helped_lists,
    visible=_visible,
    order=(Descending("reportedAt"),),
    description="救助人员名单: whom the charity federation helped, as it reported to the charity "
    "desk. It names nobody; `personalData` does, for who may.",
)
class HelpedList(Entity):
    reference: str = referenced_by(LETTER, "reported_at")
    status: HelpedListStatus = column(
        "status", "Where it stands.", filter=HelpedListStatus, order=True
    )
    starts_on: date = column("starts_on", "Its first day.", filter=True, order=True)
    ends_on: date = column("ends_on", "Its last day.", filter=True, order=True)
    deliveries: int = column("line_count", "How many deliveries: 人次.")
    households: int = column("household_count", "How many households: 户数.")
    reported_at: datetime = column("reported_at", "When it was reported.", filter=True, order=True)
    received_at: datetime | None = column(
        "received_at", "When the charity desk received it.", filter=True, order=True
    )
    allowed_moves: list[str] = for_viewer(
        ("status",), _moves, "Mutations that the viewer may ask for now."
    )
    organization: Edge = one("Organization", "organization_id", "Who reported it.", filter=True)
    lines: Edge = many("HelpedListLine", "helped_list_id", "Its deliveries.")


@node(
    table=helped_list_lines,
    visible=_line_visible,
    order=(),
    description="One delivery in a list of those helped; it stands in no other.",
)
class HelpedListLine(Entity):
    helped_list: Edge = one("HelpedList", "helped_list_id", "In which list.", filter=True)
    result: Edge = one("Result", "result_id", "What came of it.", filter=True)


@strawberry.type(description="A delivery of the federation, for its list of those helped.")
class FederationLine:
    result_id: strawberry.ID = strawberry.field(description="The result.")
    result_reference: str = strawberry.field(description="Its number on papers.")
    allocation_reference: str = strawberry.field(description="Of what was given.")
    delivered_at: datetime = strawberry.field(description="When it was handed over.")
    category_label: str = strawberry.field(description="Of what, in your language.")
    received: Quantity = strawberry.field(description="How much was received.")
    township_label: str | None = strawberry.field(
        description="Where, by township, in your language; null where it was never published."
    )
    state: LineState = strawberry.field(description="Whether it was reported yet.")
    list_reference: str | None = strawberry.field(description="In which list, if in one.")


def _line(row: Row, is_zh: bool) -> FederationLine:
    reported, place = row["list_id"], row["name_zh"] if is_zh else row["name_en"] or row["name_zh"]
    label = row["label_zh"] if is_zh else row["label_en"] or row["label_zh"]
    return FederationLine(
        result_id=strawberry.ID(opaque_id("Result", row["id"])),
        result_reference=reference("J", row["sent_at"].year, row["id"]),
        allocation_reference=reference("A", row["allocated_at"].year, row["allocation_id"]),
        delivered_at=row["delivered_at"],
        category_label=label,
        received=in_units(row["units_received"], row["unit"]),
        township_label=place,
        state=LineState.NOT_REPORTED if reported is None else LineState(row["status"]),
        list_reference=None
        if reported is None
        else reference(LETTER, row["reported_at"].year, reported),
    )


@strawberry.type
class HelpedListQuery:
    helped_lists: Edge = root(
        "HelpedList", "Lists of those helped, newest first; for the federation and charity desk."
    )

    @strawberry.field(
        description="What the federation gave or brought and was confirmed in some days, latest "
        "first, at most 1,000: what a list of those helped would hold, and what one does."
    )
    async def federation_list(
        self,
        info: Info,
        from_: Annotated[
            date, strawberry.argument(name="from", description="The first day, by the calendar.")
        ],
        to: Annotated[date, strawberry.argument(description="The last day, included.")],
        organization_id: Annotated[
            strawberry.ID | None,
            strawberry.argument(description="Whose, for the charity desk; else your own."),
        ] = None,
    ) -> list[FederationLine]:
        context = info.context
        command = service.ReportHelped(starts_on=from_, ends_on=to)
        key = None if organization_id is None else key_of("Organization", organization_id)
        rows = await service.lines(context.database, context.viewer, command, organization_id=key)
        is_zh = context.language == "zh-CN"
        return [_line(row, is_zh) for row in rows]
