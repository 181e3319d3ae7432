"""Referring needs in batches, reviewing them with four eyes, and publishing without names."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from marketplace.domain.errors import Conflict, Forbidden, InvalidInput, NotFound, Unauthenticated
from marketplace.domain.exchange.needs import NeedStatus
from marketplace.domain.exchange.referrals import ReviewDecision
from marketplace.domain.permissions import MUTATIONS, Role
from marketplace.persistence.tables import (
    accounts,
    events,
    need_reviews,
    needs,
    published_needs,
    referrals,
)
from marketplace.services.exchange.referrals import ReferNeeds, ReviewNeed, refer, review
from tests.fixtures.invariants import all_is_well
from tests.fixtures.market import Market, a_consent, a_household, a_need
from tests.fixtures.refusals import codes

APPROVE, RETURN, REJECT = ReviewDecision.APPROVE, ReviewDecision.RETURN, ReviewDecision.REJECT


async def a_draft(market: Market, *, consent: bool = True, **changes: Any) -> int:
    household_id = await a_household(market)
    if consent:
        await a_consent(market, household_id)
    return await a_need(market, household_id, **{"status": "DRAFT"} | changes)


async def a_referred(market: Market, **changes: Any) -> int:
    need_id = await a_draft(market, **changes)
    await refer(market.database, market.act("assistance"), ReferNeeds(need_ids=(need_id,)))
    return need_id


async def status_of(market: Market, need_id: int) -> str:
    return str((await market.row(needs, need_id))["status"])


async def test_a_batch_refers_what_is_ready_and_says_what_keeps_the_rest(market: Market) -> None:
    now = market.database.now()
    ready = [await a_draft(market) for _ in range(2)]
    returned = await a_draft(market, status="RETURNED")
    without_consent = await a_draft(market, consent=False)
    published = await a_draft(market, status="PUBLISHED")
    late = await a_draft(market, deadline=now - timedelta(days=1))
    asked = (ready[0], without_consent, published, ready[1], late, 999_999, returned)

    done = await refer(market.database, market.act("assistance"), ReferNeeds(need_ids=asked))

    assert done.need_ids == (ready[0], ready[1], returned)
    assert {i: f.code for i, f in done.refused.items()} == {
        1: "CONSENT_REQUIRED",
        2: "CONFLICT",
        4: "DEADLINE_PASSED",
        5: "NOT_FOUND",
    }
    assert next(f.field for f in done.refused.values()) == ("need_ids", "1")
    assert (await market.row(referrals, done.referral_id))["line_count"] == 3
    assert {await status_of(market, k) for k in done.need_ids} == {"REFERRED"}
    assert await status_of(market, without_consent) == "DRAFT"
    assert await market.count(events, events.c.kind == "need.referred") == 3
    assert await market.count(events, events.c.kind == "referral.created") == 1


async def test_a_batch_with_nothing_ready_makes_no_referral(market: Market) -> None:
    need_ids = (await a_draft(market, consent=False), 999_999)

    with pytest.raises(Conflict) as refused:
        await refer(market.database, market.act("assistance"), ReferNeeds(need_ids=need_ids))

    assert codes(refused.value) == {
        ("need_ids.0", "CONSENT_REQUIRED"),
        ("need_ids.1", "NOT_FOUND"),
    }
    assert await market.count(referrals) == await market.count(events) == 0


async def test_a_list_is_not_empty_not_overlong_and_repeats_nothing(market: Market) -> None:
    for need_ids, expected in (
        ((), ("need_ids", "REQUIRED")),
        (tuple(range(1, 102)), ("need_ids", "TOO_MANY")),
        ((1, 2, 1), ("need_ids.2", "DUPLICATE")),
    ):
        with pytest.raises(InvalidInput) as refused:
            await refer(market.database, market.act("assistance"), ReferNeeds(need_ids=need_ids))
        assert codes(refused.value) == {expected}


async def test_a_hundred_needs_are_referred_with_as_many_statements_as_two(
    market: Market,
) -> None:
    statements: list[str] = []
    engine = market.database.engines[0].sync_engine

    def count(_c: Any, _cur: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    sizes = []
    for size in (2, 100):
        household_id = await a_household(market)
        await a_consent(market, household_id)
        need_ids = tuple([await a_need(market, household_id, status="DRAFT") for _ in range(size)])
        statements.clear()
        sa.event.listen(engine, "before_cursor_execute", count)
        await refer(market.database, market.act("assistance"), ReferNeeds(need_ids=need_ids))
        sa.event.remove(engine, "before_cursor_execute", count)
        sizes.append(len(statements))

    assert sizes[0] == sizes[1] <= 10


async def test_the_same_key_is_told_the_same_outcome_with_its_refusals(market: Market) -> None:
    command = ReferNeeds(need_ids=(await a_draft(market), await a_draft(market, consent=False)))
    act = market.act("assistance", "key", "digest")

    done = await asyncio.gather(*(refer(market.database, act, command) for _ in range(40)))

    assert all(one == done[0] for one in done)
    assert {i: f.code for i, f in done[0].refused.items()} == {1: "CONSENT_REQUIRED"}
    assert await market.count(referrals) == 1


async def test_only_the_assistance_desk_refers_and_only_the_charity_desk_reviews(
    market: Market,
) -> None:
    need_id = await a_draft(market)
    command = ReviewNeed(need_id=need_id, decision=APPROVE)
    for who, viewer in market.viewer.items():
        expected = Unauthenticated if viewer.role is Role.PUBLIC else Forbidden
        if viewer.role not in MUTATIONS["needRefer"]:
            with pytest.raises(expected):
                await refer(market.database, market.act(who), ReferNeeds(need_ids=(need_id,)))
        if viewer.role not in MUTATIONS["needReview"]:
            with pytest.raises(expected):
                await review(market.database, market.act(who), command)
    assert await status_of(market, need_id) == "DRAFT"


async def test_approval_publishes_a_copy_that_names_nobody(market: Market) -> None:
    need_id = await a_referred(
        market,
        category_id=market.category["medical_cash"],
        quantity_asked=123_456,
        quantity=123_456,
    )

    await review(
        market.database, market.act("reviewer"), ReviewNeed(need_id=need_id, decision=APPROVE)
    )

    row = await market.row(needs, need_id)
    assert (row["status"], row["published_at"] is not None) == ("PUBLISHED", True)
    async with market.database.read() as db:
        (copy,) = await db.rows(sa.select(published_needs))
    assert copy["region_id"] == market.region["xiugu"]  # the township, not the grid cell
    assert copy["quantity"] == 200_000  # a band, not the bill
    assert (copy["severity_band"], copy["target_groups"], copy["is_open"]) == ("HIGH", 1, True)
    assert await market.count(events, events.c.kind == "need.published") == 1
    await all_is_well(market.database)


async def test_a_dear_need_is_published_once_two_different_people_approved(
    market: Market,
) -> None:
    # 1,000 kg of rice at 6 yuan: above the band of 5,000 yuan.
    need_id = await a_referred(
        market, category_id=market.category["rice"], quantity_asked=1_000, quantity=1_000
    )
    command = ReviewNeed(need_id=need_id, decision=APPROVE)

    await review(market.database, market.act("reviewer"), command)
    assert await status_of(market, need_id) == "REFERRED"
    assert await market.count(published_needs) == 0
    with pytest.raises(Conflict) as refused:
        await review(market.database, market.act("reviewer"), command)
    assert codes(refused.value) == {("", "FOUR_EYES")}

    await review(market.database, market.act("reviewer_2"), command)
    assert await status_of(market, need_id) == "PUBLISHED"
    await all_is_well(market.database)


async def test_two_reviewers_at_once_count_as_two_and_one_twice_as_one(market: Market) -> None:
    dear = {"category_id": market.category["rice"], "quantity_asked": 999, "quantity": 999}
    by_two = [await a_referred(market, **dear) for _ in range(10)]
    by_one = await a_referred(market, **dear)

    await asyncio.gather(
        *(
            review(market.database, market.act(who), ReviewNeed(need_id=n, decision=APPROVE))
            for n in by_two
            for who in ("reviewer", "reviewer_2")
        )
    )
    outcomes = await asyncio.gather(
        *(
            review(
                market.database,
                market.act("reviewer"),
                ReviewNeed(need_id=by_one, decision=APPROVE),
            )
            for _ in range(8)
        ),
        return_exceptions=True,
    )

    assert {await status_of(market, n) for n in by_two} == {"PUBLISHED"}
    assert await status_of(market, by_one) == "REFERRED"
    assert outcomes.count(by_one) == 1
    assert await market.count(need_reviews, need_reviews.c.need_id == by_one) == 1
    await all_is_well(market.database)


async def test_whoever_referred_a_need_may_not_review_it(market: Market) -> None:
    need_id = await a_referred(market)
    # The same person, moved from one desk to the other meanwhile.
    async with market.database.write() as db:
        await db.execute(
            sa.update(needs)
            .where(needs.c.id == need_id)
            .values(referred_by=market.viewer["reviewer"].account_id)
        )

    with pytest.raises(Conflict) as refused:
        await review(
            market.database, market.act("reviewer"), ReviewNeed(need_id=need_id, decision=APPROVE)
        )

    assert codes(refused.value) == {("", "FOUR_EYES")}


@pytest.mark.parametrize(("decision", "status"), [(RETURN, "RETURNED"), (REJECT, "REJECTED")])
async def test_sending_back_and_refusing_ask_for_a_reason(
    market: Market, decision: ReviewDecision, status: str
) -> None:
    need_id = await a_referred(market)
    for reason, code in ((None, "REQUIRED"), ("  ", "REQUIRED"), ("x" * 501, "TOO_LARGE")):
        with pytest.raises(InvalidInput) as refused:
            await review(
                market.database,
                market.act("reviewer"),
                ReviewNeed(need_id=need_id, decision=decision, reason=reason),
            )
        assert codes(refused.value) == {("reason", code)}

    await review(
        market.database,
        market.act("reviewer"),
        ReviewNeed(need_id=need_id, decision=decision, reason="Bill is missing"),
    )

    assert await status_of(market, need_id) == status
    assert await market.count(published_needs) == 0
    # The reason stands in the review alone: the log holds no free text.
    assert await market.count(need_reviews, need_reviews.c.reason == "Bill is missing") == 1
    async with market.database.read() as db:
        told = await db.rows(sa.select(events.c.data))
    assert "Bill" not in str(told)


async def test_a_returned_need_is_referred_again_as_a_new_round(market: Market) -> None:
    need_id = await a_referred(market)
    sent_back = ReviewNeed(need_id=need_id, decision=RETURN, reason="Which school?")
    await review(market.database, market.act("reviewer"), sent_back)
    await refer(market.database, market.act("assistance_2"), ReferNeeds(need_ids=(need_id,)))

    await review(
        market.database, market.act("reviewer"), ReviewNeed(need_id=need_id, decision=APPROVE)
    )

    assert await status_of(market, need_id) == "PUBLISHED"
    assert await market.count(referrals) == 2


async def test_only_referred_needs_are_reviewed_and_only_drafts_and_returned_ones_referred(
    market: Market,
) -> None:
    for status in NeedStatus:
        need_id = await a_draft(market, status=status)
        if status != "REFERRED":
            with pytest.raises(Conflict, match=f"is {status}"):
                await review(
                    market.database,
                    market.act("reviewer"),
                    ReviewNeed(need_id=need_id, decision=APPROVE),
                )
        if status not in ("DRAFT", "RETURNED"):
            with pytest.raises(Conflict, match=f"is {status}"):
                await refer(
                    market.database, market.act("assistance"), ReferNeeds(need_ids=(need_id,))
                )
        assert await status_of(market, need_id) == status


async def test_a_need_whose_time_has_passed_is_not_published_but_may_be_refused(
    market: Market,
) -> None:
    need_id = await a_referred(market)
    async with market.database.write() as db:
        past = market.database.now() - timedelta(hours=1)
        await db.execute(sa.update(needs).where(needs.c.id == need_id).values(deadline=past))

    with pytest.raises(Conflict) as refused:
        await review(
            market.database, market.act("reviewer"), ReviewNeed(need_id=need_id, decision=APPROVE)
        )
    assert codes(refused.value) == {("", "DEADLINE_PASSED")}
    await review(
        market.database,
        market.act("reviewer"),
        ReviewNeed(need_id=need_id, decision=REJECT, reason="Too late"),
    )
    assert await status_of(market, need_id) == "REJECTED"


async def test_a_review_of_what_was_read_before_is_late(market: Market) -> None:
    need_id = await a_referred(market)

    with pytest.raises(Conflict) as refused:
        await review(
            market.database,
            market.act("reviewer"),
            ReviewNeed(need_id=need_id, decision=APPROVE, expected_version=0),
        )
    assert codes(refused.value) == {("expected_version", "CONFLICT")}

    await review(
        market.database,
        market.act("reviewer"),
        ReviewNeed(need_id=need_id, decision=APPROVE, expected_version=1),
    )
    assert await status_of(market, need_id) == "PUBLISHED"


async def test_nobody_reviews_or_refers_the_case_of_the_own_household(market: Market) -> None:
    need_id = await a_draft(market)
    household_id = (await market.row(needs, need_id))["household_id"]
    officers = [market.viewer[who].account_id for who in ("assistance_2", "reviewer_2")]
    async with market.database.write() as db:
        own = sa.update(accounts).where(accounts.c.id.in_(officers))
        await db.execute(own.values(household_id=household_id))

    with pytest.raises(Conflict) as refused:
        await refer(market.database, market.act("assistance_2"), ReferNeeds(need_ids=(need_id,)))
    assert codes(refused.value) == {("need_ids.0", "FOUR_EYES")}

    await refer(market.database, market.act("assistance"), ReferNeeds(need_ids=(need_id,)))
    for decision in (APPROVE, REJECT):
        with pytest.raises(Conflict) as refused:
            await review(
                market.database,
                market.act("reviewer_2"),
                ReviewNeed(need_id=need_id, decision=decision, reason="why"),
            )
        assert codes(refused.value) == {("", "FOUR_EYES")}


async def test_a_need_outside_the_reviewers_region_is_not_to_be_found(market: Market) -> None:
    need_id = await a_referred(market)
    elsewhere = replace(market.viewer["reviewer"], region_low=5)  # without the township of Xiugu
    command = ReviewNeed(need_id=need_id, decision=APPROVE)

    with pytest.raises(NotFound):
        await review(market.database, replace(market.act("reviewer"), viewer=elsewhere), command)
