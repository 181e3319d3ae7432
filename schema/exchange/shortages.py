"""shortages: what a plan leaves open by category and township, for desks and donors."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import ID

from marketplace.domain.errors import InvalidInput
from marketplace.domain.ids import key_of, opaque_id
from marketplace.domain.permissions import COUNTY_OFFICERS, SUPERVISION
from marketplace.services.exchange import shortages
from marketplace.services.exchange.explained import Level
from schema.context import Context
from schema.exchange.amounts import in_units
from schema.exchange.published_needs import SeverityBand
from schema.payloads import Info
from schema.registry.categories import money
from schema.scalars import Money, Quantity

FIRST_MAX = 500
DESKS = COUNTY_OFFICERS | SUPERVISION

REGION = "Only within this region; one below a township stands for its township."
CATEGORY = "Only this category with all below it."
PLAN = "Of which plan; left out: the latest that stands of the county."
FIRST = f"At most so many, 1 to {FIRST_MAX}."


@strawberry.type(description="What one unit more would do, wherever it comes from.")
class MarginalValue:
    is_floor: bool | None = strawberry.field(
        description="Whether it would serve the share of a need that comes first, or the rest; "
        "null where the plan's policy has no such share."
    )
    severity_band: SeverityBand = strawberry.field(
        description="Severity of the need that it would serve, there or, by re-assignment, "
        "elsewhere."
    )
    level: int | None = strawberry.field(
        description="Its precedence as in `Plan.proof.levels`, 0 the highest; for the desks."
    )
    value: Money | None = strawberry.field(
        description="Reference value of one unit; null where the category has none."
    )
    estimate: bool = strawberry.field(
        description="Whether this is no proof: where rules make more than a flow, or the plan is "
        "not proven."
    )


@strawberry.type(
    description="What is short of one category in one township. Figures are rounded and nothing is "
    "said about fewer than five households."
)
class Shortage:
    region_id: ID = strawberry.field(description="The township, or the county it is merged into.")
    region_label: str = strawberry.field(description="Its name in your language.")
    is_rest: bool = strawberry.field(
        description="Whether it is the rest of a county: its townships where fewer than five "
        "households each lack this."
    )
    category_id: ID = strawberry.field(description="The category of the needs.")
    category_label: str = strawberry.field(description="Its name in your language.")
    short: Quantity = strawberry.field(description="About how much the plan leaves open.")
    households: int = strawberry.field(description="For about how many households; at least five.")
    marginal: MarginalValue | None = strawberry.field(
        description="What one unit more would do; null where the needs took no part in the plan."
    )
    sentence: str = strawberry.field(description="All of it in words, in your language.")


@strawberry.type(description="What a plan leaves open.")
class Shortages:
    plan_id: ID = strawberry.field(description="The plan.")
    plan_reference: str = strawberry.field(description="Its number on papers.")
    plan_finished_at: datetime | None = strawberry.field(description="When it was computed.")
    total: int = strawberry.field(description="How many there are, shown here or not.")
    shortages: list[Shortage] = strawberry.field(
        description="Where one unit more would do most comes first."
    )


@strawberry.type
class ShortageQuery:
    @strawberry.field(
        description="What a plan leaves open by category and township, and what one unit more "
        "would do there; for officers, of their region, and for providers. Null where no plan that "
        "you may be told of says it."
    )
    async def shortages(
        self,
        info: Info,
        region_id: Annotated[ID | None, strawberry.argument(description=REGION)] = None,
        category_id: Annotated[ID | None, strawberry.argument(description=CATEGORY)] = None,
        plan: Annotated[ID | None, strawberry.argument(description=PLAN)] = None,
        first: Annotated[int, strawberry.argument(description=FIRST)] = 100,
    ) -> Shortages | None:
        if not 1 <= first <= FIRST_MAX:
            raise InvalidInput.of(
                "first",
                f"Ask for 1 to {FIRST_MAX} at once.",
                f"一次可查询 1 至 {FIRST_MAX} 项。",
                code="TOO_SMALL" if first < 1 else "TOO_LARGE",
            )
        asked = shortages.Ask(
            plan_id=_key("Plan", plan),
            region_id=_key("Region", region_id),
            category_id=_key("Category", category_id),
        )
        found = await shortages.ask(info.context.database, info.context.viewer, asked)
        return None if found is None else _shown(info.context, found, first)


def _key(kind: str, text: ID | None) -> int | None:
    return None if text is None else key_of(kind, text)


def _shown(context: Context, found: shortages.Found, first: int) -> Shortages:
    return Shortages(
        plan_id=ID(opaque_id("Plan", found.plan.plan_id)),
        plan_reference=found.plan.reference,
        plan_finished_at=found.plan.finished_at,
        total=len(found.shortages),
        shortages=[_shortage(context, each) for each in found.shortages[:first]],
    )


def _shortage(context: Context, each: shortages.Shortage) -> Shortage:
    return Shortage(
        region_id=ID(opaque_id("Region", each.region_id)),
        region_label=each.region.said_in(context.language),
        is_rest=each.is_rest,
        category_id=ID(opaque_id("Category", each.category_id)),
        category_label=each.category.said_in(context.language),
        short=in_units(each.units, each.unit),
        households=each.households,
        marginal=None if each.gain is None else _marginal(context, each, each.gain),
        sentence=shortages.sentence(each).said_in(context.language),
    )


def _marginal(context: Context, each: shortages.Shortage, gain: Level) -> MarginalValue:
    return MarginalValue(
        is_floor=gain.is_floor,
        severity_band=SeverityBand(gain.band),
        level=gain.position if context.viewer.role in DESKS else None,
        value=money(each.value),
        estimate=each.estimate,
    )
