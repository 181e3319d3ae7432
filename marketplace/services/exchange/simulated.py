"""Simulated markets: what a plan was made from, with offers added, withdrawn or of other size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from marketplace.persistence.database import Reading
from marketplace.persistence.exchange import plan_records as rows
from marketplace.persistence.exchange.market import Columns, Market
from marketplace.services.exchange import parts
from marketplace.services.exchange.plan_records import unpacked_market

FIRST_ADDED = 2**62  # ids of offers that nobody posted begin here


async def read(db: Reading, request: Mapping[str, object]) -> Market | None:
    """The market of a simulation's request; None where it is none, or its base is let go of."""
    base = request.get("base_plan_id")
    if base is None:
        return None
    plan_id = int(str(base))
    packed = await rows.market_of(db, plan_id)
    if packed is None:
        return None
    lines = await rows.lines_of(db, plan_id)
    market = unpacked_market(packed)
    prior: Columns = {
        "need": [line["need_id"] for line in lines],
        "offer": [line["offer_id"] for line in lines],
        "units": [line["units_served"] for line in lines],
    }
    changes = request["changes"]
    assert isinstance(changes, Mapping), "a simulation says what it changes"
    return changed(replace(market, prior=prior), changes)


def changed(market: Market, changes: Mapping[str, object]) -> Market:
    """A market with these changes.

    withdrawn    ids of offers            quantities   units left by id of offer, as text
    added        offers as markets of their own: {"offers": columns, "regions": columns}
    """
    left = dict(_mapping(changes, "quantities"))
    gone = {int(str(key)) for key in _list(changes, "withdrawn")}
    gone |= {int(key) for key, units in left.items() if int(str(units)) <= 0}
    ids = [int(str(key)) for key in market.offers["id"]]
    kept = np.array([row for row, key in enumerate(ids) if key not in gone], np.int64)
    market = parts.cut(market, np.arange(len(market.needs["id"])), kept)
    offers = dict(market.offers)
    offers["units"] = [
        int(str(left.get(str(key), units)))
        for key, units in zip(offers["id"], offers["units"], strict=True)
    ]
    market = replace(market, offers=offers)
    for added in _list(changes, "added"):
        assert isinstance(added, Mapping), "an added offer is a market of its own"
        one = Market(
            needs={"id": []},
            offers=added["offers"],
            regions=added["regions"],
            given={},
            deliveries={},
            declined={},
        )
        market = parts.joined(market, one)
    return market


def _mapping(changes: Mapping[str, object], name: str) -> Mapping[str, object]:
    found = changes.get(name)
    return found if isinstance(found, Mapping) else {}


def _list(changes: Mapping[str, object], name: str) -> list[object]:
    found = changes.get(name)
    return found if isinstance(found, list) else []
