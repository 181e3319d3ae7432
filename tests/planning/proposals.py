"""Proposed plans put there without the optimizer, so that a test says exactly what they propose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from marketplace.persistence.tables import jobs, offers, plan_lines, plans
from tests.fixtures.market import Market

Line = tuple[int, int, int]  # need, offer, units


async def a_proposal(
    market: Market, lines: Sequence[Line], who: str = "reviewer", **of: Any
) -> int:
    """The row of a proposed plan by `who` with these lines; its key."""
    now = market.database.now()
    async with market.database.write() as db:
        job_id = await db.insert(
            jobs,
            {"kind": "plan", "payload": {}, "status": "DONE", "run_after": now, "created_at": now},
        )
        values: dict[str, Any] = {
            "status": "PROPOSED",
            "job_id": job_id,
            "region_id": market.region["county"],
            "policy": {"order": "FLOOR", "floorSharePercent": 25},
            "created_by": market.viewer[who].account_id,
            "created_at": now,
        }
        plan_id = await db.insert(plans, values | of)
        found = await db.rows(sa.select(offers.c.id, offers.c.version))
        version = {row["id"]: row["version"] for row in found}
        rows = [
            {
                "plan_id": plan_id,
                "need_id": need,
                "offer_id": offer,
                "units_served": units,
                "units_drawn": units,
                "offer_version": version[offer],
            }
            for need, offer, units in lines
        ]
        await db.insert_many(plan_lines, rows)
    return plan_id
