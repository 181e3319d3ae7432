"""Plans with their record, solved in the test's own process: as a worker leaves them, at once."""

from __future__ import annotations

from typing import Any

from marketplace.persistence.exchange import market as markets
from marketplace.persistence.exchange import plan_records, plans
from marketplace.persistence.tables import jobs
from marketplace.services.exchange.plan_records import packed_market
from marketplace.services.exchange.rounds import proof_of
from tests.fixtures.market import Market
from tests.impact.markets import a_plan_of

POLICY = {"order": "FLOOR", "floorSharePercent": 25}


async def a_recorded_plan(market: Market, **of: Any) -> int:
    """A proposed plan of what is in the market now; its key."""
    now = market.database.now()
    values: dict[str, Any] = {"region_id": market.region["county"], "category_id": None} | of
    scope = {name: values[name] for name in ("region_id", "category_id")}
    async with market.database.snapshot() as db:
        read = await markets.read(db, now=now, **scope)
    found, lines = a_plan_of(read, POLICY)
    async with market.database.write() as db:
        job = {"kind": "plan", "payload": {}, "status": "DONE", "run_after": now, "created_at": now}
        given: dict[str, Any] = {
            "status": "PROPOSED",
            "job_id": await db.insert(jobs, job),
            "policy": POLICY,
            "proof": proof_of(found),
            "created_by": market.viewer["reviewer"].account_id,
            "created_at": now,
            "finished_at": now,
        }
        plan_id = await plans.add(db, given | values)
        await plans.add_lines(db, plan_id, lines)  # type: ignore[arg-type]
        await plan_records.add(db, plan_id, market=packed_market(read), explained=None, now=now)
    return plan_id
