"""What stands beside /graphql: GraphiQL without the internet, health, metrics."""

from __future__ import annotations

import re

import pytest

from schema import graphiql
from tests.fixtures.served import Served

HTML = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


def test_a_browser_gets_graphiql_and_all_it_loads_comes_from_this_server(server: Served) -> None:
    page = server.client.get("/graphql", headers=HTML)

    assert page.status_code == 200
    assert "default-src 'self'" in page.headers["content-security-policy"]
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(loaded) == 8
    for address in loaded:
        if address != "data:,":
            assert address.startswith("/assets/")
            assert server.client.get(address).status_code == 200


def test_the_first_tab_holds_the_examples(server: Served) -> None:
    page = server.client.get("/graphql", headers=HTML).text

    assert "query WhoAmI" in page


def test_without_its_files_the_page_says_how_to_go_on(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graphiql, "PACKAGE", "a_package_that_is_not_there")

    page = server.client.get("/graphql", headers=HTML)

    assert page.status_code == 200
    for hint in ("pip install", "aidloop schema", "curl"):
        assert hint in page.text
    assert server.client.get("/assets/graphiql.min.js").status_code == 404


def test_a_program_that_takes_anything_is_told_that_the_query_lacks(server: Served) -> None:
    response = server.client.get("/graphql", headers={"Accept": "*/*"})

    assert response.status_code == 400
    assert response.json()["errors"]


def test_the_front_page_leads_to_graphql(server: Served) -> None:
    assert server.client.get("/").headers["location"] == "/graphql"


def test_a_migrated_database_makes_the_server_ready(server: Served) -> None:
    assert server.client.get("/healthz").json() == {"status": "ok"}
    assert server.client.get("/readyz").json() == {"status": "ready"}


def test_metrics_count_requests_and_outcomes_and_know_no_made_up_paths(server: Served) -> None:
    server.ask("{ viewer { role } }")
    server.ask("{ nothing }")
    server.client.get("/made-up-by-a-client")

    text = server.client.get("/metrics").text

    assert re.search(r'aidloop_http_requests_total\{path="/graphql",status="200"\} [1-9]', text)
    assert re.search(r'aidloop_graphql_results_total\{outcome="OK"\} [1-9]', text)
    assert 'outcome="GRAPHQL_VALIDATION_FAILED"' in text
    assert "aidloop_http_in_flight 1.0" in text  # this very request
    assert "process_resident_memory_bytes" in text
    assert "made-up" not in text
