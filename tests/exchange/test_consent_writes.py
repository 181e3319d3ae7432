"""Giving consent, and all that its withdrawal takes out of the market in the same moment."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from marketplace.domain.errors import Conflict, Forbidden, InvalidInput, NotFound, Unauthenticated
from marketplace.domain.exchange.consents import GiveConsent, HowGiven
from marketplace.domain.exchange.needs import NeedStatus
from marketplace.domain.permissions import MUTATIONS, Role
from marketplace.persistence.exchange.needs import in_market
from marketplace.persistence.tables import (
    accounts,
    allocations,
    consents,
    events,
    needs,
    offers,
    published_needs,
)
from marketplace.services.exchange.consents import WithdrawConsent, give, lapse, withdraw
from tests.fixtures.invariants import all_is_well
from tests.fixtures.market import (
    Market,
    a_consent,
    a_household,
    a_need,
    an_allocation,
    an_offer,
)
from tests.fixtures.refusals import codes


def signed(household_id: int, **changes: Any) -> GiveConsent:
    consent: dict[str, Any] = {
        "household_id": household_id,
        "text_version": "2026-01",
        "how_given": HowGiven.SIGNED,
        "evidence_reference": "BOX-12/7",
    }
    return GiveConsent(**consent | changes)


async def as_applicant_of(market: Market, household_id: int) -> None:
    applicant = accounts.c.id == market.viewer["applicant"].account_id
    async with market.database.write() as db:
        await db.execute(sa.update(accounts).where(applicant).values(household_id=household_id))


async def test_a_consent_is_kept_with_how_and_by_whom_it_was_given(market: Market) -> None:
    household_id = await a_household(market)

    consent_id = await give(market.database, market.act("township"), signed(household_id))

    row = await market.row(consents, consent_id)
    assert (row["status"], row["how_given"], row["evidence_reference"], row["text_version"]) == (
        "GIVEN",
        "SIGNED",
        "BOX-12/7",
        "2026-01",
    )
    assert row["recorded_by"] == market.viewer["township"].account_id
    assert await market.count(events, events.c.kind == "consent.given") == 1


async def test_a_household_consents_online_for_itself_and_for_nobody_else(market: Market) -> None:
    own, other = await a_household(market), await a_household(market)
    await as_applicant_of(market, own)
    online = {"how_given": HowGiven.ONLINE, "evidence_reference": None}

    assert await give(market.database, market.act("applicant"), signed(own, **online))
    with pytest.raises(NotFound):
        await give(market.database, market.act("applicant"), signed(other, **online))


async def test_an_officer_says_where_the_evidence_is(market: Market) -> None:
    household_id = await a_household(market)
    now = market.database.now()
    for changes, faults in (
        ({"evidence_reference": None}, {("evidence_reference", "REQUIRED")}),
        ({"how_given": HowGiven.ONLINE}, {("how_given", "INVALID")}),
        (
            {"text_version": "never", "evidence_reference": None},
            {("text_version", "NOT_FOUND"), ("evidence_reference", "REQUIRED")},
        ),
        (
            {"text_version": " ", "evidence_reference": "x" * 121, "expires_at": now},
            {
                ("text_version", "REQUIRED"),
                ("evidence_reference", "TOO_LARGE"),
                ("expires_at", "INVALID"),
            },
        ),
    ):
        with pytest.raises(InvalidInput) as refused:
            await give(market.database, market.act("township"), signed(household_id, **changes))
        assert codes(refused.value) == faults
    assert await market.count(consents) == 0


async def test_one_consent_is_in_force_at_a_time(market: Market) -> None:
    household_id = await a_household(market)

    outcomes = await asyncio.gather(
        *(give(market.database, market.act("township"), signed(household_id)) for _ in range(8)),
        return_exceptions=True,
    )

    refused = [r for r in outcomes if isinstance(r, Conflict)]
    assert len(refused) == 7
    assert codes(refused[0]) == {("household_id", "CONFLICT")}
    assert await market.count(consents) == 1


async def test_who_may_record_and_end_consents(market: Market) -> None:
    for who, viewer in market.viewer.items():
        household_id = await a_household(market)
        if viewer.role in MUTATIONS["consentGive"] and who != "other_township":
            if viewer.role is Role.APPLICANT:
                await as_applicant_of(market, household_id)
            given = await give(market.database, market.act(who), signed(household_id))
            await withdraw(market.database, market.act(who), WithdrawConsent(consent_id=given))
            assert (await market.row(consents, given))["status"] == "WITHDRAWN"
            continue
        given = await a_consent(market, household_id)
        expected: type[Exception] = Unauthenticated if viewer.role is Role.PUBLIC else Forbidden
        if who == "other_township":
            expected = NotFound
        with pytest.raises(expected):
            await give(market.database, market.act(who), signed(household_id))
        with pytest.raises(expected):
            await withdraw(market.database, market.act(who), WithdrawConsent(consent_id=given))


async def test_a_consent_ends_once_and_not_by_one_who_read_it_long_ago(market: Market) -> None:
    consent_id = await a_consent(market, await a_household(market))
    stale = WithdrawConsent(consent_id=consent_id, expected_version=7)
    with pytest.raises(Conflict) as refused:
        await withdraw(market.database, market.act("township"), stale)
    assert codes(refused.value) == {("expected_version", "CONFLICT")}

    command = WithdrawConsent(consent_id=consent_id, expected_version=0)
    await withdraw(market.database, market.act("township"), command)
    with pytest.raises(Conflict, match="is WITHDRAWN already"):
        await withdraw(
            market.database, market.act("township"), WithdrawConsent(consent_id=consent_id)
        )
    with pytest.raises(NotFound):
        await withdraw(market.database, market.act("township"), WithdrawConsent(consent_id=999))


async def test_withdrawal_takes_every_need_out_that_charity_has_not_served(
    market: Market,
) -> None:
    household_id = await a_household(market)
    consent_id = await a_consent(market, household_id)
    before = {s: await a_need(market, household_id, status=s) for s in NeedStatus}
    other = await a_household(market)
    await a_consent(market, other)
    untouched = await a_need(market, other)

    await withdraw(market.database, market.act("township"), WithdrawConsent(consent_id=consent_id))

    gone = {"DRAFT", "REFERRED", "RETURNED", "PUBLISHED"}
    for status, need_id in before.items():
        row = await market.row(needs, need_id)
        assert row["status"] == ("WITHDRAWN" if status in gone else status)
    assert (await market.row(needs, untouched))["status"] == "PUBLISHED"
    assert await market.count(published_needs, published_needs.c.is_open) == 1
    assert await market.count(events, events.c.kind == "need.withdrawn") == 4
    await all_is_well(market.database)


async def test_withdrawal_frees_what_is_reserved_and_leaves_what_is_on_its_way(
    market: Market,
) -> None:
    household_id = await a_household(market)
    consent_id = await a_consent(market, household_id)
    need_id = await a_need(market, household_id)
    rice, closed = await an_offer(market), await an_offer(market, status="CLOSED")
    statuses = ("RESERVED", "ACCEPTED", "DISPATCHED", "DELIVERED", "CONFIRMED")
    given = {s: await an_allocation(market, need_id, rice, 10, s) for s in statuses}
    from_closed = await an_allocation(market, need_id, closed, 7)

    await withdraw(market.database, market.act("township"), WithdrawConsent(consent_id=consent_id))

    for status, key in (*given.items(), ("RESERVED", from_closed)):
        row = await market.row(allocations, key)
        freed = status in ("RESERVED", "ACCEPTED")
        assert row["status"] == ("CANCELLED" if freed else status)
        assert row["cancel_reason"] == ("CONSENT" if freed else None)
    assert (await market.row(needs, need_id))["covered"] == 30
    row = await market.row(offers, rice)
    assert (row["reserved"], row["delivered"]) == (10, 20)
    assert (await market.row(offers, closed))["reserved"] == 0
    assert await market.count(events, events.c.kind == "allocation.cancelled") == 3
    await all_is_well(market.database)


async def test_withdrawal_costs_as_many_statements_for_forty_allocations_as_for_two(
    market: Market,
) -> None:
    statements: list[str] = []
    engine = market.database.engines[0].sync_engine

    def count(_c: Any, _cur: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    sizes = []
    for size in (2, 40):
        household_id = await a_household(market)
        consent_id = await a_consent(market, household_id)
        for _ in range(size):
            need_id = await a_need(market, household_id)
            await an_allocation(market, need_id, await an_offer(market), 5)
        statements.clear()
        sa.event.listen(engine, "before_cursor_execute", count)
        await withdraw(
            market.database, market.act("township"), WithdrawConsent(consent_id=consent_id)
        )
        sa.event.remove(engine, "before_cursor_execute", count)
        sizes.append(len(statements))

    assert sizes[0] == sizes[1] <= 15
    await all_is_well(market.database)


async def test_the_same_withdrawal_forty_times_at_once_happens_once(market: Market) -> None:
    household_id = await a_household(market)
    consent_id = await a_consent(market, household_id)
    offer_id = await an_offer(market)
    await an_allocation(market, await a_need(market, household_id), offer_id, 25)
    act = market.act("township", "key", "digest")

    done = await asyncio.gather(
        *(withdraw(market.database, act, WithdrawConsent(consent_id=consent_id)) for _ in range(40))
    )

    assert set(done) == {consent_id}
    assert (await market.row(offers, offer_id))["reserved"] == 0
    assert await market.count(events, events.c.kind == "consent.withdrawn") == 1
    await all_is_well(market.database)


async def test_a_consent_that_ran_out_closes_the_market_at_once_and_lapses_with_the_next_chore(
    market: Market,
) -> None:
    now = market.database.now()
    household_id = await a_household(market)
    consent_id = await a_consent(market, household_id, expires_at=now - timedelta(seconds=1))
    standing = await a_consent(market, await a_household(market), expires_at=now + timedelta(9))
    need_id = await a_need(market, household_id)
    offer_id = await an_offer(market)
    await an_allocation(market, need_id, offer_id, 25)
    async with market.database.read() as db:
        assert await db.rows(sa.select(needs.c.id).where(in_market(now))) == []

    assert await lapse(market.database) == 1
    assert await lapse(market.database) == 0

    row = await market.row(consents, consent_id)
    assert (row["status"], row["ended_at"] is not None) == ("LAPSED", True)
    assert (await market.row(consents, standing))["status"] == "GIVEN"
    assert (await market.row(needs, need_id))["status"] == "WITHDRAWN"
    assert (await market.row(offers, offer_id))["reserved"] == 0
    await all_is_well(market.database)


async def test_a_new_consent_takes_the_place_of_one_that_ran_out(market: Market) -> None:
    household_id = await a_household(market)
    past = market.database.now() - timedelta(days=1)
    old = await a_consent(market, household_id, expires_at=past)
    need_id = await a_need(market, household_id)

    new = await give(market.database, market.act("township"), signed(household_id))

    assert (await market.row(consents, old))["status"] == "LAPSED"
    assert (await market.row(consents, new))["status"] == "GIVEN"
    # What was published under the old one must be referred anew.
    assert (await market.row(needs, need_id))["status"] == "WITHDRAWN"
