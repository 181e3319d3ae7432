"""What a client sees of HTTP: media types, methods, headers, origins."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import httpx
import pytest

from tests.fixtures.served import Served, served, settings_for

WHO = "{ viewer { role } }"
NEW = "application/graphql-response+json"


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        (None, "application/json"),
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        (NEW, NEW),
        (f"{NEW}, application/json;q=0.9", NEW),
        (f"{NEW};q=0.1, application/json", "application/json"),
        (f"{NEW}, application/json, text/event-stream, multipart/mixed", NEW),  # as urql asks
    ],
)
def test_the_answer_has_the_media_type_that_is_liked_best(
    server: Served, accept: str | None, answered: str
) -> None:
    headers = {"Accept": accept} if accept else {}

    response = server.client.post("/graphql", json={"query": WHO}, headers=headers)

    assert response.headers["content-type"] == f"{answered}; charset=utf-8"
    assert response.json()["data"] == {"viewer": {"role": "PUBLIC"}}


def test_a_query_may_come_by_get_with_its_variables(server: Served) -> None:
    query = "query Q($yes: Boolean!) { viewer { role @include(if: $yes) language } }"

    response = server.client.get(
        "/graphql",
        params={"query": query, "variables": json.dumps({"yes": False})},
        headers={"Accept-Language": "en"},
    )

    assert response.json()["data"] == {"viewer": {"language": "en"}}


def test_a_mistake_has_status_200_as_json_and_400_as_graphql_response(server: Served) -> None:
    old = server.ask("{ viewer { nothing } }", Accept="application/json")
    new = server.ask("{ viewer { nothing } }", Accept=NEW)

    assert (old.status_code, new.status_code) == (200, 400)
    assert old.json() == new.json()
    assert "data" not in new.json()


def test_every_answer_has_a_request_id_and_keeps_a_harmless_one(server: Served) -> None:
    given = server.ask(WHO, X_Request_Id="order-12345678").headers["x-request-id"]
    refused = server.ask(WHO, X_Request_Id='"><script>').headers["x-request-id"]
    made = server.client.get("/nothing").headers["x-request-id"]

    assert given == "order-12345678"
    assert len(refused) == len(made) == 32


def test_every_answer_says_what_it_cost_and_what_is_left(server: Served) -> None:
    cost = server.ask(WHO).json()["extensions"]["cost"]

    assert (cost["requested"], cost["max"]) == (1, 20_000)
    assert cost["budget"]["remaining"] < cost["budget"]["max"] == 2_000_000


@pytest.mark.parametrize(
    "origin", ["http://localhost:3000", "https://127.0.0.1", "http://[::1]:5173"]
)
def test_in_development_any_local_origin_may_ask(server: Served, origin: str) -> None:
    response = _preflight(server, origin)

    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == origin


@pytest.mark.parametrize(
    "origin", ["http://localhost.evil.example", "http://evil.example", "null", "http://localhost@x"]
)
def test_other_origins_may_not(server: Served, origin: str) -> None:
    assert "access-control-allow-origin" not in _preflight(server, origin).headers


def test_in_production_only_the_listed_origins_may_ask(sqlite_url: str, tmp_path: Path) -> None:
    ours = "https://console.jinxi.example"
    seal, index = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))
    settings = settings_for(
        sqlite_url,
        tmp_path,
        profile="production",
        cors_origins=(ours,),
        encryption_keys=f"1:{seal}",
        blind_index_key=index,
    )
    with served(settings) as production:
        allowed = _preflight(production, ours).headers
        local = _preflight(production, "http://localhost:3000").headers
        page = production.client.get("/graphql", headers={"Accept": "text/html"})
        hint = production.ask("{ viewer { rol } }").json()["errors"][0]["message"]

    assert allowed["access-control-allow-origin"] == ours
    assert "access-control-allow-origin" not in local
    assert page.status_code == 404
    assert "Did you mean" not in hint


def _preflight(server: Served, origin: str) -> httpx.Response:
    return server.client.options(
        "/graphql",
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type,idempotency-key",
        },
    )
