"""What families of each kind are short of: category, how much, and how it is counted off."""

from __future__ import annotations

import random
from dataclasses import dataclass

ALL = frozenset[str]()


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """`low`..`high` in steps of `step`, base units (fen for cash); `heads`: of each head.

    whole        less than all of it is of no use
    kinds        of families; empty: any
    minutes      of services, whose quantity is visits: how long one takes
    every_days   at most one visit in so many days; 7: weekly
    """

    category: str
    weight: int
    low: int
    high: int
    step: int = 1
    heads: bool = False
    whole: bool = False
    kinds: frozenset[str] = ALL
    minutes: int | None = None
    every_days: int | None = None

    def days_of(self, visits: int) -> int:
        """How long recurring visits take in all; 0 of what does not recur."""
        return visits * (self.every_days or 0)


OLD = frozenset({"elderly_alone", "elderly_couple"})
WITH_CHILDREN = frozenset({"grandparents", "single_parent", "students", "child_alone"})
SMALL_CHILDREN = frozenset({"grandparents", "single_parent"})
FRAIL = OLD | {"disabled", "severely_ill"}
ILL = frozenset({"severely_ill"})
DISABLED = frozenset({"disabled"})
DISASTER = frozenset({"disaster"})

WANTS = (
    Want(category="staple_food", weight=12, low=10, high=30, step=5, heads=True),
    Want(category="rice", weight=8, low=10, high=25, step=5, heads=True),
    Want(category="cooking_oil", weight=9, low=2, high=5, heads=True),
    Want(category="milk", weight=4, low=24, high=96, step=24, kinds=OLD | WITH_CHILDREN),
    Want(category="festival_food_parcel", weight=4, low=1, high=1, kinds=OLD),
    Want(category="infant_formula", weight=3, low=3, high=12, kinds=SMALL_CHILDREN),
    Want(category="adult_milk_powder", weight=4, low=2, high=8, kinds=OLD),
    Want(category="quilt", weight=8, low=1, high=1, heads=True),
    Want(category="electric_blanket", weight=4, low=1, high=1, kinds=OLD),
    Want(category="winter_coat_child", weight=5, low=1, high=2, kinds=WITH_CHILDREN),
    Want(category="winter_clothing", weight=6, low=1, high=1, heads=True),
    Want(category="heater", weight=6, low=1, high=1, kinds=FRAIL),
    Want(category="adult_diapers", weight=5, low=60, high=300, step=30, kinds=FRAIL),
    Want(category="infant_diapers", weight=3, low=100, high=300, step=50, kinds=SMALL_CHILDREN),
    Want(category="smoke_alarm", weight=3, low=1, high=2, kinds=OLD),
    Want(category="washing_supplies", weight=4, low=1, high=2),
    Want(category="wheelchair", weight=5, low=1, high=1, kinds=FRAIL),
    Want(category="walking_aid", weight=5, low=1, high=2, kinds=FRAIL),
    Want(category="hearing_aid", weight=3, low=1, high=2, kinds=OLD | DISABLED),
    Want(category="nursing_bed", weight=3, low=1, high=1, kinds=ILL | DISABLED),
    Want(category="anti_bedsore_mattress", weight=2, low=1, high=1, kinds=ILL | DISABLED),
    Want(category="emergency_call_button", weight=4, low=1, high=1, kinds=OLD),
    Want(category="school_kit", weight=7, low=1, high=2, kinds=WITH_CHILDREN),
    Want(category="study_desk", weight=5, low=1, high=1, kinds=WITH_CHILDREN),
    Want(category="desk_lamp", weight=3, low=1, high=1, kinds=WITH_CHILDREN),
    Want(category="chronic_medicine", weight=7, low=3, high=24, step=3, kinds=FRAIL),
    Want(category="blood_pressure_monitor", weight=3, low=1, high=1, kinds=OLD),
    Want(category="oxygen_concentrator", weight=1, low=1, high=1, kinds=ILL),
    Want(category="chicks", weight=2, low=20, high=60, step=10),
    Want(
        category="critical_illness_relief",
        weight=9,
        low=200_000,
        high=3_000_000,
        step=50_000,
        kinds=ILL,
    ),
    Want(
        category="rehabilitation_relief",
        weight=4,
        low=100_000,
        high=800_000,
        step=50_000,
        kinds=ILL | DISABLED,
    ),
    Want(
        category="tuition_aid",
        weight=8,
        low=80_000,
        high=600_000,
        step=10_000,
        kinds=WITH_CHILDREN,
    ),
    Want(
        category="university_entry_aid",
        weight=4,
        low=300_000,
        high=500_000,
        step=100_000,
        whole=True,
        kinds=frozenset({"students"}),
    ),
    Want(
        category="winter_heating_relief",
        weight=6,
        low=30_000,
        high=80_000,
        step=10_000,
        kinds=OLD | DISABLED,
    ),
    Want(category="temporary_living_relief", weight=6, low=50_000, high=300_000, step=10_000),
    Want(
        category="disaster_relief",
        weight=12,
        low=200_000,
        high=2_000_000,
        step=100_000,
        kinds=DISASTER,
    ),
    Want(
        category="housing_relief",
        weight=6,
        low=500_000,
        high=2_000_000,
        step=100_000,
        kinds=DISASTER | DISABLED,
    ),
    Want(
        category="doorstep_haircut", weight=8, low=2, high=6, minutes=30, every_days=30, kinds=FRAIL
    ),
    Want(
        category="home_visit",
        weight=9,
        low=4,
        high=12,
        step=2,
        minutes=60,
        every_days=7,
        kinds=FRAIL,
    ),
    Want(category="free_clinic", weight=6, low=1, high=4, minutes=20, kinds=FRAIL),
    Want(
        category="meal_delivery",
        weight=4,
        low=20,
        high=60,
        step=10,
        minutes=15,
        every_days=1,
        kinds=OLD,
    ),
    Want(category="cleaning", weight=5, low=2, high=10, minutes=60, every_days=7, kinds=FRAIL),
    Want(category="bathing_help", weight=3, low=2, high=6, minutes=60, every_days=7, kinds=FRAIL),
    Want(category="respite_care", weight=3, low=2, high=10, minutes=120, kinds=ILL | DISABLED),
    Want(category="escort_to_hospital", weight=4, low=1, high=4, minutes=180, kinds=FRAIL),
    Want(category="psychological_counselling", weight=3, low=1, high=6, minutes=60, every_days=7),
    Want(
        category="home_repair",
        weight=4,
        low=1,
        high=3,
        minutes=180,
        kinds=OLD | DISASTER | DISABLED,
    ),
    Want(category="ageing_friendly_renovation", weight=4, low=1, high=4, minutes=240, kinds=OLD),
    Want(category="tutoring", weight=6, low=10, high=40, step=5, minutes=60, kinds=WITH_CHILDREN),
    Want(
        category="child_companionship",
        weight=4,
        low=4,
        high=12,
        minutes=90,
        every_days=7,
        kinds=WITH_CHILDREN,
    ),
    Want(category="wish_trip", weight=2, low=1, high=2, minutes=480, kinds=OLD | WITH_CHILDREN),
    Want(category="legal_help", weight=2, low=1, high=4, minutes=60),
    Want(category="policy_help", weight=2, low=1, high=2, minutes=45),
    Want(
        category="job_placement",
        weight=9,
        low=1,
        high=1,
        minutes=60,
        kinds=frozenset({"unemployed"}),
    ),
    Want(
        category="skills_training",
        weight=6,
        low=10,
        high=30,
        step=5,
        minutes=120,
        kinds=frozenset({"unemployed", "single_parent"}),
    ),
)


def wanted(kind: str, heads: int, count: int, dice: random.Random) -> list[tuple[Want, int]]:
    """So many different wants of a family, each with how much."""
    open_to = [want for want in WANTS if not want.kinds or kind in want.kinds]
    chosen: list[tuple[Want, int]] = []
    for _ in range(min(count, len(open_to))):
        (want,) = dice.choices(open_to, weights=[w.weight for w in open_to])
        open_to.remove(want)
        quantity = dice.randrange(want.low, want.high + 1, want.step)
        chosen.append((want, quantity * heads if want.heads else quantity))
    return chosen
