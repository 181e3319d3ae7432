"""offerImpact: what an offer would change in the current plan, before it is posted."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import strawberry
from strawberry import ID

from marketplace.domain.errors import DomainError
from marketplace.domain.ids import opaque_id
from marketplace.services.exchange import impacts
from marketplace.services.exchange.impact_sentence import sentence
from marketplace.services.exchange.impact_told import ToldUse
from marketplace.services.exchange.impacts import OfferImpact as Found
from schema.exchange.amounts import in_units
from schema.exchange.offers_writes import OfferPostInput
from schema.exchange.published_needs import SeverityBand
from schema.payloads import Info
from schema.scalars import Quantity
from schema.writing import INPUT

FEW = "null where it concerns fewer than five households"
HOUSEHOLDS = "How many households, to the nearest five"


@strawberry.type(description="A township that the offer would reach.")
class ImpactTownship:
    region_id: ID = strawberry.field(description="The township.")
    label: str = strawberry.field(description="Its name in the language of Accept-Language.")
    households: int = strawberry.field(description=f"{HOUSEHOLDS}; at least five.")


@strawberry.type(description="What needs of one category would get from the offer.")
class ImpactCategory:
    category_id: ID = strawberry.field(description="The category of the needs.")
    label: str = strawberry.field(description="Its name in the language of Accept-Language.")
    served: Quantity = strawberry.field(description="What they would get, rounded.")
    households: int = strawberry.field(description=f"{HOUSEHOLDS}; at least five.")


@strawberry.type(description="How far one level of precedence is served, without and with it.")
class ImpactLevel:
    is_floor: bool = strawberry.field(
        description="Whether it is the share of every need that comes first, or the rest."
    )
    severity_band: SeverityBand = strawberry.field(description="Of needs of this severity.")
    percent_before: int = strawberry.field(
        description="Share served by the current plan, by reference value, in percent."
    )
    percent_after: int = strawberry.field(
        description="Share served with the offer. A change that concerns fewer than five "
        "households is not shown."
    )


@strawberry.type(description="Where an offer of the same worth would serve more urgent needs.")
class BetterUse:
    category_id: ID = strawberry.field(description="Of what.")
    category_label: str = strawberry.field(description="Its name in your language.")
    region_id: ID = strawberry.field(description="For which township.")
    region_label: str = strawberry.field(description="Its name in your language.")
    is_floor: bool = strawberry.field(
        description="Whether the share of needs that comes first is open there, or only the rest."
    )
    severity_band: SeverityBand = strawberry.field(
        description="The gravest needs that it would serve."
    )
    open: Quantity = strawberry.field(description="What is still open there, rounded.")
    households: int = strawberry.field(description=f"{HOUSEHOLDS}; at least five.")


@strawberry.type(
    description="What an offer would change in the current plan. Households stand where their "
    "township does, counts are rounded, and of townships and named regions in which fewer than "
    "five households are reached none is counted."
)
class OfferImpact:
    plan_reference: str = strawberry.field(description="The plan it is compared with.")
    exact: bool = strawberry.field(
        description="Whether what it touches was solved to a proven end; else it is an estimate, "
        "and `drawnMax` the bound. Never with a radius: it is measured to the centre of each "
        "township here, the plan measures to the household. Who is nearest is, too."
    )
    offered: Quantity = strawberry.field(description="What is offered.")
    drawn: Quantity | None = strawberry.field(description=f"What of it would be used; {FEW}.")
    drawn_max: Quantity | None = strawberry.field(
        description="Where it is not exact: more than this is never used."
    )
    unused_percent: int | None = strawberry.field(
        description=f"The share that would stay unused; {FEW}."
    )
    households_reached: int | None = strawberry.field(
        description=f"{HOUSEHOLDS}, get something from it; {FEW}."
    )
    households_gaining: int | None = strawberry.field(
        description=f"{HOUSEHOLDS}, get more than without it, from whichever offer; {FEW}."
    )
    townships_reached: int = strawberry.field(
        description="Townships where it reaches at least five households."
    )
    townships: list[ImpactTownship] = strawberry.field(description="Those townships.")
    categories: list[ImpactCategory] = strawberry.field(
        description="What it serves, by the needs' category; cash buys in several."
    )
    levels: list[ImpactLevel] = strawberry.field(
        description="Share served by level of precedence, the first one first."
    )
    better: list[BetterUse] = strawberry.field(
        description="What would do more good for the same worth, best first; empty where nothing "
        "would, or where the category has no reference price."
    )
    sentence: str = strawberry.field(description="All of it in words, in your language.")


@strawberry.type
class OfferImpactQuery:
    @strawberry.field(
        description="What an offer would change in the latest plan of the whole county, before it "
        "is posted. Checked as `offerPost` would; refused with NO_PLAN where there is none. "
        "One at a time for each account, and at most 120 an hour."
    )
    async def offer_impact(
        self, info: Info, input: Annotated[OfferPostInput, INPUT]
    ) -> OfferImpact:
        context = info.context
        try:
            found = await impacts.ask(context.database, context.viewer, input.to_terms())
        except DomainError as refusal:  # by the paths that offerPost names
            raise type(refusal)(
                *(replace(fault, field=("input", *fault.field)) for fault in refusal.faults)
            ) from None
        return _shown(found, _Words(found, is_zh=context.language == "zh-CN"))


class _Words:
    """Names in the viewer's language."""

    def __init__(self, found: Found, *, is_zh: bool) -> None:
        self.found, self.is_zh = found, is_zh

    def region(self, key: int) -> str:
        row = self.found.regions[key]
        return str(row["name_zh"] if self.is_zh else row["name_en"] or row["name_zh"])

    def category(self, key: int) -> str:
        row = self.found.categories[key]
        return str(row["label_zh"] if self.is_zh else row["label_en"] or row["label_zh"])

    def unit(self, key: int) -> str:
        return str(self.found.categories[key]["unit"] or "unit")


