"""Subscriptions as server-sent events, in lines as urql reads them."""

from __future__ import annotations

import json

from tests.fixtures.served import Served

STREAM = {"Accept": "text/event-stream", "Accept-Language": "en"}


def test_a_subscription_streams_events_and_completes(misbehaving: Served) -> None:
    query = "subscription S($to: Int!) { count(to: $to) }"

    response = misbehaving.client.post(
        "/graphql", json={"query": query, "variables": {"to": 2}}, headers=STREAM
    )

    assert response.headers["content-type"].startswith("text/event-stream")
    assert b"\r" not in response.content
    *events, end = response.text.strip().split("\n\n")
    assert end.startswith("event: complete")
    data = [json.loads(event.split("\n")[1].removeprefix("data: ")) for event in events]
    assert [d["data"] for d in data] == [{"count": 0}, {"count": 1}]


def test_a_mistake_is_told_in_the_stream(misbehaving: Served) -> None:
    for query, code in (("{ viewer {", "GRAPHQL_PARSE_FAILED"), ("{ x }", "GRAPHQL_VALIDATION")):
        response = misbehaving.client.post("/graphql", json={"query": query}, headers=STREAM)
        assert code in response.text


def test_a_surprise_in_a_stream_is_masked(misbehaving: Served) -> None:
    response = misbehaving.client.post(
        "/graphql", json={"query": "subscription { fall }"}, headers=STREAM
    )

    assert '"fall":1' in response.text
    assert "INTERNAL" in response.text
    assert "362502" not in response.text


def test_a_client_that_leaves_ends_its_subscription(misbehaving: Served) -> None:
    with misbehaving.client.stream(
        "POST", "/graphql", json={"query": "subscription { wait }"}, headers=STREAM
    ) as response:
        assert "begun" in next(response.iter_text())

    assert misbehaving.ask("{ viewer { role } }").status_code == 200


def test_a_mutation_by_get_is_no_way_around_in_a_stream(misbehaving: Served) -> None:
    query = 'mutation { thingMake(input: {name: "x"}) { thing { name } } }'

    response = misbehaving.client.get("/graphql", params={"query": query}, headers=STREAM)

    assert "thing" not in response.text or response.status_code >= 400
    assert '"data":{' not in response.text


def test_a_subscription_asked_as_json_is_refused_and_not_hung(misbehaving: Served) -> None:
    response = misbehaving.ask("subscription { wait }")

    assert response.json()["errors"]
