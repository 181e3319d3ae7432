"""Money that many touch at once: every fen is somewhere and once, and no receipt is missing."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marketplace.domain.errors import Conflict
from marketplace.domain.exchange.campaigns import CampaignTerms, CreateMatching
from marketplace.domain.exchange.donation_outcomes import Came, outcomes
from marketplace.domain.exchange.donations import DonationKind, Given, RecordDonation
from marketplace.domain.exchange.donations import first_in_first_out as served
from marketplace.persistence.crypto import Sealer
from marketplace.persistence.exchange import offers as offer_rows
from marketplace.persistence.tables import (
    allocations,
    donation_outcomes,
    donations,
    matching_funds,
    offers,
)
from marketplace.services.exchange import campaigns, giving
from marketplace.services.exchange.donations import (
    AssignDonation,
    RefundDonation,
    assign,
    record_donation,
    refund,
)
from tests.fixtures.invariants import all_is_well
from tests.fixtures.market import Market, a_consent, a_household, a_need, an_allocation

SEALER = Sealer({"k1": bytes(range(32))}, bytes(range(1, 33)))


async def a_campaign(market: Market, **changes: Any) -> tuple[int, int]:
    """An open campaign for medical relief, and its cash offer."""
    now, act = market.database.now(), market.act("provider")
    terms: dict[str, Any] = {
        "category_id": market.category["medical_cash"],
        "title": "慈善情暖万家",
        "starts_at": now - timedelta(days=1),
        "ends_at": now + timedelta(days=30),
        "target_fen": 1_000_000,
        "filing_number": f"5336{random.randrange(10**9)}",
        "filed_on": (now - timedelta(days=30)).date(),
    }
    campaign_id = await campaigns.create(market.database, act, CampaignTerms(**terms | changes))
    await campaigns.open_(market.database, act, campaigns.MoveCampaign(campaign_id=campaign_id))
    found = sa.select(offers.c.id).where(offers.c.campaign_id == campaign_id)
    return campaign_id, int(await market.value(found))


async def give(market: Market, campaign_id: int | None, fen: int) -> int:
    command = RecordDonation(
        kind=DonationKind.CASH, amount_fen=fen, campaign_id=campaign_id, donor_name="王小明"
    )
    act = market.act("provider")
    return (await record_donation(market.database, act, SEALER, command)).donation_id


async def give_back(market: Market, donation_id: int) -> bool:
    command = RefundDonation(donation_id=donation_id, reason="误捐")
    try:
        await refund(market.database, market.act("provider"), command)
    except Conflict:
        return False
    return True


async def test_donations_at_once_get_receipts_without_a_gap_and_one_funds_cap_holds(
    market: Market,
) -> None:
    campaign_id, offer_id = await a_campaign(market)
    fund = CreateMatching(campaign_id=campaign_id, funder_name="企业", percent=100, cap_fen=950)
    await campaigns.create_matching(market.database, market.act("provider"), fund)

    made = await asyncio.gather(*(give(market, campaign_id, 100) for _ in range(12)))
    free = await asyncio.gather(*(give(market, None, 70) for _ in range(4)))

    numbers = sa.select(donations.c.receipt_number).order_by(donations.c.receipt_number)
    async with market.database.read() as db:
        listed = [row["receipt_number"] for row in await db.rows(numbers)]
    assert listed == list(range(1, 17))
    row = await market.row(offers, offer_id)
    assert row["quantity"] == 1_200 + 950
    back = await asyncio.gather(*(give_back(market, made[0]) for _ in range(4)))
    assert sorted(back) == [False, False, False, True]
    await asyncio.gather(
        *(
            assign(
                market.database,
                market.act("provider"),
                AssignDonation(donation_id=each, campaign_id=campaign_id),
            )
            for each in free
        )
    )
    assert (await market.row(offers, offer_id))["quantity"] == 1_100 + 850 + 280
    assert await market.count(matching_funds, matching_funds.c.matched_fen == 850) == 1
    await all_is_well(market.database)


async def test_a_refund_and_a_reservation_of_the_same_money_never_both_succeed(
    market: Market,
) -> None:
    campaign_id, offer_id = await a_campaign(market)
    outcome: list[tuple[bool, bool]] = []
    for _ in range(6):
        donation_id = await give(market, campaign_id, 1_000)

        async def reserve() -> bool:
            async with market.database.write() as db:
                return await offer_rows.reserve(db, offer_id, 1_000, now=market.database.now())

        order = [reserve(), give_back(market, donation_id)]
        both = await asyncio.gather(*order)
        outcome.append((both[0], both[1]))
        assert both.count(True) == 1
        if both[0]:
            async with market.database.write() as db:
                await offer_rows.give_back(db, {offer_id: 1_000})
            assert await give_back(market, donation_id)
    assert (await market.row(offers, offer_id))["quantity"] == 0
    await all_is_well(market.database)


@pytest.mark.parametrize("seed", range(2))
async def test_money_is_conserved_through_a_random_season(market: Market, seed: int) -> None:
    dice = random.Random(seed)
    campaign_id, offer_id = await a_campaign(market)
    fund = CreateMatching(campaign_id=campaign_id, funder_name="企业", percent=50, cap_fen=3_000)
    await campaigns.create_matching(market.database, market.act("federation"), fund)
    alive: dict[int, int] = {}
    households = [await a_household(market) for _ in range(6)]
    needs = []
    for household_id in households:
        await a_consent(market, household_id)
        amounts = {"quantity": 50_000, "quantity_asked": 50_000}
        category = {"category_id": market.category["medical_cash"]}
        needs.append(await a_need(market, household_id, **amounts, **category))
    drawn = 0
    for step in range(24):
        if step % 4 < 2 or not alive:
            fen = dice.randrange(1, 2_000)
            alive[await give(market, campaign_id, fen)] = fen
        elif step % 4 == 2:
            row = await market.row(offers, offer_id)
            if left := row["quantity"] - row["reserved"] - row["delivered"]:
                units = dice.randrange(1, left + 1) // 2 or 1
                status = dice.choice(("RESERVED", "CONFIRMED"))
                await an_allocation(market, dice.choice(needs), offer_id, units, status=status)
                drawn += units
        else:
            donation_id = dice.choice(sorted(alive))
            if await give_back(market, donation_id):
                del alive[donation_id]
    await giving.keep_up(market.database)

    matched = int(await market.value(sa.select(matching_funds.c.matched_fen)))
    row = await market.row(offers, offer_id)
    assert row["quantity"] == sum(alive.values()) + matched
    assert row["reserved"] + row["delivered"] == drawn
    assert await market.value(sa.select(sa.func.sum(donations.c.used))) == drawn
    told = sa.select(sa.func.sum(donation_outcomes.c.units))
    came = sa.select(sa.func.sum(allocations.c.units_drawn)).where(
        allocations.c.status == "CONFIRMED"
    )
    assert await market.value(told) == await market.value(came)
    few = donation_outcomes.c.households < 5
    assert await market.count(donation_outcomes, few) == 0
    await all_is_well(market.database)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.integers(1, 50), max_size=8),
    st.lists(st.integers(1, 60), max_size=8),
)
def test_first_in_is_first_out_and_nothing_is_used_twice(
    donated: list[int], wanted: list[int]
) -> None:
    left = [Given(id=place, left=units) for place, units in enumerate(donated)]
    taken = served(left, list(enumerate(wanted)))

    by_donation = [sum(u for (d, _), u in taken.items() if d == i) for i in range(len(donated))]
    assert sum(taken.values()) == min(sum(donated), sum(wanted))
    assert all(used <= units for used, units in zip(by_donation, donated, strict=True))
    touched = [place for place, used in enumerate(by_donation) if used < donated[place]]
    first_with_rest = min(touched, default=len(donated))
    assert not any(by_donation[first_with_rest + 1 :])


cames = st.builds(
    Came,
    donation_id=st.integers(1, 3),
    household_id=st.integers(1, 9),
    category_id=st.integers(1, 2),
    region_id=st.one_of(st.none(), st.integers(1, 2)),
    month=st.sampled_from(("2026-10", "2026-11")),
    units=st.integers(1, 100),
    is_confirmed=st.booleans(),
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(cames, max_size=40))
def test_outcomes_add_up_and_name_no_cell_of_fewer_than_five_households(rows: list[Came]) -> None:
    told = outcomes(rows)

    for donation_id in {row.donation_id for row in rows}:
        given_units = sum(row.units for row in rows if row.donation_id == donation_id)
        assert given_units == sum(o.units for o in told if o.donation_id == donation_id)
    for each in told:
        if each.region_id is not None or each.category_id is not None:
            same = {
                row.household_id
                for row in rows
                if row.category_id == each.category_id
                and (each.month is None or row.month == each.month)
                and (each.region_id is None or row.region_id == each.region_id)
            }
            assert len(same) >= 5
        else:
            assert each.households is None
