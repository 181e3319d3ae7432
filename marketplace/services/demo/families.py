"""Families who do not exist: who lives together, what they live on, where, and in which group."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from marketplace.domain.registry.assessments import Circumstances
from marketplace.domain.registry.households import (
    MonitoringCategory,
    NewMember,
    RegisterHousehold,
    Relation,
    TargetGroup,
    group_mask,
)
from marketplace.services.demo.people import People

YUAN = 100
REFERENCE = "DEMO-H{:05d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    relation: Relation
    ages: tuple[int, int]
    groups: tuple[TargetGroup, ...] = ()
    chance: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A kind of family. Amounts are yuan a month, low and high; `property_yuan` once."""

    kind: str
    weight: int
    persons: tuple[Person, ...]
    income: tuple[int, int]
    property_yuan: tuple[int, int] = (0, 40_000)
    groups: tuple[TargetGroup, ...] = ()
    rigid: Mapping[str, tuple[int, int]]
    unsupported: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A family that was thrown: as it is registered, and as it was found."""

    kind: str
    household: RegisterHousehold
    found: Circumstances


S, SPOUSE, CHILD, GRANDCHILD = Relation.SELF, Relation.SPOUSE, Relation.CHILD, Relation.GRANDCHILD
G = TargetGroup

FAMILIES = (
    Family(
        kind="elderly_alone",
        weight=18,
        persons=(Person(relation=S, ages=(66, 92), groups=(G.ELDERLY_ALONE,)),),
        income=(180, 1_100),
        rigid={"medical": (0, 500)},
        unsupported=0.3,
    ),
    Family(
        kind="elderly_couple",
        weight=13,
        persons=(
            Person(relation=S, ages=(65, 85), groups=(G.ELDERLY_LEFT_BEHIND,)),
            Person(relation=SPOUSE, ages=(63, 83)),
        ),
        income=(500, 2_400),
        rigid={"medical": (50, 700)},
    ),
    Family(
        kind="grandparents",
        weight=13,
        persons=(
            Person(relation=S, ages=(58, 74), groups=(G.ELDERLY_LEFT_BEHIND,)),
            Person(relation=SPOUSE, ages=(56, 72), chance=0.7),
            Person(relation=GRANDCHILD, ages=(6, 14), groups=(G.CHILD_LEFT_BEHIND, G.STUDENT)),
            Person(relation=GRANDCHILD, ages=(3, 11), groups=(G.CHILD_LEFT_BEHIND,), chance=0.5),
        ),
        income=(800, 3_600),
        rigid={"medical": (0, 400), "education": (100, 700)},
    ),
    Family(
        kind="severely_ill",
        weight=17,
        persons=(
            Person(relation=S, ages=(38, 60), groups=(G.SEVERELY_ILL,)),
            Person(relation=SPOUSE, ages=(36, 58), chance=0.8),
            Person(relation=CHILD, ages=(8, 19), groups=(G.STUDENT,), chance=0.6),
            Person(relation=Relation.PARENT, ages=(66, 84), chance=0.3),
        ),
        income=(600, 5_200),
        property_yuan=(0, 90_000),
        rigid={"medical": (800, 6_000), "education": (0, 600)},
    ),
    Family(
        kind="disabled",
        weight=14,
        persons=(
            Person(relation=S, ages=(30, 66), groups=(G.DISABLED,)),
            Person(relation=SPOUSE, ages=(30, 64), chance=0.5),
            Person(relation=CHILD, ages=(5, 20), chance=0.4),
        ),
        income=(300, 2_800),
        rigid={"disability_care": (200, 1_500), "medical": (0, 500)},
        unsupported=0.1,
    ),
    Family(
        kind="single_parent",
        weight=8,
        persons=(
            Person(relation=S, ages=(28, 46)),
            Person(relation=CHILD, ages=(5, 17), groups=(G.STUDENT,)),
            Person(relation=CHILD, ages=(1, 12), chance=0.4),
        ),
        income=(700, 3_400),
        groups=(G.SINGLE_PARENT,),
        rigid={"education": (150, 900)},
    ),
    Family(
        kind="students",
        weight=8,
        persons=(
            Person(relation=S, ages=(40, 52)),
            Person(relation=SPOUSE, ages=(38, 50), chance=0.85),
            Person(relation=CHILD, ages=(18, 22), groups=(G.STUDENT,)),
            Person(relation=CHILD, ages=(10, 17), groups=(G.STUDENT,), chance=0.6),
        ),
        income=(1_600, 5_600),
        property_yuan=(0, 110_000),
        rigid={"education": (800, 3_000)},
    ),
    Family(
        kind="unemployed",
        weight=4,
        persons=(
            Person(relation=S, ages=(35, 56), groups=(G.UNEMPLOYED,)),
            Person(relation=SPOUSE, ages=(33, 54), chance=0.7),
            Person(relation=CHILD, ages=(4, 17), chance=0.6),
        ),
        income=(0, 2_200),
        rigid={"housing": (0, 600)},
    ),
    Family(
        kind="disaster",
        weight=3,
        persons=(
            Person(relation=S, ages=(35, 72)),
            Person(relation=SPOUSE, ages=(34, 70), chance=0.8),
            Person(relation=CHILD, ages=(6, 25), chance=0.5),
        ),
        income=(900, 4_000),
        groups=(G.DISASTER_AFFECTED,),
        rigid={"disaster": (500, 4_000), "housing": (0, 1_500)},
    ),
    Family(
        kind="child_alone",
        weight=2,
        persons=(
            Person(relation=S, ages=(8, 17), groups=(G.CHILD_WITHOUT_SUPPORT, G.STUDENT)),
            Person(relation=Relation.SIBLING, ages=(4, 14), chance=0.4),
        ),
        income=(0, 900),
        rigid={"education": (50, 400)},
        unsupported=0.5,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A grid cell and where its village stands."""

    region_id: int
    code: str
    village: str
    latitude: float | None
    longitude: float | None


