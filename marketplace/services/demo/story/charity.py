"""Charity's part of the story: from a consent to a result that three desks acknowledge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from marketplace.domain.exchange.consents import GiveConsent, HowGiven
from marketplace.domain.exchange.deliveries import CheckIn
from marketplace.domain.exchange.needs import NeedTerms
from marketplace.domain.exchange.offers import OfferTerms
from marketplace.domain.exchange.referrals import ReviewDecision
from marketplace.domain.permissions import Role
from marketplace.domain.registry.accounts import CreateAccount
from marketplace.domain.registry.categories import CategoryKind
from marketplace.persistence.database import Row
from marketplace.persistence.tables import allocations, needs, offers, results
from marketplace.services import messages
from marketplace.services.channels import ReplayChannel
from marketplace.services.demo.story.calendar import on
from marketplace.services.demo.story.company import Company
from marketplace.services.demo.story.government import Government
from marketplace.services.exchange import (
    accepting,
    consents,
    deliveries,
    dispatching,
    ratings,
    referrals,
)
from marketplace.services.exchange import needs as need_services
from marketplace.services.exchange import offers as offer_services
from marketplace.services.exchange import results as result_services
from marketplace.services.exchange.accepting import AcceptAllocations
from marketplace.services.exchange.deliveries import CheckInDelivery, ConfirmAllocation
from marketplace.services.exchange.dispatching import DispatchAllocations
from marketplace.services.exchange.handing_over import Line
from marketplace.services.exchange.offers import MoveOffer
from marketplace.services.exchange.ratings import RateResult
from marketplace.services.exchange.referrals import ReferNeeds, ReviewNeed
from marketplace.services.exchange.results import AcknowledgeResults
from marketplace.services.registry import accounts

CONSENT_TEXT = "2022-01"
# What a family of each kind still lacks once government has helped: category and units.
WANTED = {
    "elderly_alone": ("quilt", 2),
    "elderly_couple": ("quilt", 2),
    "grandparents": ("school_kit", 1),
    "severely_ill": ("adult_milk_powder", 6),
    "disabled": ("walking_frame", 1),
    "single_parent": ("school_kit", 2),
    "students": ("study_desk", 1),
    "unemployed": ("rice", 50),
    "disaster": ("bed_sheet_set", 2),
    "child_alone": ("school_kit", 1),
}
# Who gives it; the campaign that it is given in stands in the offer's title.
GIVEN_BY = {
    "quilt": ("溪谷扶困慈善基金会（示例）", "暖床前：棉被"),
    "bed_sheet_set": ("溪谷扶困慈善基金会（示例）", "暖床前：床单被套"),
    "school_kit": ("香溪助学慈善协会（示例）", "99公益日：学习用品包"),
    "study_desk": ("香溪助学慈善协会（示例）", "99公益日：书桌椅"),
    "adult_milk_powder": ("金溪县慈善总会", "慈善情暖万家：中老年奶粉"),
    "rice": ("金溪县慈善总会", "慈善一日捐：大米"),
    "walking_frame": ("康扶辅具有限公司（示例）", "慈善+互联网：助行架"),
}
SPARE = 2  # units of each offer beyond what is needed; they are taken back at the end


@dataclass(frozen=True, slots=True, kw_only=True)
class Charity:
    """Those who are helped, in batches; `offers` are the keys of what is given, by category."""

    government: Government
    offers: dict[str, int]

    @property
    def company(self) -> Company:
        return self.government.company

    def want(self, place: int) -> tuple[str, int]:
        return WANTED[self.government.cast.homes[place].kind]


async def post_offers(charity: Charity) -> None:
    """Every provider of the story posts what it will give."""
    company, needed = charity.company, _needed(charity)
    company.calendar.goes_to(on(2, 20))
    for category, units in needed.items():
        name, title = GIVEN_BY[category]
        terms = OfferTerms(
            kind=CategoryKind.GOODS,
            category_id=int(company.on.categories[category]["id"]),
            quantity=units + SPARE,
            title=title,
        )
        key = await offer_services.post(company.database, company.as_provider(name), terms)
        charity.offers[category] = key


async def refer(charity: Charity, places: Sequence[int], month: int) -> list[int]:
    """Consent, need, referral as one batch, review by another desk; the needs, published."""
    company = charity.company
    company.calendar.goes_to(on(month, 15))
    made = [await _need(charity, place) for place in places]
    company.calendar.goes_to(on(month, 18))
    officer = company.as_("ASSISTANCE_OFFICER")
    await referrals.refer(company.database, officer, ReferNeeds(need_ids=tuple(made)))
    company.calendar.goes_to(on(month, 19))
    for need_id in made:
        review = ReviewNeed(need_id=need_id, decision=ReviewDecision.APPROVE)
        await referrals.review(company.database, company.as_("CHARITY_OFFICER"), review)
    return made


async def deliver(charity: Charity, need_ids: Sequence[int], month: int) -> None:
    """What was reserved for these needs is accepted, brought, confirmed and acknowledged."""
    company = charity.company
    company.calendar.goes_to(on(month, 21))
    rows = await _reserved(company, need_ids)
    for row in rows:
        provider = company.as_provider(charity_name(charity, row))
        line = (Line(allocation_id=row["id"]),)
        await accepting.accept(company.database, provider, AcceptAllocations(lines=line))
        company.calendar.goes_on(timedelta(hours=5))
        provider = company.as_provider(charity_name(charity, row))
        sending = DispatchAllocations(lines=line)
        await dispatching.dispatch(company.database, provider, company.sealer, sending)
        await messages.send_all(company.database, company.sealer, ReplayChannel(), language="zh-CN")
    company.calendar.goes_to(on(month, 24))
    for row in rows:
        await _bring(charity, row)
    company.calendar.goes_to(on(month, 27))
    await _close_the_loop(charity, rows)


async def take_back(charity: Charity) -> None:
    """At the end the providers take back what was spared: today's market is another one."""
    company = charity.company
    for category, offer_id in charity.offers.items():
        act = company.as_provider(GIVEN_BY[category][0])
        await offer_services.close(company.database, act, MoveOffer(offer_id=offer_id))


