"""python -m benchmarks.loop: a county's month, every act through its service, on SQLite."""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from benchmarks.report import at_most, say
from marketplace.domain.exchange.consents import GiveConsent, HowGiven
from marketplace.domain.exchange.deliveries import CheckIn
from marketplace.domain.exchange.government_aid import DecideAid, GovernmentAidKind
from marketplace.domain.exchange.needs import NeedTerms
from marketplace.domain.exchange.offers import OfferTerms
from marketplace.domain.exchange.plans import ApprovalRules, PlanPolicy
from marketplace.domain.exchange.referrals import ReviewDecision
from marketplace.domain.permissions import Role
from marketplace.domain.registry.accounts import CreateAccount
from marketplace.domain.registry.categories import CategoryKind
from marketplace.persistence.database import Database, Row
from marketplace.persistence.migrations import migrate
from marketplace.persistence.tables import allocations, needs, offers, results
from marketplace.services.demo import families, ground
from marketplace.services.demo.people import People
from marketplace.services.demo.story.calendar import Calendar, on
from marketplace.services.demo.story.company import Company
from marketplace.services.demo.story.replay import proposed
from marketplace.services.exchange import (
    accepting,
    consents,
    deliveries,
    dispatching,
    government_aid,
    plans,
    referrals,
)
from marketplace.services.exchange import needs as need_services
from marketplace.services.exchange import offers as offer_services
from marketplace.services.exchange import results as result_services
from marketplace.services.exchange.accepting import AcceptAllocations
from marketplace.services.exchange.deliveries import CheckInDelivery, ConfirmAllocation
from marketplace.services.exchange.dispatching import DispatchAllocations
from marketplace.services.exchange.handing_over import Line
from marketplace.services.exchange.plans import CreatePlan, MovePlan
from marketplace.services.exchange.referrals import ReferNeeds, ReviewNeed
from marketplace.services.exchange.results import AcknowledgeResults
from marketplace.services.registry import accounts, assessing, categories, households, regions
from marketplace.services.registry.assessing import AssessHousehold
from marketplace.services.registry.sealing import sealer_of
from marketplace.services.worker import run_worker
from marketplace.settings import Settings

MINUTES_MAX = 5
FULL = 10_000
AT_ONCE = 100
WANTED = (
    "rice",
    "quilt",
    "cooking_oil",
    "school_kit",
    "heater",
    "adult_diapers",
    "milk",
    "noodles",
)
PLAN_DAYS = (8, 16, 24)


@dataclass(slots=True, kw_only=True)
class Month:
    company: Company
    homes: Sequence[families.Home]
    dice: random.Random
    keys: list[int] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def database(self) -> Database:
        return self.company.database

    def region(self, place: int) -> int:
        return self.homes[place].household.region_id

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.loop", description=__doc__)
    parser.add_argument("--households", type=int, default=10_000)
    parser.add_argument("--needs", type=int, default=3_000)
    parser.add_argument("--offers", type=int, default=1_000)
    parser.add_argument("--quick", action="store_true", help="200 households, 60 needs, 20 offers")
    asked = parser.parse_args()
    if asked.quick:
        asked.households, asked.needs, asked.offers = 200, 60, 20
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_run(Path(folder), asked))


async def _run(folder: Path, asked: argparse.Namespace) -> None:
    settings = Settings(data_dir=folder)
    path = folder / "aidloop.db"
    migrate(sa.make_url(f"sqlite:///{path}"))
    calendar = Calendar()
    database, stop = Database(settings.url, clock=calendar), asyncio.Event()
    worker = asyncio.create_task(run_worker(database, settings, stop=stop))
    try:
        month = await _county(database, calendar, settings, asked.households)
        began = time.perf_counter()
        await _live(month, asked, worker)
        took = time.perf_counter() - began
        closed = await _count(month, needs, needs.c.status == "CLOSED")
        confirmed = await _count(month, allocations, allocations.c.status == "CONFIRMED")
    finally:
        stop.set()
        await asyncio.gather(worker, return_exceptions=True)
        await database.close()
    say(
        f"{asked.households:,} households, {asked.needs:,} needs, {asked.offers:,} offers, "
        f"{len(PLAN_DAYS)} plans, {confirmed:,} deliveries confirmed, {closed:,} needs closed."
    )
    say("\n| stage | s |\n| --- | --- |")
    for stage, seconds in month.seconds.items():
        say(f"| {stage} | {seconds:.1f} |")
    if asked.households >= FULL:  # of less, the goal says nothing
        at_most("A county's month through the services, SQLite", took / 60, MINUTES_MAX, " min")


