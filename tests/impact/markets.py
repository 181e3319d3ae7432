"""Random markets as columns, with the rules that couple needs and offers, and plans of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

import matching
from marketplace.persistence.exchange.market import Columns, Market
from marketplace.services.exchange import rounds
from marketplace.services.exchange.impact import after
from marketplace.services.exchange.plan_records import Recorded
from marketplace.services.exchange.planning import policy_of
from marketplace.services.exchange.translation import translate

NEW = 2**62
# low, high, kind, price of categories: two of goods under one roof, one apart, money
CATEGORIES = (
    (1, 3, "GOODS", None),
    (2, 2, "GOODS", 600),
    (3, 3, "GOODS", 200),
    (4, 4, "GOODS", 1_500),
    (5, 5, "CASH", 1),
)
NEED = (
    *("id", "year", "household", "category", "severity", "units", "covered", "quantity_min"),
    *("category_low", "category_high", "kind", "price", "region", "latitude", "longitude"),
    *("groups", "visit_minutes", "every_days", "last_day"),
)
OFFER = (
    *("id", "version", "year", "is_cash", "is_service", "units", "pack", "household_max"),
    *("delivery_min", "deliveries_max", "category_low", "category_high", "latitude"),
    *("longitude", "radius", "groups", "visits_per_day", "first_day", "last_day"),
)


def a_random_market(seed: int, *, needs: int = 60, offers: int = 14) -> tuple[Market, Market]:
    """A market, and one offer as a market of its own."""
    r = np.random.default_rng(seed)
    need_rows = [_need(r, key + 1) for key in range(needs)]
    offer_rows = [_offer(r, key + 1) for key in range(offers)]
    kept = [row["id"] for row in offer_rows if row["household_max"] and r.random() < 0.5]
    given = [(key, int(r.integers(1, 30)), int(r.integers(1, 4))) for key in kept]
    market = Market(
        needs=_columns(NEED, need_rows),
        offers=_columns(OFFER, offer_rows),
        regions=_regions(r, [int(row["id"]) for row in offer_rows]),
        given=_named(("offer", "household", "units"), given),
        deliveries=_named(("offer", "count"), []),
        declined=_named(("need", "offer"), [(int(r.integers(1, needs)), 1)]),
    )
    new = _offer(r, NEW)
    offered = Market(
        needs={"id": []},
        offers=_columns(OFFER, [new]),
        regions=_regions(r, [NEW]),
        given={},
        deliveries={},
        declined={},
    )
    return market, offered


def with_offer(market: Market, offered: Market) -> Market:
    """The market with the offer really in it."""
    return replace(
        market,
        offers={name: [*column, *offered.offers[name]] for name, column in market.offers.items()},
        regions={
            name: [*column, *offered.regions[name]] for name, column in market.regions.items()
        },
    )


def a_plan_of(
    market: Market, policy: Mapping[str, object], prior: Columns | None = None
) -> tuple[tuple[matching.Plan, ...], Columns]:
    """The whole market planned, with least change against earlier lines where some are given."""
    if prior is not None:
        market = after(market, prior)

    def solve(problem: matching.Problem) -> matching.Plan:
        return matching.solve(problem, policy_of(policy))

    found = rounds.solved(market, translate(market, pairs_max=10**7), solve)
    return found.plans, {name: list(column) for name, column in found.lines.items()}


def a_record(market: Market, policy: Mapping[str, object], lines: Columns) -> Recorded:
    return Recorded(
        plan_id=1, policy=policy, region_id=None, category_id=None, market=market, lines=lines
    )


def _need(r: np.random.Generator, key: int) -> dict[str, Any]:
    kind = int(r.integers(len(CATEGORIES)))
    low, high, name, price = CATEGORIES[kind]
    units = int(r.integers(1, 13)) * (1_000 if name == "CASH" else 1)
    return {
        "id": key,
        "year": 2026,
        "household": int(r.integers(1, 40)),
        "category": kind + 1,
        "severity": int(r.integers(1, 101)),
        "units": units,
        "covered": 0,
        "quantity_min": int(units) if r.random() < 0.1 else 1,
        "category_low": low,
        "category_high": high,
        "kind": name,
        "price": price,
        "region": int(r.integers(1, 5)),
        "latitude": 27.0 + float(r.random()),
        "longitude": 116.0 + float(r.random()),
        "groups": int(1 << r.integers(3)),
    }


def _offer(r: np.random.Generator, key: int) -> dict[str, Any]:
    is_cash = bool(r.random() < 0.3)
    low, high, kind, _ = CATEGORIES[int(r.integers(1, len(CATEGORIES)))]
    is_cash = is_cash or kind == "CASH"
    pack = 1 if is_cash else int(r.choice((1, 1, 1, 2, 5)))
    units = int(r.integers(1, 13)) * pack * (1_000 if is_cash else 1)
    return {
        "id": key,
        "version": 0,
        "year": 2026,
        "is_cash": is_cash,
        "is_service": False,
        "units": units,
        "pack": pack,
        "household_max": max(pack, units // 3) if r.random() < 0.3 else None,
        "delivery_min": 2 * pack if r.random() < 0.1 and not is_cash else 1,
        "deliveries_max": int(r.integers(1, 6)) if r.random() < 0.1 else None,
        "category_low": low,
        "category_high": high,
        "latitude": 27.0 + float(r.random()),
        "longitude": 116.0 + float(r.random()),
        "radius": float(r.integers(20, 60)) if r.random() < 0.7 else None,
        "groups": int(r.integers(1, 8)) if r.random() < 0.3 else 0,
    }


def _regions(r: np.random.Generator, offers: list[int]) -> Columns:
    rows = [(key, at, at) for key in offers if r.random() < 0.5 for at in (int(r.integers(1, 5)),)]
    return _named(("offer", "low", "high"), rows)


def _columns(names: tuple[str, ...], rows: list[dict[str, Any]]) -> Columns:
    return {name: [row.get(name) for row in rows] for name in names}


def _named(names: tuple[str, ...], rows: Sequence[tuple[int, ...]]) -> Columns:
    return {name: [row[at] for row in rows] for at, name in enumerate(names)}
