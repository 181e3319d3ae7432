"""Webhooks end to end: made over HTTP, told by the chore, checked as a receiver checks them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from standardwebhooks import Webhook, WebhookVerificationError

from marketplace.domain.events import Event
from marketplace.domain.ids import key_of, opaque_id
from marketplace.domain.messages import WEBHOOK_ATTEMPTS_MAX
from marketplace.persistence import events
from marketplace.persistence.tables import webhook_deliveries, webhooks
from marketplace.services import webhook_sending
from marketplace.services.registry.sealing import sealer_of
from schema.sight import seen
from tests.fixtures.asked import Asked, give_keys
from tests.fixtures.market import (
    Market,
    a_consent,
    a_household,
    a_need,
    an_allocation,
    an_offer,
)
from tests.fixtures.served import served, settings_for
from tests.messages.conftest import Clock
from tests.messages.receiver import Receiver

CREATE = """mutation ($input: WebhookCreateInput!) { webhookCreate(input: $input) {
    webhook { id url kinds role status version allowedMoves organization { name } } secret
    userErrors { field code } } }"""
LIST = """{ webhooks(first: 20) { nodes { id url deliveries(first: 50) { nodes {
    id kind status error attempts responseStatus reference subjectId messageKey allowedMoves } } }
} }"""


def moving(name: str, asking: str = "webhook { id status version url kinds }") -> str:
    kind = name[0].upper() + name[1:]
    return f"""mutation ($input: {kind}Input!) {{ {name}(input: $input) {{
        {asking} userErrors {{ field code }} }} }}"""


@pytest.fixture
async def keyed(market: Market) -> Market:
    await give_keys(market)
    return market


@pytest.fixture
def server(keyed: Market, database_url: str, tmp_path: Path) -> Iterator[Asked]:
    settings = settings_for(database_url, tmp_path, webhook_private_targets=True)
    with served(settings) as running:
        yield Asked(keyed, running, sealer_of(settings))


async def happen(market: Market, kind: str, entity: str, key: int, **data: object) -> int:
    event = Event(kind=kind, at=market.database.now(), entity=entity, entity_id=key, data=data)
    async with market.database.write() as db:
        return await events.append(db, event)


async def tell(server: Asked, *, private_allowed: bool = True) -> None:
    """One round of the chore."""
    database = server.market.database
    while await webhook_sending.produce(database, seen):
        pass
    await webhook_sending.send_due(database, server.sealer, seen, private_allowed=private_allowed)


def create(server: Asked, who: str, receiver: Receiver, *kinds: str) -> dict[str, Any]:
    made = server.do(who, CREATE, {"url": f"{receiver.url}/{who}", "kinds": list(kinds)})
    assert made["userErrors"] == []
    return made


def deliveries(server: Asked, who: str) -> list[dict[str, Any]]:
    return [
        each
        for hook in server.see(who, LIST)["webhooks"]["nodes"]
        for each in hook["deliveries"]["nodes"]
    ]


async def a_served_need(market: Market) -> tuple[int, int, int]:
    """Need, offer of the charity, allocation, with consent."""
    household = await a_household(market)
    await a_consent(market, household)
    need, offer = await a_need(market, household), await an_offer(market)
    return need, offer, await an_allocation(market, need, offer, 10)


async def test_a_subscriber_is_told_signed_of_what_it_asks_for_and_may_see(
    server: Asked, receiver: Receiver
) -> None:
    market = server.market
    need, offer, allocation = await a_served_need(market)
    await happen(market, "offer.paused", "Offer", offer)
    made = create(server, "provider", receiver)
    create(server, "other_provider", receiver)
    create(server, "assistance", receiver, "need.*")
    create(server, "other_township", receiver)
    copy = await market.value(sa.text("SELECT id FROM published_needs"))

    at = await happen(market, "allocation.reserved", "Allocation", allocation, secret="x")
    await happen(market, "need.published", "Need", need, publishedNeedId=copy)
    await happen(market, "household.viewed", "Household", 1, purpose="none of theirs")
    await tell(server)
    await tell(server)

    told = {
        (got.path, got.json["type"], got.json["data"]["id"], got.json["data"]["entity"])
        for got in receiver.got
    }
    public = ("need.published", opaque_id("PublishedNeed", copy), "PublishedNeed")
    assert told == {
        ("/provider", "allocation.reserved", opaque_id("Allocation", allocation), "Allocation"),
        ("/provider", *public),
        ("/other_provider", *public),
        ("/assistance", "need.published", opaque_id("Need", need), "Need"),
        ("/other_township", *public),
    }
    assert len(receiver.got) == 5
    (got,) = (g for g in receiver.got if "allocation" in g.json["type"])
    assert got.json["data"].keys() == {"entity", "id", "reference", "position"}
    assert got.json["data"]["position"] == str(at)
    assert got.json["data"]["reference"].startswith("A-")
    assert Webhook(made["secret"]).verify(got.body, got.headers) == got.json
    with pytest.raises(WebhookVerificationError):
        Webhook(made["secret"]).verify(got.body + b" ", got.headers)
    assert {d["status"] for d in deliveries(server, "provider")} == {"SENT"}
    stored = await market.row(webhooks, key_of("Webhook", made["webhook"]["id"]))
    assert made["secret"] not in str(stored)


async def test_whoever_is_killed_between_sending_and_marking_sends_it_again_under_the_same_id(
    server: Asked, receiver: Receiver, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    market = server.market
    _, offer, _ = await a_served_need(market)
    create(server, "provider", receiver)
    await happen(market, "offer.paused", "Offer", offer)
    with monkeypatch.context() as patch:
        patch.setattr(webhook_sending, "_mark", None)  # what is not there cannot be called
        with pytest.raises(TypeError):
            await tell(server)

    await tell(server)
    assert len(receiver.got) == 1, "it is leased"
    clock.pass_by(webhook_sending.LEASE)
    await tell(server)

    first, second = receiver.got
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    (delivery,) = deliveries(server, "provider")
    assert (delivery["status"], delivery["attempts"]) == ("SENT", 2)
    assert delivery["messageKey"] == first.headers["webhook-id"]


@pytest.mark.one_database
async def test_a_rotated_secret_and_the_one_before_both_sign_for_a_day(
    server: Asked, receiver: Receiver, clock: Clock
) -> None:
    market = server.market
    _, offer, _ = await a_served_need(market)
    made = create(server, "provider", receiver)
    rotate = moving("webhookRotateSecret", "webhook { id version twoSecretsUntil } secret")
    new = server.do("federation", rotate, {"id": made["webhook"]["id"]})

    assert new["secret"] != made["secret"]
    assert new["webhook"]["twoSecretsUntil"] is not None
    await happen(market, "offer.paused", "Offer", offer)
    await tell(server)
    for secret in (made["secret"], new["secret"]):
        Webhook(secret).verify(receiver.got[0].body, receiver.got[0].headers)

    async with market.database.write() as db:
        await db.execute(sa.update(webhooks).values(previous_until=clock.at))
    await happen(market, "offer.resumed", "Offer", offer)
    await tell(server)
    Webhook(new["secret"]).verify(receiver.got[1].body, receiver.got[1].headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(made["secret"]).verify(receiver.got[1].body, receiver.got[1].headers)


@pytest.mark.one_database
async def test_what_is_never_taken_becomes_a_dead_letter_that_can_be_sent_again(
    server: Asked, receiver: Receiver, clock: Clock
) -> None:
    market = server.market
    _, offer, _ = await a_served_need(market)
    create(server, "provider", receiver)
    await happen(market, "offer.paused", "Offer", offer)
    receiver.answers = [500] * WEBHOOK_ATTEMPTS_MAX
    waits = []
    for _ in range(WEBHOOK_ATTEMPTS_MAX):
        await tell(server)
        (row,) = await _rows(market)
        waits.append((row["next_try_at"] - clock.at).total_seconds())
        clock.pass_by(row["next_try_at"] - clock.at)

    (dead,) = deliveries(server, "provider")
    assert waits[:5] == [5, 20, 80, 320, 1280]
    assert (dead["status"], dead["error"], dead["responseStatus"]) == ("DEAD", "HTTP_500", 500)
    assert dead["allowedMoves"] == ["webhookDeliveryRetry"]
    await tell(server)
    assert len(receiver.got) == WEBHOOK_ATTEMPTS_MAX

    retry = moving("webhookDeliveryRetry", "delivery { status attempts }")
    assert server.refused("other_provider", retry, {"id": dead["id"]}) == "NOT_FOUND"
    again = server.do("provider", retry, {"id": dead["id"]})["delivery"]
    assert again == {"status": "QUEUED", "attempts": 0}
    assert server.refused("provider", retry, {"id": dead["id"]}) == "CONFLICT"
    clock.pass_by(timedelta(hours=1))  # the server's clock is the real one
    await tell(server)
    assert len({got.headers["webhook-id"] for got in receiver.got}) == 1
    assert deliveries(server, "provider")[0]["status"] == "SENT"


async def _rows(market: Market) -> list[Any]:
    async with market.database.read() as db:
        return list(await db.rows(sa.select(webhook_deliveries)))


@pytest.mark.one_database
async def test_what_may_not_be_seen_any_more_is_not_sent_and_gone_ends_a_webhook(
    server: Asked, receiver: Receiver
) -> None:
    market = server.market
    need, offer, _ = await a_served_need(market)
    create(server, "assistance", receiver, "need.*")
    create(server, "provider", receiver)
    await happen(market, "need.expired", "Need", need)
    await webhook_sending.produce(market.database, seen)
    async with market.database.write() as db:
        await db.execute(
            sa.text("UPDATE needs SET region_id = :far"), {"far": market.region["far_village"]}
        )
        await db.execute(
            sa.text("UPDATE webhooks SET region_id = :xiugu WHERE role = 'ASSISTANCE_OFFICER'"),
            {"xiugu": market.region["xiugu"]},
        )
    await tell(server)

    (unseen,) = await _rows(market)
    assert (unseen["status"], unseen["error"]) == ("DEAD", "NOT_VISIBLE")
    assert receiver.got == []

    receiver.answers = [410]
    await happen(market, "offer.paused", "Offer", offer)
    await tell(server)
    await happen(market, "offer.resumed", "Offer", offer)
    await tell(server)
    assert len(receiver.got) == 1
    (hook,) = server.see("provider", "{ webhooks(first: 20) { nodes { status allowedMoves } } }")[
        "webhooks"
    ]["nodes"]
    assert hook["status"] == "DISABLED"
    assert "webhookEnable" in hook["allowedMoves"]


@pytest.mark.one_database
async def test_webhooks_belong_to_their_organization_or_desk_and_move_as_declared(
    server: Asked, receiver: Receiver
) -> None:
    market = server.market
    made = create(server, "provider", receiver, "offer.*")["webhook"]
    desk = create(server, "reviewer", receiver)["webhook"]
    create(server, "admin", receiver)
    _, offer, _ = await a_served_need(market)

    assert made["organization"]["name"] == "charity"
    assert made["allowedMoves"] == ["webhookUpdate", "webhookRotateSecret", "webhookDisable"]
    seen_by = {
        who: len(server.see(who, "{ webhooks(first: 20) { nodes { id } } }")["webhooks"]["nodes"])
        for who in ("provider", "federation", "other_provider", "reviewer_2", "assistance",
                    "township", "admin", "auditor", "grid", "applicant", None)
    }  # fmt: skip
    assert seen_by == {
        "provider": 1, "federation": 1, "other_provider": 0, "reviewer_2": 1, "assistance": 0,
        "township": 0, "admin": 3, "auditor": 0, "grid": 0, "applicant": 0, None: 0,
    }  # fmt: skip

    for who in ("grid", "social", "applicant", "auditor"):
        assert server.refused(who, CREATE, {"url": receiver.url}) == "FORBIDDEN"
    assert server.refused(None, CREATE, {"url": receiver.url}) == "UNAUTHENTICATED"
    disable, enable = moving("webhookDisable"), moving("webhookEnable")
    for move in (disable, enable, moving("webhookUpdate"), moving("webhookRotateSecret")):
        assert server.refused("other_provider", move, {"id": made["id"]}) == "NOT_FOUND"
        assert server.refused("assistance", move, {"id": desk["id"]}) == "NOT_FOUND"
    stale = {"id": made["id"], "expectedVersion": 7}
    assert server.refused("provider", disable, stale) == "CONFLICT"
    assert server.refused("provider", enable, {"id": made["id"]}) == "CONFLICT"

    assert server.do("provider", disable, {"id": made["id"]})["webhook"]["status"] == "DISABLED"
    assert server.refused("provider", disable, {"id": made["id"]}) == "CONFLICT"
    await happen(market, "offer.paused", "Offer", offer)
    changed = server.do("admin", enable, {"id": made["id"]})["webhook"]
    assert changed["status"] == "ENABLED"
    update = {"id": made["id"], "kinds": ["offer.closed"], "url": f"{receiver.url}/new"}
    changed = server.do("provider", moving("webhookUpdate"), update)["webhook"]
    assert (changed["kinds"], changed["version"]) == (["offer.closed"], 3)
    await happen(market, "offer.closed", "Offer", offer)
    await happen(market, "offer.updated", "Offer", offer)
    await tell(server)
    told = {(got.path, got.json["type"]) for got in receiver.got}
    assert {t for t in told if t[0] in ("/provider", "/new")} == {("/new", "offer.closed")}


@pytest.mark.one_database
async def test_a_webhook_is_never_let_into_the_own_network(
    keyed: Market, database_url: str, tmp_path: Path, receiver: Receiver
) -> None:
    settings = settings_for(database_url, tmp_path)
    with served(settings) as running:
        server = Asked(keyed, running, sealer_of(settings))

        def said(url: str, *kinds: str) -> str:
            return server.refused("provider", CREATE, {"url": url, "kinds": list(kinds)})

        assert said("http://example.org/") == "INVALID"
        assert said("https://10.0.0.1/") == "PRIVATE_TARGET"
        assert said("https://[::1]/") == "PRIVATE_TARGET"
        assert said("https://" + "a" * 500) == "TOO_LARGE"
        assert said("https://example.org/", "Need Published") == "INVALID"
        assert said("https://example.org/", *["need.*"] * 51) == "TOO_MANY"
        fine = {"url": "https://localhost/hook", "idempotencyKey": "once"}
        made = server.do("provider", CREATE, fine)
        again = server.do("provider", CREATE, fine)
        assert (again["webhook"]["id"], again["secret"]) == (made["webhook"]["id"], None)
        for _ in range(9):
            server.do("provider", CREATE, {"url": "https://example.org/"})
        assert said("https://example.org/") == "TOO_MANY"

        async with keyed.database.write() as db:
            await db.execute(sa.update(webhooks).values(url=f"{receiver.url}/"))
        await happen(keyed, "offer.paused", "Offer", await an_offer(keyed))
        await tell(server, private_allowed=False)
    assert {row["error"] for row in await _rows(keyed)} == {"PRIVATE_TARGET"}
    assert receiver.got == []


async def test_a_long_line_for_one_webhook_keeps_no_other_waiting(
    server: Asked, receiver: Receiver
) -> None:
    market = server.market
    _, offer, _ = await a_served_need(market)
    create(server, "provider", receiver, "offer.*")
    create(server, "federation", receiver, "offer.closed")
    for _ in range(webhook_sending.AT_ONCE_MAX):
        await happen(market, "offer.paused", "Offer", offer)
    await happen(market, "offer.closed", "Offer", offer)

    await tell(server)

    assert sorted(got.path for got in receiver.got) == [
        "/federation",
        *["/provider"] * webhook_sending.OF_EACH_MAX,
    ]
