"""What may be done with offers, by whom, and what comes of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from marketplace.domain.errors import (
    Conflict,
    Forbidden,
    IdempotencyKeyReused,
    InvalidInput,
    NotFound,
    Unauthenticated,
)
from marketplace.domain.exchange.offers import OfferStatus, TermsPatch
from marketplace.domain.permissions import PROVIDERS, Role
from marketplace.domain.registry.categories import CategoryKind
from marketplace.persistence.tables import events, offer_regions, offers, organizations
from marketplace.services.exchange.offers import (
    MoveOffer,
    UpdateOffer,
    close,
    pause,
    post,
    resume,
    update,
)
from tests.fixtures.market import Market, an_offer, rice
from tests.fixtures.refusals import codes


async def test_a_verified_organizations_offer_is_open_at_once(market: Market) -> None:
    terms = rice(market, region_ids=(market.region["xiugu"],), pack_size=5, household_max=20)

    offer_id = await post(market.database, market.act("provider"), terms)

    row = await market.row(offers, offer_id)
    assert (row["status"], row["quantity"], row["reserved"]) == ("OPEN", 1_000, 0)
    assert row["organization_id"] == market.organization["charity"]
    assert await market.count(offer_regions, offer_regions.c.offer_id == offer_id) == 1
    assert await market.count(events, events.c.kind == "offer.posted") == 1


async def test_a_new_organizations_offer_waits_as_a_draft_until_it_is_verified(
    market: Market,
) -> None:
    offer_id = await post(market.database, market.act("new_provider"), rice(market))
    assert (await market.row(offers, offer_id))["status"] == "DRAFT"

    with pytest.raises(Conflict) as refused:
        await resume(market.database, market.act("new_provider"), MoveOffer(offer_id=offer_id))
    assert codes(refused.value) == {("", "ORGANIZATION_NOT_VERIFIED")}

    async with market.database.write() as db:
        await db.execute(
            sa.update(organizations)
            .where(organizations.c.id == market.organization["new"])
            .values(status="VERIFIED")
        )
    await resume(market.database, market.act("new_provider"), MoveOffer(offer_id=offer_id))
    assert (await market.row(offers, offer_id))["status"] == "OPEN"


async def test_a_suspended_organization_cannot_offer(market: Market) -> None:
    with pytest.raises(Conflict) as refused:
        await post(market.database, market.act("suspended_provider"), rice(market))

    assert codes(refused.value) == {("", "ORGANIZATION_NOT_VERIFIED")}
    assert await market.count(offers) == 0


REFUSED_TERMS: list[tuple[dict[str, Any], set[tuple[str, str]]]] = [
    ({"quantity": 0}, {("quantity", "TOO_SMALL")}),
    ({"quantity": -5}, {("quantity", "TOO_SMALL")}),
    ({"quantity": 10**12 + 1}, {("quantity", "TOO_LARGE")}),
    ({"quantity": 2**70}, {("quantity", "TOO_LARGE")}),
    ({"pack_size": 0}, {("pack_size", "TOO_SMALL")}),
    ({"pack_size": 7}, {("quantity", "NOT_WHOLE_PACKS")}),
    ({"pack_size": 10, "household_max": 5}, {("household_max", "INVALID")}),
    ({"delivery_min": 2_000}, {("delivery_min", "INVALID")}),
    ({"household_max": 0}, {("household_max", "TOO_SMALL")}),
    ({"deliveries_max": 0}, {("deliveries_max", "TOO_SMALL")}),
    ({"latitude": 27.0}, {("longitude", "REQUIRED")}),
    ({"latitude": 91.0, "longitude": 0.0}, {("latitude", "INVALID")}),
    ({"latitude": float("nan"), "longitude": 0.0}, {("latitude", "INVALID")}),
    ({"radius_km": 0.0}, {("radius_km", "INVALID")}),
    ({"radius_km": float("inf")}, {("radius_km", "INVALID")}),
    ({"title": "x" * 121}, {("title", "TOO_LARGE")}),
    ({"title": "two\nlines"}, {("title", "INVALID")}),
    ({"external_reference": ""}, {("external_reference", "REQUIRED")}),
    ({"region_ids": (999_999,)}, {("region_ids", "NOT_FOUND")}),
    ({"region_ids": tuple(range(1, 102))}, {("region_ids", "TOO_MANY")}),
    ({"category_id": 999_999}, {("category_id", "NOT_FOUND")}),
    (
        {"quantity": 0, "title": "x" * 200, "radius_km": -1.0},
        {("quantity", "TOO_SMALL"), ("title", "TOO_LARGE"), ("radius_km", "INVALID")},
    ),
]


async def test_terms_no_offer_can_have_are_refused_all_at_once_and_leave_nothing(
    market: Market,
) -> None:
    for changes, faults in REFUSED_TERMS:
        with pytest.raises(InvalidInput) as refused:
            await post(market.database, market.act("provider"), rice(market, **changes))
        assert codes(refused.value) == faults, changes
        assert all(fault.text.zh and fault.text.en for fault in refused.value.faults)

    assert await market.count(offers) == await market.count(events) == 0


async def test_an_offer_ends_after_it_starts_and_in_the_future(market: Market) -> None:
    now = market.database.now()
    for changes, field in (
        ({"expires_at": now - timedelta(days=1)}, "expires_at"),
        ({"starts_at": now + timedelta(2), "expires_at": now + timedelta(1)}, "expires_at"),
        ({"starts_at": now.replace(year=9999)}, "starts_at"),
        ({"expires_at": now.replace(year=2222)}, "expires_at"),
    ):
        with pytest.raises(InvalidInput) as refused:
            await post(market.database, market.act("provider"), rice(market, **changes))
        assert codes(refused.value) == {(field, "INVALID")}


async def test_the_category_has_a_unit_and_agrees_with_the_kind(market: Market) -> None:
    cash = {"kind": CategoryKind.CASH, "pack_size": 1}
    for changes, expected in (
        ({"category_id": market.category["goods"]}, ("category_id", "CATEGORY_TOO_WIDE")),
        ({"category_id": market.category["haircut"]}, ("kind", "INVALID")),
        (cash | {"category_id": market.category["staple"]}, ("category_id", "NO_REFERENCE_PRICE")),
        (cash | {"category_id": market.category["rice"], "pack_size": 5}, ("pack_size", "INVALID")),
    ):
        with pytest.raises(InvalidInput) as refused:
            await post(market.database, market.act("provider"), rice(market, **changes))
        assert codes(refused.value) == {expected}

    for name in ("rice", "haircut", "cash", "medical_cash", "goods"):
        terms = rice(market, kind=CategoryKind.CASH, category_id=market.category[name])
        assert await post(market.database, market.act("federation"), terms)


async def test_a_radius_without_coordinates_starts_at_the_organizations_region(
    market: Market,
) -> None:
    offer_id = await post(market.database, market.act("provider"), rice(market, radius_km=20.0))
    row = await market.row(offers, offer_id)
    assert (row["latitude"], row["longitude"]) == (27.92, 116.75)

    with pytest.raises(InvalidInput) as refused:
        await post(market.database, market.act("other_provider"), rice(market, radius_km=20.0))
    assert codes(refused.value) == {("latitude", "REQUIRED")}


async def test_an_external_reference_is_used_once(market: Market) -> None:
    terms = rice(market, external_reference="GOODS-1")
    await post(market.database, market.act("provider"), terms)

    with pytest.raises(Conflict) as refused:
        await post(market.database, market.act("other_provider"), terms)

    assert codes(refused.value) == {("externalReference", "TAKEN")}


async def test_only_providers_post_offers(market: Market) -> None:
    for who, viewer in market.viewer.items():
        if viewer.role not in PROVIDERS | {Role.PUBLIC}:
            with pytest.raises(Forbidden):
                await post(market.database, market.act(who), rice(market))


async def test_the_public_is_told_to_sign_in(market: Market) -> None:
    with pytest.raises(Unauthenticated):
        await post(market.database, market.act("public"), rice(market))


MOVES = {"pause": pause, "resume": resume, "close": close}
LIFECYCLE = {
    ("DRAFT", "resume"): "OPEN",
    ("DRAFT", "close"): "CLOSED",
    ("OPEN", "pause"): "PAUSED",
    ("PAUSED", "resume"): "OPEN",
    ("OPEN", "close"): "CLOSED",
    ("PAUSED", "close"): "CLOSED",
}


async def test_only_the_moves_of_the_lifecycle_exist(market: Market) -> None:
    for who in ("provider", "federation", "reviewer"):
        for status in OfferStatus:
            for move, mutation in MOVES.items():
                offer_id = await an_offer(market, status=status, reserved=300)
                moving = mutation(market.database, market.act(who), MoveOffer(offer_id=offer_id))

                if (status, move) in LIFECYCLE:
                    assert await moving == offer_id
                    told = 1
                else:
                    with pytest.raises(Conflict, match=f"is {status}"):
                        await moving
                    told = 0

                row = await market.row(offers, offer_id)
                assert row["status"] == LIFECYCLE.get((status, move), status)
                assert (row["reserved"], row["version"]) == (300, told)
                assert await market.count(events, events.c.entity_id == offer_id) == told


async def test_another_organizations_offer_is_out_of_reach(market: Market) -> None:
    public = await an_offer(market)
    hidden = await an_offer(market, status="PAUSED")
    other = market.act("other_provider")

    for move in MOVES.values():
        with pytest.raises(Forbidden):
            await move(market.database, other, MoveOffer(offer_id=public))
        for offer_id in (hidden, 999_999):
            with pytest.raises(NotFound):
                await move(market.database, other, MoveOffer(offer_id=offer_id))


async def test_an_offer_that_ended_is_not_resumed_before_it_has_a_later_end(
    market: Market,
) -> None:
    now = market.database.now()
    offer_id = await an_offer(market, status="PAUSED", expires_at=now - timedelta(seconds=1))
    with pytest.raises(Conflict, match="end has passed"):
        await resume(market.database, market.act("provider"), MoveOffer(offer_id=offer_id))

    later = UpdateOffer(
        offer_id=offer_id, expected_version=0, patch={"expires_at": now + timedelta(days=9)}
    )
    await update(market.database, market.act("provider"), later)
    await resume(market.database, market.act("provider"), MoveOffer(offer_id=offer_id))

    assert (await market.row(offers, offer_id))["status"] == "OPEN"


async def test_an_update_changes_what_it_names_and_nothing_else(market: Market) -> None:
    terms = rice(market, pack_size=5, region_ids=(market.region["xiugu"],))
    offer_id = await post(market.database, market.act("provider"), terms)
    before = dict(await market.row(offers, offer_id))

    await update(
        market.database,
        market.act("provider"),
        UpdateOffer(
            offer_id=offer_id,
            expected_version=0,
            patch={"quantity": 1_500, "region_ids": (market.region["huangtong"],)},
        ),
    )

    after = dict(await market.row(offers, offer_id))
    assert after == before | {"quantity": 1_500, "version": 1}
    regions = await market.value(
        sa.select(offer_regions.c.region_id).where(offer_regions.c.offer_id == offer_id)
    )
    assert regions == market.region["huangtong"]


async def test_the_second_of_two_editors_is_told_that_it_is_late(market: Market) -> None:
    offer_id = await an_offer(market)
    edits = [
        UpdateOffer(offer_id=offer_id, expected_version=0, patch={"title": str(n)})
        for n in range(8)
    ]

    results = await asyncio.gather(
        *(update(market.database, market.act("provider"), edit) for edit in edits),
        return_exceptions=True,
    )

    assert results.count(offer_id) == 1
    refused = [r for r in results if isinstance(r, Conflict)]
    assert len(refused) == 7
    assert all(codes(r) == {("expected_version", "CONFLICT")} for r in refused)


async def test_a_quantity_cannot_fall_below_what_is_reserved_and_delivered(
    market: Market,
) -> None:
    offer_id = await an_offer(market, reserved=300, delivered=200)

    with pytest.raises(Conflict) as refused:
        await update(
            market.database,
            market.act("provider"),
            UpdateOffer(offer_id=offer_id, expected_version=0, patch={"quantity": 499}),
        )
    assert codes(refused.value) == {("quantity", "QUANTITY_EXCEEDED")}

    exact = UpdateOffer(offer_id=offer_id, expected_version=0, patch={"quantity": 500})
    await update(market.database, market.act("provider"), exact)
    assert (await market.row(offers, offer_id))["quantity"] == 500


async def test_kind_and_category_are_fixed_once_something_is_reserved(market: Market) -> None:
    patch = TermsPatch(kind=CategoryKind.CASH, category_id=market.category["cash"])
    free = await an_offer(market)
    used = await an_offer(market, reserved=1)

    command = UpdateOffer(offer_id=free, expected_version=0, patch=patch)
    await update(market.database, market.act("provider"), command)
    with pytest.raises(Conflict) as refused:
        await update(market.database, market.act("provider"), replace(command, offer_id=used))

    assert codes(refused.value) == {("kind", "CONFLICT"), ("category_id", "CONFLICT")}


async def test_the_same_key_forty_times_at_once_posts_one_offer(market: Market) -> None:
    act = market.act("provider", key="k-1", digest="d")

    keys = await asyncio.gather(*(post(market.database, act, rice(market)) for _ in range(40)))

    assert len(set(keys)) == 1
    assert await market.count(offers) == await market.count(events) == 1


async def test_a_key_with_another_input_is_refused_and_a_refused_one_can_be_used_again(
    market: Market,
) -> None:
    with pytest.raises(InvalidInput):
        await post(market.database, market.act("provider", "k", "a"), rice(market, quantity=0))
    first = await post(market.database, market.act("provider", "k", "b"), rice(market))

    with pytest.raises(IdempotencyKeyReused):
        await post(market.database, market.act("provider", "k", "c"), rice(market, quantity=7))
    with pytest.raises(IdempotencyKeyReused):
        await close(market.database, market.act("provider", "k", "b"), MoveOffer(offer_id=first))
    other = await post(market.database, market.act("other_provider", "k", "b"), rice(market))

    assert other != first
    assert (await market.row(offers, first))["status"] == "OPEN"
