"""A market with more pairs than can be built: the same plan, or a plain word why there is none."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

import matching
from marketplace.persistence.database import Database
from marketplace.persistence.exchange import market as markets
from marketplace.services.exchange import planning, rounds, wide
from marketplace.services.jobs import JobFailed
from tests.fixtures.market import Market, a_market, a_need, an_offer
from tests.planning.planned import a_consenting, units

pytestmark = pytest.mark.one_database  # what is made of rows that both read alike

NEEDS, OFFERS = 40, 3


@pytest.fixture
async def market(database: Database) -> Market:
    market = await a_market(database)
    for number in range(NEEDS):
        await a_need(
            market,
            await a_consenting(market),
            category_id=market.category["rice"],
            **units(2 + number % 5, severity=1 + 7 * number % 90),
        )
    return market


async def the_offers(market: Market, **changes: Any) -> None:
    for number in range(OFFERS):
        await an_offer(market, quantity=12 + number, longitude=116.0 + number, latitude=27.0)
    await an_offer(market, quantity=5, **changes)


async def computed(market: Market, **changes: Any) -> dict[str, Any]:
    request = {
        "database_url": market.database.url.render_as_string(hide_password=False),
        "now": (market.database.now() + timedelta(seconds=1)).isoformat(),
        "region_id": market.region["county"],
        "category_id": None,
        "policy": {"order": "FLOOR", "floorSharePercent": 25},
        "deadline_s": 60,
        "processes": 1,
        "dask_pairs_min": 10**9,
    }
    told: list[float] = []
    answer = await asyncio.to_thread(
        planning.compute, request | changes, lambda share, _: told.append(share)
    )
    assert told == sorted(told)
    return dict(answer)


async def test_a_wide_market_is_planned_as_if_all_its_pairs_were_built(market: Market) -> None:
    await the_offers(market)

    every, few = await computed(market), await computed(market, pairs_max=30)

    assert few["proof"]["status"] == every["proof"]["status"] == "optimal"
    assert few["proof"]["certificate"]["optimal"] is True
    for name in ("level_served", "level_asked", "cost"):
        assert few["proof"][name] == every["proof"][name], name
    assert few["pair_count"] == every["pair_count"] == NEEDS * (OFFERS + 1)
    assert few["proof"]["wide"]["pairs_built"] < few["pair_count"]
    assert few["explained"] is None


@pytest.mark.parametrize(
    "rule", [{"household_max": 4}, {"deliveries_max": 2}, {"delivery_min": 3}, {"pack_size": 5}]
)
async def test_a_wide_market_with_rules_is_refused_as_too_large(
    market: Market, rule: dict[str, int]
) -> None:
    await the_offers(market, **rule)

    with pytest.raises(JobFailed) as failed:
        await computed(market, pairs_max=30)

    assert failed.value.code == "TOO_MANY_PAIRS"


async def test_what_is_not_looked_at_in_time_is_told_as_not_proven(market: Market) -> None:
    await the_offers(market)
    async with market.database.snapshot() as db:
        seen = await markets.read(db, now=market.database.now(), region_id=None, category_id=None)

    found = wide.planned_wide(
        seen, pairs_max=30, solve_wide=lambda p, reach: matching.solve_wide(p, reach, deadline_s=0)
    )

    assert found is not None
    plan = rounds.solved(seen, found.translation, matching.solve)
    proof = found.proof(rounds.proof_of(plan.plans))
    assert proof["status"] == "bounded"
    assert float(str(proof["gap"])) > 0
    assert proof["certificate"]["optimal"] is False  # type: ignore[index]
