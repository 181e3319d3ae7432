"""A plan from asking for it to what it proposes."""

from __future__ import annotations

import sqlalchemy as sa

from marketplace.persistence.database import Database
from marketplace.persistence.tables import events, plan_lines, plans
from tests.fixtures.market import a_consent, a_household, a_market, a_need, an_offer
from tests.planning.workers import a_proposed_plan


async def test_a_plan_gives_what_there_is_and_says_how_it_knows(database: Database) -> None:
    market = await a_market(database)
    household = await a_household(market)
    await a_consent(market, household)
    need = await a_need(market, household)
    offer = await an_offer(market, quantity=60)

    plan_id = await a_proposed_plan(market)

    plan = await market.row(plans, plan_id)
    assert (plan["need_count"], plan["offer_count"], plan["pair_count"]) == (1, 1, 1)
    assert (plan["units_asked"], plan["units_served"], plan["needs_served"]) == (100, 60, 1)
    assert plan["proof"]["certificate"]["optimal"] is True
    assert plan["left_aside"] == []
    async with database.read() as db:
        (line,) = await db.rows(sa.select(plan_lines))
    assert (line["need_id"], line["offer_id"]) == (need, offer)
    assert (line["units_served"], line["units_drawn"]) == (60, 60)
    assert await market.count(events, events.c.kind == "plan.proposed") == 1
