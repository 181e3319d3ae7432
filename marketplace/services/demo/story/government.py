"""The government's part of the story: families found, checked, assessed, aided, and visited."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from marketplace.domain.exchange.government_aid import DecideAid, GovernmentAidKind
from marketplace.domain.fieldwork.monitoring import Check, CheckOutcome
from marketplace.domain.fieldwork.visits import AT_ONCE_MAX, Visit, VisitKind
from marketplace.domain.registry.assessments import area_of
from marketplace.services.demo.ground import COUNTY, TOWN
from marketplace.services.demo.story.calendar import on
from marketplace.services.demo.story.cast import BEGAN, FIGURES, Cast, checks
from marketplace.services.demo.story.company import Company
from marketplace.services.exchange import government_aid
from marketplace.services.fieldwork import monitoring, visits
from marketplace.services.registry import assessing, households
from marketplace.services.registry.assessing import AssessHousehold
from marketplace.services.registry.lines import lines_of

MONTHS = range(1, 10)
ALLOWANCE_FEN_MIN = 5_000
TEMPORARY_FEN = (60_000, 90_000, 150_000, 240_000)
CLINIC_PERSONS = (24, 31, 28, 35, 26, 33, 29, 37, 30)  # of the clinic days, one a month
TRIP_PERSONS = 20  # of the wish trips, one a quarter


@dataclass(frozen=True, slots=True, kw_only=True)
class Government:
    """What the offices work with; `keys` are the families' as they are registered."""

    company: Company
    cast: Cast
    keys: dict[int, int]
    dice: random.Random

    def region(self, place: int) -> int:
        return self.cast.homes[place].household.region_id


async def month_of(government: Government, month: int) -> None:
    """A month's registrations, checks, assessments and decisions on aid."""
    company, found = government.company, _found_in(government.cast, month)
    company.calendar.goes_to(on(month, 4))
    for place in found:
        act = company.as_township_of(government.region(place))
        command = government.cast.homes[place].household
        government.keys[place] = await households.register(
            company.database, act, company.sealer, command
        )
    company.calendar.goes_to(on(month, 9))
    await _check(government, month)
    company.calendar.goes_to(on(month, 12))
    due = {*government.cast.enrolled, *government.cast.aided}
    for place in found:
        if place in due:
            await _assess_and_aid(government, place)


async def visit(government: Government, month: int, persons: int) -> None:
    """A month's visits, which reach so many person-times: a clinic, trips, haircuts, homes."""
    company = government.company
    company.calendar.goes_to(on(month, 26, 17))
    town = int(company.on.regions[TOWN]["id"])
    clinic = Visit(
        kind=VisitKind.FREE_CLINIC, region_id=town, persons_reached=CLINIC_PERSONS[month - 1]
    )
    together = [clinic]
    if month % 3 == 0:
        together.append(
            Visit(kind=VisitKind.WISH_TRIP, region_id=town, persons_reached=TRIP_PERSONS)
        )
    worker = company.as_("SOCIAL_WORKER")
    await visits.check_in(company.database, worker, company.sealer, together)
    at_doors = persons - sum(each.persons_reached for each in together)
    by_town: dict[int, list[Visit]] = defaultdict(list)
    for each, region_id in _door_visits(government, at_doors):
        by_town[int(company.on.town_of(region_id)["id"])].append(each)
    first = {int(company.on.town_of(r)["id"]): r for r in map(government.region, government.keys)}
    for town_id, of_town in sorted(by_town.items()):
        for start in range(0, len(of_town), AT_ONCE_MAX):
            act = company.as_township_of(first[town_id])
            chunk = of_town[start : start + AT_ONCE_MAX]
            await visits.check_in(company.database, act, company.sealer, chunk)


def visits_by_month(total: int = FIGURES.visits) -> Mapping[int, int]:
    """Person-times of each month, about equal, together exactly so many."""
    each, left = divmod(total, len(MONTHS))
    return {month: each + (month <= left) for month in MONTHS}


def _found_in(cast: Cast, month: int) -> Sequence[int]:
    """The families that are found in a month: one in nine of them."""
    return range(month - 1, len(cast.homes), len(MONTHS))


async def _check(government: Government, month: int) -> None:
    """Each family is checked in the month it is found, some again in the last."""
    cast, company = government.cast, government.company
    matched = {*cast.enrolled, *cast.aided}
    seen: set[int] = set()
    due: list[Check] = []
    found = set(_found_in(cast, month))
    for place, persons in checks(cast):
        again = place in seen
        seen.add(place)
        if (again and month == MONTHS[-1]) or (not again and place in found):
            outcome = CheckOutcome.MATCHED if place in matched else CheckOutcome.NO_CHANGE
            due.append(Check(household_id=government.keys[place], outcome=outcome, persons=persons))
    for start in range(0, len(due), AT_ONCE_MAX):
        officer = company.as_("ASSISTANCE_OFFICER")
        await monitoring.record(company.database, officer, due[start : start + AT_ONCE_MAX])


async def _assess_and_aid(government: Government, place: int) -> None:
    company, home = government.company, government.cast.homes[place]
    township = company.as_township_of(home.household.region_id)
    key = government.keys[place]
    found = AssessHousehold(household_id=key, found=home.found)
    await assessing.assess(company.database, township, found)
    officers = ("ASSISTANCE_OFFICER", "ASSISTANCE_OFFICER_2")
    officer = company.as_(officers[place % 2])
    await government_aid.decide(company.database, officer, _decision(government, place, key))


def _decision(government: Government, place: int, key: int) -> DecideAid:
    company, home = government.company, government.cast.homes[place]
    today = company.calendar().date()
    if place in government.cast.aided:
        return DecideAid(
            household_id=key,
            kind=GovernmentAidKind.TEMPORARY_ASSISTANCE,
            amount_fen=government.dice.choice(TEMPORARY_FEN),
            starts_on=today,
            ends_on=today,
            reason="突发支出，一次性临时救助",
        )
    code = str(company.on.regions_by_id[home.household.region_id]["code"])
    line_fen = lines_of(COUNTY, area_of(code), BEGAN).subsistence_fen_month
    gap = line_fen * home.household.heads - home.found.income_fen_month
    return DecideAid(
        household_id=key,
        kind=GovernmentAidKind.SUBSISTENCE_ALLOWANCE,
        amount_fen=max(ALLOWANCE_FEN_MIN, gap),
        starts_on=today,
        reason="符合低保条件，纳入低保",
    )


def _door_visits(government: Government, persons: int) -> Iterator[tuple[Visit, int]]:
    """One person each, at doors in turn; of seven visits two are haircuts."""
    known = sorted(government.keys)
    start = government.dice.randrange(len(known))
    for number in range(persons):
        place = known[(start + number) % len(known)]
        home = government.cast.homes[place].household
        kind = VisitKind.DOORSTEP_HAIRCUT if number % 7 in (2, 5) else VisitKind.HOME_VISIT
        yield (
            Visit(
                kind=kind,
                household_id=government.keys[place],
                latitude=home.latitude,
                longitude=home.longitude,
            ),
            home.region_id,
        )
