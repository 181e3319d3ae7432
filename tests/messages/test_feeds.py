"""Following events over websockets: each viewer its own, from a position on, and none lost."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import sqlalchemy as sa

from marketplace.domain.events import Event
from marketplace.domain.ids import opaque_id
from marketplace.persistence import events, feed
from marketplace.persistence.database import Database, Writing
from marketplace.persistence.tables import api_keys, published_needs
from marketplace.persistence.tables import events as event_rows
from marketplace.services.feed import RESUME_MAX, follow
from tests.fixtures.asked import Asked, asked, give_keys
from tests.fixtures.market import (
    Market,
    a_consent,
    a_household,
    a_need,
    an_allocation,
    an_offer,
)
from tests.view.test_websocket import Socket, socket

PUBLISHED = """subscription ($after: String) { needPublished(after: $after) {
    position at publishedNeed { id reference isOpen } } }"""
ALLOCATED = """subscription ($after: String, $offer: ID) { offerAllocated(
    after: $after, offerId: $offer) { position allocation { id status } } }"""
UPDATED = """subscription ($after: String, $one: ID) { deliveryUpdated(
    after: $after, allocationId: $one) { position kind allocation { id status offer { id } } } }"""


@pytest.fixture
async def keyed(market: Market) -> Market:
    await give_keys(market)
    return market


@pytest.fixture
def server(keyed: Market, database_url: str, tmp_path: Path) -> Iterator[Asked]:
    with asked(keyed, database_url, tmp_path) as running:
        yield running


async def happen(market: Market, kind: str, entity: str, key: int, **data: object) -> str:
    async with market.database.write() as db:
        return str(await _append(db, market.database, kind, entity, key, data))


async def _append(
    db: Writing, database: Database, kind: str, entity: str, key: int, data: dict[str, object]
) -> int:
    event = Event(kind=kind, at=database.now(), entity=entity, entity_id=key, data=data)
    return await events.append(db, event)


def told(opened: Socket) -> dict[str, Any]:
    message = opened.next()
    assert message["type"] == "next", message
    payload = cast(dict[str, Any], message["payload"])
    assert "errors" not in payload, payload
    (found,) = payload["data"].values()
    return cast(dict[str, Any], found)


def bearer(who: str) -> dict[str, str]:
    return {"Authorization": f"Bearer key-of-{who}", "Accept-Language": "en"}


async def allocated(market: Market, organization: str = "charity") -> tuple[int, int]:
    """Offer and allocation."""
    household = await a_household(market)
    await a_consent(market, household)
    offer = await an_offer(market, organization_id=market.organization[organization])
    return offer, await an_allocation(market, await a_need(market, household), offer, 10)


async def test_the_public_follows_needs_as_they_are_published(server: Asked) -> None:
    market = server.market
    first = await a_need(market, await a_household(market))
    closed = await a_need(market, await a_household(market))
    async with market.database.write() as db:
        copies = {row["need_id"]: row["id"] for row in await db.rows(sa.select(published_needs))}
        await db.execute(
            sa.update(published_needs)
            .where(published_needs.c.need_id == closed)
            .values(is_open=False)
        )

    with socket(server.server, init={"Accept-Language": "en"}) as opened:
        opened.subscribe("1", PUBLISHED, {"after": "0"})
        await happen(market, "need.published", "Need", closed, publishedNeedId=copies[closed])
        await happen(market, "need.created", "Need", first)
        at = await happen(market, "need.published", "Need", first, publishedNeedId=copies[first])
        found = told(opened)

    assert found["position"] == at
    assert found["publishedNeed"]["id"] == opaque_id("PublishedNeed", copies[first])


async def test_a_provider_follows_its_own_and_goes_on_where_the_connection_was_lost(
    server: Asked,
) -> None:
    market = server.market
    offer, own = await allocated(market)
    other_offer, other = await allocated(market, "other")
    start = await happen(market, "offer.posted", "Offer", offer)

    with socket(server.server, init=bearer("provider")) as opened:
        opened.subscribe("1", ALLOCATED, {"after": start})
        await happen(market, "allocation.reserved", "Allocation", other)
        await happen(market, "allocation.reserved", "Allocation", own)
        seen = told(opened)
    await happen(market, "allocation.accepted", "Allocation", own)
    await happen(market, "allocation.accepted", "Allocation", other)
    last = await happen(market, "allocation.confirmed", "Allocation", own)

    assert seen["allocation"] == {"id": opaque_id("Allocation", own), "status": "RESERVED"}
    with socket(server.server, init=bearer("provider")) as opened:
        opened.subscribe("1", UPDATED, {"after": seen["position"]})
        kinds = [told(opened) for _ in range(2)]
    assert [each["kind"] for each in kinds] == ["allocation.accepted", "allocation.confirmed"]
    assert {each["allocation"]["offer"]["id"] for each in kinds} == {opaque_id("Offer", offer)}
    with socket(server.server, init=bearer("auditor")) as opened:
        opened.subscribe("1", UPDATED, {"after": "0", "one": opaque_id("Allocation", other)})
        assert told(opened)["allocation"]["id"] == opaque_id("Allocation", other)
        opened.subscribe("2", ALLOCATED, {"after": "0", "offer": opaque_id("Offer", offer)})
        assert told(opened)["allocation"]["id"] == opaque_id("Allocation", own)
        opened.subscribe("3", UPDATED, {"after": last})
        later = await happen(market, "allocation.disputed", "Allocation", other)
        assert [told(opened)["position"] for _ in range(2)] == [later] * 2
    assert other_offer != offer


@pytest.mark.one_database
async def test_who_may_see_what_is_asked_again_at_every_event(server: Asked) -> None:
    market = server.market
    _, own = await allocated(market)
    position_alone = 'subscription { deliveryUpdated(after: "0") { position } }'

    with socket(server.server, init=bearer("other_provider")) as other:
        other.subscribe("1", position_alone)
        with socket(server.server, init=bearer("provider")) as opened:
            opened.subscribe("1", UPDATED, {"after": "0"})
            await happen(market, "allocation.accepted", "Allocation", own)
            assert told(opened)["kind"] == "allocation.accepted"
            async with market.database.write() as db:
                await db.execute(
                    sa.update(api_keys)
                    .where(api_keys.c.account_id == market.viewer["provider"].account_id)
                    .values(revoked_at=market.database.now())
                )
            await happen(market, "allocation.dispatched", "Allocation", own)
            ended = cast(dict[str, Any], opened.next()["payload"])
        # All that lay before it was passed by in silence.
        other.subscribe("2", "{ viewer { role } }")
        assert other.next()["id"] == "2"
    assert ended["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


@pytest.mark.one_database
async def test_what_a_follower_may_not_see_costs_it_one_question_for_all(server: Asked) -> None:
    market = server.market
    _, own = await allocated(market, "other")
    _, hidden = await allocated(market)
    renewals: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "FROM api_keys" in statement:
            renewals.append(statement)

    async with market.database.write() as db:
        for _ in range(60):
            await _append(db, market.database, "allocation.accepted", "Allocation", hidden, {})
    last = await happen(market, "allocation.accepted", "Allocation", own)
    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        with socket(server.server, init=bearer("other_provider")) as opened:
            opened.subscribe("1", UPDATED, {"after": "0"})
            assert told(opened)["position"] == last
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)
    assert 0 < len(renewals) < 10


@pytest.mark.one_database
async def test_a_feed_goes_on_from_a_position_within_reach_only(server: Asked) -> None:
    market = server.market
    need = await a_need(market, await a_household(market))
    copy = await market.value(sa.select(published_needs.c.id))
    far_on = {"id": RESUME_MAX + 5, "at": market.database.now(), "kind": "a.kind"}
    async with market.database.write() as db:
        await db.insert(event_rows, far_on | {"entity": "Need", "entity_id": need, "data": {}})

    with socket(server.server, init={"Accept-Language": "en"}) as opened:
        opened.subscribe("1", PUBLISHED, {"after": "4"})
        refused = opened.next()
        assert "'POSITION_TOO_OLD'" in str(refused)
        if refused["type"] == "next":
            assert opened.next()["type"] == "complete"
        opened.subscribe("2", PUBLISHED, {"after": "5"})
        told_of = {
            "id": RESUME_MAX + 6,
            "kind": "need.published",
            "data": {"publishedNeedId": copy},
        }
        async with market.database.write() as db:
            await db.insert(event_rows, far_on | {"entity": "Need", "entity_id": need} | told_of)
        assert told(opened)["position"] == str(RESUME_MAX + 6)


@pytest.mark.one_database
def test_a_follower_that_asks_wrongly_is_told_so(server: Asked) -> None:
    wrong = [
        (PUBLISHED, {"after": "x"}, "INVALID_CURSOR"),
        (PUBLISHED, {"after": "-1"}, "INVALID_CURSOR"),
        (PUBLISHED, {"after": "9" * 30}, "INVALID_CURSOR"),
        (ALLOCATED, {}, "UNAUTHENTICATED"),
        (UPDATED, {"after": "0"}, "UNAUTHENTICATED"),
        (ALLOCATED, {"offer": "x"}, "INVALID_ID"),
    ]
    with socket(server.server, init={"Accept-Language": "en"}) as opened:
        for at, (query, given, code) in enumerate(wrong):
            opened.subscribe(str(at), query, given)
            message = opened.next()
            assert message["id"] == str(at)
            assert repr(code) in str(message)
            if message["type"] == "next":
                assert opened.next()["type"] == "complete"


async def test_no_event_is_passed_by_because_a_later_one_was_committed_first(
    database: Database,
) -> None:
    async def kinds_after(position: int) -> list[str]:
        async with database.read() as db:
            return [row["kind"] for row in await feed.after(db, position, limit=10)]

    if database.dialect == "sqlite":  # one writer at a time: there is no such order
        async with database.write() as db:
            await _append(db, database, "a.first", "Need", 1, {})
        assert await kinds_after(0) == ["a.first"]
        return
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        async with database.write() as db:
            await _append(db, database, "a.first", "Need", 1, {})
            begun.set()
            await go_on.wait()

    waiting = asyncio.create_task(slow())
    await begun.wait()
    async with database.write() as db:
        await _append(db, database, "a.second", "Need", 1, {})
    while_open = await kinds_after(0)
    async with database.read() as db:
        newest_while_open = await feed.newest(db)
    go_on.set()
    await waiting

    assert while_open == []
    assert newest_while_open == 0
    assert await kinds_after(0) == ["a.first", "a.second"]


async def test_a_follower_hears_of_what_another_process_committed(
    database: Database, database_url: str
) -> None:
    """Without a bell, too: another connection, in another loop, in another thread."""
    following = follow(database, ["a.kind"], after=0)
    first = asyncio.ensure_future(anext(following))

    def elsewhere() -> None:
        async def write() -> None:
            other = Database(database_url)
            async with other.write() as db:
                await _append(db, other, "a.kind", "Need", 9, {"publishedNeedId": 4})
                await _append(db, other, "an.other", "Need", 9, {})
            await other.close()

        asyncio.run(write())

    thread = threading.Thread(target=elsewhere)
    thread.start()
    (happened,) = await first
    await following.aclose()
    thread.join()

    assert (happened.kind, happened.subjects) == ("a.kind", {"Need": 9, "PublishedNeed": 4})
