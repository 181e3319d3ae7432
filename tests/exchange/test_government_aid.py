"""Government first: decisions before referrals, residuals that follow, nothing paid twice."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from marketplace.domain.errors import Conflict, InvalidInput
from marketplace.domain.exchange.government_aid import DecideAid, GovernmentAidKind
from marketplace.domain.exchange.needs import NeedTerms
from marketplace.persistence.database import Database
from marketplace.persistence.exchange import invariants, invariants_aid, withdrawals
from marketplace.persistence.exchange import needs as need_rows
from marketplace.persistence.tables import (
    aid_conflicts,
    categories,
    events,
    government_aids,
    needs,
    published_needs,
)
from marketplace.services.exchange import government_aid, residuals
from marketplace.services.exchange import needs as need_service
from marketplace.services.exchange.government_aid import EndAid
from marketplace.services.exchange.referrals import ReferNeeds, refer
from tests.fixtures.invariants import all_is_well
from tests.fixtures.market import (
    Market,
    a_consent,
    a_household,
    a_need,
    an_allocation,
    an_offer,
)


def aid(market: Market, household_id: int, units: int, of: str = "rice", **changes: Any) -> Any:
    values: dict[str, Any] = {
        "household_id": household_id,
        "kind": GovernmentAidKind.TEMPORARY_ASSISTANCE,
        "amount_fen": units * 600,
        "starts_on": market.database.now().date(),
        "covers_category_id": market.category[of],
        "covers_quantity": units,
    }
    return DecideAid(**values | changes)


async def decided(market: Market, household_id: int, units: int, **changes: Any) -> int:
    command = aid(market, household_id, units, **changes)
    return await government_aid.decide(market.database, market.act("assistance"), command)


async def a_family_in_the_market(market: Market) -> int:
    household_id = await a_household(market)
    await a_consent(market, household_id)
    return household_id


async def told_of(market: Market, need_id: int) -> list[str]:
    async with market.database.read() as db:
        rows = await db.rows(
            sa.select(events.c.kind)
            .where(events.c.entity == "Need", events.c.entity_id == need_id)
            .order_by(events.c.id)
        )
    return [row["kind"] for row in rows]


async def copy_of(market: Market, need_id: int) -> tuple[int, bool]:
    async with market.database.read() as db:
        row = await db.row(sa.select(published_needs).where(published_needs.c.need_id == need_id))
    assert row is not None
    return row["quantity"], row["is_open"]


async def test_a_need_is_referred_only_after_government_has_decided(market: Market) -> None:
    household_id = await a_household(market, decided=False)
    await a_consent(market, household_id)
    terms = NeedTerms(
        household_id=household_id, category_id=market.category["staple"], quantity_asked=100
    )
    need_id = await need_service.create(market.database, market.act("township"), terms)

    with pytest.raises(Conflict) as refused:
        await refer(market.database, market.act("assistance"), ReferNeeds(need_ids=(need_id,)))
    assert [f.code for f in refused.value.faults] == ["DECISION_REQUIRED"]

    none = {"granted": False, "amount_fen": 0, "covers_quantity": 0, "reason": "收入超过标准"}
    await decided(market, household_id, 0, **none)
    done = await refer(market.database, market.act("assistance"), ReferNeeds(need_ids=(need_id,)))
    assert done.need_ids == (need_id,)


async def test_an_old_decision_counts_where_it_names_the_category(market: Market) -> None:
    now = market.database.now()
    before = now - timedelta(days=400)
    household_id = await a_household(market, decided=False)
    await a_consent(market, household_id)
    rice, quilt = [
        await a_need(
            market, household_id, status="DRAFT", category_id=market.category[of], created_at=now
        )
        for of in ("rice", "quilt")
    ]
    async with market.database.write() as db:
        row = {
            "household_id": household_id,
            "kind": "TEMPORARY_ASSISTANCE",
            "granted": False,
            "amount_fen": 0,
            "starts_on": before.date(),
            "covers_category_id": market.category["staple"],
            "decided_at": before,
        }
        await db.insert(government_aids, row)

    done = await refer(
        market.database, market.act("assistance"), ReferNeeds(need_ids=(rice, quilt))
    )

    assert done.need_ids == (rice,)
    assert {i: f.code for i, f in done.refused.items()} == {1: "DECISION_REQUIRED"}


async def test_what_is_left_follows_the_aid_with_its_arithmetic(market: Market) -> None:
    household_id = await a_family_in_the_market(market)
    need_id = await a_need(market, household_id, quantity_min=80)

    aid_id = await decided(market, household_id, 30)

    row = await market.row(needs, need_id)
    assert (row["quantity_by_government"], row["quantity"], row["quantity_min"]) == (30, 70, 70)
    assert (row["residual"]["asked"], row["residual"]["left"]) == (100, 70)
    assert [step["units"] for step in row["residual"]["steps"]] == [100, -30, 70]
    assert "临时救助" in row["residual"]["steps"][1]["zh"]
    assert await copy_of(market, need_id) == (70, True)

    end = EndAid(aid_id=aid_id, reason="迁出本县", covers_quantity=10)
    await government_aid.end(market.database, market.act("assistance_2"), end)

    row = await market.row(needs, need_id)
    assert (row["quantity_by_government"], row["quantity"], row["quantity_min"]) == (10, 90, 80)
    assert await copy_of(market, need_id) == (90, True)
    assert await told_of(market, need_id) == ["need.residual_changed"] * 2
    await all_is_well(market.database)


async def test_aid_that_meets_a_need_whole_withdraws_it_and_is_not_set_off_twice(
    market: Market,
) -> None:
    household_id = await a_family_in_the_market(market)
    rice, staple = [
        await a_need(market, household_id, category_id=market.category[of])
        for of in ("rice", "staple")
    ]

    await decided(market, household_id, 130)

    met, other = await market.row(needs, rice), await market.row(needs, staple)
    assert (met["status"], met["residual"]["left"]) == ("WITHDRAWN", 0)
    assert await told_of(market, rice) == ["need.withdrawn"]
    assert (await copy_of(market, rice))[1] is False
    assert (other["status"], other["quantity_by_government"], other["quantity"]) == (
        "PUBLISHED",
        30,
        70,
    )
    # Nothing is left of the aid: a new need of rice is open whole.
    terms = NeedTerms(
        household_id=household_id, category_id=market.category["rice"], quantity_asked=40
    )
    later = await need_service.create(market.database, market.act("township"), terms)
    assert (await market.row(needs, later))["quantity"] == 40
    await all_is_well(market.database)


async def test_what_charity_reserved_is_flagged_and_what_it_accepted_is_not_granted_again(
    market: Market,
) -> None:
    household_id = await a_family_in_the_market(market)
    need_id = await a_need(market, household_id)
    offer_id = await an_offer(market)
    until = market.database.now() + timedelta(days=8)
    await an_allocation(market, need_id, offer_id, 50, reserved_until=until)

    await decided(market, household_id, 70)

    row = await market.row(needs, need_id)
    assert (row["quantity"], row["covered"], row["overlap"]) == (50, 50, 20)
    assert (row["status"], await copy_of(market, need_id)) == ("PUBLISHED", (50, False))
    async with market.database.read() as db:
        (flagged,) = await db.rows(sa.select(aid_conflicts))
    assert (flagged["kind"], flagged["units"], flagged["need_id"]) == ("OVERLAP", 20, need_id)
    assert await told_of(market, need_id) == ["need.residual_changed", "need.overlap_found"]
    async with market.database.snapshot() as db:
        assert await invariants.broken(db, facts=invariants_aid.FACTS) == []

    now = market.database.now()
    async with market.database.write() as db:
        await withdrawals.cancel_lapsed(db, now=now + timedelta(days=9), limit=9)
        assert await need_rows.lock_in_market(db, [need_id], now=now) == {need_id: 30}
    assert await residuals.settle_begun(market.database) == 1
    row = await market.row(needs, need_id)
    assert (row["quantity"], row["covered"], row["overlap"]) == (30, 0, 0)
    assert await copy_of(market, need_id) == (30, True)
    assert await market.count(aid_conflicts) == 0

    second = await a_need(market, household_id, category_id=market.category["quilt"])
    quilts = await an_offer(market, category_id=market.category["quilt"])
    await an_allocation(market, second, quilts, 60, "ACCEPTED")
    with pytest.raises(Conflict) as refused:
        await decided(market, household_id, 41, of="quilt")
    assert [(f.code, f.field) for f in refused.value.faults] == [
        ("CHARITY_GIVES", ("covers_quantity",))
    ]
    await decided(market, household_id, 40, of="quilt")
    assert (await market.row(needs, second))["quantity"] == 60
    await all_is_well(market.database)


@pytest.mark.one_database
async def test_aid_for_another_time_than_charity_gave_is_granted(market: Market) -> None:
    household_id = await a_family_in_the_market(market)
    now = market.database.now()
    need_id = await a_need(
        market, household_id, status="FULFILLED", created_at=now - timedelta(days=90)
    )
    given_at = now - timedelta(days=60)
    offer_id = await an_offer(market)
    handed = {"ended_at": given_at, "created_at": now - timedelta(days=70)}
    await an_allocation(market, need_id, offer_id, 100, "CONFIRMED", **handed)

    at_that_time = {
        "starts_on": given_at.date() - timedelta(days=5),
        "ends_on": given_at.date() + timedelta(days=5),
    }
    with pytest.raises(Conflict, match="Charity has accepted or given 100"):
        await decided(market, household_id, 10, **at_that_time)
    await decided(market, household_id, 10)

    assert (await market.row(needs, need_id))["quantity"] == 100


async def test_aid_of_the_same_broader_category_is_told_and_takes_nothing(market: Market) -> None:
    household_id = await a_family_in_the_market(market)
    need_id = await a_need(market, household_id, category_id=market.category["rice"])
    async with market.database.write() as db:
        await db.execute(
            sa.update(categories)
            .where(categories.c.code == "quilt")
            .values(parent_id=market.category["staple"], tree_low=4, tree_high=4)
        )
        await db.execute(
            sa.update(categories).where(categories.c.code == "staple").values(tree_high=4)
        )

    aid_id = await decided(market, household_id, 5, of="quilt")

    async with market.database.read() as db:
        (flagged,) = await db.rows(sa.select(aid_conflicts))
    assert (flagged["aid_id"], flagged["need_id"], flagged["units"]) == (aid_id, need_id, 0)
    assert flagged["kind"] == "SAME_BROADER_CATEGORY"
    assert (await market.row(needs, need_id))["quantity"] == 100
    await government_aid.end(
        market.database,
        market.act("assistance"),
        EndAid(
            aid_id=aid_id,
            reason="登记有误",
            ends_on=market.database.now().date() - timedelta(days=1),
        ),
    )
    assert await market.count(aid_conflicts) == 0


async def test_aid_counts_from_its_first_day_by_itself(market: Market) -> None:
    household_id = await a_family_in_the_market(market)
    need_id = await a_need(market, household_id)
    tomorrow = market.database.now().date() + timedelta(days=1)

    await decided(market, household_id, 30, starts_on=tomorrow)
    assert await residuals.settle_begun(market.database) == 0
    assert (await market.row(needs, need_id))["quantity"] == 100

    url = market.database.url.render_as_string(hide_password=False)
    later = Database(url, clock=lambda: market.database.now() + timedelta(days=2))
    try:
        assert await residuals.settle_begun(later) == 1
        assert await residuals.settle_begun(later) == 0
    finally:
        await later.close()
    assert (await market.row(needs, need_id))["quantity"] == 70


@pytest.mark.one_database
async def test_only_what_goes_on_can_be_ended(market: Market) -> None:
    household_id = await a_family_in_the_market(market)
    aid_id = await decided(market, household_id, 30)
    act = market.act("assistance")

    for wrong, field in (
        ({"covers_quantity": 31}, "covers_quantity"),
        ({"reason": "x"}, "reason"),
        ({"ends_on": date(2020, 1, 1)}, "ends_on"),
    ):
        command = EndAid(**{"aid_id": aid_id, "reason": "迁出本县"} | wrong)
        with pytest.raises(InvalidInput) as refused:
            await government_aid.end(market.database, act, command)
        assert [f.field for f in refused.value.faults] == [(field,)]
    good = EndAid(aid_id=aid_id, reason="迁出本县", expected_version=0)
    await government_aid.end(market.database, act, good)
    with pytest.raises(Conflict):
        await government_aid.end(market.database, act, EndAid(aid_id=aid_id, reason="迁出本县"))


async def test_aid_needs_and_the_market_racing_end_as_if_one_came_after_the_other(
    market: Market,
) -> None:
    household_id = await a_family_in_the_market(market)
    published = await a_need(market, household_id)
    terms = NeedTerms(
        household_id=household_id, category_id=market.category["rice"], quantity_asked=100
    )

    async def cover() -> bool:
        async with market.database.write() as db:
            return await need_rows.cover(db, published, 60, now=market.database.now())

    await asyncio.gather(
        decided(market, household_id, 50),
        need_service.create(market.database, market.act("township"), terms),
        cover(),
        decided(market, household_id, 20),
        need_service.create(market.database, market.act("township"), terms),
    )

    async with market.database.read() as db:
        rows = await db.rows(sa.select(needs).order_by(needs.c.id))
    assert sum(row["quantity_by_government"] + row["overlap"] for row in rows) == 70
    assert all(row["covered"] <= row["quantity"] for row in rows)
    assert (await copy_of(market, published))[0] == rows[0]["quantity"]
