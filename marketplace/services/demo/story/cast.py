"""Who the story of 2023 is about: families thrown until they add up to the article's figures."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from marketplace.domain.registry.assessments import EligibilityClass, area_of, assess
from marketplace.domain.registry.households import MonitoringCategory
from marketplace.services.demo.families import Home, Place, homes
from marketplace.services.demo.ground import COUNTY
from marketplace.services.demo.people import NUMBER_PREFIX_BEFORE, People
from marketplace.services.registry.lines import lines_of

BEGAN = date(2023, 1, 1)
ENDED = date(2023, 9, 30)
THROWN = 420


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What the article counts from January to September, in persons or person-times."""

    checked: int = 1_193
    enrolled: int = 271
    aided: int = 114
    helped: int = 23
    visits: int = 3_048


FIGURES = Figures()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Families of the story by what becomes of them, as places in `homes`.

    enrolled   join the subsistence allowance
    aided      are given temporary assistance; none of them is among the enrolled
    helped     of these two, get through charity what the government left open
    """

    homes: Sequence[Home]
    enrolled: Sequence[int]
    aided: Sequence[int]
    helped: Sequence[int]

    def heads(self, place: int) -> int:
        return self.homes[place].household.heads


def cast(places: Sequence[Place], dice: random.Random, figures: Figures = FIGURES) -> Cast:
    """The families, the same for the same dice.

    Raises ValueError where those thrown cannot add up to the figures.
    """
    people = People(dice, BEGAN, number_prefix=NUMBER_PREFIX_BEFORE)
    watched = list(MonitoringCategory)
    thrown = [
        replace(
            home,
            household=replace(
                home.household,
                monitoring_category=dice.choice(watched),
                external_reference=f"DEMO-2023-{number:04d}",
            ),
        )
        for number, home in enumerate(homes(THROWN, places, people, dice), 1)
    ]
    codes = {place.region_id: place.code for place in places}
    classes = [_class_of(home, codes[home.household.region_id]) for home in thrown]
    allowance = [i for i, c in enumerate(classes) if c is EligibilityClass.SUBSISTENCE_ALLOWANCE]
    regular = {EligibilityClass.SUBSISTENCE_ALLOWANCE, EligibilityClass.EXTREME_POVERTY}
    others = [i for i, c in enumerate(classes) if c not in regular]
    enrolled = _adding_up(thrown, allowance, figures.enrolled)
    aided = _adding_up(thrown, others, figures.aided)
    helped = _adding_up(thrown, [*aided[::3], *enrolled[::5]], figures.helped)
    return Cast(homes=thrown, enrolled=enrolled, aided=aided, helped=helped)


def checks(cast: Cast, figures: Figures = FIGURES) -> Iterator[tuple[int, int]]:
    """Place and persons of every check: each family once, then again from the first on."""
    left = figures.checked
    while left > 0:
        for place in range(len(cast.homes)):
            persons = min(left, cast.heads(place))
            if persons == 0:
                return
            left -= persons
            yield place, persons


def _class_of(home: Home, code: str) -> EligibilityClass:
    return assess(home.found, lines_of(COUNTY, area_of(code), BEGAN)).eligibility_class


def _adding_up(thrown: Sequence[Home], of: Sequence[int], persons: int) -> list[int]:
    """The first of these families whose members add up to so many persons."""
    taken: list[int] = []
    left = persons
    for place in of:
        heads = thrown[place].household.heads
        if heads <= left:
            taken.append(place)
            left -= heads
        if left == 0:
            return taken
    raise ValueError(f"{persons - left} of {persons} persons are all that these families have.")
