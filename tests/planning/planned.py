"""What a plan gives and leaves aside, as tests compare it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

import matching
from marketplace.persistence.exchange import market as markets
from marketplace.persistence.tables import plan_lines, plans
from marketplace.services.exchange import rounds
from marketplace.services.exchange.translation import translate
from tests.fixtures.market import Market, a_consent, a_household
from tests.planning.workers import a_proposed_plan

Line = tuple[int, int, int, int]


async def a_consenting(market: Market, **where: Any) -> int:
    household = await a_household(market, **where)
    await a_consent(market, household)
    return household


def units(count: int, **changes: Any) -> dict[str, Any]:
    return {"quantity_asked": count, "quantity": count, **changes}


async def planned(market: Market, **scope: Any) -> tuple[set[Line], list[dict[str, Any]]]:
    """Lines (need, offer, served, drawn), and what was left aside without references."""
    plan_id = await a_proposed_plan(market, **scope)
    async with market.database.read() as db:
        lines = await db.rows(sa.select(plan_lines).where(plan_lines.c.plan_id == plan_id))
    plan = await market.row(plans, plan_id)
    columns = ("need_id", "offer_id", "units_served", "units_drawn")
    return {tuple(line[c] for c in columns) for line in lines}, plan["left_aside"]


async def solved(market: Market, **scope: int) -> tuple[set[Line], list[dict[str, Any]]]:
    """The same without a worker: what the market's snapshot leads to, in this process."""
    found = await rounds_of(market, **scope)
    columns = ("need_id", "offer_id", "units_served", "units_drawn")
    return set(zip(*(found.lines[name] for name in columns), strict=True)), found.left_aside


async def rounds_of(
    market: Market, *, region_id: int | None = None, category_id: int | None = None
) -> rounds.Solved:
    async with market.database.snapshot() as db:
        seen = await markets.read(
            db,
            now=market.database.now(),
            region_id=region_id or market.region["county"],
            category_id=category_id,
        )
    return rounds.solved(seen, translate(seen, pairs_max=1_000), matching.solve)


def an_aside(of: str, reason: str, count: int, first: str) -> dict[str, Any]:
    return {"of": of, "reason": reason, "count": count, "references": [first]}


def a_reference(market: Market, letter: str, key: int) -> str:
    return f"{letter}-{market.database.now().year}-{key:06d}"
