"""What the child process answers about impacts: it keeps the last plans' markets in memory."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass

from marketplace.persistence.database import Database
from marketplace.persistence.exchange import plan_names
from marketplace.persistence.exchange.market import Market
from marketplace.services.exchange import plan_records
from marketplace.services.exchange.centres import centres_of
from marketplace.services.exchange.impact import Base, base_of, effect_of
from marketplace.services.exchange.impact_told import Told, Townships, told, townships_of

KEPT = 3  # plans, each a few megabytes for ten thousand needs


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One offer, as a market of its own, asked about against one plan.

    worth   reference value of the whole offer in fen; 0: it has none
    """

    database_url: str
    plan_id: int
    offered: Market
    worth: int


_KEPT: OrderedDict[tuple[str, int], tuple[Base, Townships]] = OrderedDict()


def answer(question: Question) -> Told | None:
    """What may be told of the offer's impact; None where the plan's market is no longer kept."""
    key = (question.database_url, question.plan_id)
    if key not in _KEPT:
        loaded = asyncio.run(_loaded(*key))
        if loaded is None:
            return None
        _KEPT[key] = loaded
        if len(_KEPT) > KEPT:
            _KEPT.popitem(last=False)
    _KEPT.move_to_end(key)
    base, townships = _KEPT[key]
    effect = effect_of(base, question.offered)
    return told(base, effect, question.offered, townships, question.worth)


async def _loaded(database_url: str, plan_id: int) -> tuple[Base, Townships] | None:
    database = Database(database_url)
    try:
        recorded = await plan_records.load(database, plan_id)
        if recorded is None:
            return None
        async with database.read() as db:
            rows = await plan_names.townships(db)
        return base_of(recorded, centres=centres_of(rows)), townships_of(rows)
    finally:
        await database.close()
