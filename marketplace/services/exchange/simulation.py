"""A plan's computation in the child, and for a simulation its comparison with the base plan."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import cast

import numpy as np

from marketplace.domain.errors import Text
from marketplace.persistence.database import Database
from marketplace.persistence.exchange import plan_names
from marketplace.services.exchange import plan_records, planning
from marketplace.services.exchange.comparing import compared
from marketplace.services.exchange.impact_told import Townships, townships_of
from marketplace.services.exchange.plan_records import Recorded
from marketplace.services.exchange.planning import warm_up as warm_up
from marketplace.services.exchange.simulated import FIRST_ADDED
from marketplace.services.jobs import JobFailed

GONE = Text(
    "The market of the base plan is no longer kept. Simulate from a newer plan.",
    "基准方案所依据的供需数据已不再保存，请以较新的方案为基准。",
)


def compute(
    request: Mapping[str, object], report: Callable[[float, str], None]
) -> dict[str, object]:
    """As planning.compute; a simulation, or an edited plan, also answers how it compares.

    Lines of offers that nobody posted are in the comparison only: no row could name them.
    """
    if request.get("edited_plan_id") is not None:
        return _edited(request, report)
    if request.get("base_plan_id") is None:
        return planning.compute(request, report)
    base, townships = asyncio.run(_loaded(request, "base_plan_id"))
    if base is None:
        raise JobFailed("GONE", GONE)
    answer = planning.compute(request, report)
    lines = cast("Mapping[str, list[int]]", answer["lines"])
    answer["comparison"] = compared(base, lines, townships)
    real = np.flatnonzero(np.array(lines["offer_id"], np.int64) < FIRST_ADDED).tolist()
    answer["lines"] = {name: [column[row] for row in real] for name, column in lines.items()}
    return answer


def _edited(
    request: Mapping[str, object], report: Callable[[float, str], None]
) -> dict[str, object]:
    """A proposal around edits, and how it compares with the one that was edited.

    Compared by the needs that both know: the market may have moved on. Without a comparison where
    the edited plan's market is let go of.
    """
    answer = planning.compute(request, report)
    base, townships = asyncio.run(_loaded(request, "edited_plan_id"))
    if base is None:
        return answer
    lines = cast("Mapping[str, list[int]]", answer["lines"])
    known = set(base.market.needs["id"])
    rows = [row for row, need in enumerate(lines["need_id"]) if need in known]
    both = {name: [column[row] for row in rows] for name, column in lines.items()}
    return answer | {"comparison": compared(base, both, townships)}


async def _loaded(request: Mapping[str, object], name: str) -> tuple[Recorded | None, Townships]:
    database = Database(str(request["database_url"]))
    try:
        base = await plan_records.load(database, int(str(request[name])))
        async with database.read() as db:
            return base, townships_of(await plan_names.townships(db))
    finally:
        await database.close()
