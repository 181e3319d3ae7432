"""Writing needs down: by whom, for whom, and what government aid leaves of them."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from marketplace.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from marketplace.domain.exchange.needs import NeedTerms
from marketplace.domain.permissions import MUTATIONS, Role
from marketplace.persistence.tables import accounts, events, needs
from marketplace.services.exchange.needs import create
from tests.fixtures.invariants import all_is_well
from tests.fixtures.market import Market, a_household, government_aid
from tests.fixtures.refusals import codes


def staple(market: Market, household_id: int, **changes: Any) -> NeedTerms:
    terms: dict[str, Any] = {
        "household_id": household_id,
        "category_id": market.category["staple"],
        "quantity_asked": 100,
    }
    return NeedTerms(**terms | changes)


async def test_a_need_starts_as_a_draft_with_the_severity_of_the_latest_assessment(
    market: Market,
) -> None:
    household_id = await a_household(market, severity=83)

    need_id = await create(market.database, market.act("grid"), staple(market, household_id))

    row = await market.row(needs, need_id)
    assert (row["status"], row["severity"], row["quantity"], row["covered"]) == (
        "DRAFT",
        83,
        100,
        0,
    )
    assert row["region_id"] == market.region["grid"]
    assert await market.count(events, events.c.kind == "need.created") == 1


async def test_government_aid_is_set_off_first_and_only_once(market: Market) -> None:
    household_id = await a_household(market)
    await government_aid(market, household_id, "rice", 130)
    await government_aid(market, household_id, "quilt", 500)
    await government_aid(market, household_id, "rice", 500, granted=False)
    await government_aid(market, household_id, "rice", 500, ends_on=date(2020, 1, 1))

    with pytest.raises(InvalidInput) as refused:
        await create(market.database, market.act("township"), staple(market, household_id))
    assert codes(refused.value) == {("quantity_asked", "COVERED_BY_GOVERNMENT")}

    terms = staple(market, household_id, quantity_asked=200)
    first = await create(market.database, market.act("township"), terms)
    second = await create(market.database, market.act("township"), terms)

    rows = [await market.row(needs, key) for key in (first, second)]
    assert [(r["quantity_asked"], r["quantity_by_government"], r["quantity"]) for r in rows] == [
        (200, 130, 70),
        (200, 0, 200),
    ]


async def test_aid_is_set_off_once_though_needs_are_written_at_the_same_moment(
    market: Market,
) -> None:
    household_id = await a_household(market)
    await government_aid(market, household_id, "rice", 130)
    terms = staple(market, household_id, quantity_asked=200)

    await asyncio.gather(
        *(create(market.database, market.act("township"), terms) for _ in range(8))
    )

    assert await market.value(sa.select(sa.func.sum(needs.c.quantity_by_government))) == 130
    await all_is_well(market.database)


async def test_a_household_that_was_never_assessed_must_be_assessed_first(market: Market) -> None:
    household_id = await a_household(market, severity=None)

    with pytest.raises(InvalidInput, match="assessed first") as refused:
        await create(market.database, market.act("township"), staple(market, household_id))

    assert codes(refused.value) == {("household_id", "ASSESSMENT_REQUIRED")}
    assert await market.count(needs) == 0


async def test_every_fault_of_a_need_is_told_at_once(market: Market) -> None:
    household_id = await a_household(market, severity=None)
    now = market.database.now()
    terms = staple(
        market,
        household_id,
        category_id=market.category["goods"],
        quantity_asked=0,
        quantity_min=0,
        deadline=now - timedelta(days=1),
        external_reference="",
    )

    with pytest.raises(InvalidInput) as refused:
        await create(market.database, market.act("township"), terms)

    assert codes(refused.value) == {
        ("household_id", "ASSESSMENT_REQUIRED"),
        ("category_id", "CATEGORY_TOO_WIDE"),
        ("quantity_asked", "TOO_SMALL"),
        ("quantity_min", "TOO_SMALL"),
        ("deadline", "INVALID"),
        ("external_reference", "REQUIRED"),
    }
    assert all(fault.text.zh for fault in refused.value.faults)


async def test_single_faults_of_a_need(market: Market) -> None:
    household_id = await a_household(market)
    now = market.database.now()
    for changes, expected in (
        ({"category_id": 999_999}, ("category_id", "NOT_FOUND")),
        ({"quantity_asked": 10**12 + 1}, ("quantity_asked", "TOO_LARGE")),
        ({"quantity_min": 101}, ("quantity_min", "TOO_LARGE")),
        ({"deadline": now.replace(year=9999)}, ("deadline", "INVALID")),
        ({"external_reference": "x" * 65}, ("external_reference", "TOO_LARGE")),
    ):
        with pytest.raises(InvalidInput) as refused:
            terms = staple(market, household_id, **changes)
            await create(market.database, market.act("township"), terms)
        assert codes(refused.value) == {expected}
    assert await market.count(needs) == 0


async def test_an_external_reference_names_one_need(market: Market) -> None:
    terms = staple(market, await a_household(market), external_reference="PAPER-7")
    await create(market.database, market.act("township"), terms)

    with pytest.raises(Conflict) as refused:
        await create(market.database, market.act("township"), terms)

    assert codes(refused.value) == {("external_reference", "TAKEN")}


async def test_who_may_write_a_need_down(market: Market) -> None:
    household_id = await a_household(market)
    for who, viewer in market.viewer.items():
        if viewer.role is Role.PUBLIC or who == "other_township":
            continue
        creating = create(market.database, market.act(who), staple(market, household_id))
        if viewer.role in MUTATIONS["needCreate"]:
            assert await creating
        else:
            with pytest.raises(Forbidden):
                await creating


async def test_a_household_of_another_region_is_not_to_be_found(market: Market) -> None:
    near, far = await a_household(market), await a_household(market, region="far_village")

    for who, household_id in (
        ("other_township", near),
        ("grid", far),
        ("township", far),
        ("township", 999_999),
    ):
        with pytest.raises(NotFound):
            await create(market.database, market.act(who), staple(market, household_id))
    assert await create(market.database, market.act("assistance"), staple(market, far))


async def test_nobody_handles_the_case_of_the_own_household(market: Market) -> None:
    household_id = await a_household(market)
    async with market.database.write() as db:
        officer = accounts.c.id == market.viewer["township"].account_id
        await db.execute(sa.update(accounts).where(officer).values(household_id=household_id))

    with pytest.raises(Conflict) as refused:
        await create(market.database, market.act("township"), staple(market, household_id))

    assert codes(refused.value) == {("", "FOUR_EYES")}


async def test_the_same_key_forty_times_at_once_writes_one_need(market: Market) -> None:
    household_id = await a_household(market)
    act = market.act("township", "key", "digest")

    keys = await asyncio.gather(
        *(create(market.database, act, staple(market, household_id)) for _ in range(40))
    )

    assert len(set(keys)) == 1
    assert await market.count(needs) == 1
