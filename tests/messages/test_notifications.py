"""The inbox: each account is told what concerns it, once, and of nothing that it may not see."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from marketplace.domain.events import Event
from marketplace.domain.ids import opaque_id
from marketplace.domain.notifications import NOTICES
from marketplace.persistence import events
from marketplace.persistence.tables import accounts, consents, needs, notifications, referrals
from marketplace.services.notifications import produce
from schema.sight import seen
from tests.fixtures.asked import Asked, asked, give_keys
from tests.fixtures.market import (
    Market,
    a_consent,
    a_household,
    a_need,
    an_allocation,
    an_offer,
)

INBOX = """{ notifications(first: 50) { totalCount nodes {
    id kind text(language: EN) zh: text(language: ZH_CN) reference subjectId readAt } } }"""
MARK = """mutation ($input: NotificationMarkReadInput!) { notificationMarkRead(input: $input) {
    notifications { id readAt } userErrors { field code } } }"""
DIGEST = """query ($since: DateTime!) { notificationDigest(since: $since) {
    zh en unread counts { kind label count } } }"""


async def happen(
    market: Market, kind: str, entity: str, key: int, *, by: str | None = None, **data: object
) -> int:
    event = Event(
        kind=kind,
        at=market.database.now(),
        entity=entity,
        entity_id=key,
        account_id=market.viewer[by].account_id if by else None,
        data=data,
    )
    async with market.database.write() as db:
        return await events.append(db, event)


async def told(market: Market) -> set[tuple[str, str]]:
    """(who, kind) of every notification there is."""
    statement = sa.select(accounts.c.name, notifications.c.kind).join(
        accounts, accounts.c.id == notifications.c.account_id
    )
    async with market.database.read() as db:
        rows = await db.rows(statement)
    return {(row["name"], row["kind"]) for row in rows}


async def told_of(market: Market, kind: str, entity: str, key: int, **how: Any) -> set[str]:
    await happen(market, kind, entity, key, **how)
    assert await produce(market.database, seen)
    return {who for who, what in await told(market) if what == kind}


@pytest.fixture
async def allocated(market: Market) -> tuple[int, int, int, int]:
    """Household, need, offer, allocation: a household with its consent, served by the charity."""
    household = await a_household(market)
    await a_consent(market, household)
    async with market.database.write() as db:
        await db.execute(
            sa.update(accounts).where(accounts.c.name == "applicant").values(household_id=household)
        )
    need, offer = await a_need(market, household), await an_offer(market)
    return household, need, offer, await an_allocation(market, need, offer, 10)


async def test_every_kind_is_told_to_those_whom_it_concerns_and_to_nobody_else(
    market: Market, allocated: tuple[int, int, int, int]
) -> None:
    _, need, offer, allocation = allocated
    async with market.database.write() as db:  # referred, so that the charity desk may know of it
        referral = {
            "referred_by": market.viewer["assistance"].account_id,
            "referred_at": market.database.now(),
            "line_count": 1,
        }
        key = await db.insert(referrals, referral)
        await db.execute(sa.update(needs).where(needs.c.id == need).values(referral_id=key))
    givers, desk = {"provider", "federation"}, {"reviewer", "reviewer_2"}
    office = {"assistance", "assistance_2"}

    for kind, entity, about, whom in (
        ("allocation.reserved", "Allocation", allocation, givers),
        ("allocation.cancelled", "Allocation", allocation, givers),
        ("allocation.disputed", "Allocation", allocation, givers | desk),
        ("allocation.accepted", "Allocation", allocation, {"grid"}),
        ("offer.expired", "Offer", offer, givers),
        ("need.referred", "Need", need, desk),
        ("need.returned", "Need", need, office),
        ("need.published", "Need", need, {"applicant"}),
        ("need.fulfilled", "Need", need, {"applicant"} | office),
        ("household.viewed", "Household", allocated[0], set()),
        ("plan.failed", "Nothing", 1, set()),
    ):
        assert await told_of(market, kind, entity, about) == whom, kind


@pytest.mark.one_database
async def test_nobody_is_told_of_what_they_did_of_their_own_case_or_may_not_see(
    market: Market, allocated: tuple[int, int, int, int]
) -> None:
    household, need, _, allocation = allocated
    async with market.database.write() as db:
        await db.execute(
            sa.update(accounts)
            .where(accounts.c.name == "assistance_2")
            .values(household_id=household)
        )
        await db.execute(
            sa.update(accounts)
            .where(accounts.c.name == "federation")
            .values(disabled_at=market.database.now())
        )
        await db.execute(sa.update(consents).values(status="WITHDRAWN"))

    assert await told_of(market, "need.returned", "Need", need) == {"assistance"}
    assert await told_of(market, "need.rejected", "Need", need, by="assistance") == set()
    assert await told_of(market, "allocation.reserved", "Allocation", allocation) == {"provider"}
    assert await told_of(market, "need.referred", "Need", need) == set(), "consent has ended"


async def test_an_event_is_told_once_however_many_processes_tell(
    market: Market, allocated: tuple[int, int, int, int]
) -> None:
    for _ in range(3):
        await happen(market, "offer.expired", "Offer", allocated[2])

    await asyncio.gather(*(produce(market.database, seen) for _ in range(3)))
    await produce(market.database, seen)

    assert await market.count(notifications) == 6  # three events, two people of the charity


@pytest.fixture
async def keyed(market: Market) -> Market:
    await give_keys(market)
    return market


@pytest.fixture
def server(keyed: Market, database_url: str, tmp_path: Path) -> Iterator[Asked]:
    with asked(keyed, database_url, tmp_path) as running:
        yield running


@pytest.mark.one_database
async def test_an_inbox_is_read_marked_and_summed_up_by_its_own_account(
    server: Asked, allocated: tuple[int, int, int, int]
) -> None:
    market, (_, _, offer, allocation) = server.market, allocated
    await happen(market, "allocation.reserved", "Allocation", allocation)
    await happen(market, "allocation.reserved", "Allocation", allocation)
    await happen(market, "offer.expired", "Offer", offer)
    await produce(market.database, seen)

    inbox = server.see("provider", INBOX)["notifications"]
    newest = inbox["nodes"][0]
    assert inbox["totalCount"] == 3
    assert newest["kind"] == "offer.expired"
    assert newest["subjectId"] == opaque_id("Offer", offer)
    assert newest["text"] == f"Your offer has expired: {newest['reference']}"
    assert newest["zh"] == f"您的供给已过期：{newest['reference']}"
    assert newest["reference"].startswith("O-")
    for other in ("other_provider", "admin", "auditor", None):
        assert server.see(other, INBOX)["notifications"]["totalCount"] == 0
    assert server.refused("other_provider", MARK, {"ids": [newest["id"]]}) == "NOT_FOUND"
    assert server.refused(None, MARK, {}) == "UNAUTHENTICATED"
    assert server.refused("auditor", MARK, {}) == "FORBIDDEN"
    assert server.refused("provider", MARK, {"ids": []}) == "REQUIRED"
    assert server.refused("provider", MARK, {"ids": [opaque_id("Offer", 1)]}) == "INVALID_ID"

    (marked,) = server.do("provider", MARK, {"ids": [newest["id"]]})["notifications"]
    since = (market.database.now() - timedelta(days=1)).isoformat()
    digest = server.see("provider", DIGEST, {"since": since})["notificationDigest"]

    assert marked["id"] == newest["id"]
    assert marked["readAt"] is not None
    assert server.do("provider", MARK, {"ids": [newest["id"]]})["notifications"] == []
    assert digest["unread"] == 2
    assert [(c["kind"], c["count"]) for c in digest["counts"]] == [
        ("allocation.reserved", 2),
        ("offer.expired", 1),
    ]
    assert "3 notifications, 2 unread" in digest["en"]
    assert "共 3 条通知，其中 2 条未读" in digest["zh"]
    assert len(server.do("provider", MARK, {})["notifications"]) == 2
    later = (market.database.now() + timedelta(days=1)).isoformat()
    assert server.see("provider", DIGEST, {"since": later})["notificationDigest"]["counts"] == []
    assert server.ask(None, DIGEST, {"since": since})["errors"][0]["extensions"]["code"] == (
        "UNAUTHENTICATED"
    )


def test_every_notice_is_said_in_both_languages_without_a_name() -> None:
    for kind, notice in NOTICES.items():
        assert notice.to, kind
        assert notice.label.en.isascii(), kind
        assert not notice.label.zh.isascii(), kind