def charity_name(charity: Charity, row: Row) -> str:
    """The name of the provider whose offer a row's allocation is of."""
    (category,) = (c for c, key in charity.offers.items() if key == row["offer_id"])
    return GIVEN_BY[category][0]


def _needed(charity: Charity) -> Mapping[str, int]:
    units: dict[str, int] = {}
    for place in charity.government.cast.helped:
        category, count = charity.want(place)
        units[category] = units.get(category, 0) + count
    return units


async def _need(charity: Charity, place: int) -> int:
    """A family's consent on paper, and what it is short of; the need's key."""
    company, government = charity.company, charity.government
    region_id, household_id = government.region(place), government.keys[place]
    consent = GiveConsent(
        household_id=household_id,
        text_version=CONSENT_TEXT,
        how_given=HowGiven.SIGNED,
        evidence_reference=f"金溪授权-2023-{place:04d}",
    )
    await consents.give(company.database, company.as_township_of(region_id), consent)
    if region_id not in company.grid:
        name = f"{company.on.regions_by_id[region_id]['name_zh']}网格员"
        worker = CreateAccount(name=name, role=Role.GRID_WORKER, region_id=region_id)
        company.grid[region_id] = await accounts.create(
            company.database, company.as_("ADMIN"), worker
        )
    category, units = charity.want(place)
    terms = NeedTerms(
        household_id=household_id,
        category_id=int(company.on.categories[category]["id"]),
        quantity_asked=units,
        quantity_min=units,  # from one hand: one delivery
        deadline=company.calendar() + timedelta(days=90),
    )
    return await need_services.create(company.database, company.as_township_of(region_id), terms)


async def _reserved(company: Company, need_ids: Sequence[int]) -> list[Row]:
    async with company.database.read() as db:
        rows = await db.rows(
            sa.select(
                allocations.c.id,
                allocations.c.need_id,
                allocations.c.offer_id,
                allocations.c.units_served,
                needs.c.household_id,
                needs.c.region_id,
            )
            .join(needs, needs.c.id == allocations.c.need_id)
            .join(offers, offers.c.id == allocations.c.offer_id)
            .where(allocations.c.need_id.in_(need_ids))
            .order_by(allocations.c.id)
        )
    return list(rows)


async def _bring(charity: Charity, row: Row) -> None:
    """The grid worker brings it to the door, the township confirms two hours later."""
    company, government = charity.company, charity.government
    (place,) = (p for p, key in government.keys.items() if key == row["household_id"])
    home = government.cast.homes[place].household
    assert home.latitude is not None, "the demo's villages have places"
    assert home.longitude is not None, "the demo's villages have places"
    said = CheckIn(
        latitude=home.latitude,
        longitude=home.longitude,
        handed_over=row["units_served"],
        evidence_reference=f"签收单-2023-{row['id']:04d}",
    )
    worker = company.as_grid_worker_of(row["region_id"])
    check_in = CheckInDelivery(allocation_id=row["id"], said=said)
    await deliveries.check_in(company.database, worker, check_in)
    company.calendar.goes_on(timedelta(hours=2))
    township = company.as_township_of(row["region_id"])
    confirmation = ConfirmAllocation(allocation_id=row["id"])
    await deliveries.confirm(company.database, township, company.sealer, confirmation)


async def _close_the_loop(charity: Charity, rows: Sequence[Row]) -> None:
    """Every desk acknowledges its copies; office and provider rate each other."""
    company = charity.company
    async with company.database.read() as db:
        sent = await db.rows(
            sa.select(results.c.id, results.c.allocation_id).where(
                results.c.allocation_id.in_([row["id"] for row in rows])
            )
        )
    of = {row["id"]: row for row in rows}
    everything = AcknowledgeResults(result_ids=tuple(row["id"] for row in sent))
    for desk in ("CHARITY_OFFICER", "ASSISTANCE_OFFICER"):
        await result_services.acknowledge(company.database, company.as_(desk), everything)
    for row in sent:
        allocation = of[row["allocation_id"]]
        township = company.as_township_of(allocation["region_id"])
        own = AcknowledgeResults(result_ids=(row["id"],))
        await result_services.acknowledge(company.database, township, own)
        provider = company.as_provider(charity_name(charity, allocation))
        for act, score in ((provider, 5), (company.as_("CHARITY_OFFICER"), 4 + row["id"] % 2)):
            rating = RateResult(result_id=row["id"], score=score)
            await ratings.rate(company.database, act, company.sealer, rating)