def _shown(found: Found, words: _Words) -> OfferImpact:
    told = found.told

    def quantity(value: int | None) -> Quantity | None:
        return None if value is None else in_units(value, found.unit)

    townships = [
        ImpactTownship(
            region_id=ID(opaque_id("Region", each["region_id"])),
            label=words.region(each["region_id"]),
            households=each["households"],
        )
        for each in told["townships"]
    ]
    return OfferImpact(
        plan_reference=found.plan_reference,
        exact=found.exact,
        offered=in_units(told["offered"], found.unit),
        drawn=quantity(told["drawn"]),
        drawn_max=quantity(told["drawn_max"]),
        unused_percent=told["unused_percent"],
        households_reached=told["households"],
        households_gaining=told["gaining"],
        townships_reached=len(townships),
        townships=townships,
        categories=_categories(found, words),
        levels=[
            ImpactLevel(
                is_floor=each["floor"],
                severity_band=SeverityBand(each["band"]),
                percent_before=each["percent_before"],
                percent_after=each["percent_after"],
            )
            for each in told["levels"]
        ],
        better=[_use(each, words) for each in told["better"]],
        sentence=sentence(found).said_in("zh-CN" if words.is_zh else "en"),
    )


def _categories(found: Found, words: _Words) -> list[ImpactCategory]:
    return [
        ImpactCategory(
            category_id=ID(opaque_id("Category", each["category_id"])),
            label=words.category(each["category_id"]),
            served=in_units(each["units"], words.unit(each["category_id"])),
            households=each["households"],
        )
        for each in found.told["categories"]
    ]


def _use(use: ToldUse, words: _Words) -> BetterUse:
    return BetterUse(
        category_id=ID(opaque_id("Category", use["category_id"])),
        category_label=words.category(use["category_id"]),
        region_id=ID(opaque_id("Region", use["region_id"])),
        region_label=words.region(use["region_id"]),
        is_floor=use["floor"],
        severity_band=SeverityBand(use["band"]),
        open=in_units(use["units"], words.unit(use["category_id"])),
        households=use["households"],
    )
