"""A plan's record: the market that it was made from, so that it can be explained and varied.

The market holds where households live, so it is let go of after KEPT_FOR; what was explained
holds keys and numbers only, and stays as long as the plan.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import timedelta

from marketplace.persistence.database import Database
from marketplace.persistence.exchange import plan_records, plans
from marketplace.persistence.exchange.market import Columns, Market

KEPT_FOR = timedelta(days=30)
COMPRESSION = 1  # most of the gain in a tenth of the time


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Recorded:
    """A plan with the market it read.

    lines   need_id, offer_id, units_served, units_drawn, as columns by need and offer
    """

    plan_id: int
    policy: Mapping[str, object]
    region_id: int | None
    category_id: int | None
    market: Market
    lines: Columns


async def load(database: Database, plan_id: int) -> Recorded | None:
    """A finished plan's record; None where the plan has none (yet), or its market is let go of."""
    async with database.read() as db:
        plan = await plans.find(db, plan_id)
        market = None if plan is None else await plan_records.market_of(db, plan_id)
        if plan is None or market is None:
            return None
        rows = await plan_records.lines_of(db, plan_id)
    names = ("need_id", "offer_id", "units_served", "units_drawn")
    return Recorded(
        plan_id=plan_id,
        policy=plan["policy"],
        region_id=plan["region_id"],
        category_id=plan["category_id"],
        market=unpacked_market(market),
        lines={name: [row[name] for row in rows] for name in names},
    )


async def is_kept(database: Database, plan_id: int) -> bool:
    """Whether a plan's market is still there, without reading it."""
    async with database.read() as db:
        return await plan_records.has_market(db, plan_id)


async def forget(database: Database) -> int:
    """Let go of markets that are older than KEPT_FOR; how many."""
    async with database.write() as db:
        return await plan_records.forget_markets(db, before=database.now() - KEPT_FOR)


def packed_market(market: Market) -> bytes:
    """A market as compressed JSON."""
    # Not asdict, which copies every single value.
    return packed({item.name: getattr(market, item.name) for item in fields(market)})


def unpacked_market(data: bytes) -> Market:
    """The market behind `packed_market`."""
    columns: dict[str, Columns] = json.loads(zlib.decompress(data))
    return Market(**columns)


def packed(values: Mapping[str, object]) -> bytes:
    """Plain values as compressed JSON."""
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    return zlib.compress(text.encode(), COMPRESSION)


def unpacked(data: bytes) -> dict[str, object]:
    """The values behind `packed`."""
    values: dict[str, object] = json.loads(zlib.decompress(data))
    return values


def to_text(data: bytes) -> str:
    """Bytes for an answer that travels as JSON."""
    return base64.b64encode(data).decode()


def from_text(text: str) -> bytes:
    """The bytes behind `to_text`."""
    return base64.b64decode(text)
