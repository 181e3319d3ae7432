"""A market with a bit of everything in it, made of a seed."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from marketplace.persistence.database import Database
from marketplace.persistence.tables import (
    accounts,
    allocations,
    categories,
    consents,
    households,
    jobs,
    needs,
    offer_regions,
    offers,
    organizations,
    plan_lines,
    plans,
    published_needs,
    referrals,
    regions,
)
from tests.fixtures.market import Market, a_household, a_market

STATUSES = ("DRAFT", "REFERRED", "RETURNED", "REJECTED", "PUBLISHED", "WITHDRAWN")
TOWNSHIP_OF = {"grid": "xiugu", "village": "xiugu", "far_village": "huangtong"}


@dataclass(slots=True)
class World:
    """The market and every row of it, as the database holds it."""

    market: Market
    rows: dict[str, dict[int, dict[str, Any]]] = field(default_factory=dict)

    @property
    def database(self) -> Database:
        return self.market.database

    async def reread(self) -> None:
        tables = (regions, categories, organizations, households, consents, needs, offers)
        more = (published_needs, allocations, plans, plan_lines, accounts, offer_regions)
        async with self.database.read() as db:
            for table in (*tables, *more):
                rows = await db.rows(sa.select(table))
                self.rows[table.name] = {
                    row.get("id", index): dict(row) for index, row in enumerate(rows)
                }


async def a_world(database: Database, *, seed: int = 1, size: int = 30) -> World:
    """`size` needs of every status in every region, half as many offers, allocations, a plan."""
    dice = random.Random(seed)
    market = await a_market(database)
    world = World(market)
    now = database.now()
    places = list(TOWNSHIP_OF)
    homes = []
    for index in range(max(4, size // 4)):
        place = places[index % 3]
        homes.append(
            (await a_household(market, region=place, severity=dice.choice((10, 70))), place)
        )
    async with database.write() as db:
        for key, _ in homes:
            state = dice.choice(("GIVEN", "GIVEN", "WITHDRAWN", "EXPIRED", None))
            if state:
                await db.insert(consents, _consent(key, state, now))
        await db.execute(
            sa.update(accounts)
            .where(accounts.c.id == market.viewer["applicant"].account_id)
            .values(household_id=homes[0][0])
        )
        referred_by = market.viewer["assistance"].account_id
        referral = await db.insert(
            referrals, {"referred_by": referred_by, "referred_at": now, "line_count": size}
        )
        need_ids = []
        for _ in range(size):
            household_id, place = dice.choice(homes)
            values = _need(market, dice, household_id, place, now)
            if values["status"] != "DRAFT":
                values |= {"referral_id": referral, "referred_by": referred_by}
            need_ids.append(await db.insert(needs, values))
            if values["status"] in {"PUBLISHED", "WITHDRAWN"}:
                copy = _copy(market, need_ids[-1], values, place, now)
                await db.insert(published_needs, copy)
        offer_ids = [
            await db.insert(offers, _offer(market, dice, now)) for _ in range(max(2, size // 2))
        ]
        for offer_id in offer_ids[::3]:
            for name in ("xiugu", "county"):
                pair = {"offer_id": offer_id, "region_id": market.region[name]}
                await db.execute(sa.insert(offer_regions).values(**pair))
        await _plan(db, market, dice, need_ids, offer_ids, now)
    await world.reread()
    return world


def _consent(household_id: int, state: str, now: Any) -> dict[str, Any]:
    return {
        "household_id": household_id,
        "status": "WITHDRAWN" if state == "WITHDRAWN" else "GIVEN",
        "purpose": "CHARITABLE_ASSISTANCE",
        "recipient_class": "VERIFIED_PROVIDERS",
        "text_version": "2026-01",
        "how_given": "SIGNED",
        "given_at": now - timedelta(days=9),
        "expires_at": now - timedelta(days=1) if state == "EXPIRED" else None,
    }


def _need(
    market: Market, dice: random.Random, household_id: int, place: str, now: Any
) -> dict[str, Any]:
    quantity = dice.randint(1, 5) * 10
    minutes = dice.choice((0, 1, 1, 2, 3))  # equal moments, so that ties are met
    return {
        "household_id": household_id,
        "category_id": market.category[dice.choice(("rice", "staple", "quilt", "haircut"))],
        "region_id": market.region[place],
        "status": dice.choice(STATUSES),
        "quantity_asked": quantity + 5,
        "quantity_by_government": 5,
        "quantity": quantity,
        "severity": dice.choice((5, 40, 40, 90)),
        "deadline": dice.choice((None, None, now + timedelta(days=dice.randint(1, 3)))),
        "seal_id": uuid4().hex,
        "external_reference": uuid4().hex if dice.random() < 0.5 else None,
        "created_at": now - timedelta(minutes=minutes),
        "published_at": dice.choice((None, now - timedelta(minutes=minutes))),
    }


def _copy(
    market: Market, need_id: int, need: dict[str, Any], place: str, now: Any
) -> dict[str, Any]:
    return {
        "need_id": need_id,
        "category_id": need["category_id"],
        "region_id": market.region[TOWNSHIP_OF[place]],
        "is_open": need["status"] == "PUBLISHED",
        "quantity": need["quantity"],
        "severity_band": "HIGH",
        "target_groups": 17,
        "deadline": need["deadline"],
        "published_at": now,
    }


def _offer(market: Market, dice: random.Random, now: Any) -> dict[str, Any]:
    cash = dice.random() < 0.2
    return {
        "organization_id": dice.choice(list(market.organization.values())),
        "category_id": market.category["medical_cash" if cash else "rice"],
        "kind": "CASH" if cash else "GOODS",
        "title": dice.choice(("大米", "rice", "Rice", "")),
        "status": dice.choice(("OPEN", "OPEN", "PAUSED", "DRAFT", "CLOSED")),
        "quantity": 1_000,
        "target_groups": dice.choice((0, 1, 17)),
        "latitude": 27.5,
        "longitude": 116.25,
        "starts_at": now - timedelta(days=1),
        "expires_at": dice.choice((None, now + timedelta(days=2))),
        "created_at": now - timedelta(minutes=dice.randint(0, 2)),
    }


async def _plan(
    db: Any,
    market: Market,
    dice: random.Random,
    need_ids: list[int],
    offer_ids: list[int],
    now: Any,
) -> None:
    job = {"kind": "plan", "payload": {}, "run_after": now, "created_at": now}
    job_id = await db.insert(jobs, job)
    plan_id = await db.insert(
        plans,
        {
            "job_id": job_id,
            "status": "APPROVED",
            "region_id": market.region["county"],
            "policy": {"order": "FLOOR"},
            "proof": {"gap": 0},
            "created_by": market.viewer["reviewer"].account_id,
            "created_at": now,
        },
    )
    for need_id in need_ids:
        for offer_id in dice.sample(offer_ids, k=min(len(offer_ids), dice.randint(0, 3))):
            pair = {"need_id": need_id, "offer_id": offer_id, "units_served": 1, "units_drawn": 2}
            line_id = await db.insert(
                plan_lines, {**pair, "plan_id": plan_id, "cost": 7, "offer_version": 0}
            )
            if dice.random() < 0.8:
                more = {"plan_line_id": line_id, "origin": "PLAN", "created_at": now}
                await db.insert(
                    allocations,
                    {**pair, **more, "status": dice.choice(("RESERVED", "ACCEPTED", "CANCELLED"))},
                )
