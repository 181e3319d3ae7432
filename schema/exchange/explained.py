"""Why: what a plan says of a need that it leaves short, and of each of its lines."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import sqlalchemy as sa
import strawberry

from marketplace.domain.errors import Text
from marketplace.domain.exchange.explained import (
    PlanLineCode,
    ShortfallKind,
    ShortfallLacking,
    ShortfallRule,
)
from marketplace.domain.ids import key_of
from marketplace.persistence.tables.registry import categories, regions
from marketplace.services.exchange import explained
from marketplace.services.exchange.explained_sentence import (
    line_sentence,
    shortfall_sentence,
)
from schema.context import Context
from schema.enums import described
from schema.exchange.amounts import in_units, unit_of_category
from schema.exchange.plans_proof import LeftAsideReason
from schema.exchange.published_needs import SeverityBand
from schema.once import Later
from schema.readgraph.declare import Arguments, Columns
from schema.scalars import Quantity

described(
    ShortfallKind,
    "Why a need is short in a plan.",
    {
        ShortfallKind.COMPLETE: "It is not: the plan serves all that was open.",
        ShortfallKind.NOTHING_ELIGIBLE: "No offer may meet it; `lacking` says what there is not.",
        ShortfallKind.RULE: "An offer has something for it, or might give way to it, but a rule "
        "stands in the way; `rules` says which.",
        ShortfallKind.OUTRANKED: "What reaches it is held by needs that come before it.",
        ShortfallKind.CAPACITY: "What reaches it is used up, and by nothing that comes before it.",
        ShortfallKind.LEFT_ASIDE: "It, or every offer for it, took no part; `leftAside` says why.",
        ShortfallKind.UNDECIDED: "The plan was not solved to the end.",
    },
)
described(
    ShortfallLacking,
    "What a need lacks that no offer may meet; the first of these that holds.",
    {
        ShortfallLacking.NO_OFFER: "There is no offer of its category.",
        ShortfallLacking.NO_PRICE: "Only cash is there, and its category has no reference price.",
        ShortfallLacking.NOT_IN_REGION: "No offer of its category goes to its region.",
        ShortfallLacking.TOO_FAR: "It lies beyond the service radius of all that go there.",
        ShortfallLacking.OTHER_GROUPS: "Those that reach it are restricted to other target groups.",
        ShortfallLacking.DECLINED: "The providers of those that might meet it have declined.",
    },
)
described(
    ShortfallRule,
    "A rule that keeps an offer from a need.",
    {
        ShortfallRule.HOUSEHOLD_MAX: "At most so much for one household.",
        ShortfallRule.DELIVERIES_MAX: "At most so many deliveries.",
        ShortfallRule.DELIVERY_MIN: "At least so much in one delivery.",
        ShortfallRule.QUANTITY_MIN: "Less than this is of no use to the need.",
        ShortfallRule.VISIT_DAYS: "The days of a service, and the spans of a recurring need.",
        ShortfallRule.OFFERS_MAX: "At most so many offers for one need.",
    },
)
described(
    PlanLineCode,
    "Why a need is served by this offer and no other.",
    {
        PlanLineCode.ONLY: "No other could.",
        PlanLineCode.NEAREST: "None that could is nearer.",
        PlanLineCode.NEARER_USED: "This need has all there is of those that are nearer.",
        PlanLineCode.NEARER_OUTRANKS: "What is nearer serves needs of higher precedence.",
        PlanLineCode.NEARER_TAKEN: "What is nearer serves others, so that all go the least way.",
        PlanLineCode.NEARER_RULED: "Something nearer is left, but a rule keeps it from this need.",
    },
)


@strawberry.type(description="One level of a plan's precedence.")
class Precedence:
    position: int = strawberry.field(description="0 is the highest, as in `Plan.proof.levels`.")
    levels: int = strawberry.field(description="How many there are.")
    is_floor: bool | None = strawberry.field(
        description="Whether it is of the share of every need that comes first; null where the "
        "plan's policy has none."
    )
    severity_band: SeverityBand = strawberry.field(
        description="The gravest needs that have units at it."
    )


@strawberry.type(description="Why a need is short in one plan.")
class Shortfall:
    kind: ShortfallKind = strawberry.field(description="Why.")
    short: Quantity = strawberry.field(description="How much the plan leaves open of it.")
    complete: bool = strawberry.field(description="Whether it leaves nothing open.")
    level: Precedence | None = strawberry.field(
        description="The precedence of its first unit that is not served; null where it is "
        "complete or took no part."
    )
    lacking: ShortfallLacking | None = strawberry.field(description="With NOTHING_ELIGIBLE: what.")
    rules: list[ShortfallRule] = strawberry.field(description="With RULE: which.")
    left_aside: LeftAsideReason | None = strawberry.field(description="With LEFT_ASIDE: why.")
    offers: int = strawberry.field(description="How many offers might have met it.")
    outranking_needs: int | None = strawberry.field(
        description="About how many needs of higher precedence hold units of these offers, to the "
        "nearest five; null: fewer than five, or none."
    )
    tied_needs: int | None = strawberry.field(
        description="The same of needs of equal precedence, which are nearer or were first."
    )
    estimate: bool = strawberry.field(
        description="Whether this is no proof: where rules make more than a flow, or the plan is "
        "not proven."
    )
    sentence: str = strawberry.field(description="All of it in words, in your language.")


@strawberry.type(description="Why a plan has this line.")
class PlanLineReason:
    code: PlanLineCode | None = strawberry.field(
        description="Why this offer; null of what packs of another size left open."
    )
    first_level: Precedence | None = strawberry.field(
        description="The highest precedence of its units, the nearest offers counted first."
    )
    last_level: Precedence | None = strawberry.field(description="The lowest of them.")
    floor: Quantity = strawberry.field(description="What of it belongs to the floor share.")
    beyond: Quantity = strawberry.field(description="What does not.")
    rank: int | None = strawberry.field(description="Its offer's rank by distance, 1 the nearest.")
    offers: int | None = strawberry.field(description="Of so many that could serve the need.")
    sentence: str = strawberry.field(description="All of it in words, in your language.")


PLAN: Arguments = (
    ("plan", strawberry.ID, "Which plan; left out: the latest that stands of your county."),
)


def label_zh(row: Columns) -> sa.ColumnElement[str]:
    return _of_category(row, "label_zh")


def label_en(row: Columns) -> sa.ColumnElement[str]:
    return _of_category(row, "label_en")


def town_zh(row: Columns) -> sa.ColumnElement[str]:
    return _of_township(row, "name_zh")


def town_en(row: Columns) -> sa.ColumnElement[str]:
    return _of_township(row, "name_en")


def position(row: Columns) -> sa.ColumnElement[int]:
    """Where the need's region lies in the tree."""
    here = regions.alias()
    return sa.select(here.c.tree_low).where(here.c.id == row["region_id"]).scalar_subquery()


