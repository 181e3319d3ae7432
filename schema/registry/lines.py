"""Assistance lines in the graph: the published policy, for everyone, and setting it."""

from __future__ import annotations

from datetime import date, datetime
from functools import partial
from typing import Annotated

import strawberry

from marketplace.domain.errors import Text
from marketplace.domain.registry.assessments import Area, Lines
from marketplace.persistence.tables.decisions import assistance_lines
from marketplace.services.registry import lines as service
from schema.enums import described
from schema.payloads import Info, Payload, act_of, payload
from schema.readgraph.declare import Descending, Edge, Entity, column, computed, node, root
from schema.readgraph.read import read_one
from schema.registry.categories import money
from schema.registry.trees import everyone, labelled
from schema.scalars import BigInt, Money
from schema.writing import INPUT, KEY

described(
    Area,
    "Town and country have lines of their own.",
    {
        Area.URBAN: "城市.",
        Area.RURAL: "农村.",
    },
)


@node(
    table=assistance_lines,
    visible=everyone,
    order=(Descending("validFrom"),),
    description="救助标准: what a county published for a year; never changed, only followed.",
)
class AssistanceLines(Entity):
    version: str = column("version", "Their name, such as jinxi-2025.", filter=True)
    county_code: str = column("county_code", "GB/T 2260, six digits.", filter=True)
    area: Area = column("area", "Town or country.", filter=Area)
    valid_from: date = column("valid_from", "From which day they count.", filter=True, order=True)
    subsistence_line: Money = computed(
        ("subsistence_fen_month",), money, "低保标准, per head and month."
    )
    disposable_income: Money = computed(
        ("disposable_income_fen_month",), money, "人均可支配收入, per head and month."
    )
    edge_percent: int = column(
        "edge_percent", "低保边缘: income up to so many percent of the subsistence line."
    )
    property_months: int = column(
        "property_months", "Property per head up to so many months of the subsistence line."
    )
    edge_property_months: int = column("edge_property_months", "The same for the wider classes.")
    subsistence_review_months: int = column(
        "subsistence_review_months", "低保 is looked at again after so many months."
    )
    extreme_review_months: int = column("extreme_review_months", "特困, likewise.")
    edge_review_months: int = column("edge_review_months", "低保边缘, likewise.")
    rigid_review_months: int = column("rigid_review_months", "刚性支出困难, likewise.")
    rigid_valid_months: int = column(
        "rigid_valid_months", "A recognition for rigid expenditure runs out after so many months."
    )
    is_assumption: bool = column("is_assumption", "No official figure: for trial use only.")
    note: str = labelled("note_zh", "note_en", "Where they come from, in a language.")
    set_at: datetime | None = column("set_at", "When they were set; null: came with the program.")


@strawberry.input(description="A county's lines for a year, of town or country.")
class AssistanceLinesSetInput:
    version: str = strawberry.field(description="Their name, such as jinxi-2027.")
    county_code: str = strawberry.field(description="GB/T 2260, six digits.")
    area: Area = strawberry.field(description="Town or country.")
    valid_from: date = strawberry.field(
        description="From which day they count: today or later, after any that are there."
    )
    subsistence_fen_month: BigInt = strawberry.field(description="低保标准, fen a head and month.")
    disposable_income_fen_month: BigInt = strawberry.field(
        description="人均可支配收入, fen a head and month."
    )
    edge_percent: int = strawberry.field(
        description="低保边缘: up to so many percent of the subsistence line.", default=150
    )
    property_months: int = strawberry.field(
        description="Property a head up to so many months of the line.", default=24
    )
    edge_property_months: int = strawberry.field(
        description="The same for the wider classes.", default=36
    )
    subsistence_review_months: int = strawberry.field(
        description="低保 is looked at again after so many months.", default=12
    )
    extreme_review_months: int = strawberry.field(description="特困, likewise.", default=12)
    edge_review_months: int = strawberry.field(description="低保边缘, likewise.", default=6)
    rigid_review_months: int = strawberry.field(description="刚性支出困难, likewise.", default=12)
    rigid_valid_months: int = strawberry.field(
        description="A recognition for rigid expenditure runs out after so many months: 1 to 12.",
        default=12,
    )
    is_assumption: bool = strawberry.field(
        description="No official figure: for trial use only.", default=False
    )
    note_zh: str = strawberry.field(description="Where they come from, in Chinese.", default="")
    note_en: str = strawberry.field(description="Where they come from, in English.", default="")
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_lines(self) -> Lines:
        return Lines(
            version=self.version.strip(),
            county_code=self.county_code,
            area=Area(self.area),
            valid_from=self.valid_from,
            subsistence_fen_month=self.subsistence_fen_month,
            disposable_income_fen_month=self.disposable_income_fen_month,
            edge_percent=self.edge_percent,
            property_months=self.property_months,
            edge_property_months=self.edge_property_months,
            subsistence_review_months=self.subsistence_review_months,
            extreme_review_months=self.extreme_review_months,
            edge_review_months=self.edge_review_months,
            rigid_review_months=self.rigid_review_months,
            rigid_valid_months=self.rigid_valid_months,
            is_assumption=self.is_assumption,
            note=Text(self.note_en, self.note_zh),
        )


@strawberry.type(description="What came of setting lines.")
class AssistanceLinesSetPayload(Payload):
    assistance_lines: AssistanceLines | None = strawberry.field(
        description="The lines; null where they were refused.", default=None
    )


@strawberry.type
class AssistanceLinesQuery:
    assistance_lines: Edge = root(
        "AssistanceLines", "Lines of assistance of all counties and years, the latest first."
    )


@strawberry.type
class AssistanceLinesMutations:
    @strawberry.mutation(
        description="Put in what a county published for a year. Assessments from that day on go by "
        "it; lines that have counted are never changed."
    )
    async def assistance_lines_set(
        self, info: Info, input: Annotated[AssistanceLinesSetInput, INPUT]
    ) -> AssistanceLinesSetPayload:
        async def doing() -> int:
            act = act_of(info, input)
            return await service.set_lines(info.context.database, act, input.to_lines())

        read = partial(read_one, info, "AssistanceLines")
        return await payload(AssistanceLinesSetPayload, info, doing(), read)
