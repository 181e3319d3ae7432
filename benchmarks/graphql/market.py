"""A large made-up market for the benchmark: needs, offers and allocations in a database."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import sqlalchemy as sa

from marketplace.persistence.database import Database, Writing
from marketplace.persistence.tables import (
    accounts,
    allocations,
    api_keys,
    categories,
    households,
    needs,
    offers,
    organizations,
    regions,
)

VILLAGES = 171
ORGANIZATIONS = 60
CHUNK = 5_000


async def fill(database: Database, *, need_count: int, offer_count: int, key_digest: str) -> None:
    """Needs of one county with 0 to 12 allocations each, and one auditor with an API key."""
    dice = random.Random(1)
    now = datetime(2026, 11, 1, tzinfo=UTC)
    async with database.write() as db:
        region_ids = await _regions(db)
        category_ids = await _categories(db)
        organization_ids = await db.insert_keys(
            organizations,
            [
                {
                    "kind": "CHARITY",
                    "status": "VERIFIED",
                    "name": f"Organization {n}",
                    "region_id": region_ids[0],
                    "created_at": now,
                }
                for n in range(ORGANIZATIONS)
            ],
        )
        await _auditor(db, now, key_digest)
        household_ids = await db.insert_keys(
            households,
            [
                {
                    "region_id": dice.choice(region_ids[1:]),
                    "member_count": 3,
                    "seal_id": uuid4().hex,
                    "created_at": now,
                }
                for _ in range(need_count // 2)
            ],
        )
        need_ids: list[int] = []
        for start in range(0, need_count, CHUNK):
            made = [
                {
                    "household_id": household_ids[n // 2],
                    "category_id": dice.choice(category_ids),
                    "region_id": dice.choice(region_ids[1:]),
                    "status": "PUBLISHED",
                    "quantity_asked": 100,
                    "quantity": 100,
                    "covered": 0,
                    "severity": dice.randint(1, 100),
                    "seal_id": uuid4().hex,
                    "created_at": now + timedelta(seconds=dice.randint(0, 2_000_000)),
                }
                for n in range(start, min(start + CHUNK, need_count))
            ]
            need_ids += await db.insert_keys(needs, made)
        offer_ids = await db.insert_keys(
            offers,
            [
                {
                    "organization_id": dice.choice(organization_ids),
                    "category_id": dice.choice(category_ids),
                    "kind": "GOODS",
                    "title": f"Offer {n}",
                    "quantity": 1_000_000,
                    "starts_at": now,
                    "created_at": now,
                }
                for n in range(offer_count)
            ],
        )
        await _allocations(db, dice, need_ids, offer_ids, now)
    if database.dialect == "postgresql":
        async with database.write() as db:
            await db.execute(sa.text("ANALYZE"))


async def _regions(db: Writing) -> list[int]:
    county = await db.insert(
        regions,
        {
            "level": "COUNTY",
            "scheme": "GB/T 2260",
            "code": "361027",
            "name_zh": "金溪县",
            "tree_low": 1,
            "tree_high": VILLAGES + 1,
        },
    )
    villages = [
        {
            "parent_id": county,
            "level": "VILLAGE",
            "scheme": "LOCAL",
            "code": f"v{n}",
            "name_zh": f"村{n}",
            "tree_low": n + 2,
            "tree_high": n + 2,
        }
        for n in range(VILLAGES)
    ]
    return [county, *await db.insert_keys(regions, villages)]


async def _categories(db: Writing) -> list[int]:
    made = [
        {
            "code": f"goods-{n}",
            "kind": "GOODS",
            "unit": "kg",
            "label_zh": f"物资{n}",
            "label_en": f"Goods {n}",
            "tree_low": n,
            "tree_high": n,
        }
        for n in range(40)
    ]
    return await db.insert_keys(categories, made)


async def _auditor(db: Writing, now: datetime, key_digest: str) -> None:
    account = {"name": "benchmark", "role": "AUDITOR", "created_at": now}
    account_id = await db.insert(accounts, account)
    key = {"account_id": account_id, "prefix": "bench", "digest": key_digest, "created_at": now}
    await db.insert(api_keys, key)


async def _allocations(
    db: Writing, dice: random.Random, need_ids: list[int], offer_ids: list[int], now: datetime
) -> None:
    made: list[dict[str, object]] = []
    for need_id in need_ids:
        made += [
            {
                "need_id": need_id,
                "offer_id": offer_id,
                "origin": "PLAN",
                "units_served": 5,
                "units_drawn": 5,
                "created_at": now + timedelta(seconds=dice.randint(0, 2_000_000)),
            }
            for offer_id in dice.sample(offer_ids, k=dice.randint(3, 12))
        ]
        if len(made) > CHUNK:
            await db.insert_many(allocations, made)
            made = []
    await db.insert_many(allocations, made)
