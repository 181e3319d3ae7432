"""What a provider who asks on and on learns of where one household lives: nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from marketplace.domain.errors import Conflict
from marketplace.persistence.database import Database
from marketplace.persistence.exchange.market import Market
from marketplace.services.exchange.centres import centres_of
from marketplace.services.exchange.impact import base_of, effect_of
from marketplace.services.exchange.impact_desk import ASKED_MAX, ASKED_WITHIN, desk_of
from marketplace.services.exchange.impact_told import Told, told, townships_of
from marketplace.services.exchange.impacts import ask
from marketplace.services.exchange.standing import by_level, totals
from tests.fixtures.market import a_market, rice
from tests.impact.markets import NEED, NEW, OFFER, a_plan_of, a_random_market, a_record

POLICY = {"order": "FLOOR", "floorSharePercent": 25}
# Two townships; villages and households lie at 2 to 4 of the first, at 6 of the second.
TOWNSHIPS: Any = [
    {"id": 1, "tree_low": 1, "tree_high": 4, "latitude": 27.05, "longitude": 116.05},
    {"id": 2, "tree_low": 5, "tree_high": 8, "latitude": 27.45, "longitude": 116.45},
]
Answer = Callable[..., Told]


def need(key: int, **changes: Any) -> dict[str, Any]:
    return {
        **dict.fromkeys(NEED),
        "id": key, "year": 2026, "household": key, "category": 2, "severity": 50, "units": 10,
        "covered": 0, "quantity_min": 1, "category_low": 2, "category_high": 2, "kind": "GOODS",
        "price": 600, "region": 2, "latitude": 27.05, "longitude": 116.05, "groups": 1,
    } | changes  # fmt: skip


def offer(key: int, **changes: Any) -> dict[str, Any]:
    return {
        **dict.fromkeys(OFFER),
        "id": key, "version": 0, "year": 2026, "is_cash": False, "is_service": False, "units": 1,
        "pack": 1, "delivery_min": 1, "category_low": 2, "category_high": 2, "latitude": 27.0,
        "longitude": 116.0, "groups": 0,
    } | changes  # fmt: skip


def market_of(needs: list[dict[str, Any]], offers: list[dict[str, Any]]) -> Market:
    return Market(
        needs={name: [row[name] for row in needs] for name in NEED},
        offers={name: [row[name] for row in offers] for name in OFFER},
        regions={"offer": [], "low": [], "high": []},
        given={"offer": [], "household": [], "units": []},
        deliveries={"offer": [], "count": []},
        declined={"need": [], "offer": []},
    )


def answering(
    needs: list[dict[str, Any]],
    standing: list[dict[str, Any]] | None = None,
    policy: dict[str, object] = POLICY,
) -> Answer:
    """Told of any offer, as the child process tells it, against one plan of these needs."""
    market = market_of(needs, standing or [offer(1)])
    record = a_record(market, policy, a_plan_of(market, policy)[1])
    base = base_of(record, centres=centres_of(TOWNSHIPS))

    def asked(regions: tuple[tuple[int, int], ...] = (), **changes: Any) -> Told:
        alone = market_of([], [offer(NEW, **{"units": 1_000} | changes)])
        named: dict[str, list[object]] = {
            "offer": [NEW] * len(regions),
            "low": [low for low, _ in regions],
            "high": [high for _, high in regions],
        }
        offered = replace(alone, needs={"id": []}, regions=named)
        effect = effect_of(base, offered, solve_s=60)
        return told(base, effect, offered, townships_of(TOWNSHIPS), 12_000)

    return asked


def scattered(count: int = 8) -> list[dict[str, Any]]:
    """Households of the first township, each at a place of its own."""
    r = np.random.default_rng(5)
    return [
        need(key + 1, latitude=27 + float(r.random()) / 10, longitude=116 + float(r.random()) / 10)
        for key in range(count)
    ]


@pytest.mark.parametrize("centre", [(27.0, 116.0), (27.1, 116.0), (27.0, 116.1)])
def test_sweeping_the_radius_finds_a_township_and_never_a_household(
    centre: tuple[float, float],
) -> None:
    asked = answering(scattered())
    at = {"latitude": centre[0], "longitude": centre[1]}

    answers = [asked(radius=radius, **at) for radius in np.linspace(0.2, 20, 100).tolist()]

    counts = [answer["households"] for answer in answers]
    steps = [(one, other) for one, other in pairwise(counts) if one != other]
    assert steps == [(None, 10)]
    assert sum(answer != answers[-1] for answer in answers) == counts.index(10)
    assert {answer["how"] for answer in answers} == {"estimated"}


def test_where_one_household_lives_changes_no_answer() -> None:
    """Neither by a radius nor by who is nearest to an offer that does not go round."""
    here = scattered(16)
    moved = [*here[:-1], here[-1] | {"latitude": 26.5, "longitude": 115.5}]
    standing = [offer(1, units=40, latitude=27.08), offer(2, units=55, longitude=116.09)]
    first, second = answering(here, standing), answering(moved, standing)

    for latitude in (26.4, 27.0, 27.05, 27.1):
        for radius in (None, 5.0, 60.0, 100.0):
            where = {"latitude": latitude, "radius": radius, "household_max": 4}
            assert first(**where) == second(**where)


def test_who_is_nearest_among_equals_is_told_of_townships_not_of_households() -> None:
    """Eight households' worth goes to the nearer township, whose eighth may live anywhere."""
    far = {"region": 6, "latitude": 27.45, "longitude": 116.45}
    here = [need(key, units=1, **(far if key > 8 else {})) for key in range(1, 17)]
    moved = [*here[:7], here[7] | {"latitude": 26.5, "longitude": 115.5}, *here[8:]]
    apart = [offer(1, category_low=9, category_high=9)]
    policy: dict[str, object] = {"order": "SEVERITY", "floorSharePercent": 25}

    answers = [
        answering(needs, apart, policy)(units=8, latitude=27.2, longitude=116.2)
        for needs in (here, moved)
    ]

    assert answers[0]["townships"] == [{"region_id": 1, "households": 10}]
    assert answers[0] == answers[1]


