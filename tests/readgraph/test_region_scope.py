"""Reads are bounded by the officer's region as writes are, and only supervision is not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from marketplace.domain.ids import opaque_id
from marketplace.domain.permissions import Viewer
from marketplace.persistence.tables import need_reviews, needs, plans, referrals
from tests.fixtures.market import Market, a_consent, a_household, a_market, a_need
from tests.readgraph.asking import ask
from tests.readgraph.world import World

BOTH_DESKS = ("assistance", "reviewer")


@pytest.fixture
async def market(database: Any) -> Market:
    return await a_market(database)


def of(market: Market, who: str, region: str) -> Viewer:
    low, high = {"county": (1, 7), "xiugu": (2, 4), "huangtong": (5, 6)}[region]
    return replace(market.viewer[who], region_low=low, region_high=high)


async def _seen(market: Market, viewer: Viewer, kind: str, keys: list[int]) -> list[int]:
    document = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    ids = {"ids": [opaque_id(kind, key) for key in keys]}
    found = (await ask(market.database, viewer, document, ids))["nodes"]
    return [key for key, each in zip(keys, found, strict=True) if each is not None]


async def _referred(market: Market, *places: str) -> tuple[int, list[int]]:
    """One referral of a need in each of the places, with the household's consent."""
    now = market.database.now()
    by = market.viewer["assistance"].account_id
    async with market.database.write() as db:
        referral = await db.insert(
            referrals, {"referred_by": by, "referred_at": now, "line_count": len(places)}
        )
    keys = []
    for place in places:
        home = await a_household(market, region=place)
        await a_consent(market, home)
        region = market.region[place]
        keys.append(
            await a_need(market, home, region_id=region, referral_id=referral, referred_by=by)
        )
    return referral, keys


@pytest.mark.parametrize("who", BOTH_DESKS)
async def test_a_referral_is_of_the_regions_that_its_needs_are_of(market: Market, who: str) -> None:
    near, _ = await _referred(market, "grid")
    far, _ = await _referred(market, "far_village")
    both, _ = await _referred(market, "grid", "far_village")
    keys = [near, far, both]

    assert await _seen(market, of(market, who, "county"), "Referral", keys) == keys
    assert await _seen(market, of(market, who, "xiugu"), "Referral", keys) == [near, both]
    assert await _seen(market, of(market, who, "huangtong"), "Referral", keys) == [far, both]
    auditor = replace(market.viewer["auditor"], region_low=0, region_high=-1)
    assert await _seen(market, auditor, "Referral", keys) == keys


@pytest.mark.parametrize("who", BOTH_DESKS)
async def test_an_earlier_round_and_its_reviews_stay_with_the_needs_region(
    market: Market, who: str
) -> None:
    first, (need,) = await _referred(market, "grid")
    again, _ = await _referred(market, "far_village")
    async with market.database.write() as db:
        review = await db.insert(
            need_reviews,
            {
                "need_id": need,
                "referral_id": first,
                "reviewed_by": market.viewer["reviewer"].account_id,
                "decision": "RETURN",
                "reviewed_at": market.database.now(),
            },
        )
        await db.execute(sa.update(needs).where(needs.c.id == need).values(referral_id=again))

    near, far = of(market, who, "xiugu"), of(market, who, "huangtong")
    assert await _seen(market, near, "Referral", [first, again]) == [first, again]
    assert await _seen(market, far, "Referral", [first, again]) == [again]
    assert await _seen(market, near, "NeedReview", [review]) == [review]
    assert await _seen(market, far, "NeedReview", [review]) == []


async def test_consents_are_read_within_the_officers_region(market: Market) -> None:
    homes = [await a_household(market, region=place) for place in ("grid", "far_village")]
    near, far = [await a_consent(market, home) for home in homes]

    assert await _seen(market, of(market, "assistance", "xiugu"), "Consent", [near, far]) == [near]
    assert await _seen(market, of(market, "reviewer", "county"), "Consent", [near, far]) == []


@pytest.mark.parametrize("who", BOTH_DESKS)
async def test_plans_are_read_within_the_officers_region(world: World, who: str) -> None:
    market = world.market
    (county,) = world.rows["plans"].values()
    async with market.database.write() as db:
        made = {
            place: await db.insert(
                plans,
                {
                    "job_id": county["job_id"],
                    "policy": {"order": "FLOOR"},
                    "created_by": county["created_by"],
                    "created_at": county["created_at"],
                    "region_id": market.region[place],
                },
            )
            for place in ("xiugu", "huangtong")
        }
    keys = [county["id"], made["xiugu"], made["huangtong"]]

    assert await _seen(market, of(market, who, "county"), "Plan", keys) == keys
    assert await _seen(market, of(market, who, "huangtong"), "Plan", keys) == keys[2:]