SHORTFALL_CELLS = (
    "id",
    position,
    unit_of_category,
    label_zh,
    label_en,
    town_zh,
    town_en,
)


def shortfall_of(
    context: Context,
    arguments: Mapping[str, object],
    need_id: int,
    place: int,
    unit: str | None,
    what_zh: str,
    what_en: str | None,
    where_zh: str,
    where_en: str | None,
) -> Later[Shortfall | None]:
    """Why the need is short in a plan; null where the plan does not know it, or is not shown."""
    what, town = _text(what_en, what_zh), _text(where_en, where_zh)

    async def wait() -> Shortfall | None:
        of = await plan_asked(context, arguments.get("plan"), place)
        kept = None if of is None else await kept_of(context, of.plan_id)
        told = None if kept is None else kept.shortfall(need_id)
        return None if told is None else _shortfall(context, told, unit, what, town)

    return Later(wait)


def reason_of(
    context: Context, plan_id: int, need_id: int, offer_id: int, units: int, unit: str | None
) -> Later[PlanLineReason | None]:
    """Why a line; null where the plan does not say."""

    async def wait() -> PlanLineReason | None:
        kept = await kept_of(context, plan_id)
        told = None if kept is None else kept.reason(need_id, offer_id)
        if told is None:
            return None
        said = line_sentence(told, units)
        return PlanLineReason(
            code=told.code,
            first_level=precedence(told.first),
            last_level=precedence(told.last),
            floor=in_units(told.floor_units, unit),
            beyond=in_units(units - told.floor_units, unit),
            rank=told.rank or None,
            offers=told.offers or None,
            sentence=said.said_in(context.language),
        )

    return Later(wait)


async def plan_asked(context: Context, plan: object, place: int | None) -> explained.ToldOf | None:
    """The plan of an id, else the latest that stands round a place; looked up once.

    Raises InvalidId for what is no id of a plan.
    """
    database, viewer = context.database, context.viewer
    if plan is not None:
        plan_id = key_of("Plan", str(plan))
        return await context.once.of(
            ("plan", plan_id), partial(explained.readable, database, viewer, plan_id)
        )
    at = viewer.region_low if viewer.region_id is not None else place
    if at is None:
        return None
    return await context.once.of(
        ("current plan", at), partial(explained.current, database, viewer, at)
    )


async def kept_of(context: Context, plan_id: int) -> explained.Explained | None:
    """What was kept with a plan; read once."""
    return await context.once.of(
        ("explained", plan_id), partial(explained.explained, context.database, plan_id)
    )


def precedence(level: explained.Level | None) -> Precedence | None:
    """A level as the graph says it."""
    if level is None:
        return None
    return Precedence(
        position=level.position,
        levels=level.count,
        is_floor=level.is_floor,
        severity_band=SeverityBand(level.band),
    )


def _shortfall(
    context: Context, told: explained.Shortfall, unit: str | None, what: Text, town: Text
) -> Shortfall:
    return Shortfall(
        kind=told.kind,
        short=in_units(told.units, unit),
        complete=told.kind is ShortfallKind.COMPLETE,
        level=precedence(told.level),
        lacking=told.lacking,
        rules=list(told.rules),
        left_aside=told.left_aside,
        offers=told.offers,
        outranking_needs=told.outranking,
        tied_needs=told.tied,
        estimate=told.estimate,
        sentence=shortfall_sentence(told, what, town).said_in(context.language),
    )


def _of_category(row: Columns, name: str) -> sa.ColumnElement[str]:
    category = categories.alias()
    found = sa.select(category.c[name]).where(category.c.id == row["category_id"])
    return found.scalar_subquery()


def _of_township(row: Columns, name: str) -> sa.ColumnElement[str]:
    """The township above a village or grid cell by at most two steps up, else the place itself."""
    here, above, top = (regions.alias() for _ in range(3))
    found = sa.case(
        (above.c.level == "TOWNSHIP", above.c[name]),
        (top.c.level == "TOWNSHIP", top.c[name]),
        else_=here.c[name],
    )
    return (
        sa.select(found)
        .select_from(here)
        .outerjoin(above, above.c.id == here.c.parent_id)
        .outerjoin(top, top.c.id == above.c.parent_id)
        .where(here.c.id == row["region_id"])
        .scalar_subquery()
    )


def _text(en: str | None, zh: str) -> Text:
    return Text(en or zh, zh)