def test_no_more_is_used_than_the_bound_though_the_radius_takes_no_township() -> None:
    told_ = answering(scattered())(radius=1.0)

    assert told_["households"] is None
    assert told_["drawn_max"] == 100  # of 80, rounded


def test_a_few_households_count_in_no_sum_whichever_way_they_are_named() -> None:
    many = [need(key) for key in range(1, 13)]
    few = [need(20, region=6), need(21, region=4, groups=2)]
    apart = [offer(1, category_low=9, category_high=9)]
    without, with_few = answering(many, apart), answering([*many, *few], apart)
    told_without = without(regions=((2, 2),))

    assert told_without["households"] == 10
    for regions in (((2, 2), (6, 6)), ((2, 2), (5, 8)), ((2, 2), (4, 4))):
        found = with_few(regions=regions)
        for name in ("drawn", "households", "gaining", "townships", "categories"):
            assert found[name] == told_without[name], (regions, name)
    everywhere = answering([*many, few[0]], apart)()
    assert (everywhere["households"], everywhere["drawn"]) == (10, told_without["drawn"])
    assert everywhere["gaining"] == 10
    for only in ({"regions": ((4, 4),)}, {"regions": ((6, 6),)}, {"groups": 2}):
        found = with_few(**only)
        assert (found["households"], found["drawn"], found["categories"]) == (None, None, [])


@pytest.mark.parametrize("seed", range(6))
def test_by_townships_what_comes_first_is_served_as_by_households(seed: int) -> None:
    """A radius aside: only who among equals is nearest may differ."""
    market, offered = a_random_market(seed)
    offered = replace(
        offered, offers={**offered.offers, "radius": [None]}, regions=market_of([], []).regions
    )
    record = a_record(market, POLICY, a_plan_of(market, POLICY)[1])
    by_household = base_of(record)
    by_township = base_of(record, centres=centres_of(TOWNSHIPS))

    one, other = (effect_of(base, offered, solve_s=60) for base in (by_household, by_township))

    asked = by_household.asked
    assert one.how == other.how == "exact"
    levels = [totals(asked, by_level(asked, effect.served)).tolist() for effect in (one, other)]
    assert levels[0] == levels[1]


@pytest.mark.parametrize("radius", [1.0, 10.0, 40.0, 100.0])
def test_where_all_live_at_the_centre_a_radius_gives_what_the_plan_would(radius: float) -> None:
    far = {"region": 6, "latitude": 27.45, "longitude": 116.45}
    needs = [need(key, **(far if key > 7 else {})) for key in range(1, 16)]
    market = market_of(needs, [offer(1, units=30)])
    record = a_record(market, POLICY, a_plan_of(market, POLICY)[1])
    alone = market_of([], [offer(NEW, units=100, radius=radius)])
    offered = replace(alone, needs={"id": []})

    by_household = effect_of(base_of(record), offered, solve_s=60)
    by_township = effect_of(base_of(record, centres=centres_of(TOWNSHIPS)), offered, solve_s=60)

    assert by_household.served.tolist() == by_township.served.tolist()
    assert by_household.drawn == by_township.drawn
    assert (by_household.how, by_township.how) == ("exact", "estimated")


def test_a_better_use_names_no_band_that_one_household_alone_is_of() -> None:
    dear = {"category": 4, "category_low": 4, "category_high": 4, "price": 1_500}
    one = [need(key, severity=95 if key == 1 else 20, **dear) for key in range(1, 7)]
    five = [need(key, severity=95 if key < 6 else 20, **dear) for key in range(1, 7)]
    mild = [need(key, severity=10) for key in range(10, 18)]

    (of_one,) = answering(one + mild)()["better"]
    (of_five,) = answering(five + mild)()["better"]

    assert (of_one["band"], of_five["band"]) == ("LOW", "CRITICAL")


async def test_an_account_that_asks_on_and_on_is_told_how_long_to_wait(database: Database) -> None:
    market = await a_market(database)
    provider, now = market.viewer["provider"], database.now()
    assert provider.account_id is not None
    desk = desk_of(database)
    for _ in range(ASKED_MAX):
        with desk.one_at_a_time(provider.account_id, now=now):
            pass

    with pytest.raises(Conflict) as refused:
        await ask(database, provider, rice(market))

    (fault,) = refused.value.faults
    assert fault.code == "TOO_MANY"
    assert "Ask again in 60 min." in fault.text.en or "in 59 min" in fault.text.en
    with desk.one_at_a_time(provider.account_id, now=now + ASKED_WITHIN):
        pass