async def _county(database: Database, calendar: Calendar, settings: Settings, count: int) -> Month:
    """Regions, categories, organizations and staff, before the clock is started."""
    listed = regions.from_package()
    await regions.load(database, [*listed, *ground.cells(listed)])
    await categories.load(database, categories.from_package())
    async with database.write() as db:
        here = await ground.read(db, database.now())
        organizations, _ = await ground.add_organizations(db, here, database.now())
        cell = here.places[0].region_id
        staff = await ground.add_staff(db, here, organizations, grid_cell=cell, now=database.now())
    thrown = random.Random(2023)
    homes = families.homes(count, here.places, People(thrown, database.now().date()), thrown)
    company = Company(
        database=database,
        calendar=calendar,
        sealer=sealer_of(settings),
        on=here,
        staff=staff,
        providers={
            str(row["name"]): int(str(row["id"]))
            for row in organizations
            if row["status"] == "VERIFIED"
        },
    )
    for place in here.places:
        name = f"{place.code} 网格员"
        worker = CreateAccount(name=name, role=Role.GRID_WORKER, region_id=place.region_id)
        company.grid[place.region_id] = await accounts.create(
            database, company.as_("ADMIN"), worker
        )
    return Month(company=company, homes=homes, dice=thrown)


async def _live(month: Month, asked: argparse.Namespace, worker: asyncio.Task[None]) -> None:
    with month.timed("register"):
        await _register(month)
    with month.timed("post offers"):
        await _post(month, asked.offers)
    each = -(-asked.needs // len(PLAN_DAYS))
    for number, day in enumerate(PLAN_DAYS):
        places = range(number * each, min((number + 1) * each, asked.needs))
        month.company.calendar.goes_to(on(1, day - 4))
        with month.timed("assess, aid, consent, need"):
            made = [await _need(month, place % len(month.homes)) for place in places]
        with month.timed("refer and review"):
            await _refer(month, made)
        month.company.calendar.goes_to(on(1, day))
        with month.timed("plan"):
            await _plan(month, worker)
        with month.timed("accept, dispatch, check in, confirm"):
            rows = await _reserved(month)
            await _deliver(month, rows)
        with month.timed("acknowledge"):
            await _acknowledge(month)


async def _register(month: Month) -> None:
    company = month.company
    for home in month.homes:
        act = company.as_township_of(home.household.region_id)
        month.keys.append(
            await households.register(month.database, act, company.sealer, home.household)
        )


async def _post(month: Month, count: int) -> None:
    company, names = month.company, sorted(month.company.providers)
    for number in range(count):
        terms = OfferTerms(
            kind=CategoryKind.GOODS,
            category_id=int(company.on.categories[WANTED[number % len(WANTED)]]["id"]),
            quantity=month.dice.randrange(10, 60),
        )
        act = company.as_provider(names[number % len(names)])
        await offer_services.post(month.database, act, terms)


async def _need(month: Month, place: int) -> int:
    company, key, region_id = month.company, month.keys[place], month.region(place)
    township = company.as_township_of(region_id)
    found = AssessHousehold(household_id=key, found=month.homes[place].found)
    await assessing.assess(month.database, township, found)
    decision = DecideAid(
        household_id=key,
        kind=GovernmentAidKind.TEMPORARY_ASSISTANCE,
        amount_fen=60_000,
        starts_on=company.calendar().date(),
        ends_on=company.calendar().date(),
    )
    await government_aid.decide(month.database, company.as_("ASSISTANCE_OFFICER"), decision)
    consent = GiveConsent(
        household_id=key,
        text_version="2022-01",
        how_given=HowGiven.SIGNED,
        evidence_reference=f"SIGNED-{place}",
    )
    await consents.give(month.database, company.as_township_of(region_id), consent)
    terms = NeedTerms(
        household_id=key,
        category_id=int(company.on.categories[WANTED[place % len(WANTED)]]["id"]),
        quantity_asked=month.dice.randrange(1, 12),
        deadline=company.calendar() + timedelta(days=90),
    )
    return await need_services.create(month.database, company.as_township_of(region_id), terms)


async def _refer(month: Month, made: Sequence[int]) -> None:
    company = month.company
    for start in range(0, len(made), AT_ONCE):
        batch = ReferNeeds(need_ids=tuple(made[start : start + AT_ONCE]))
        await referrals.refer(month.database, company.as_("ASSISTANCE_OFFICER"), batch)
    for need_id in made:
        review = ReviewNeed(need_id=need_id, decision=ReviewDecision.APPROVE)
        await referrals.review(month.database, company.as_("CHARITY_OFFICER"), review)


async def _plan(month: Month, worker: asyncio.Task[None]) -> None:
    company = month.company
    act = company.as_("CHARITY_OFFICER")
    plan_id = await plans.create(month.database, act, CreatePlan(policy=PlanPolicy()))
    await proposed(month.database, plan_id, worker)
    other, approval = company.as_("CHARITY_OFFICER_2"), MovePlan(plan_id=plan_id)
    await plans.approve(month.database, other, approval, ApprovalRules())


async def _reserved(month: Month) -> list[Row]:
    async with month.database.read() as db:
        rows = await db.rows(
            sa.select(
                allocations.c.id,
                allocations.c.units_served,
                offers.c.organization_id,
                needs.c.household_id,
                needs.c.region_id,
            )
            .join(needs, needs.c.id == allocations.c.need_id)
            .join(offers, offers.c.id == allocations.c.offer_id)
            .where(allocations.c.status == "RESERVED")
            .order_by(allocations.c.id)
        )
    return list(rows)


async def _deliver(month: Month, rows: Sequence[Row]) -> None:
    company = month.company
    names = {key: name for name, key in company.providers.items()}
    of: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        of[names[row["organization_id"]]].append(row)
    for name, own in of.items():
        for start in range(0, len(own), AT_ONCE):
            lines = tuple(Line(allocation_id=row["id"]) for row in own[start : start + AT_ONCE])
            accepted = AcceptAllocations(lines=lines)
            await accepting.accept(month.database, company.as_provider(name), accepted)
            sent = DispatchAllocations(lines=lines)
            act = company.as_provider(name)
            await dispatching.dispatch(month.database, act, company.sealer, sent)
    places = {key: place for place, key in enumerate(month.keys)}
    for row in rows:
        home = month.homes[places[row["household_id"]]].household
        said = CheckIn(
            latitude=home.latitude or 0.0,
            longitude=home.longitude or 0.0,
            handed_over=row["units_served"],
            evidence_reference=f"PAPER-{row['id']}",
        )
        worker = company.as_grid_worker_of(row["region_id"])
        check_in = CheckInDelivery(allocation_id=row["id"], said=said)
        await deliveries.check_in(month.database, worker, check_in)
        township = company.as_township_of(row["region_id"])
        confirmation = ConfirmAllocation(allocation_id=row["id"])
        await deliveries.confirm(month.database, township, company.sealer, confirmation)


async def _acknowledge(month: Month) -> None:
    company = month.company
    async with month.database.read() as db:
        rows = await db.rows(
            sa.select(results.c.id, results.c.region_id)
            .where(results.c.acknowledged_at.is_(None))
            .order_by(results.c.id)
        )
    of_town: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        of_town[int(company.on.town_of(row["region_id"])["id"])].append(row)
    for start in range(0, len(rows), AT_ONCE):
        ids = tuple(row["id"] for row in rows[start : start + AT_ONCE])
        for desk in ("CHARITY_OFFICER", "ASSISTANCE_OFFICER"):
            known = AcknowledgeResults(result_ids=ids)
            await result_services.acknowledge(month.database, company.as_(desk), known)
    for own in of_town.values():
        for start in range(0, len(own), AT_ONCE):
            known = AcknowledgeResults(
                result_ids=tuple(r["id"] for r in own[start : start + AT_ONCE])
            )
            act = company.as_township_of(own[0]["region_id"])
            await result_services.acknowledge(month.database, act, known)


async def _count(month: Month, table: sa.Table, where: sa.ColumnElement[bool]) -> int:
    async with month.database.read() as db:
        count = await db.scalar(sa.select(sa.func.count()).select_from(table).where(where))
    return int(str(count))


if __name__ == "__main__":
    main()
