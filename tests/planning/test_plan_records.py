"""What a plan was made from is kept with it, and let go of in time."""

from __future__ import annotations

from marketplace.persistence.database import Database
from marketplace.persistence.exchange import market as markets
from marketplace.services.exchange import plan_records
from marketplace.services.exchange.expiry import expire
from tests.fixtures.market import a_market, a_need, an_offer
from tests.planning.planned import a_consenting
from tests.planning.workers import a_proposed_plan


async def test_a_plan_keeps_the_market_that_it_read(database: Database) -> None:
    market = await a_market(database)
    need = await a_need(market, await a_consenting(market))
    offer = await an_offer(market, quantity=60)
    async with database.snapshot() as db:
        read = await markets.read(db, now=database.now(), region_id=None, category_id=None)

    plan_id = await a_proposed_plan(market)
    await an_offer(market, quantity=7)

    record = await plan_records.load(database, plan_id)
    assert record is not None
    assert record.market == read
    assert record.lines["need_id"] == [need]
    assert record.lines["offer_id"] == [offer]
    assert record.lines["units_served"] == [60]


async def test_an_old_plan_lets_go_of_its_market(database: Database) -> None:
    market = await a_market(database)
    await a_need(market, await a_consenting(market))
    await an_offer(market, quantity=60)
    plan_id = await a_proposed_plan(market)
    done = await expire(database)
    assert done.plan_markets == 0

    later = database.now() + plan_records.KEPT_FOR * 1.01
    old = Database(database.url.render_as_string(hide_password=False), clock=lambda: later)
    done = await expire(old)

    assert done.plan_markets == 1
    assert await plan_records.load(database, plan_id) is None
    await old.close()
