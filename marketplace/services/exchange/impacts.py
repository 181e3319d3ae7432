"""Impacts: what an offer would change in the current plan, before it is posted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from marketplace.domain.days import first_day, last_day
from marketplace.domain.errors import Conflict, Forbidden
from marketplace.domain.exchange.categories import CategoryFacts
from marketplace.domain.exchange.offers import OfferTerms
from marketplace.domain.ids import reference
from marketplace.domain.permissions import Viewer, require
from marketplace.domain.registry.categories import CategoryKind
from marketplace.persistence.database import Database, Reading, Row
from marketplace.persistence.exchange import facts, plan_names
from marketplace.persistence.exchange.market import Market
from marketplace.services.exchange import offers
from marketplace.services.exchange.impact_child import Question
from marketplace.services.exchange.impact_desk import desk_of
from marketplace.services.exchange.impact_told import Told

NEW_OFFER = 2**62  # above every id that a database gave


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferImpact:
    """What may be told, against which plan, and the names of what it is about.

    exact        the plan is proven, and what the offer touches was solved to the end
    has_radius   it is measured to townships, the plan measures to households: never exact
    regions      name_zh, name_en by id       categories   label_zh, label_en, unit by id
    """

    told: Told
    exact: bool
    has_radius: bool
    unit: str
    plan_reference: str
    plan_finished_at: datetime
    regions: Mapping[int, Row]
    categories: Mapping[int, Row]


async def ask(database: Database, viewer: Viewer, terms: OfferTerms) -> OfferImpact:
    """What the offer would change in the latest plan of the whole county.

    Raises what offerPost raises for such terms; Conflict without such a plan (NO_PLAN), while the
    account's last question is still being answered or it asks too often (TOO_MANY), and where it
    takes too long (TIMEOUT); Unauthenticated or Forbidden by role.
    """
    require(viewer, "offerImpact")
    if viewer.account_id is None:
        raise Forbidden
    with desk_of(database).one_at_a_time(viewer.account_id, now=database.now()):
        async with database.read() as db:
            terms = await offers.checked(db, viewer, terms, now=database.now())
            here = await _place(db, viewer)
            plan = await plan_names.current(db, here["tree_low"])
            if plan is None:
                raise _no_plan()
            category = await facts.category(db, terms.category_id)
            assert category is not None, "the terms were checked"
            offered = await _offered(db, terms, category, here, now=database.now())
        question = Question(
            database_url=database.url.render_as_string(hide_password=False),
            plan_id=plan["id"],
            offered=offered,
            worth=_worth(terms, category),
        )
        told = await desk_of(database).ask(question)
    if told is None:
        raise _no_plan()
    return await _named(database, told, plan, terms, category)


# What an offer is counted in; goods are counted in their category's unit.
_OFFERED_IN = {CategoryKind.CASH: "fen", CategoryKind.SERVICE: "minute"}


async def _named(
    database: Database, told: Told, plan: Row, terms: OfferTerms, category: CategoryFacts
) -> OfferImpact:
    async with database.read() as db:
        regions = [each["region_id"] for each in (*told["townships"], *told["better"])]
        kinds = [row["category_id"] for row in (*told["categories"], *told["better"])]
        names = await plan_names.names_of_regions(db, regions)
        labels = await plan_names.names_of_categories(db, kinds)
    return OfferImpact(
        told=told,
        exact=told["how"] == "exact" and plan["proof"].get("status") == "optimal",
        has_radius=terms.radius_km is not None,
        unit=_OFFERED_IN.get(terms.kind) or category.unit or "unit",
        plan_reference=reference("M", plan["created_at"].year, plan["id"]),
        plan_finished_at=plan["finished_at"],
        regions=names,
        categories=labels,
    )


async def _place(db: Reading, viewer: Viewer) -> Row:
    """Where the offer would start from if it says nothing else."""
    found = None
    if viewer.organization_id is not None:
        found = await plan_names.seat(db, viewer.organization_id)
    elif viewer.region_id is not None:
        found = await plan_names.place(db, viewer.region_id)
    if found is None:
        raise Forbidden
    return found


async def _offered(
    db: Reading, terms: OfferTerms, category: CategoryFacts, here: Row, *, now: datetime
) -> Market:
    """The offer as a market of its own, as it would be read once it is posted and open."""
    named = await plan_names.intervals(db, terms.region_ids) if terms.region_ids else ()
    return offered_market(terms, category, here, now=now, regions=named)


def offered_market(
    terms: OfferTerms,
    category: CategoryFacts,
    here: Row,
    *,
    now: datetime,
    regions: Sequence[Row] = (),
    offer_id: int = NEW_OFFER,
) -> Market:
    """One offer as a market without needs.

    here      latitude and longitude that stand in for the offer's own
    regions   tree_low and tree_high of the regions it is restricted to
    """
    is_service = terms.kind is CategoryKind.SERVICE
    lies = terms.latitude is not None and terms.longitude is not None
    starts_at, ends_at = max(terms.starts_at or now, now), terms.expires_at
    values: dict[str, object] = {
        "id": offer_id,
        "version": 0,
        "year": now.year,
        "is_cash": terms.kind is CategoryKind.CASH,
        "is_service": is_service,
        "units": terms.quantity,
        "pack": terms.pack_size,
        "household_max": terms.household_max,
        "delivery_min": terms.delivery_min,
        "deliveries_max": terms.deliveries_max,
        "category_low": category.tree_low,
        "category_high": category.tree_high,
        "latitude": terms.latitude if lies else here["latitude"],
        "longitude": terms.longitude if lies else here["longitude"],
        "radius": terms.radius_km,
        "groups": terms.target_groups,
        "visits_per_day": getattr(terms, "visits_per_day", None),
        "first_day": first_day(starts_at).toordinal() if is_service else None,
        "last_day": last_day(ends_at).toordinal() if is_service and ends_at else None,
    }
    return Market(
        needs={"id": []},
        offers={name: [value] for name, value in values.items()},
        regions={
            "offer": [offer_id] * len(regions),
            "low": [row["tree_low"] for row in regions],
            "high": [row["tree_high"] for row in regions],
        },
        given={},
        deliveries={},
        declined={},
    )


def _worth(terms: OfferTerms, category: CategoryFacts) -> int:
    if terms.kind is CategoryKind.CASH:
        return terms.quantity
    return terms.quantity * (category.reference_price_fen or 0)


def _no_plan() -> Conflict:
    return Conflict.of(
        "",
        "There is no current plan of the whole county to compare with. Ask the county's charity "
        "desk to run one (planCreate), or post the offer: the next plan takes it in.",
        "目前没有全县范围的有效方案可供比较。请联系县慈善口运行一次方案（planCreate），"
        "或直接发布供给，下一次方案会将其纳入。",
        code="NO_PLAN",
    )
