"""Approving visits: no more are reserved than the days that remain hold."""

from __future__ import annotations

from datetime import timedelta

import pytest

from marketplace.persistence.database import Database
from marketplace.persistence.tables import offers
from tests.fixtures.market import Market, a_market, a_need, an_offer
from tests.planning.proposals import a_proposal
from tests.planning.test_approval import a_home, approve, reasons


@pytest.fixture
async def market(database: Database) -> Market:
    return await a_market(database)


async def test_no_more_visits_are_reserved_than_the_days_that_remain_hold(market: Market) -> None:
    now, of_visits = market.database.now(), {"category_id": market.category["haircut"]}
    of_visits |= {"visit_minutes": 60}
    service = {"kind": "SERVICE", "category_id": market.category["haircut"], "quantity": 6_000}
    service |= {"starts_at": now - timedelta(days=30), "expires_at": now + timedelta(days=3)}
    first, full, other, weekly, twice = [
        await a_need(market, await a_home(market), **of_visits, every_days=every, severity=severity)
        for every, severity in ((None, 90), (None, 80), (None, 70), (7, 60), (7, 50))
    ]
    busy = await an_offer(market, visits_per_day=2, **service)
    free = await an_offer(market, **service)
    stale = await a_proposal(market, [(first, busy, 4), (twice, free, 1)])
    plan_id = await a_proposal(
        market,
        [
            (full, busy, 3),  # beside four that are set aside, six have days
            (other, busy, 2),
            (weekly, free, 2),
            (twice, free, 1),
        ],
    )
    await approve(market, stale)

    await approve(market, plan_id)

    assert await reasons(market, stale) == {first: None, twice: None}
    assert await reasons(market, plan_id) == {
        full: "VISITS_MAX",
        other: None,
        weekly: "VISITS_MAX",
        twice: "VISITS_MAX",
    }
    assert (await market.row(offers, busy))["reserved"] == 6