def homes(count: int, places: Sequence[Place], people: People, dice: random.Random) -> list[Home]:
    """So many families, spread over the grid cells."""
    kinds = dice.choices(FAMILIES, weights=[family.weight for family in FAMILIES], k=count)
    return [
        _home(number, family, dice.choice(places), people, dice)
        for number, family in enumerate(kinds, 1)
    ]


def _home(number: int, family: Family, place: Place, people: People, dice: random.Random) -> Home:
    members = _members(family, people, dice)
    amounts = {
        f"{kind}_fen_month": dice.randrange(low, high + 1, 10) * YUAN
        for kind, (low, high) in family.rigid.items()
    }
    watched = dice.random() < 0.18
    household = RegisterHousehold(
        region_id=place.region_id,
        members=members,
        address=f"{place.village}{dice.randrange(1, 13)}组{dice.randrange(1, 90)}号",
        phone=people.phone() if dice.random() < 0.9 else None,
        target_groups=group_mask(family.groups),
        monitoring_category=dice.choice(list(MonitoringCategory)) if watched else None,
        latitude=_near(place.latitude, dice),
        longitude=_near(place.longitude, dice),
        external_reference=REFERENCE.format(number),
    )
    found = Circumstances(
        member_count=household.heads,
        income_fen_month=dice.randrange(family.income[0], family.income[1] + 1, 10) * YUAN,
        property_fen=dice.randrange(family.property_yuan[0], family.property_yuan[1] + 1, 100)
        * YUAN,
        target_groups=household.groups,
        unsupported=dice.random() < family.unsupported,
        **amounts,
    )
    return Home(kind=family.kind, household=household, found=found)


def _members(family: Family, people: People, dice: random.Random) -> tuple[NewMember, ...]:
    surname = people.surname()
    members = []
    for person in family.persons:
        if person.chance < 1 and dice.random() >= person.chance:
            continue
        age = dice.randint(*person.ages)
        born = people.birthday(age)
        own = surname if person.relation is not Relation.SPOUSE else people.surname()
        members.append(
            NewMember(
                name=own + people.given_name(age),
                relation=person.relation,
                identity_number=people.number(born),
                birth_date=born,
                target_groups=group_mask(person.groups),
            )
        )
    return tuple(members)


def _near(degrees: float | None, dice: random.Random) -> float | None:
    """Within some two kilometres of the village: made up as well, so that distances differ."""
    return None if degrees is None else round(degrees + dice.uniform(-0.02, 0.02), 5)
