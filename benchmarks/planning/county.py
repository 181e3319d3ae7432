"""A synthetic county in a database: households with needs, offers with radius and groups."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import sqlalchemy as sa

from marketplace.domain.permissions import Role, Viewer
from marketplace.persistence.database import Database, Writing
from marketplace.persistence.tables import (
    accounts,
    categories,
    consents,
    households,
    needs,
    offers,
    organizations,
    regions,
)

CATEGORIES = 20
KM_PER_DEGREE = 111.0
GROUPS = 8


async def fill(database: Database, *, needs_count: int, seed: int = 1) -> Viewer:
    """One need a household, one offer for ten needs, supply of 70 %; the officer who plans."""
    r = np.random.default_rng(seed)
    now = database.now()
    async with database.write() as db:
        region = await db.insert(regions, _region())
        officer = await db.insert(
            accounts,
            {
                "name": "officer",
                "role": Role.CHARITY_OFFICER,
                "region_id": region,
                "created_at": now,
            },
        )
        kinds = await db.insert_keys(categories, [_category(c) for c in range(CATEGORIES)])
        provider = await db.insert(
            organizations,
            {
                "kind": "CHARITY",
                "status": "VERIFIED",
                "name": "charity",
                "region_id": region,
                "created_at": now,
            },
        )
        units = r.integers(1, 13, needs_count)
        await _needs(db, r, units, region, kinds, now)
        await _offers(db, r, units, provider, kinds, now)
        await db.execute(sa.text("ANALYZE"))  # as any database has done that lives for an hour
    return Viewer(
        role=Role.CHARITY_OFFICER,
        account_id=officer,
        region_id=region,
        region_low=1,
        region_high=1,
    )


async def _needs(
    db: Writing, r: np.random.Generator, units: Any, region: int, kinds: list[int], now: datetime
) -> None:
    n = len(units)
    latitude, longitude = _places(r, n, n)
    homes = [
        {
            "region_id": region,
            "member_count": 1,
            "target_groups": int(1 << g),
            "latitude": float(y),
            "longitude": float(x),
            "seal_id": f"h{i}",
            "created_at": now,
        }
        for i, (g, y, x) in enumerate(
            zip(r.integers(0, GROUPS, n), latitude, longitude, strict=True)
        )
    ]
    keys = await db.insert_keys(households, homes)
    consent = {
        "purpose": "CHARITABLE_ASSISTANCE",
        "recipient_class": "VERIFIED_PROVIDERS",
        "text_version": "1",
        "how_given": "SIGNED",
        "given_at": now,
    }
    await db.insert_many(consents, [consent | {"household_id": key} for key in keys])
    severity, asked = r.integers(1, 101, n), r.integers(0, CATEGORIES, n)
    await db.insert_many(
        needs,
        [
            {
                "household_id": key,
                "category_id": kinds[int(asked[i])],
                "region_id": region,
                "status": "PUBLISHED",
                "quantity_asked": int(units[i]),
                "quantity": int(units[i]),
                "severity": int(severity[i]),
                "seal_id": f"n{i}",
                "created_at": now,
            }
            for i, key in enumerate(keys)
        ],
    )


async def _offers(
    db: Writing, r: np.random.Generator, units: Any, provider: int, kinds: list[int], now: datetime
) -> None:
    n, m = len(units), max(CATEGORIES, len(units) // 10)
    latitude, longitude = _places(r, m, n)
    supply = r.lognormal(0, 0.8, m)
    supply = np.maximum(1, supply / supply.sum() * 0.7 * units.sum()).astype(int)
    mask = np.where(r.random(m) < 0.3, r.integers(1, 1 << GROUPS, m), 0)
    radius = r.lognormal(np.log(30), 0.6, m)
    given = r.integers(0, CATEGORIES, m)
    await db.insert_many(
        offers,
        [
            {
                "organization_id": provider,
                "category_id": kinds[int(given[j])],
                "kind": "GOODS",
                "quantity": int(supply[j]),
                "target_groups": int(mask[j]),
                "latitude": float(latitude[j]),
                "longitude": float(longitude[j]),
                "radius_km": None if r.random() < 0.02 else float(radius[j]),
                "starts_at": now,
                "created_at": now,
            }
            for j in range(m)
        ],
    )


def _places(r: np.random.Generator, count: int, needs_count: int) -> tuple[Any, Any]:
    """Clustered round towns, one need a square kilometre."""
    side = float(np.sqrt(needs_count))
    towns = np.random.default_rng(needs_count).uniform(0, side, (max(4, needs_count // 500), 2))
    at = towns[r.integers(0, len(towns), count)] + r.normal(0, side / 40 + 2, (count, 2))
    return 27.0 + at[:, 0] / KM_PER_DEGREE, 116.0 + at[:, 1] / KM_PER_DEGREE


def _region() -> dict[str, object]:
    return {
        "level": "COUNTY",
        "scheme": "LOCAL",
        "code": "county",
        "name_zh": "县",
        "tree_low": 1,
        "tree_high": 1,
    }


def _category(number: int) -> dict[str, object]:
    return {
        "code": f"c{number}",
        "kind": "GOODS",
        "unit": "piece",
        "reference_price_fen": 100,
        "label_zh": "物",
        "label_en": "thing",
        "tree_low": number + 1,
        "tree_high": number + 1,
    }
