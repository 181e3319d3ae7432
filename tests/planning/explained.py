"""Plans computed in this process, things with names, and a server that is asked about both."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from marketplace.domain.ids import opaque_id
from marketplace.domain.jobs import Job
from marketplace.persistence.tables import categories, plans, regions
from marketplace.services.exchange import planning
from marketplace.services.exchange.plan_job import PLAN
from tests.fixtures.market import Market, a_market
from tests.fixtures.served import Served, served, settings_for
from tests.planning.workers import a_plan

NAMES = {"xiugu": ("何源镇", "Heyuan"), "huangtong": ("黄通乡", "Huangtong")}
# code: (Chinese, English, unit, reference price)
THINGS = {
    "oil": ("食用油", "Cooking oil", "litre", 1_200),
    "coal": ("取暖煤", "Heating coal", "kg", 150),
    "coat": ("棉衣", "Winter coat", "piece", 20_000),
    "milk": ("奶粉", "Milk powder", "can", 9_000),
    "bed": ("护理床", "Care bed", "piece", 80_000),
    "stove": ("炉具", "Stove", "piece", 30_000),
    "flour": ("面粉", "Flour", "kg", 500),
    "salt": ("食盐", "Salt", "kg", 300),
    "soap": ("肥皂", "Soap", "piece", 400),
    "book": ("图书", "Book", "piece", None),
}


async def a_named_market(database: Any) -> Market:
    """A market whose townships and things have names in both languages."""
    market = await a_market(database)
    async with database.write() as db:
        for code, (zh, en) in NAMES.items():
            await db.execute(
                sa.update(regions)
                .where(regions.c.id == market.region[code])
                .values(name_zh=zh, name_en=en)
            )
        for low, (code, (zh, en, unit, price)) in enumerate(THINGS.items(), start=10):
            market.category[code] = await db.insert(
                categories,
                {
                    "code": code,
                    "kind": "GOODS",
                    "unit": unit,
                    "reference_price_fen": price,
                    "label_zh": zh,
                    "label_en": en,
                    "tree_low": low,
                    "tree_high": low,
                },
            )
    return market


async def a_computed_plan(market: Market, **changes: Any) -> int:
    """A plan that is computed here and written down, without a worker and its child."""
    database = market.database
    plan_id = await a_plan(market, **changes)
    job_id = await market.value(sa.select(plans.c.job_id).where(plans.c.id == plan_id))
    job = Job(id=job_id, kind="plan", payload={}, attempt=1, attempts_max=3)
    request = {**await PLAN.request(database, job), "deadline_s": 20, "processes": 1}
    answer = await asyncio.to_thread(planning.compute, request, lambda *_: None)
    async with database.write() as db:
        await PLAN.settle(db, database, job, json.loads(json.dumps(answer)))
    return plan_id


@dataclass(frozen=True)
class Asking:
    """A server on a market, and a key for everyone in it."""

    market: Market
    server: Served

    def ask(self, who: str | None, query: str, language: str = "en", **given: Any) -> Any:
        """What is answered, errors and all."""
        key = None if who is None else f"key-of-{who}"
        return self.server.ask(query, given, key=key, Accept_Language=language).json()

    def data(self, who: str, query: str, language: str = "en", **given: Any) -> Any:
        """The data of an answer without errors."""
        answer = self.ask(who, query, language, **given)
        assert "errors" not in answer, answer
        return answer["data"]


@contextmanager
def asked_over_http(market: Market, url: str, folder: Path) -> Iterator[Asking]:
    with served(settings_for(url, folder)) as server:
        yield Asking(market, server)


def plan_key(plan_id: int) -> str:
    return opaque_id("Plan", plan_id)
