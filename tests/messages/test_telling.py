"""The whole way in a running server: an act over HTTP is told to inbox, webhook and follower."""

from __future__ import annotations

from pathlib import Path

from marketplace.domain.ids import opaque_id
from marketplace.persistence.database import Database
from marketplace.services.registry.sealing import sealer_of
from tests.fixtures.asked import Asked, give_keys
from tests.fixtures.market import a_consent, a_household, a_market, a_need
from tests.fixtures.served import served, settings_for
from tests.messages.receiver import Receiver
from tests.messages.test_feeds import PUBLISHED, bearer, told
from tests.view.test_websocket import socket

POST = """mutation ($input: OfferPostInput!) { offerPost(input: $input) {
    offer { id } userErrors { code } } }"""
CREATE = """mutation ($input: WebhookCreateInput!) { webhookCreate(input: $input) {
    webhook { id } userErrors { code message } } }"""
REFER = """mutation ($input: NeedReferInput!) { needRefer(input: $input) {
    needs { id } userErrors { code message } } }"""
REVIEW = """mutation ($input: NeedReviewInput!) { needReview(input: $input) {
    need { status publishedNeed { id } } userErrors { code message } } }"""


async def test_what_is_done_over_http_is_told_to_everyone_whom_it_concerns(
    database: Database, database_url: str, tmp_path: Path, receiver: Receiver
) -> None:
    market = await a_market(database)
    await give_keys(market)
    household = await a_household(market)
    await a_consent(market, household)
    need = opaque_id("Need", await a_need(market, household, status="DRAFT"))
    settings = settings_for(
        database_url,
        tmp_path,
        worker_in_server=True,
        webhook_private_targets=True,
        message_channel="webhook",
        message_webhook_url=f"{receiver.url}/sms",
        message_webhook_secret="whsec_" + "A" * 44,
    )
    with served(settings) as running:
        server = Asked(market, running, sealer_of(settings))
        kinds = ["need.*", "offer.posted"]
        made = server.do("reviewer", CREATE, {"url": f"{receiver.url}/desk", "kinds": kinds})
        assert made["userErrors"] == []
        with socket(running, init=bearer("other_provider")) as following:
            following.subscribe("1", PUBLISHED, {"after": "0"})
            offer = {
                "kind": "GOODS",
                "categoryId": opaque_id("Category", market.category["rice"]),
                "quantity": "100",
            }
            posted = server.do("provider", POST, offer)["offer"]["id"]
            referred = server.do("assistance", REFER, {"needIds": [need]})
            assert referred["userErrors"] == []
            review = {"id": need, "decision": "APPROVE"}
            reviewed = server.do("reviewer", REVIEW, review)["need"]
            copy = reviewed["publishedNeed"]["id"]
            seen = told(following)
        receiver.wait_for(3)

    assert reviewed["status"] == "PUBLISHED"
    assert seen["publishedNeed"]["id"] == copy
    assert {(got.json["type"], got.json["data"]["id"]) for got in receiver.got} == {
        ("offer.posted", posted),
        ("need.referred", need),
        ("need.published", need),
    }
